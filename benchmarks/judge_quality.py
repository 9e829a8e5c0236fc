"""A chat model as judge, on people's labels: does P(yes) tell claims that an abstract supports from those it contradicts?

python -m benchmarks.judge_quality GROUNDING.jsonl --model NAME --base-url http://127.0.0.1:8080/v1 [--pairs 100]

GROUNDING.jsonl has scifact's shape; of its split `train` as many supported as contradicted claims are drawn, seeded, each
shown with its rationale sentences. The shipped rules' score stands beside the judge's. Intervals: bootstrap over papers.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant import chat_model
from assistant.errors import ModelError
from assistant.judging import ChatJudge
from assistant.settings import Settings
from assistant.verification import verify

_RESAMPLES = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge_quality")
    parser.add_argument("grounding", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--pairs", type=int, default=100, help="claims, half of them contradicted")
    parser.add_argument("--seconds", type=float, default=3600, help="stop drawing after this long, and say how many")
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    settings = Settings.load(chat_model=options.model, chat_base_url=options.base_url, chat_timeout_s=120)
    judge = ChatJudge(chat_model.connect(settings))
    rows, silent, started = [], 0, time.monotonic()
    for claim in _drawn(options.grounding, options.pairs, options.seed):
        if time.monotonic() - started > options.seconds:
            break
        try:
            said = judge(claim.claim, claim.evidence, titles=[claim.title])
        except ModelError:
            said = None
        if said is None:
            silent += 1
            continue
        rows.append((claim.supported, said, verify(claim.claim, claim.evidence).score or 0.0, claim.paper))
        print(json.dumps([len(rows), claim.supported, round(said, 4)]), flush=True)
    print(
        f"n = {len(rows)}, silent or failed {silent}, {(time.monotonic() - started) / max(1, len(rows)):.1f} s a claim"
    )
    for name, column in (("judge", 1), ("rules", 2)):
        print(name, _interval([(bool(row[0]), float(row[column]), str(row[3])) for row in rows]))
    yes = [row[1] >= 0.5 for row in rows]
    for label in (True, False):
        of = [said for row, said in zip(rows, yes, strict=True) if row[0] == label]
        print("supported" if label else "contradicted", f"called yes: {sum(of)} of {len(of)}")


@dataclass(frozen=True, slots=True)
class _Labelled:
    claim: str
    evidence: tuple[str, ...]
    title: str
    supported: bool
    paper: str


def _drawn(path: Path, most: int, seed: int) -> list[_Labelled]:
    """Supported and contradicted claims in turn, so that a run that is cut short stays balanced."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["split"] == "train" and row["label"] != "NOINFO" and row["rationale"]]
    random.Random(seed).shuffle(rows)
    sides = [[row for row in rows if row["label"] == label][: most // 2] for label in ("SUPPORT", "CONTRADICT")]
    return [_labelled(row) for pair in zip(*sides, strict=False) for row in pair]


def _labelled(row: dict[str, Any]) -> _Labelled:
    evidence = tuple(row["evidence_sentences"][at] for at in row["rationale"][0])
    return _Labelled(row["claim"], evidence, row["title"], row["label"] == "SUPPORT", row["doc_id"])


def _auroc(rows: Sequence[tuple[bool, float, str]]) -> float:
    yes, no = ([score for label, score, _ in rows if label == wanted] for wanted in (True, False))
    if not yes or not no:
        return float("nan")
    return sum((a > b) + 0.5 * (a == b) for a in yes for b in no) / (len(yes) * len(no))


def _interval(rows: Sequence[tuple[bool, float, str]]) -> str:
    groups: dict[str, list[tuple[bool, float, str]]] = {}
    for row in rows:
        groups.setdefault(row[2], []).append(row)
    chance, names = random.Random(0), list(groups)
    values = sorted(
        value
        for _ in range(_RESAMPLES)
        if (value := _auroc([row for name in chance.choices(names, k=len(names)) for row in groups[name]])) == value
    )
    low, high = values[int(0.025 * len(values))], values[int(0.975 * len(values)) - 1]
    return f"AUROC {_auroc(rows):.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
