"""Topic changes: how often a follow-up's rewriting wrongly glues a new subject to the past, or wrongly cuts one off.

    python -m benchmarks.followups LIBRARY DATASET [LIBRARY DATASET …]         the table
    python -m benchmarks.followups --fit LIBRARY DATASET [LIBRARY DATASET …]   and weights for `assistant.subject`

Topic changes are made: a stand-alone development question is asked after another one about another paper. Follow-ups are
the development cases with turns; the expected paper was just spoken of. No answering engine speaks.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from assistant import followups, pointing
from assistant.followups import Exchange, StandAlone
from assistant.library import Library
from assistant.papers import Paper
from assistant.subject import Nearby
from benchmarks.measuring import table
from evals.cases import Case, load

_CHANGES = ("topic_change", "stand_alone")
_SEED = 1


@dataclass(frozen=True, slots=True)
class Step:
    """A question after an exchange; `expected` are titles it is about, `goes_on` whether the exchange's paper is one."""

    earlier: str
    paper: Paper
    question: str
    expected: tuple[str, ...]
    goes_on: bool


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.followups")
    parser.add_argument("--fit", action="store_true", help="print weights fitted on these steps")
    parser.add_argument("--verbose", action="store_true", help="print what was glued or cut")
    parser.add_argument("pairs", nargs="+", help="LIBRARY DATASET, repeated")
    options = parser.parse_args()
    rows, measured, wanted, lines = [], [], [], []
    for folder, dataset in zip(options.pairs[::2], options.pairs[1::2], strict=True):
        with Library.open(folder, create=False) as library:
            near = Nearby(library)
            found = [(step, _rewritten(step, near)) for step in _steps(library, load(dataset))]
            rows.append(_row(dataset, found))
            lines += [
                f"{step.earlier} // {step.question} -> {made.kind}: {made.query}"
                for step, made in found
                if _wrong(step, made)
            ]
            if options.fit:
                bare = [step for step, _ in found if not pointing.refers(step.question)]
                measured += [(*astuple(near.measured(step.question, [step.paper])), 1.0) for step in bare]
                wanted += [float(step.goes_on) for step in bare]
    if options.verbose:
        print("\n".join(lines))
    print(table("Follow-ups made stand-alone", rows))
    if options.fit:
        print(np.round(_fitted(np.array(measured), np.array(wanted)), 2).tolist())


def _steps(library: Library, cases: Sequence[Case]) -> Iterator[Step]:
    chance = random.Random(_SEED)
    papers = {_plain(paper.title): paper for paper in library.papers()}
    dev = [case for case in cases if case.split == "dev" and case.papers]
    single = [case for case in dev if len(case.turns) == 1]
    for case in single:
        earlier = chance.choice([other for other in single if not set(other.papers) & set(case.papers)])
        yield Step(earlier.question, papers[_plain(earlier.papers[0])], case.question, case.papers, goes_on=False)
    for case in dev:
        if len(case.turns) > 1 and not set(case.tags) & {*_CHANGES, "restyle", "back"}:
            yield Step(case.turns[-2], papers[_plain(case.papers[0])], case.question, case.papers, goes_on=True)


def _plain(title: str) -> str:
    return " ".join(title.split())


def _rewritten(step: Step, near: Nearby) -> StandAlone:
    return followups.rewrite(step.question, [Exchange(step.earlier, step.earlier, (step.paper,))], near)


def _wrong(step: Step, made: StandAlone) -> bool:
    """A follow-up left as it was asked, or a new subject led back to the paper before."""
    return made.kind == "own" if step.goes_on else step.paper in made.focus or step.paper.title in made.query


def _row(dataset: str, found: Sequence[tuple[Step, StandAlone]]) -> dict[str, object]:
    new = [(step, made) for step, made in found if not step.goes_on]
    same = [(step, made) for step, made in found if step.goes_on]
    glued = [step for step, made in new if _wrong(step, made)]
    cut = [step for step, made in same if _wrong(step, made)]
    return {
        "dataset": dataset,
        "topic changes": len(new),
        "wrongly glued": len(glued),
        "follow-ups": len(same),
        "left as asked": len(cut),
    }


def _fitted(measures: np.ndarray, wanted: np.ndarray, ridge: float = 0.3) -> np.ndarray:
    """Weights of a logistic regression by Newton's method; the last one is the intercept, which is not shrunk."""
    weights = np.zeros(measures.shape[1])
    shrink = ridge * np.eye(len(weights))
    shrink[-1, -1] = 1e-6
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-measures @ weights))
        curvature = measures.T @ (measures * (p * (1.0 - p))[:, None]) + shrink
        weights -= np.linalg.solve(curvature, measures.T @ (p - wanted) + shrink @ weights)
    return weights


if __name__ == "__main__":
    main()
