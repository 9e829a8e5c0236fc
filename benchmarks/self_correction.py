"""Two ideas from the bundled papers, tried on the ledger: revising where the verifier doubts, and the mode of several drafts.

    python -m benchmarks.self_correction LIBRARY --model NAME --base-url http://127.0.0.1:8080/v1 [--questions 20]

Revision (*Confidence Matters*): never; only sentences whose score lies between `--low` and `--high`; always. A revised
sentence stands whenever the model gives one, as the papers do it; the product's `repair` keeps it only for a better verdict.
Agreement (*Beyond the Last Answer*): one draft, against the draft of `k` whose sentences agree best with the others'.
Printed per variant: required facts told, sentences carried (quoted or supported), calls a question.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from assistant import Library, attribution, chat_model, mending, prompting
from assistant.attribution import Attributed
from assistant.chat_model import Reply
from assistant.engine import Assistant
from assistant.filters import Filters
from assistant.prompting import Shown
from assistant.settings import Settings
from assistant.terms import terms
from assistant.verification import verify
from evals import cases
from evals.cases import Case
from evals.matching import occurs
from evals.statistics.intervals import wilson

_VARIANTS = ("never", "unsure", "always", "mode")
_WARMTH = 0.8  # of the drafts that are to differ


@dataclass
class _Tally:
    facts: int = 0
    wanted: int = 0
    carried: int = 0
    sentences: int = 0
    calls: int = 0
    answers: list[str] = field(default_factory=list)


class _Trial:
    def __init__(self, model: object, low: float, high: float, drafts: int) -> None:
        self.model, self.low, self.high, self.drafts = model, low, high, drafts
        self.tallies = {name: _Tally() for name in _VARIANTS}

    async def ask(self, case: Case, question: str, shown: Shown) -> None:
        first = await self._draft(question, shown, None)
        judged = await self._judged(first, shown)
        self._count("never", case, judged, 1)
        for variant in ("unsure", "always"):
            revised, calls = [], 1
            for sentence in judged:
                score = sentence.score if sentence.score is not None else 0.0
                if variant == "always" or (sentence.verdict != "quoted" and self.low <= score < self.high):
                    sentence, calls = await self._again(question, sentence, shown), calls + 1
                revised.append(sentence)
            self._count(variant, case, revised, calls)
        drafts = [await self._draft(question, shown, _WARMTH) for _ in range(self.drafts)]
        self._count("mode", case, await self._judged(_mode(drafts), shown), self.drafts)

    async def _draft(self, question: str, shown: Shown, warmth: float | None) -> str:
        model = self.model if warmth is None else self.model.model_copy(update={"temperature": warmth})  # type: ignore[attr-defined]  # any LangChain model
        text = ""
        async with aclosing(Reply(model).pieces(prompting.messages(question, shown))) as pieces:  # type: ignore[arg-type]  # as above
            async for piece in pieces:
                text += piece
        return attribution.without_thought(text)

    async def _judged(self, draft: str, shown: Shown) -> list[Attributed]:
        said = [attribution.parse(draft[span.start : span.end], shown.sentences) for span in attribution.split(draft)]
        return [attribution.attribute(one, shown.sentences, verify) for one in said]

    async def _again(self, question: str, sentence: Attributed, shown: Shown) -> Attributed:
        text = await mending.said_again(Reply(self.model), question, sentence, shown)  # type: ignore[arg-type]  # as above
        found = await self._judged(text, shown)
        return found[0] if found and not attribution.absent(found[0].said.body) else sentence

    def _count(self, variant: str, case: Case, said: Sequence[Attributed], calls: int) -> None:
        tally, text = self.tallies[variant], " ".join(one.said.body for one in said)
        tally.wanted += len(case.facts)
        tally.facts += sum(any(occurs(wording, text) for wording in fact) for fact in case.facts)
        claims = [one for one in said if not any(finding.kind == "no_claim" for finding in one.findings)]
        tally.sentences += len(claims)
        tally.carried += sum(one.verdict in ("quoted", "supported") for one in claims)
        tally.calls += calls
        tally.answers.append(text)


def _mode(drafts: Sequence[str]) -> str:
    """The draft whose words the others share most: of drafts that state facts, the one most agree with."""
    bags = [set(terms(draft)) for draft in drafts]

    def agreement(at: int) -> float:
        others = [bag for place, bag in enumerate(bags) if place != at]
        return sum(len(bags[at] & bag) / max(1, len(bags[at] | bag)) for bag in others)

    return drafts[max(range(len(drafts)), key=agreement)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_correction")
    parser.add_argument("library")
    parser.add_argument("--model", required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--low", type=float, default=0.2)
    parser.add_argument("--high", type=float, default=0.8)
    parser.add_argument("--drafts", type=int, default=3)
    given = parser.parse_args()
    told = Settings.load(chat_model=given.model, chat_base_url=given.base_url, chat_timeout_s=300)
    trial = _Trial(chat_model.connect(told), given.low, given.high, given.drafts)
    with Library.open(given.library, read_only=True) as library:
        wanted = [
            c for c in cases.load("bundled") if c.split == "dev" and c.answerable and c.facts and len(c.turns) < 2
        ]
        step = max(1, len(wanted) // given.questions)
        assistant = Assistant(library)
        for case in wanted[::step][: given.questions]:
            prepared = assistant._prepare(case.question, Filters(), None)
            if prepared.evidence is not None:
                asyncio.run(trial.ask(case, case.question, prompting.show(prepared.evidence)))
    for name, tally in trial.tallies.items():
        facts, carried = wilson(tally.facts, tally.wanted), wilson(tally.carried, tally.sentences)
        print(
            f"{name:7} facts {tally.facts}/{tally.wanted} [{facts[0]:.2f}, {facts[1]:.2f}]  "
            f"carried {tally.carried}/{tally.sentences} [{carried[0]:.2f}, {carried[1]:.2f}]  calls {tally.calls}"
        )


if __name__ == "__main__":
    main()
