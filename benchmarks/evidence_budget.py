"""How much of an answer is in what a chat model is shown, by the token budget of its evidence.

    python -m benchmarks.evidence_budget LIBRARY [--set bundled] [--split dev]

For single questions with required facts: the share whose facts all stand in the sentences sent, with Wilson's interval,
and what was sent on average. The most that a model can get right from its evidence alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from assistant import Library
from assistant.engine import Assistant
from assistant.evidence import Evidence
from assistant.filters import Filters
from assistant.prompting import show
from evals import cases
from evals.cases import Case
from evals.matching import occurs
from evals.statistics.intervals import wilson

_BUDGETS = (100, 150, 200, 250, 300, 350, 450, 600)


def gathered(assistant: Assistant, wanted: Sequence[Case]) -> list[tuple[Case, Evidence]]:
    """The evidence that the engine would hand to a model."""
    found = []
    for case in wanted:
        prepared = assistant._prepare(case.question, Filters.parse(case.filters or None), None)
        if prepared.evidence is not None:
            found.append((case, prepared.evidence))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--set", default="bundled")
    parser.add_argument("--split", default="dev")
    given = parser.parse_args()
    with Library.open(given.library, read_only=True) as library:
        wanted = [
            case
            for case in cases.load(given.set)
            if case.split == given.split and case.answerable and case.facts and len(case.turns) < 2
        ]
        pairs = gathered(Assistant(library), wanted)
        print(f"{len(pairs)} questions")
        for budget in _BUDGETS:
            shown = [show(evidence, most_tokens=budget) for _, evidence in pairs]
            whole = sum(
                all(any(occurs(text, sent.text) for text in fact) for fact in case.facts)
                for (case, _), sent in zip(pairs, shown, strict=True)
            )
            low, high = wilson(whole, len(pairs))
            tokens = sum(sent.tokens for sent in shown) / len(shown)
            sentences = sum(len(sent.sentences) for sent in shown) / len(shown)
            print(
                f"{budget:4} {whole:4} {whole / len(pairs):.3f} [{low:.3f}, {high:.3f}] "
                f"{tokens:6.0f} tokens {sentences:5.1f} sentences"
            )


if __name__ == "__main__":
    main()
