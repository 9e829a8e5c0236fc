"""May this be answered? The refusal decision, taken on the evidence before anything is said.

A logistic score over measures that mean the same in any library: how near the best sentence is, how much of what is asked
the best paper holds, whether a name that is asked for is missing, whether a detail is asked for that abstracts leave out.
The weights are fitted by `benchmarks/fit_answering.py` on development questions over corpora of several fields, and, where a
selector reads, on questions written by hand over papers that it was not trained on.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields, replace

from assistant import details, expectations, listing, selecting, triage
from assistant.answers import Reason
from assistant.details import Detail
from assistant.evidence import Evidence, PaperEvidence, share, weight
from assistant.naming import fold
from assistant.settings import Strictness
from assistant.terms import terms

_NAME_LIKE = re.compile(r"\b(?=\w*[A-Z0-9])(?!\d+\b)\w[\w.@+]*(?:-\w[\w.@+]*)*")
_QUESTION_WORDS = re.compile(r"^(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|has|have|"
                             r"should|will|would|in|on|for|with|by|compare|list|summari[sz]e|explain|describe|tell|give|name|and|"
                             r"i|the|a|an|of|any|find|show)$", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Features:
    """Measures of one question against its evidence, each in [0, 1] or [-1, 1]."""

    cosine: float  # of the question and the best sentence or passage of the top paper
    coverage: float  # idf share of the asked terms in the top paper
    sentence_coverage: float  # in the best sentence
    rarest_missing: float  # rarity of the rarest asked term that the top paper lacks
    unknown: float  # idf share of the asked terms that no paper of the library holds
    name_missing: float  # 1 when a word spelt as a name is asked for and the top paper lacks it
    detail_missing: float  # 1 when a detail is asked for and no sentence of the top paper shows it
    expected_missing: float  # 1 when a number or link is expected and the best sentences have none
    named: float  # strength of the name by which the question calls the top paper
    selected: float  # the selector's highest probability of a sentence; 0.5 when it was not asked
    answered: float  # its log-odds that the abstract states the answer, over 5; 0 when it was not asked
    many: float  # 1 when the question asks for several papers
    summary: float  # 1 when the question asks what a paper is about
    side_missing: float  # 1 when no paper is about one side of a comparison
    far: float  # when no paper is called by name: how far the cosine stays below _NEAR, times `rarest_missing`


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the logistic score, one per feature, and its intercept."""

    cosine: float
    coverage: float
    sentence_coverage: float
    rarest_missing: float
    unknown: float
    name_missing: float
    detail_missing: float
    expected_missing: float
    named: float
    selected: float
    answered: float
    many: float
    summary: float
    side_missing: float
    far: float
    intercept: float


WITHOUT_SELECTOR = Weights(4.1, 0.6, 0.05, -1.0, -0.9, -1.8, -4.5, -2.4, 0.2, 0.0, 0.0, 1.4, 1.25, -3.0, -5.0, 0.05)
WITH_SELECTOR = Weights(
    2.85, -0.66, -0.04, -0.55, -0.17, -1.57, -1.24, -2.19, 0.42, -0.59, 4.86, 0.0, 0.98, -3.0, -0.53, 0.31
)
_NEAR = 0.45  # cosine from where on a sentence is near a question
THRESHOLDS: dict[Strictness, float] = {"lenient": 0.15, "balanced": 0.28, "strict": 0.45}
# Weights of cosine, coverage and name, and the bar above which a paper here is on the question's subject: fitted on dev
# questions refused as `not_stated` or `nothing_relevant`, .93 right on the corpora left out.
_SUBJECT = (3.3, 3.6, 2.9, 2.6)
# Asks for what a paper's record holds and no abstract tells, whatever a sentence nearby looks like.
_BIBLIOGRAPHIC = re.compile(
    r"\b(?:wrote|(?:co-?)?author(?:s|ed)?|written by|published|publication|venue|journal|conference|proceedings|doi)\b",
    re.IGNORECASE,
)
_RECORD_ONLY = ("authors", "venue", "doi")
_NEVER_TOLD = 0.02
# Log-odds of the likeliest paper of a list, below which none belongs: even odds. Docs: experiments/answering.md.
_NONE_BELONGS = 0.0
_SEVERAL = 5  # papers that may hold the answer between them, when several are asked for


@dataclass(frozen=True, slots=True)
class Decision:
    """`reason` is None when the question may be answered; `details` are those that no sentence states."""

    probability: float  # that the evidence holds the answer
    reason: Reason | None
    details: tuple[Detail, ...]
    features: Features | None


def decide(evidence: Evidence, threshold: float) -> Decision:
    """Whether to answer, which takes a probability of at least `threshold`, and if not, why not."""
    question = evidence.question.text
    if not any(paper.sentences for paper in evidence.papers):
        return Decision(
            0.0, "not_a_question_for_the_corpus" if triage.personal(question) else "nothing_relevant", (), None
        )
    top = evidence.papers[0]
    found = features(evidence)
    missing = _missing_details(evidence, top)
    probability = probability_of(found, WITH_SELECTOR if evidence.selected else WITHOUT_SELECTOR)
    if evidence.question.many and listing.belonging(evidence)[0][1] < _NONE_BELONGS:
        return Decision(min(probability, _NEVER_TOLD), "nothing_relevant", missing, found)
    if any(item.recorded in _RECORD_ONLY for item in missing) and _BIBLIOGRAPHIC.search(question):
        return Decision(min(probability, _NEVER_TOLD), _reason_by_subject(evidence, found), missing, found)
    if probability >= threshold:
        return Decision(probability, None, missing, found)
    return Decision(probability, _reason(evidence, found), missing, found)


def probability_of(found: Features, weights: Weights) -> float:
    """The logistic score of the features, in (0, 1)."""
    total = weights.intercept + sum(getattr(weights, f.name) * getattr(found, f.name) for f in fields(Features))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def features(evidence: Evidence) -> Features:
    """Measures the question against its best paper; against its best two for a comparison of named papers."""
    question, statistics = evidence.question, evidence.statistics
    top = evidence.papers[0]
    asked = top.asked
    text = _text(evidence, top)
    own = frozenset(terms(text))
    best = max(top.sentences, key=lambda sentence: sentence.score, default=None)
    near = sorted(top.sentences, key=lambda sentence: -sentence.score)[:2]
    lacking = asked - own
    selected = [sentence.selected for sentence in top.sentences if sentence.selected is not None]
    rarest = max((min(1.0, statistics.rarity(term)) for term in lacking), default=0.0)
    return Features(
        cosine=top.cosine,
        coverage=share(own, asked, statistics),
        sentence_coverage=best.coverage if best else 0.0,
        rarest_missing=rarest,
        unknown=_unknown(evidence, asked),
        name_missing=float(bool(_missing_names(question.text, text))),
        detail_missing=float(bool(_missing_details(evidence, top))),
        expected_missing=float(
            question.expects is not None and not any(expectations.meets(question.expects, s.text) for s in near)
        ),
        named=top.named.strength if top.named else 0.0,
        selected=max(selected, default=0.5),
        answered=_answered(evidence) / 5,
        many=float(question.many),
        summary=float(question.kind == "summary"),
        side_missing=float(evidence.side_missing is not None),
        far=0.0 if top.named else max(0.0, _NEAR - top.cosine) * rarest,
    )


def _answered(evidence: Evidence) -> float:
    """The selector's log-odds that the paper, or for several papers asked for the likeliest of them, states the answer."""
    read = [paper.answered for paper in evidence.papers if paper.answered is not None]
    if not read:
        return 0.0
    first = evidence.papers[0].answered
    many = evidence.question.kind in ("comparison", "list") or len(evidence.sides) > 1
    return selecting.logit(max(read) if many or first is None else first)


def _text(evidence: Evidence, top: PaperEvidence) -> str:
    """Title and abstract of the paper that must hold the answer; of both sides when two are compared."""
    many = evidence.question.kind in ("comparison", "list") or len(evidence.sides) > 1
    papers = evidence.papers[:_SEVERAL] if many else (top,)
    return " ".join(f"{item.paper.title} {item.paper.abstract}" for item in papers)


def _unknown(evidence: Evidence, asked: frozenset[str]) -> float:
    statistics = evidence.statistics
    total = weight(asked, statistics)
    return weight((term for term in asked if statistics.df(term) == 0), statistics) / total if total else 0.0


def _missing_names(question: str, text: str) -> tuple[str, ...]:
    """Words of the question spelt as names (a capital or digit inside a sentence) that the text lacks."""
    if question.isupper() or question.istitle():
        return ()
    folded = fold(text)
    held = set(terms(text))
    missing = []
    for position, match in enumerate(_NAME_LIKE.finditer(question)):
        token = match.group()
        if _QUESTION_WORDS.match(token) or (match.start() == 0 and position == 0 and token[1:].islower()):
            continue
        whole, *parts = terms(token) or [""]
        known = fold(token) in folded or whole in held or (bool(parts) and held.issuperset(parts))
        known = known or _abbreviates(token, text)
        if not known:
            missing.append(token)
    return tuple(missing)


def _abbreviates(token: str, text: str) -> bool:
    """Whether consecutive words of the text begin with the letters of an abbreviation, as "state-of-the-art" for SOTA."""
    letters = token.rstrip("s").casefold()
    if not (token.rstrip("s").isupper() and token.rstrip("s").isalpha() and len(letters) > 1):
        return False
    return letters in "".join(word[0] for word in re.findall(r"[^\W\d_]+", text.casefold()))


def _missing_details(evidence: Evidence, top: PaperEvidence) -> tuple[Detail, ...]:
    text = _text(evidence, top)
    return tuple(item for item in details.asked(evidence.question.text) if not details.stated(item, text))


def _reason(evidence: Evidence, found: Features) -> Reason:
    """`not_stated` when a paper here is on the subject, else whether it was a question for a corpus at all."""
    if _SUBJECT[0] * found.cosine + _SUBJECT[1] * found.coverage + _SUBJECT[2] * found.named > _SUBJECT[3]:
        return "not_stated"
    return "not_a_question_for_the_corpus" if triage.personal(evidence.question.text) else "nothing_relevant"


def _reason_by_subject(evidence: Evidence, found: Features) -> Reason:
    """As `_reason`, of a question for a paper's record: the words that ask for the record are no part of its subject."""
    top = evidence.papers[0]
    asking = terms(" ".join(match.group() for match in _BIBLIOGRAPHIC.finditer(evidence.question.text)))
    held = terms(_text(evidence, top))
    return _reason(evidence, replace(found, coverage=share(held, top.asked.difference(asking), evidence.statistics)))


def message(decision: Decision, evidence: Evidence | None, count: int) -> str:
    """The refusal in words: what was looked for among `count` papers, and why it can't be answered."""
    if decision.reason == "filter_matched_nothing":
        return "No paper of the library passes these filters, so nothing was searched. Widen or remove a filter."
    if decision.reason == "not_a_question_for_the_corpus":
        return "This is not a question that a corpus of papers can answer. Ask about what its papers study or report."
    if decision.reason == "nothing_relevant" or evidence is None or not evidence.papers:
        return f"Nothing in this library's {count} abstracts is about this. The nearest papers are listed."
    top = evidence.papers[0].paper
    if evidence.side_missing is not None:
        return f"No paper of the library is about “{evidence.side_missing}”, so there is nothing to compare with it."
    if decision.details:
        what = " and ".join(item.name for item in decision.details)
        told = _recorded(decision.details, evidence)
        return f"The abstract of “{top.title}” does not state {what}.{told}"
    if decision.features is not None and decision.features.named > 0:
        return f"“{top.title}” is in the library, but its abstract does not say this."
    return "There are papers on this subject in the library, but their abstracts do not state the answer."


def _recorded(missing: tuple[Detail, ...], evidence: Evidence) -> str:
    """What the library's own record of the paper has, when the abstract doesn't state it."""
    paper = evidence.papers[0].paper
    known = {
        "authors": ", ".join(paper.authors),
        "year": str(paper.year or ""),
        "venue": paper.venue or "",
        "doi": paper.doi or "",
    }
    told = [f"{item.recorded}: {known[item.recorded]}" for item in missing if item.recorded and known[item.recorded]]
    return f" The library's record of it gives {'; '.join(told)}." if told else ""
