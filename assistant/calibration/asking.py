"""Made questions put to the refusal decision: no chat model, nothing recorded, held-out papers masked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from assistant.calibration.made import Made
from assistant.calibration.masked import Masked

if TYPE_CHECKING:
    from assistant.library import Library
    from assistant.selecting import Selector
    from assistant.settings import Settings


@dataclass(frozen=True, slots=True)
class Judged:
    """A made question with the log-odds, as decided, that the library holds its answer."""

    made: Made
    log_odds: float


_FARTHEST = 12.0  # log-odds of a question that no evidence was found for


def log_odds(probability: float) -> float:
    """Of a probability in [0, 1], kept within bounds that a mean can bear."""
    clipped = min(1 / (1 + math.exp(-_FARTHEST)), max(1 / (1 + math.exp(_FARTHEST)), probability))
    return math.log(clipped / (1 - clipped))


def probability(value: float) -> float:
    """Of log-odds."""
    return 1.0 / (1.0 + math.exp(-value))


def judge(
    library: Library,
    questions: Sequence[Made],
    settings: Settings,
    selector: Selector | Literal["shipped"] | None = "shipped",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[Judged]:
    """Each question with its log-odds; `progress(done, of)` is told as it goes."""
    from assistant.engine import Assistant

    for done, made in enumerate(questions, start=1):
        seen = cast("Library", Masked(library, made.hidden)) if made.hidden else library
        assistant = Assistant(seen, settings=settings, selector=selector)
        yield Judged(made, log_odds(assistant.decision(made.question).probability))
        progress(done, len(questions))
