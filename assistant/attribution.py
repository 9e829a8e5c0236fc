"""Attribution: from a model's draft, with its `[k]` markers, to sentences whose citations point at characters.

`split` cuts a draft into sentences, `parse` separates a sentence from its markers, `attribute` finds the evidence that
carries it, and `write` puts the sentence into the answer's text with the papers' keys. All pure; the verifier is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant import cleaning, sentences
from assistant.answers import Citation, Claim, Finding, Verdict
from assistant.evidence import Sentence
from assistant.ledger import Numbering, cite
from assistant.papers import Span
from assistant.terms import terms
from assistant.verification import Verifier

_MOST_RANGE = 12  # numbers that `[2-9]` may stand for
_FEWEST_TERMS = 2  # of a claim that is given evidence which the model did not cite: one word stands anywhere
_CANDIDATES = 3  # other sentences tried for a claim that the cited ones do not carry
_MARKER = re.compile(
    r"[\[【](?:\s*(?:evidence|sentences?|sources?|refs?)\b\s*:?)?"
    r"\s*#?\d{1,4}(?:\s*(?:[,;–-]|and)\s*#?\d{1,4})*\s*[\]】]",
    re.IGNORECASE,
)
_SPACED_MARKER = re.compile(rf"[ \t]*{_MARKER.pattern}", re.IGNORECASE)
_TRAILING = re.compile(rf"(?:[ \t]*{_MARKER.pattern})+[.!?]?", re.IGNORECASE)
_UNCLOSED = re.compile(r"[ \t]*[\[【][^\]】\n]{0,24}\Z")
_LIST_SIGN = re.compile(r"[ \t]*(?:(?:[-*•]|#{1,6}|\d{1,2}[.)])[ \t]+)?")
_NUMBERS = re.compile(r"(\d+)(?:\s*[–-]\s*#?(\d+))?")
_WORD = re.compile(r"[^\W_]")
_THINKING, _THOUGHT = "<think>", "</think>"
_TALK = re.compile(
    r"(?:(?:sure|certainly|of course|hello|hi|thanks|thank you|great question|yes|no)\b[^.:]{0,40}[.!:,]?|"
    r"(?:here (?:is|are)|(?:the )?following|in (?:summary|short)|based on|according to)\b[^.]*:)\s*",
    re.IGNORECASE,
)
_EVIDENCE = r"(?:evidence|abstracts?|sentences?|text|information|papers?|context|sources?|passages?|excerpts?)"
_ABSENCE = re.compile(
    r"(?:NOT STATED\b|not stated\s*[.!]?\s*\Z|"
    rf".{{0,60}}\b(?:the|this|these|provided|given|available)\s+(?:\w+\s+){{0,2}}{_EVIDENCE}\s+(?:sentences?\s+)?"
    r"(?:does|do|did)\s*(?:not|n['’]t)\s+(?:\w+ly\s+)?(?:contain|state|mention|provide|specify|hold|include|say|give|report|"
    r"indicate|discuss|address|tell|answer)|"
    rf".{{0,160}}\bnot\s+(?:\w+ly\s+)?(?:stated|mentioned|specified|provided|given|reported|included|available)\s+(?:in|by)\s+"
    rf"(?:the|this|these)\s+(?:\w+\s+){{0,2}}{_EVIDENCE})",
    re.IGNORECASE,
)


def without_thought(draft: str) -> str:
    """The draft without a leading block of thought, which is no part of an answer; nothing while one is open."""
    stripped = draft.lstrip()
    if stripped.startswith(_THINKING):
        return stripped.partition(_THOUGHT)[2]
    return "" if thought_begins(draft) else draft


def thought_begins(draft: str) -> bool:
    """Whether the draft, so far, may be the opening of a block of thought."""
    return _THINKING.startswith(draft.strip())


# --- cutting a draft --------------------------------------------------------------------------------------------------


def split(draft: str) -> tuple[Span, ...]:
    """The sentences of a draft as spans, each with the markers that belong to it; signs of lists are in none.

    A marker after a full stop belongs to the sentence before, one at the start of a line to the sentence after, a line
    of markers alone to the sentence before. A line's end always ends a sentence.
    """
    found: list[Span] = []
    start = 0
    for line in draft.splitlines(keepends=True):
        spans = _in_line(line)
        if len(spans) == 1 and found and not _WORD.search(_MARKER.sub("", line)):
            found[-1] = Span(found[-1].start, start + spans[0].end)
        else:
            found.extend(Span(start + span.start, start + span.end) for span in spans)
        start += len(line)
    return tuple(found)


def finished(draft: str) -> tuple[Span, ...]:
    """The sentences of a draft that is still growing which more text cannot change any more."""
    closed = _UNCLOSED.sub("", draft)
    spans = split(closed)
    if not spans:
        return ()
    last = _MARKER.sub("", closed[spans[-1].start : spans[-1].end]).split()
    return spans[:-1] if len(last) > 2 else spans[:-2]


def _in_line(line: str) -> list[Span]:
    sign = _LIST_SIGN.match(line)
    offset = sign.end() if sign else 0
    bare, origin = _without_markers(line, offset)
    spans = sentences.split(bare)
    if not spans:
        stripped = line.strip()
        return [Span(line.index(stripped), line.index(stripped) + len(stripped))] if _MARKER.search(stripped) else []
    found: list[Span] = []
    cursor = offset
    for span in spans:
        start, end = origin[span.start], origin[span.end - 1] + 1
        leading = _MARKER.search(line, cursor, start)
        trailing = _TRAILING.match(line, end)
        cursor = trailing.end() if trailing else end
        found.append(Span(leading.start() if leading else start, cursor))
    return found


def _without_markers(line: str, offset: int) -> tuple[str, list[int]]:
    """The line without its markers, and where each kept character stood."""
    origin: list[int] = []
    for match in _SPACED_MARKER.finditer(line, offset):
        origin.extend(range(offset, match.start()))
        offset = match.end()
    origin.extend(range(offset, len(line)))
    return "".join(line[index] for index in origin), origin


# --- one sentence -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a draft: its words, and the evidence numbers that its markers give, in order."""

    raw: str
    body: str  # without markers
    keys: tuple[int, ...]  # of the evidence shown
    unknown: tuple[int, ...]  # of nothing shown


def parse(raw: str, shown: Sequence[Sentence]) -> Said:
    """Reads a sentence. A bracket like `[0, 1]` that stands so in the evidence is text, not a marker."""
    raw = raw.replace("**", "").replace("__", "").strip()
    numbers: dict[int, None] = {}
    body, position = "", 0
    for match in _SPACED_MARKER.finditer(raw):
        if _literal(match.group(), shown):
            continue
        numbers.update(dict.fromkeys(_keys(match.group())))
        body += raw[position : match.start()]
        position = match.end()
    body += raw[position:]
    known = range(1, len(shown) + 1)
    return Said(
        raw,
        " ".join(body.split()),
        tuple(number for number in numbers if number in known),
        tuple(number for number in numbers if number not in known),
    )


def _keys(marker: str) -> list[int]:
    found: list[int] = []
    for match in _NUMBERS.finditer(marker):
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        found.extend(range(first, last + 1) if first <= last < first + _MOST_RANGE else (first, last))
    return found


def _literal(marker: str, shown: Sequence[Sentence]) -> bool:
    if all(1 <= key <= len(shown) for key in _keys(marker)):
        return False
    return any(marker.strip() in sentence.text for sentence in shown)


def absent(body: str) -> bool:
    """Whether a sentence only says that the evidence lacks the answer, in the agreed words or its own."""
    return _ABSENCE.match(body) is not None


# --- finding what carries it ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attributed:
    """A sentence with the evidence it rests on. `moved` says that the evidence is not what the model cited."""

    said: Said
    evidence: tuple[Sentence, ...]
    moved: bool
    verdict: Verdict
    score: float | None
    findings: tuple[Finding, ...]


def attribute(said: Said, shown: Sequence[Sentence], verifier: Verifier) -> Attributed:
    """Verifies a sentence against what it cites; where that fails, against the other sentences that were shown.

    A citation is moved, or given where there was none, only when the verifier finds the claim supported there.
    """
    cited = tuple(shown[key - 1] for key in said.keys)
    findings = tuple(
        Finding("unknown_citation", f"The model cited [{key}], but no evidence has that number.")
        for key in said.unknown
    )
    blank = Attributed(said, cited, False, "unscored", None, findings)
    if not _WORD.search(said.body):
        return blank
    if absent(said.body):
        told = Finding("absence", "Says that the evidence lacks something, which is not checked.")
        return replace(blank, findings=(*findings, told))
    if not cited and not said.unknown and _TALK.fullmatch(said.body):
        return replace(blank, findings=(Finding("no_claim", "Makes no claim that evidence could carry."),))
    verbatim = _verbatim(said.body, cited) or _verbatim(said.body, shown)
    if verbatim is not None:
        moved = verbatim not in cited
        found = findings + (_moved(said, shown, verbatim) if moved else ())
        return Attributed(said, (verbatim,) if moved else cited, moved, "quoted", 1.0, found)
    judged = verifier(said.body, _texts(cited), titles=_titles(cited))
    if judged.verdict != "supported":
        carrier = _carrier(said.body, [sentence for sentence in shown if sentence not in cited], verifier)
        if carrier is not None:
            sentence, score, noticed = carrier
            findings += _moved(said, shown, sentence) + noticed
            return Attributed(said, (sentence,), True, "supported", score, findings)
    return Attributed(said, cited, False, judged.verdict, judged.score, findings + judged.findings)


def _verbatim(body: str, among: Sequence[Sentence]) -> Sentence | None:
    """The sentence that `body` repeats whole, as stored or as shown, but for blanks and final punctuation."""
    spoken = _bare(body)
    return next((s for s in among if spoken in (_bare(s.text), _bare(cleaning.clean(s.text).text))), None)


def _bare(text: str) -> str:
    return " ".join(text.split()).strip("\"“”'.!… ")


def _texts(evidence: Sequence[Sentence]) -> list[str]:
    return [cleaning.clean(sentence.text).text for sentence in evidence]


def _titles(evidence: Sequence[Sentence]) -> list[str]:
    return [cleaning.clean(sentence.paper.title).text for sentence in evidence]


def _carrier(
    body: str, others: Sequence[Sentence], verifier: Verifier
) -> tuple[Sentence, float | None, tuple[Finding, ...]] | None:
    """The best of the other sentences that supports the claim; only those that share most words are tried."""
    wanted = set(terms(body))
    if len(wanted) < _FEWEST_TERMS:
        return None
    near = sorted(others, key=lambda sentence: -len(wanted & set(terms(sentence.text))))[:_CANDIDATES]
    judged = [(sentence, verifier(body, _texts([sentence]), titles=_titles([sentence]))) for sentence in near]
    holding = [(sentence, found) for sentence, found in judged if found.verdict == "supported"]
    if not holding:
        return None
    best, found = max(holding, key=lambda item: item[1].score or 0.0)
    return best, found.score, found.findings


def _moved(said: Said, shown: Sequence[Sentence], carrier: Sentence) -> tuple[Finding, ...]:
    at = shown.index(carrier) + 1
    if not said.keys and not said.unknown:
        return (Finding("citation_added", f"The model cited nothing here; evidence {at} carries this."),)
    cited = ", ".join(f"[{key}]" for key in (*said.keys, *said.unknown))
    return (Finding("citation_moved", f"The model cited {cited}; evidence {at} carries this, and is cited instead."),)


# --- writing it down --------------------------------------------------------------------------------------------------


def write(attributed: Attributed, numbering: Numbering, shown: Sequence[Sentence], start: int) -> Claim:
    """The claim at `start` of the answer's text, its markers turned into the papers' keys, unknown ones into `[?9]`."""
    citations: list[Citation] = []
    run: dict[str, None] = {}  # keys of the markers that stand side by side here
    run_end = -1
    placed = not attributed.moved  # whether the evidence has its marker

    def keys_of(evidence: Sequence[Sentence]) -> list[str]:
        made = [cite(sentence, numbering) for sentence in evidence]
        citations.extend(made)
        return [f"[{citation.key}]" for citation in made]

    def rewritten(match: re.Match[str]) -> str:
        nonlocal placed, run_end
        if _literal(match.group(), shown):
            return match.group()
        if match.start() != run_end:
            run.clear()
        run_end = match.end()
        numbers = _keys(match.group())
        known = [shown[number - 1] for number in numbers if 1 <= number <= len(shown)]
        if attributed.moved:
            known = [] if placed else list(attributed.evidence)
            placed = True
        keys = keys_of(known) + [f"[?{number}]" for number in numbers if not 1 <= number <= len(shown)]
        new = [key for key in dict.fromkeys(keys) if key not in run]
        run.update(dict.fromkeys(new))
        return (" " if new and match.group()[0] in " \t" else "") + "".join(new)

    text = " ".join(_SPACED_MARKER.sub(rewritten, attributed.said.raw).split())
    if not placed:
        text += f" {''.join(keys_of(attributed.evidence))}"
    return Claim(
        text,
        start,
        start + len(text),
        attributed.verdict,
        attributed.score,
        tuple(dict.fromkeys(citations)),
        attributed.findings,
    )
