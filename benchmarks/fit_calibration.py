"""Makes `assistant/calibration/reference.json`, and tells whether a threshold calibrated on one corpus holds there.

    python -m benchmarks.fit_calibration [--questions 200] [--write]

For each bundled set: the dev questions and questions made from its papers are put to the refusal decision. Printed:
what is refused at the shipped threshold and at one calibrated with a reference of the two *other* corpora only, and how far
made questions move as people's do. Takes about three minutes of CPU. Run it with --write whenever weights of the decision,
the selector or the made questions change.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from assistant import Assistant, Settings, answerability
from assistant.calibration import store
from assistant.calibration.asking import Judged, judge, log_odds
from assistant.calibration.curve import Share
from assistant.calibration.fitting import Error, Reference, Wanted, distance, fit
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
_HOW = (("reference alone", True, 1e9), ("calibrated", True, None), ("made alone", False, 60.0))
_PRIORS = (0, 20, 60, 200, 600, 1e9)
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
    shipped = answerability.THRESHOLDS["balanced"]
    for i, name in enumerate(names):
        kept = _of_others(i, asked, made)
        held = sum(answerable for answerable, _ in asked[i])
        print(
            f"{name} ({held} answerable, {len(asked[i]) - held} not)\n  shipped p≥{shipped:.2f}: {line(asked[i], shipped)}"
        )
        for wanted in _WANTED:
            for how, reference_, prior in _HOW:
                threshold = fit(made[i], wanted, kept if reference_ else None, prior)
                print(f"  {wanted.error} {wanted.rate:.2f} {how:15} p≥{threshold:.2f}: {line(asked[i], threshold)}")


def moves(names: Sequence[str], asked: Sequence[People], made: Sequence[Sequence[Judged]]) -> None:
    """How far each corpus' questions lie from the others', people's and made ones; then what each prior makes of it."""
    for error in get_args(Error):
        answerable = error == "false_refusals"
        for i, name in enumerate(names):
            kept = _of_others(i, asked, made)
            people = kept.people_answerable if answerable else kept.people_unanswerable
            others = kept.made_answerable if answerable else kept.made_unanswerable
            told = distance([value for held, value in asked[i] if held is answerable], people, error)
            own = distance([item.log_odds for item in made[i] if item.made.answerable is answerable], others, error)
            print(f"{error} {name}: people's lie {told:+.2f} from the others', made ones {own:+.2f}")
        for prior in _PRIORS:
            missed = [_missed(asked[i], made[i], _of_others(i, asked, made), error, prior) for i in range(len(names))]
            print(f"{error} prior {prior:g}: wanted rate missed by {np.round(missed, 3)}, mean {np.mean(missed):.3f}")


def _of_others(i: int, asked: Sequence[People], made: Sequence[Sequence[Judged]]) -> Reference:
    others = [j for j in range(len(asked)) if j != i]
    return reference([asked[j] for j in others], [made[j] for j in others])


def _missed(asked: People, made: Sequence[Judged], kept: Reference, error: Error, prior: float) -> float:
    """Mean distance of the rate on people's questions and the wanted one, over wanted rates from .02 to .2."""
    answerable = error == "false_refusals"
    values = np.array([value for held, value in asked if held is answerable])
    rates = np.linspace(0.02, 0.2, 19)
    bars = [log_odds(fit(made, Wanted(error, float(rate)), kept, prior)) for rate in rates]
    found = [np.mean(values < bar) if answerable else np.mean(values >= bar) for bar in bars]
    return float(np.abs(np.array(found) - rates).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="replace the shipped reference")
    arguments = parser.parse_args()
    found = {name: people(name) for name in bundled()}
    names = [name for name, asked_ in found.items() if asked_]  # sets of conversations share the corpora of others
    asked = [found[name] for name in names]
    made = []
    for name in names:
        library = library_for(corpus_of(name))
        made.append(list(judge(library, make(library, arguments.questions), Settings.load())))
    table(names, asked, made)
    moves(names, asked, made)
    if arguments.write:
        whole = reference(asked, made)
        content = {"weights": store.weights(), **{name: getattr(whole, name) for name in whole.__dataclass_fields__}}
        place = Path(store.__file__).parent / "reference.json"
        place.write_text(json.dumps(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
