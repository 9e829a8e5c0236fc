"""Makes `assistant/calibration/reference.json`, and tells whether a threshold calibrated on one corpus holds there.

    python -m benchmarks.fit_calibration [--questions 200] [--write]

For each bundled set: the dev questions and questions made from its papers are put to the refusal decision. Printed:
what is refused at the shipped threshold and at one calibrated with a reference of the two *other* corpora only. Run it
with --write whenever weights of the decision, the selector or the made questions change.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assistant import Assistant, Settings, answerability
from assistant.calibration import store
from assistant.calibration.asking import Judged, judge, log_odds
from assistant.calibration.curve import Share
from assistant.calibration.fitting import Reference, Wanted, fit
from assistant.calibration.made import make
from evals.cases import bundled, corpus_of, load
from evals.libraries import library_for

_RANKS = np.linspace(0, 1, 201)
_WANTED = (
    Wanted("false_refusals", 0.04),
    Wanted("false_refusals", 0.1),
    Wanted("false_answers", 0.2),
    Wanted("false_answers", 0.1),
)
People = list[tuple[bool, float]]  # answerable, log-odds


def people(dataset: str) -> People:
    """The dev questions, single turns without filters that form alone doesn't turn away."""
    assistant = Assistant(library_for(corpus_of(dataset)), settings=Settings.load())
    asked = []
    for case in load(dataset):
        alone = case.split == "dev" and not case.filters and len(case.turns) == 1
        if alone and case.reason != "not_a_question_for_the_corpus":
            asked.append((case.answerable, log_odds(assistant.decision(case.question).probability)))
    return asked


def reference(asked: Sequence[People], made: Sequence[Sequence[Judged]]) -> Reference:
    """Log-odds of several corpora together, by their quantiles; every corpus counts alike."""

    def pooled(groups: Sequence[list[float]]) -> tuple[float, ...]:
        return tuple(np.concatenate([np.quantile(group, _RANKS) for group in groups if group]).round(3).tolist())

    def sorted_(groups: Sequence[list[float]]) -> tuple[float, ...]:
        return tuple(np.quantile(pooled(groups), _RANKS).round(3).tolist())

    return Reference(
        sorted_([[value for held, value in one if held] for one in asked]),
        sorted_([[value for held, value in one if not held] for one in asked]),
        sorted_([[item.log_odds for item in one if item.made.answerable] for one in made]),
        sorted_([[item.log_odds for item in one if not item.made.answerable] for one in made]),
    )


def line(asked: People, threshold: float) -> str:
    """What is refused at a threshold, with Wilson intervals."""
    bar = log_odds(threshold)
    told = []
    for answerable in (False, True):
        values = [value for held, value in asked if held is answerable]
        share = Share.of(sum(value < bar for value in values), len(values))
        told.append(f"{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]")
    return f"refused {told[0]}, false refusals {told[1]}"


def table(names: Sequence[str], asked: Sequence[People], made: Sequence[Sequence[Judged]]) -> None:
    """Shipped against calibrated, each corpus with a reference of the others."""
    for i, name in enumerate(names):
        others = [j for j in range(len(names)) if j != i]
        kept = reference([asked[j] for j in others], [made[j] for j in others])
        shipped = answerability.THRESHOLDS["balanced"]
        print(f"{name}: shipped {shipped:.2f}: {line(asked[i], shipped)}")
        for wanted in _WANTED:
            for how, with_ in (("reference alone", None), ("calibrated", made[i]), ("made alone", made[i])):
                threshold = fit(with_ or (), wanted, None if how == "made alone" else kept)
                print(f"  {wanted.error} {wanted.rate:.2f} {how:15} p≥{threshold:.2f}: {line(asked[i], threshold)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="replace the shipped reference")
    arguments = parser.parse_args()
    names = list(bundled())
    asked = [people(name) for name in names]
    made = []
    for name in names:
        library = library_for(corpus_of(name))
        made.append(list(judge(library, make(library, arguments.questions), Settings.load())))
    table(names, asked, made)
    if arguments.write:
        whole = reference(asked, made)
        content = {"weights": store.weights(), **{name: getattr(whole, name) for name in whole.__dataclass_fields__}}
        place = Path(store.__file__).parent / "reference.json"
        place.write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
