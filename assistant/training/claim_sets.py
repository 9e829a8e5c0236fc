"""Labelled claims that the verifier is fitted on and judged by, from the sets on disk to one shape."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assistant import sentences
from assistant.errors import InputError
from assistant.papers import Paper
from assistant.verifying import called

Label = Literal[
    "S", "P", "U", "C", "X"
]  # supported, partial, unsupported, contradicted; X: not supported, which way unknown

_WRITTEN = Path(__file__).parent / "written"
_SHARED = {"life": "life-sciences", "trials": "trials"}  # sets over the papers of a set of questions


@dataclass(frozen=True, slots=True)
class LabelledClaim:
    """A claim with the evidence it cites. `group` is what intervals cluster by: the paper or the document."""

    claim: str
    evidence: tuple[str, ...]
    titles: tuple[str, ...]
    label: Label
    kind: str
    source: str
    group: str


def written_sets() -> list[Path]:
    """The folders of handwritten claims that lie beside this module, in order."""
    folder = Path(__file__).parent / "claims"
    return sorted(path.parent for path in folder.glob("*/claims.txt"))


def handwritten(folder: Path, *, whole: bool = False) -> list[LabelledClaim]:
    """`claims.txt` (`paper | sentences | label | kind | claim`, a line each) over `papers.jsonl`; with `whole`, each
    claim against all of its paper. A set whose papers are those of a set of questions reads them there."""
    own = folder / "papers.jsonl"
    papers = {row["id"]: row for row in _lines(own if own.is_file() else _WRITTEN / _SHARED[folder.name] / own.name)}
    told = {name: _told(row) for name, row in papers.items()}
    found = []
    for number, line in enumerate((folder / "claims.txt").read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|", 4)]
        if len(parts) != 5 or parts[0] not in papers or parts[2] not in ("S", "P", "U", "C"):
            raise InputError(f"{folder / 'claims.txt'} line {number}: {line!r:.80} is no claim; see its README")
        title, texts = told[parts[0]]
        cited = texts if whole else tuple(texts[int(place)] for place in parts[1].split("+"))
        label: Any = parts[2]
        group = folder.name + parts[0]
        found.append(LabelledClaim(parts[4], cited, (title,) * len(cited), label, parts[3], folder.name, group))
    return found


def _told(row: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """What a paper is called, and its sentences."""
    abstract = row["abstract"]
    spans = sentences.split(abstract)
    called_so = called(Paper(id=row["id"], title=row["title"], abstract=abstract))
    return called_so, tuple(abstract[span.start : span.end] for span in spans)


_LABELS: dict[str, Label] = {
    "SUPPORT": "S",
    "CONTRADICT": "C",
    "NOINFO": "U",
    "PARTIAL": "P",
    "supported": "S",
    "partially_supported": "P",
    "not_supported": "U",
}


def grounding(path: Path, source: str, split: str | None = None) -> list[LabelledClaim]:
    """scifact, healthver, factcheckgpt (`grounding.jsonl`) or wice (`oracle_chunks.jsonl`)."""
    found = []
    for row in _lines(path):
        if split and row.get("split") != split:
            continue
        evidence = row["evidence"]
        texts = (evidence,) if isinstance(evidence, str) else tuple(evidence)
        titles = (row.get("title", ""),) * len(texts)
        group = str(row.get("doc_id") or row.get("question") or row.get("meta", {}).get("id") or row["claim"])
        found.append(LabelledClaim(row["claim"], texts, titles, _LABELS[row["label"]], row["label"], source, group))
    return found


def nli(path: Path, sources: Iterable[str], most: int, seed: int = 0) -> list[LabelledClaim]:
    """A sample of `nli.jsonl`, as many of each source; where a set makes no difference of C and N, they are as given."""
    wanted = tuple(sources)
    by_source: dict[str, list[LabelledClaim]] = {source: [] for source in wanted}
    for row in _lines(path):
        source = next((name for name in wanted if str(row["source"]).startswith(name)), None)
        if source:
            made = LabelledClaim(
                row["hypothesis"],
                (row["premise"],),
                ("",),
                _LABELS[row["label"]],
                row["label"],
                source,
                row["premise"],
            )
            by_source[source].append(made)
    chance = random.Random(seed)
    return [row for rows in by_source.values() for row in chance.sample(rows, min(most, len(rows)))]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read labelled claims from {str(path)!r}: {error!r}") from error
