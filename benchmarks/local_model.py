"""How the local chat model answers here: seconds to the first sentence and to the end, facts, citations, refusals.

    python -m benchmarks.local_model [--set bundled=10 --set medicine=5 --set biology=5] [--out drafts.jsonl]

Single questions of the dev split, drawn with a seed, about a third of them unanswerable. The model is the one that
`IBID_CHAT_MODEL=local` means. `--out` keeps, for each question that reached the model, what it was sent and what it drafted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant.answers import Answer, Event, Finished, Retrieved, Token
from assistant.chat_model import connect
from assistant.engine import Assistant
from assistant.settings import Settings
from evals import cases
from evals.cases import Case
from evals.libraries import library_for
from evals.matching import occurs
from evals.statistics.intervals import wilson

_UNANSWERABLE = 0.35


@dataclass(frozen=True)
class Asked:
    """One question and what became of it; seconds by the wall clock, from the question on."""

    case: Case
    answer: Answer
    evidence_s: float
    first_s: float
    whole_s: float
    details: dict[str, Any]
    cpu_s: float = 0.0  # of the model's process

    @property
    def spoke(self) -> bool:
        """Whether the model was asked at all."""
        return "draft" in (self.details.get("model") or {})

    @property
    def facts(self) -> bool:
        return self.answer.status == "answered" and _states(self.case, self.answer.text)

    @property
    def drafted_facts(self) -> bool:
        return self.spoke and _states(self.case, str(self.details["model"]["draft"]))


def _states(case: Case, text: str) -> bool:
    return all(any(occurs(wanted, text) for wanted in fact) for fact in case.facts)


def drawn(name: str, count: int) -> list[Case]:
    """A third or so of unanswerable questions, the rest with facts that an answer must state."""
    every = [case for case in cases.load(name) if case.split == "dev" and len(case.turns) == 1]
    absent = [case for case in every if not case.answerable and case.reason != "not_a_question_for_the_corpus"]
    stated = [case for case in every if case.answerable and case.facts]
    few = round(count * _UNANSWERABLE)
    chance = random.Random(f"local model, {name}")
    return chance.sample(stated, count - few) + chance.sample(absent, few)


def cpu_seconds(model: Any) -> float:
    """Of the model's process so far; 0 where none runs, or where Linux' /proc is not."""
    pid = getattr(getattr(model, "server", None), "pid", None)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ask(assistant: Assistant, case: Case, model: Any) -> Asked:
    before = cpu_seconds(model)
    started = time.perf_counter()
    evidence_s = first_s = 0.0
    last: Event | None = None
    for event in assistant.stream(case.question, filters=case.filters):
        now = time.perf_counter() - started
        if isinstance(event, Retrieved):
            evidence_s = now
        elif isinstance(event, Token) and not first_s:
            first_s = now
        last = event
    assert isinstance(last, Finished)
    whole_s = time.perf_counter() - started
    record = asdict(assistant.library.record(last.answer.record_id))
    return Asked(case, last.answer, evidence_s, first_s or whole_s, whole_s, record, cpu_seconds(model) - before)


def line(asked: Asked) -> dict[str, Any]:
    """For `--out`: enough to play the draft again without the model."""
    model = asked.details.get("model") or {}
    return {
        "id": asked.case.id,
        "set": asked.case.dataset,
        "question": asked.case.question,
        "answerable": asked.case.answerable,
        "facts": [list(fact) for fact in asked.case.facts],
        "papers": list(asked.case.papers),
        "status": asked.answer.status,
        "spoke": asked.spoke,
        "probability": (asked.details.get("extra") or {}).get("decision", {}).get("probability"),
        "first_s": round(asked.first_s, 2),
        "whole_s": round(asked.whole_s, 2),
        "model_s": model.get("seconds"),
        "cpu_s": round(asked.cpu_s, 2),
        "usage": model.get("usage"),
        "messages": (asked.details.get("prompts") or {}).get("messages"),
        "draft": model.get("draft"),
        "text": asked.answer.text,
        "verdicts": [claim.verdict for claim in asked.answer.claims],
        "findings": [[finding.kind for finding in claim.findings] for claim in asked.answer.claims],
        "cited": [citation.paper.title for citation in asked.answer.citations],
        "facts_right": asked.facts,
        "facts_in_draft": asked.drafted_facts,
        "notes": list(asked.answer.notes),
    }


def _share(hits: int, n: int) -> str:
    if not n:
        return "–"
    low, high = wilson(hits, n)
    return f"{hits}/{n} [{low:.2f}, {high:.2f}]"


def report(every: Sequence[Asked]) -> str:
    stated = [asked for asked in every if asked.case.answerable]
    absent = [asked for asked in every if not asked.case.answerable]
    spoke = [asked for asked in every if asked.spoke]
    cited = [
        c.paper.title in a.case.papers for a in stated for c in a.answer.citations if a.answer.status == "answered"
    ]
    first = sorted(asked.first_s for asked in spoke)
    whole = sorted(asked.whole_s for asked in spoke)
    rows = [
        ("all facts, answerable", _share(sum(a.facts for a in stated), len(stated))),
        (
            "all facts in the bare draft, where it drafted",
            _share(sum(a.drafted_facts for a in stated), sum(a.spoke for a in stated)),
        ),
        ("citations to a right paper", _share(sum(cited), len(cited))),
        ("unanswerable refused", _share(sum(a.answer.status == "abstained" for a in absent), len(absent))),
        ("… before the model spoke", _share(sum(not a.spoke for a in absent), len(absent))),
        ("answerable refused", _share(sum(a.answer.status == "abstained" for a in stated), len(stated))),
    ]
    if spoke:
        rows += [
            ("first sentence, s: median, most", f"{first[len(first) // 2]:.1f}, {first[-1]:.1f}"),
            ("whole answer, s: median, most", f"{whole[len(whole) // 2]:.1f}, {whole[-1]:.1f}"),
        ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", dest="sets", action="append", metavar="NAME=COUNT")
    parser.add_argument("--strictness", default="balanced")
    parser.add_argument("--model", default="local")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    every: list[Asked] = []
    settings = Settings.load(chat_model=given.model, strictness=given.strictness)
    model = connect(settings)
    for wanted in given.sets or ["bundled=10", "medicine=5", "biology=5"]:
        name, _, count = wanted.partition("=")
        with library_for(cases.corpus_of(name)) as library:
            assistant = Assistant(library, settings=settings, model=model)
            for case in drawn(name, int(count)):
                every.append(ask(assistant, case, model))
                told = line(every[-1])
                print(
                    {
                        key: told[key]
                        for key in ("id", "status", "spoke", "facts_right", "first_s", "whole_s", "cpu_s")
                    },
                    flush=True,
                )
                if given.out:
                    with given.out.open("a", encoding="utf-8") as out:
                        out.write(json.dumps(told, ensure_ascii=False) + "\n")
    print(report(every))


if __name__ == "__main__":
    main()
