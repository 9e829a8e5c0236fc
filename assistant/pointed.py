"""Follow-ups that ask for the answer once more, or point at papers by their place or by what they are about."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from assistant import naming, pointing, questions
from assistant.evidence import asked_terms
from assistant.papers import Paper
from assistant.standalone import StandAlone, Turn, about, capital, main_paper, placed

_LISTED = 4  # papers named in a question about "which of them"
_FITS = 0.5  # probability from where on a description fits one of the papers


def restyles(text: str) -> bool:
    return any(p.match(text) for p in (pointing.SHORTER, pointing.LONGER, pointing.LANGUAGE))


def restyled(turn: Turn) -> StandAlone | None:
    """ "Shorter", "more detail", "in German": the last question again."""
    last = turn.last
    known = {paper.id: paper for paper in turn.recent}
    focus = tuple(known[paper_id] for paper_id in last.focus if paper_id in known)
    again = StandAlone(last.query, focus or main_paper(last), kind="restyled", stem=last.stem)
    if pointing.SHORTER.match(turn.text):
        return replace(again, sentences=1)
    if match := pointing.LANGUAGE.match(turn.text):
        language = pointing.LANGUAGES[match.group("language").casefold()]
        note = f"{language} was asked for, but answers are in the language of the abstracts"
        return replace(again, notes=(note,))
    if pointing.LONGER.match(turn.text):
        if len(last.papers) > 1 and questions.read(last.query).kind in ("list", "comparison"):
            return again
        return replace(again, query=f"Give an overview of {turn.label(last.papers[0])}", focus=last.papers[:1])
    return None


def back(turn: Turn, again: Callable[[str], StandAlone]) -> StandAlone | None:
    """ "Back to the first paper: …", "as for DRPO, …"."""
    match = pointing.BACK_TO.match(turn.text)
    if not match:
        return None
    what, rest = match.group("what"), match.group("rest")
    ordinal = pointing.ORDINAL.fullmatch(what)
    paper = _at(turn.spoken, ordinal) if ordinal else None
    if paper is None:
        named = turn.named(what, turn.recent)
        paper = named[0] if len(named) == 1 else None
    if paper is not None:
        return about(turn, rest, paper, what, "pointed")
    if re.match(r"(?i)^\W*(?:\w+ )*back to", turn.text) and not asked_terms(what) - asked_terms("work topic"):
        return again(rest)
    return None


def pointed(turn: Turn) -> StandAlone | None:
    """ "The second one", "the former", "the other": a paper of the last answers by its place."""
    found = placed_in(turn, turn.text)
    return placed(turn, found[0], found[1], "pointed") if found else None


def placed_in(turn: Turn, text: str) -> tuple[re.Match[str], Paper] | None:
    """The words of `text` that point at a paper by its place, and the paper."""
    if match := pointing.ORDINAL.search(text):
        papers = turn.last.papers if len(turn.last.papers) > 1 else turn.several
        paper = _at(papers, match)
    elif match := pointing.FORMER_LATTER.search(text):
        papers = turn.several
        paper = papers[0 if match.group(1).casefold() == "former" else 1] if len(papers) > 1 else None
    elif match := pointing.OTHER.search(text):
        current = turn.last.papers[0]
        left = [p for p in turn.several if p != current]
        paper = left[0] if left else None
    else:
        return None
    return (match, paper) if paper else None


def _at(papers: Sequence[Paper], match: re.Match[str]) -> Paper | None:
    if number := match.group("number"):
        index = int(number) - 1
    else:
        index = pointing.ORDINALS[(match.group(1) or match.group(2)).casefold()]
    return papers[index] if -1 <= index < len(papers) else None


def described(turn: Turn) -> StandAlone | None:
    """ "The one on yeast: …", "the survey: …": a paper of the last answer, told apart by what it is about."""
    papers = turn.several if len(turn.last.papers) < 2 else turn.last.papers
    if (match := pointing.BY_KIND.match(turn.text)) and len(papers) > 1:
        noun = match.group("noun").casefold()
        of_kind = [paper for paper in papers if noun in naming.words(f"{paper.title} {paper.abstract}")]
        if of_kind:
            titled = [paper for paper in of_kind if noun in naming.words(paper.title)]
            return about(turn, match.group("rest"), (titled or of_kind)[0], match.group("noun"), "picked")
    match = pointing.DESCRIBED.search(turn.text)
    if not match:
        return None
    if len(papers) > 1:
        paper = _described_one(turn, match, papers)
        if paper is not None:
            return placed(turn, match, paper, "picked", whole=match.group("noun").casefold() != "one")
    if match.group("noun").casefold() == "one" and not asked_terms(match.group("what")):
        return None
    plain = turn.plain[:1].upper() + turn.plain[1:]
    return StandAlone(re.sub(r"(?i)\b(the|that) one\b", "the paper", plain, count=1))


def _described_one(turn: Turn, match: re.Match[str], papers: Sequence[Paper]) -> Paper | None:
    """The paper that year, author or subject tell apart; None when they fit none of `papers`."""
    what = match.group("what")
    if year := re.search(r"\b(?:19|20)\d\d\b", what):
        return next((paper for paper in papers if paper.year == int(year.group())), None)
    said = set(naming.words(what))
    if match.group("link").casefold() in ("by", "from", "of"):
        for paper in papers:
            if any(naming.words(name)[-1:] and naming.words(name)[-1] in said for name in paper.authors):
                return paper
    paper = turn.near.nearest(what, papers)
    held = set(naming.words(f"{paper.title} {paper.abstract}"))
    content = {word for word in naming.words(what) if asked_terms(word)}
    return paper if content & held or turn.near.belongs(what, papers) >= _FITS else None


def of_these(turn: Turn) -> StandAlone | None:
    """ "Which of them uses RL?": the papers of the last list, of which those that fit are wanted."""
    match = pointing.OF_THESE.search(turn.text)
    papers = turn.last.papers if len(turn.last.papers) > 1 else turn.several
    several = questions.read(turn.last.query).kind in ("list", "comparison") and len(turn.last.papers) > 1
    if match is None and several and (which := pointing.WHICH_ONE.match(turn.text)):
        verb = re.match(r"\W*(?:one\b)?\W*(?:is|are|was|were|does|did|has|have|can|\w+s)\b", turn.text[which.end() :])
        match = which if verb or which.group().split()[-1].casefold() != "which" else None
    if not match or len(papers) < 2:
        return None
    rest = turn.text[match.end() :].strip()
    plain = f"{turn.text[: match.start()]}{match.group('what')} paper {rest}"
    plain = pointing.LEADING.sub("", plain)
    labels = [turn.label(paper) for paper in papers[:_LISTED]]
    more = f" and {len(papers) - _LISTED} more" if len(papers) > _LISTED else ""
    query = f"{capital(plain.rstrip(' ?.!'))}? (Of: {'; '.join(labels)}{more})"
    return StandAlone(
        query, papers, asked=capital(plain), kind="picked", filled=((match.group(), "; ".join(labels)),)
    )
