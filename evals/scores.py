"""What a metric is: a named function from a judged case to a score, or to nothing where it does not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from evals.cases import Case
from evals.responses import Cited, Corpus, Response

Better = Literal["higher", "lower", "neither"]
VerifierVerdict = Literal["supported", "partial", "unsupported", "contradicted", "unscored"]


class Verifier(Protocol):
    """Judges whether evidence carries a claim: `(verdict, probability of support or None)`. Must be deterministic."""

    def __call__(self, claim: str, evidence: Sequence[str]) -> tuple[VerifierVerdict, float | None]: ...


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value on one case; `value` None means *unscored*, for the reason in `note`. Unscored is not zero."""

    value: float | None
    note: str = ""

    @classmethod
    def unscored(cls, why: str) -> Score:
        """The metric applies here and could not be computed."""
        return cls(None, why)


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, what came back for it, and what is needed to judge it."""

    case: Case
    response: Response
    corpus: Corpus
    verifier: Verifier

    def evidence(self, cited: Cited) -> str:
        """What a citation offers a verifier: title and quote; title and whole abstract where no span was given."""
        paper = self.corpus.of(cited)
        text = cited.quote if cited.quote is not None else (paper.abstract if paper else "")
        return f"{paper.title if paper else cited.title}\n{text}"

    @property
    def cited_ids(self) -> tuple[str, ...]:
        """Ids of the cited papers in order of first use, without repeats."""
        found = (
            paper.id if (paper := self.corpus.of(cited)) else cited.paper_id for cited in self.response.citations
        )
        return tuple(dict.fromkeys(found))

    @property
    def wanted_ids(self) -> tuple[str, ...]:
        """Ids of the papers that the case expects."""
        return self.corpus.ids(self.case.papers)


Measure: TypeAlias = Callable[[Judged], Score | None]


@dataclass(frozen=True, slots=True)
class Metric:
    """`measure` gives None where the metric does not apply; cases that ended in an error never reach it.

    `unit` is "share" for values in [0, 1], else the unit in words. `binary` metrics only take 0 and 1.
    """

    name: str
    says: str  # one line for people
    better: Better
    measure: Measure
    unit: str = "share"
    binary: bool = False
    applies: Callable[[Case], bool] = lambda case: True  # decides which errors count as unscored for this metric
