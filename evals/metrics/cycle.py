"""Cycle consistency: from an answer, does one get back to the question? It needs no labels, only the user's questions.

With a model, a question is written from the answer alone, and closeness is its cosine to the question asked (the idea of
"Learning How To Ask: Cycle-Consistency Refines Prompts in Multimodal Foundation Models", Diesendruck et al. 2024).
Without one, closeness is the cosine of the answer to the question, and what is judged is whether the answer leads back:
the rank of its own question among all questions of the run, as a reciprocal rank. Refusals have no answer to start
from and are left out, counted. A low value says look here; it does not say wrong: docs/evals.md has how well it ranks
right answers above wrong ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.matching import without_markers
from evals.results import Run

Embed = Callable[[Sequence[str]], NDArray[np.float32]]  # rows of unit length
Regenerate = Callable[[str], str]

PROMPT = "Write the one question that this text answers. Reply with the question only.\n\n{answer}"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One answer's way back."""

    case: str
    question: str
    regenerated: str | None
    closeness: float  # cosine in [-1, 1]
    reciprocal_rank: float  # of its own question among the run's


@dataclass(frozen=True, slots=True)
class CycleReport:
    """All answers' ways back, in case order; `left_out` are refusals and errors."""

    cycles: tuple[Cycle, ...]
    left_out: int

    @property
    def mean_closeness(self) -> float | None:
        """Mean cosine; None without answers."""
        return sum(one.closeness for one in self.cycles) / len(self.cycles) if self.cycles else None

    @property
    def mean_reciprocal_rank(self) -> float | None:
        """Mean reciprocal rank; None without answers."""
        return sum(one.reciprocal_rank for one in self.cycles) / len(self.cycles) if self.cycles else None

    def weakest(self, count: int = 10) -> tuple[Cycle, ...]:
        """The answers that lead back least, worst first."""
        return tuple(sorted(self.cycles, key=lambda one: (one.reciprocal_rank, one.closeness, one.case))[:count])


def cycle(run: Run, embed: Embed, regenerate: Regenerate | None = None) -> CycleReport:
    """Cycle consistency of a recorded run."""
    answered = [one for one in run.results if one.response.status == "answered" and one.response.text]
    if not answered:
        return CycleReport((), len(run.results))
    questions = [one.response.query or one.case.question for one in answered]
    answers = [without_markers(one.response.text) for one in answered]
    back = [regenerate(text) for text in answers] if regenerate else None
    cosines = embed(back if back is not None else answers) @ embed(questions).T
    cycles = []
    for place, one in enumerate(answered):
        own = float(cosines[place, place])
        rank = 1 + int((cosines[place] > own + 1e-9).sum())
        cycles.append(Cycle(one.case.id, questions[place], back[place] if back else None, own, 1 / rank))
    return CycleReport(tuple(cycles), len(run.results) - len(answered))


def render(found: CycleReport) -> str:
    """The report in a few lines, with the answers to look at."""
    if not found.cycles:
        return f"no answers to start from; {found.left_out} refusals and errors left out"
    head = (
        f"{len(found.cycles)} answers ({found.left_out} refusals and errors left out): mean closeness "
        f"{found.mean_closeness:.3f}, mean reciprocal rank of the own question {found.mean_reciprocal_rank:.3f}"
    )
    lines = (f"{one.reciprocal_rank:.2f}  {one.closeness:.2f}  {one.case}  {one.question}" for one in found.weakest())
    return "\n".join((head, "", "rank  close  case  question", *lines))
