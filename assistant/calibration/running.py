"""From a library to a calibration: questions made, asked, a threshold fitted, and what it costs on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from assistant.calibration import curve, store
from assistant.calibration.asking import Judged, judge, log_odds
from assistant.calibration.curve import Curve, Share
from assistant.calibration.fitting import Reference, Wanted, fit
from assistant.calibration.made import WAYS, Way, make
from assistant.calibration.store import Calibration

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.selecting import Selector
    from assistant.settings import Settings

QUESTIONS = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """A calibration with what it was read off; not yet stored."""

    calibration: Calibration
    refused: Share  # of the made questions that the library doesn't answer
    false_refusals: Share  # of those that it does
    by_way: dict[Way, Share]  # refused, of each sort of question
    curve: Curve
    coverage: float  # share of the made questions that would be answered
    referenced: bool  # whether people's questions stood behind the rate

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def calibrate(
    library: Library,
    wanted: Wanted,
    settings: Settings,
    *,
    questions: int = QUESTIONS,
    seed: int = 0,
    selector: Selector | Literal["shipped"] | None = "shipped",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Outcome:
    """Fits a threshold on about `questions` questions made from the library; the same for the same library and seed.

    Stores nothing: `store.save(library, outcome.calibration)` does. Raises InputError for too few papers.
    """
    from assistant.engine import Assistant

    made = make(library, questions, seed)
    judged = tuple(judge(library, made, settings, selector, progress))
    reference = Reference.shipped(store.weights()) if selector == "shipped" else None
    threshold = fit(judged, wanted, reference)
    used = Assistant(library, settings=settings, selector=selector).selector
    calibration = Calibration(
        threshold=threshold,
        error=wanted.error,
        rate=wanted.rate,
        questions=len(judged),
        papers=library.count(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        marks=store.marks(library, used),
    )
    return _outcome(calibration, judged, reference is not None, seed)


def _outcome(calibration: Calibration, judged: Sequence[Judged], referenced: bool, seed: int) -> Outcome:
    bar = log_odds(calibration.threshold)

    def refused(items: Sequence[Judged]) -> Share:
        return Share.of(sum(item.log_odds < bar for item in items), len(items))

    ways = {way: [item for item in judged if item.made.way == way] for way in WAYS}
    found = curve.risk_coverage(
        [item.log_odds for item in judged],
        [not item.made.answerable for item in judged],
        [item.made.paper_id or item.made.question for item in judged],
        seed,
    )
    return Outcome(
        calibration=calibration,
        refused=refused([item for item in judged if not item.made.answerable]),
        false_refusals=refused([item for item in judged if item.made.answerable]),
        by_way={way: refused(items) for way, items in ways.items() if items},
        curve=found,
        coverage=sum(item.log_odds >= bar for item in judged) / max(1, len(judged)),
        referenced=referenced,
    )
