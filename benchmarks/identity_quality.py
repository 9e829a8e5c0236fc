"""How well records of one paper are told from records of two: false merges and false splits on labelled pairs.

    python -m benchmarks.identity_quality [--pairs tests/data/identity_pairs.jsonl] [--list]

Each pair is decided in both orders, as `ingest.add` would into an empty library. Beside Ibid's rules stand two that
other tools use: equal DOI or arXiv id or title, and equal title alone.
"""

from __future__ import annotations

import argparse
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

from assistant.identity import normalise_arxiv, normalise_doi, title_key
from assistant.papers import Paper
from ingest.matching import decide
from ingest.records import Record
from ingest.sources import read

PAIRS = Path(__file__).parent.parent / "tests" / "data" / "identity_pairs.jsonl"
_Z = 1.96


@dataclass(frozen=True)
class Pair:
    id: str
    kind: str
    same: bool
    first: Record
    second: Record


def pairs(path: Path) -> list[Pair]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        first, second = (_record(told[side]) for side in ("first", "second"))
        found.append(Pair(told["id"], told["kind"], told["label"] == "same", first, second))
    return found


def _record(fields: dict[str, Any]) -> Record:
    (record,) = read(io.BytesIO(json.dumps(fields).encode()), "pair.jsonl")
    assert isinstance(record, Record), record
    return record


def ibid(first: Record, second: Record) -> bool:
    """Whether the second record joins the paper that the first one made."""
    made = decide(first, {}, lambda _: None, lambda _: False)
    assert made.paper is not None
    papers: dict[str, Paper] = {made.paper_id: made.paper}
    known = dict.fromkeys(made.names, made.paper_id)
    return decide(second, known, papers.get, lambda _: False).paper_id == made.paper_id


def any_equal(first: Record, second: Record) -> bool:
    doi = [normalise_doi(record.doi) for record in (first, second)]
    arxiv = [normalise_arxiv(record.arxiv_id) for record in (first, second)]
    return any(a is not None and a == b for a, b in (doi, arxiv)) or by_title(first, second)


def by_title(first: Record, second: Record) -> bool:
    return title_key(first.title) == title_key(second.title)


RULES: dict[str, Callable[[Record, Record], bool]] = {
    "Ibid": ibid, "equal DOI, arXiv id or title": any_equal, "equal title": by_title,
}  # fmt: skip


def interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's, 95 %."""
    if not n:
        return 0.0, 1.0
    share, spread = hits / n, _Z * _Z / n
    middle = share + spread / 2
    half = _Z * sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def _share(hits: int, n: int) -> str:
    low, high = interval(hits, n)
    return f"{hits}/{n} = {hits / max(1, n):.3f} ({low:.3f}–{high:.3f})"


def measured(found: Sequence[Pair], rule: Callable[[Record, Record], bool]) -> dict[str, list[Pair]]:
    """`merged`: right merges, `split`: false splits, `confused`: false merges, `apart`. A pair is merged when either
    order merges it; an order that decides otherwise is counted in `unsteady` too."""
    out: dict[str, list[Pair]] = defaultdict(list)
    for pair in found:
        orders = {rule(pair.first, pair.second), rule(pair.second, pair.first)}
        together = all(orders) if pair.same else any(orders)  # the worse of both orders
        out[
            "merged" if pair.same and together else "split" if pair.same else "confused" if together else "apart"
        ].append(pair)
        if len(orders) > 1:
            out["unsteady"].append(pair)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    parser.add_argument("--list", action="store_true", help="name the pairs that Ibid gets wrong")
    given = parser.parse_args()
    found = pairs(given.pairs)
    for name, rule in RULES.items():
        got = measured(found, rule)
        merged, split, confused = (len(got[kind]) for kind in ("merged", "split", "confused"))
        print(f"{name}: precision {_share(merged, merged + confused)}, recall {_share(merged, merged + split)}, "
              f"false merges {confused}, false splits {split}, order matters {len(got['unsteady'])}")  # fmt: skip
        wrong = Counter(
            (pair.kind, "merged" if not pair.same else "split") for pair in (*got["split"], *got["confused"])
        )
        for (kind, what), count in sorted(wrong.items()):
            print(f"    {count} of {sum(pair.kind == kind for pair in found)} falsely {what}: {kind}")
        if given.list and name == "Ibid":
            for pair in (*got["split"], *got["confused"]):
                print(f"      {pair.id}: {pair.first.title!r} | {pair.second.title!r}")


if __name__ == "__main__":
    main()
