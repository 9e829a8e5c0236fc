"""Citation recall and precision, as ALCE defines them (Gao, Yen, Yu & Chen 2023, "Enabling Large Language Models to
Generate Text with Citations", section 4), with any verifier φ in the place of its NLI model.

Recall: a sentence scores 1 iff it has a citation and φ(all its evidence together, sentence) holds; averaged over the
answer's sentences.
Precision: a citation scores 1 iff its sentence has recall 1 and the citation is not irrelevant; it is irrelevant when
it does not carry the sentence alone and the sentence's other citations carry it without it. Averaged over all
citations of the answer. An answer without any citation has precision 0, as in ALCE's code.

φ holds when the verifier says `supported`; one `unscored` sentence leaves the answer unscored. The evidence of a
citation is the title and its quote (whole abstract where a system names only the paper). Sentences that carry no
content word (headings) are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evals.responses import Cited, Said
from evals.scores import Judged, Metric, Score
from evals.verifiers import terms


@dataclass(frozen=True, slots=True)
class Support:
    """Whether one sentence is carried, and how many of its citations do work; `carried` None is unscored."""

    carried: bool | None
    citations: int
    useful: int
    verdict: str


def support(judged: Judged, said: Said) -> Support:
    """ALCE's judgement of one sentence."""
    cited = _distinct(said.citations)
    if not cited:
        return Support(False, 0, 0, "uncited")
    verdict, _ = judged.verifier(said.text, _evidence(judged, cited))
    if verdict == "unscored":
        return Support(None, len(cited), 0, verdict)
    if verdict != "supported":
        return Support(False, len(cited), 0, verdict)
    return Support(True, len(cited), sum(_works(judged, said, cited, one) for one in cited), verdict)


def _works(judged: Judged, said: Said, cited: Sequence[Cited], one: Cited) -> bool:
    if len(cited) == 1 or judged.verifier(said.text, _evidence(judged, [one]))[0] == "supported":
        return True
    others = [other for other in cited if other is not one]
    return judged.verifier(said.text, _evidence(judged, others))[0] != "supported"


def _distinct(citations: Sequence[Cited]) -> tuple[Cited, ...]:
    return tuple(dict.fromkeys(citations))


def _evidence(judged: Judged, citations: Sequence[Cited]) -> tuple[str, ...]:
    return tuple(judged.evidence(cited) for cited in citations)


def sentences(judged: Judged) -> tuple[Said, ...]:
    """The sentences of the answer that say something."""
    return tuple(said for said in judged.response.said if terms(said.text))


def _supports(judged: Judged) -> list[Support] | Score | None:
    if judged.response.status != "answered":
        return None
    found = [support(judged, said) for said in sentences(judged)]
    if not found:
        return Score.unscored("an answer without sentences")
    if any(one.carried is None for one in found):
        return Score.unscored("the verifier left a sentence unscored")
    return found


def measure_recall(judged: Judged) -> Score | None:
    """Share of sentences that their citations carry."""
    found = _supports(judged)
    if not isinstance(found, list):
        return found
    return Score(sum(one.carried is True for one in found) / len(found))


def measure_precision(judged: Judged) -> Score | None:
    """Share of citations that do work."""
    found = _supports(judged)
    if not isinstance(found, list):
        return found
    total = sum(one.citations for one in found)
    return Score(sum(one.useful for one in found) / total if total else 0.0, "" if total else "no citations")


METRICS = (
    Metric("citation_recall", "sentences that their citations carry (ALCE)", "higher", measure_recall),
    Metric(
        "citation_precision", "citations that carry their sentence and are needed (ALCE)", "higher", measure_precision
    ),
)
