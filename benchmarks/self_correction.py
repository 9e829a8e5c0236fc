"""Two ideas from the bundled papers, tried on the ledger: revising where the verifier doubts, and the mode of several drafts.

    python -m benchmarks.self_correction collect drafts.jsonl [--set bundled=14 --set medicine=7 --set biology=7] [--absent 14]
    python -m benchmarks.self_correction report drafts.jsonl

`collect` asks the local model (what `IBID_CHAT_MODEL=local` means), or an endpoint (`--model`, `--base-url`): for each
question of the dev split one draft as the product asks for it, `--drafts` warmer ones, and every sentence of the first
once more. Questions without an answer are those that the decision to speak lets through. A file is gone on with.

`report` judges what was collected, without the model. Revision (*Confidence Matters*): never; only sentences whose score
lies between `--low` and `--high`; always; and as the product's `repair`, which keeps a sentence only for a better verdict.
Agreement (*Beyond the Last Answer*): one draft, against the one of the warmer drafts that the others share most words with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant import attribution, chat_model, mending, prompting
from assistant.attribution import Attributed
from assistant.chat_model import Reply
from assistant.engine import Assistant, Prepared
from assistant.filters import Filters
from assistant.prompting import Shown
from assistant.settings import Settings
from assistant.terms import terms
from assistant.verification import verify
from benchmarks.local_model import cpu_seconds, drawn
from benchmarks.recorded_drafts import evidence_of
from evals import cases
from evals.cases import Case
from evals.libraries import library_for
from evals.matching import occurs
from evals.statistics.intervals import wilson
from evals.statistics.paired import difference

_SETS = ("bundled=14", "medicine=7", "biology=7")
_WARMTH = 0.8  # of the drafts that are to differ


# --- collecting -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """A model to ask, warm and cold, and the instructions that it is given."""

    cold: Any
    warm: Any
    local: Any  # whose server's CPU time is read; None for an endpoint
    instructions: str


def _model(name: str | None, base_url: str | None) -> _Asked:
    local: Any = None
    given: dict[str, Any] = {"chat_model": name, "chat_base_url": base_url}
    if base_url is None:
        local = chat_model.connect(Settings.load(chat_model=name or "local"))
        address = local.server.address()
        given = {"chat_model": local.model_name, "chat_base_url": address, "chat_api_key": local.server.key}
    cold: Any = chat_model.connect(Settings.load(**given, chat_timeout_s=600, chat_retries=0))
    warm = cold.model_copy(update={"temperature": _WARMTH})
    return _Asked(cold, warm, local, "answer-local" if local else "answer")


async def _say(model: Any, messages: Sequence[Any]) -> tuple[str, list[float]]:
    """A draft, and the log probabilities of its tokens where the server tells them."""
    said = await model.bind(logprobs=True, stream=False).ainvoke(list(messages))
    told = (said.response_metadata.get("logprobs") or {}).get("content") or []
    return str(said.text), [round(float(token["logprob"]), 4) for token in told]


async def _collected(asked: _Asked, case: Case, prepared: Prepared, drafts: int) -> dict[str, Any]:
    assert prepared.evidence is not None
    shown = prompting.show(prepared.evidence)
    messages = prompting.messages(case.question, shown, asked.instructions)
    before, started = cpu_seconds(asked.local), time.perf_counter()
    draft, logprobs = await _say(asked.cold, messages)
    took = {
        "draft_cpu_s": round(cpu_seconds(asked.local) - before, 2),
        "draft_s": round(time.perf_counter() - started, 2),
    }
    warm = [(await _say(asked.warm, messages))[0] for _ in range(drafts)]
    again = [
        await mending.said_again(Reply(asked.cold), case.question, one, shown, asked.instructions)
        for one in judged(draft, shown)
    ]
    return {
        "id": case.id,
        "group": case.group,
        "set": case.dataset,
        "kind": case.kind,
        "question": case.question,
        "answerable": case.answerable,
        "facts": [list(fact) for fact in case.facts],
        "papers": list(case.papers),
        "probability": round(prepared.decision.probability, 4),
        "prompt": str(messages[-1].content),
        "draft": draft,
        "logprobs": logprobs,
        "warm": warm,
        "again": again,
        "whole_cpu_s": round(cpu_seconds(asked.local) - before, 2),
        **took,
    }


def _let_through(assistant: Assistant, name: str, most: int) -> Iterator[tuple[Case, Prepared]]:
    """Unanswerable single questions that the decision to speak lets through, a sample in a fixed order."""
    absent = [c for c in cases.load(name) if c.split == "dev" and len(c.turns) == 1 and not c.answerable]
    found = 0
    for case in sorted(absent, key=lambda case: case.id[::-1]):
        prepared = assistant._prepare(case.question, Filters.parse(case.filters), None)
        if prepared.decision.reason is None and found < most:
            found += 1
            yield case, prepared


def collect(out: Path, asked: _Asked, sets: Sequence[str], absent: int, drafts: int) -> None:
    done = {line["id"] for line in read(out)} if out.exists() else set()
    for wanted in sets:
        name, _, count = wanted.partition("=")
        with library_for(cases.corpus_of(name)) as library:
            assistant = Assistant(library, settings=Settings.load(chat_model="quotes"))
            stated = [case for case in drawn(name, math.ceil(int(count) / 0.65)) if case.answerable][: int(count)]
            found = [(c, assistant._prepare(c.question, Filters.parse(c.filters), None)) for c in stated]
            share = round(absent * int(count) / sum(int(one.partition("=")[2]) for one in sets))
            for case, prepared in [*found, *_let_through(assistant, name, share)]:
                if case.id in done or prepared.decision.reason is not None:
                    continue
                line = asyncio.run(_collected(asked, case, prepared, drafts))
                with out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                print(line["id"], line["answerable"], line["draft_cpu_s"], line["whole_cpu_s"], flush=True)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- judging ----------------------------------------------------------------------------------------------------------


def judged(draft: str, shown: Shown) -> list[Attributed]:
    """The sentences of a draft, as the ledger judges them."""
    text = attribution.without_thought(draft)
    said = [attribution.parse(text[span.start : span.end], shown.sentences) for span in attribution.split(text)]
    return [attribution.attribute(one, shown.sentences, verify) for one in said]


def mode(drafts: Sequence[str]) -> tuple[str, float]:
    """The draft whose words the others share most, and how much they do, in [0, 1]."""
    bags = [set(terms(draft)) for draft in drafts]

    def agreement(at: int) -> float:
        others = [bag for place, bag in enumerate(bags) if place != at]
        return sum(len(bags[at] & bag) / max(1, len(bags[at] | bag)) for bag in others) / max(1, len(others))

    best = max(range(len(drafts)), key=agreement)
    return drafts[best], agreement(best)


_WORTH = ("contradicted", "unsupported", "uncited", "unscored", "partial", "supported", "quoted")


def variants(line: Mapping[str, Any], low: float, high: float) -> dict[str, tuple[list[Attributed], int]]:
    """What each way of answering says to one question, and how many calls it takes."""
    shown = Shown(evidence_of(str(line["prompt"])), "", 0, 0, ())
    first = judged(str(line["draft"]), shown)
    found: dict[str, tuple[list[Attributed], int]] = {"never": (first, 1)}
    revised = [next(iter(judged(again, shown)), None) for again in line["again"]]
    kept = [
        new if new and not attribution.absent(new.said.body) else old for old, new in zip(first, revised, strict=True)
    ]
    unsure = [low <= (one.score or 0.0) < high and one.verdict != "quoted" for one in first]
    pairs = list(zip(first, kept, strict=True))
    found["unsure"] = (
        [new if doubt else old for (old, new), doubt in zip(pairs, unsure, strict=True)],
        1 + sum(unsure),
    )
    found["always"] = (kept, 1 + len(first))
    failing = [mending.fails(one) for one in first]
    better = [
        _WORTH.index(new.verdict) > max(_WORTH.index(old.verdict), _WORTH.index("unscored")) for old, new in pairs
    ]
    repaired = [new if f and b else old for (old, new), f, b in zip(pairs, failing, better, strict=True)]
    found["repair"] = (repaired, 1 + sum(failing))
    found["mode"] = (judged(mode(line["warm"])[0], shown), len(line["warm"]))
    found["one warm"] = (judged(line["warm"][0], shown), 1)
    return found


def _facts(line: Mapping[str, Any], said: Sequence[Attributed]) -> float:
    text = " ".join(one.said.body for one in said)
    return float(all(any(occurs(wording, text) for wording in fact) for fact in line["facts"]))


def _carried(said: Sequence[Attributed]) -> tuple[int, int]:
    claims = [one for one in said if one.said.body and not any(f.kind == "no_claim" for f in one.findings)]
    return sum(one.verdict in ("quoted", "supported") for one in claims), len(claims)


def report(lines: Sequence[Mapping[str, Any]], low: float, high: float) -> str:
    stated = [line for line in lines if line["answerable"] and line["facts"]]
    groups = {str(line["id"]): str(line["group"]) for line in stated}
    every = {str(line["id"]): variants(line, low, high) for line in stated}
    facts = {
        name: {str(line["id"]): _facts(line, every[str(line["id"])][name][0]) for line in stated}
        for name in next(iter(every.values()))
    }
    rows = ["| way | all facts | against one draft | sentences carried | calls a question |", "|---|---|---|---|---|"]
    for name, by_case in facts.items():
        hits, n = int(sum(by_case.values())), len(by_case)
        carried = [_carried(ways[name][0]) for ways in every.values()]
        good, said = sum(one for one, _ in carried), sum(of for _, of in carried)
        against = difference(facts["never"], by_case, groups, binary=True) if name != "never" else None
        told = (
            f"{against.delta:+.3f} [{against.low:+.3f}, {against.high:+.3f}], p = {against.p:.2f}"
            if against and against.low is not None and against.high is not None and against.p is not None
            else "–"
        )
        calls = sum(ways[name][1] for ways in every.values()) / n
        rows.append(f"| {name} | {_share(hits, n)} | {told} | {_share(good, said)} | {calls:.2f} |")
    return "\n".join(rows)


def _share(hits: int, n: int) -> str:
    if not n:
        return "–"
    low, high = wilson(hits, n)
    return f"{hits}/{n} [{low:.2f}, {high:.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_correction")
    parser.add_argument("what", choices=("collect", "report"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--set", dest="sets", action="append", metavar="NAME=COUNT")
    parser.add_argument("--absent", type=int, default=14, help="unanswerable questions, over all sets")
    parser.add_argument("--model")
    parser.add_argument("--base-url")
    parser.add_argument("--drafts", type=int, default=3)
    parser.add_argument("--low", type=float, default=0.2)
    parser.add_argument("--high", type=float, default=0.8)
    given = parser.parse_args()
    if given.what == "collect":
        asked = _model(given.model, given.base_url)
        collect(given.file, asked, given.sets or _SETS, given.absent, given.drafts)
    print(report(read(given.file), given.low, given.high))


if __name__ == "__main__":
    main()
