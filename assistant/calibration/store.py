"""The stored calibration of a library: its threshold, and what it was made with, so that it isn't used with anything else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant import answerability
from assistant.settings import Strictness

if TYPE_CHECKING:
    from assistant.library import Library

_KEY = "calibration"
_QUESTIONS = "2"  # version of the sorts of made questions; see assistant.calibration.made


@dataclass(frozen=True, slots=True)
class Calibration:
    """What `ibid calibrate` stored; `marks` name the weights, selector, embedder and questions it was made with."""

    threshold: float
    error: str
    rate: float
    questions: int
    papers: int
    made_at: str  # ISO 8601, UTC
    marks: dict[str, str]

    def changed(self, now: dict[str, str]) -> tuple[str, ...]:
        """Names of the marks that are no longer what they were."""
        return tuple(name for name in now if self.marks.get(name) != now[name])


@dataclass(frozen=True, slots=True)
class Bar:
    """The probability from where on to answer, and a note when a stored calibration was passed over."""

    threshold: float
    note: str = ""


def stored(library: Library) -> Calibration | None:
    """What is stored, whether it may be used or not; None for nothing, or nothing readable."""
    text = library.noted(_KEY)
    if text is None:
        return None
    try:
        return Calibration(**json.loads(text))
    except (TypeError, ValueError):
        return None


def save(library: Library, calibration: Calibration | None) -> None:
    """Stores it in place of any other; None takes it away. Raises LibraryError in a read-only library."""
    library.note(_KEY, json.dumps(asdict(calibration)) if calibration else None)


def bar(library: Library, strictness: Strictness, selector: object | None) -> Bar:
    """The library's own threshold when it has one made with the present parts, else the shipped one.

    Lenient and strict lie as far, in log-odds, from a calibrated threshold as from the shipped balanced one.
    """
    from assistant.calibration.asking import log_odds, probability

    shipped = answerability.THRESHOLDS[strictness]
    found = stored(library)
    if found is None:
        return Bar(shipped)
    if changed := found.changed(marks(library, selector)):
        what = " and ".join(changed)
        return Bar(
            shipped, f"the library's calibration was made with another {what} and isn't used; run: ibid calibrate"
        )
    moved = log_odds(shipped) - log_odds(answerability.THRESHOLDS["balanced"])
    return Bar(probability(log_odds(found.threshold) + moved))


def marks(library: Library, selector: object | None) -> dict[str, str]:
    """What decides refusals here, as short digests."""
    return {
        "set of weights": weights(),
        "selector": _selector(selector),
        "embedder": _digest(library.embedder.fingerprint.to_json()),
        "set of questions": _QUESTIONS,
    }


@cache
def weights() -> str:
    """Digest of the weights of the refusal decision."""
    return _digest(repr((answerability.WITH_SELECTOR, answerability.WITHOUT_SELECTOR)))


def _selector(selector: object | None) -> str:
    if selector is None:
        return "none"
    digest = getattr(selector, "digest", None)  # of the file, where it has one
    return str(digest)[:12] if digest else f"{type(selector).__module__}.{type(selector).__qualname__}"


def _digest(content: str | bytes) -> str:
    data: Any = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()[:12]
