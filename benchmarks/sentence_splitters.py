"""Compares sentence splitters on hand-labelled scientific abstracts: the table of docs/experiments/sentences.md.

    python -m benchmarks.sentence_splitters [dev|test|all]

Each library that is installed takes part. A boundary is where a sentence other than the first begins; boundaries
that the labels call optional count neither way. The labels are tests/data/sentences.jsonl; the bundled corpus'
abstracts are referred to by number.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assistant.sentences import split
from ingest.records import Record
from ingest.sources import read

Splitter = Callable[[str], Iterable[int]]

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Labelled:
    """An abstract with the offsets at which its second and later sentences begin."""

    source: str
    half: str
    text: str
    starts: frozenset[int]
    optional: frozenset[int]


@dataclass(frozen=True)
class Score:
    precision: float
    recall: float
    f1: float
    exact: float


def labelled() -> list[Labelled]:
    """All labels, those of the bundled corpus joined with its texts."""
    corpus = _ROOT / "ingest" / "corpus" / "huggingface-papers.txt"
    bundled = [item.abstract for item in read(corpus) if isinstance(item, Record)]
    lines = (_ROOT / "tests" / "data" / "sentences.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Labelled(
            source=row["source"],
            half=row["half"],
            text=row["text"] if "text" in row else bundled[int(row["id"]) - 1],
            starts=frozenset(row["starts"]),
            optional=frozenset(row.get("optional", ())),
        )
        for row in map(json.loads, lines)
    ]


def score(splitter: Splitter, cases: Iterable[Labelled]) -> Score:
    """Boundary precision, recall and F1 over all cases, and the share of cases without a mistake."""
    right = wrong = missed = exact = total = 0
    for case in cases:
        found = set(splitter(case.text)) - case.optional - {0}
        right += len(found & case.starts)
        wrong += len(found - case.starts)
        missed += len(case.starts - found)
        exact += found == case.starts
        total += 1
    precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
    return Score(precision, recall, 2 * precision * recall / max(precision + recall, 1e-9), exact / max(total, 1))


def ours(text: str) -> Iterable[int]:
    return [span.start for span in split(text)]


def after_full_stops(text: str) -> Iterable[int]:
    """The rule everybody writes first: a capital after a full stop and a blank."""
    return [match.end() for match in re.finditer(r"[.?!]\s+(?=[A-Z])", text)]


def pysbd_splitter() -> Splitter:
    import pysbd

    segmenter = pysbd.Segmenter(language="en", clean=False, char_span=True)
    return lambda text: [span.start for span in segmenter.segment(text)]


def syntok_splitter() -> Splitter:
    from syntok import segmenter

    return lambda text: [tokens[0].offset for paragraph in segmenter.analyze(text) for tokens in paragraph if tokens]


def nupunkt_splitter() -> Splitter:
    import nupunkt

    def starts(text: str) -> list[int]:
        spans = nupunkt.sent_spans(text)
        return [start + len(text[start:end]) - len(text[start:end].lstrip()) for start, end in spans]

    return starts


def blingfire_splitter() -> Splitter:
    import blingfire

    return lambda text: [start for start, _ in blingfire.text_to_sentences_and_offsets(text)[1]]


LIBRARIES: dict[str, Callable[[], Splitter]] = {
    "pysbd": pysbd_splitter,
    "syntok": syntok_splitter,
    "nupunkt": nupunkt_splitter,
    "blingfire": blingfire_splitter,
}


def main(half: str) -> None:
    cases = [case for case in labelled() if half in (case.half, "all")]
    splitters: list[tuple[str, Splitter]] = [("full stop and capital", after_full_stops)]
    for name, make in LIBRARIES.items():
        try:
            splitters.append((f"{name} {version(name)}", make()))
        except (ImportError, PackageNotFoundError):
            print(f"(not installed: {name})")
    splitters.append(("assistant.sentences", ours))
    print(f"{half}: {len(cases)} abstracts, {sum(len(case.starts) for case in cases)} boundaries\n")
    print("| splitter | precision | recall | F1 | exactly right | ms an abstract (CPU) |\n|---|---|---|---|---|---|")
    for name, splitter in splitters:
        list(splitter(cases[0].text))
        began = time.process_time()
        result = score(splitter, cases)
        spent = 1000 * (time.process_time() - began) / len(cases)
        print(
            f"| {name} | {result.precision:.3f} | {result.recall:.3f} | {result.f1:.3f} "
            f"| {result.exact:.3f} | {spent:.2f} |"
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "all")
