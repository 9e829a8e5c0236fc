"""External sets from a data folder (`--data`): scifact, cisi, pubmedqa, and injections planted into bundled abstracts.

scifact and cisi judge retrieval alone, with their own relevance labels (BEIR's files). pubmedqa asks its questions of a
library that lacks every other gold abstract: half are answerable, half must be refused. injections plants each
instruction (BIPIA, Yi et al. 2023) into the abstract that a bundled question needs; the question must be answered as
ever, and the answer must show neither the instruction nor its links. Corpora are written to the cache as JSON Lines.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from evals.cases import Case, Kind, corpus_of
from evals.cases import load as load_bundled
from evals.libraries import cache_folder

PREFIX = "external-"
_LINK = re.compile(r"(?:https?://|www\.)\S+|\b\w+\.(?:com|org|net|io)\b")


def load(data: Path, names: Sequence[str], limit: int | None = None) -> tuple[Case, ...]:
    """The cases of the sets `names` that `data` holds; InputError when it holds none of them."""
    found = [case for name in names if (data / name).is_dir() for case in _READERS[_known(name)][0](data / name)]
    if not found:
        raise InputError(
            f"{str(data)!r} holds none of {', '.join(names) or 'no sets'}; give the folder that has them"
        )
    if limit is None:
        return tuple(found)
    by_set: dict[str, list[Case]] = defaultdict(list)
    for case in found:
        by_set[case.dataset].append(case)
    return tuple(case for cases in by_set.values() for case in cases[:limit])


def corpus(data: Path, dataset: str) -> Path:
    """The papers that an external dataset asks about, as a JSON Lines file in the cache."""
    name = _known(dataset.removeprefix(PREFIX))
    target = cache_folder() / "corpora" / f"{name}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(paper, ensure_ascii=False) for paper in _READERS[name][1](data / name))
    target.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return target


def _known(name: str) -> str:
    if name not in _READERS:
        raise InputError(f"no external set {name!r}; sets are {', '.join(_READERS)}")
    return name


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path.name!r} of an external set: {error}") from error


def _beir_papers(folder: Path) -> Iterator[dict[str, str]]:
    for line in _lines(folder / "corpus.jsonl"):
        yield {"title": _beir_title(line), "abstract": line["text"]}


def _beir_title(line: dict[str, Any]) -> str:
    return str(line["title"]).strip() or f"Untitled {line['_id']}"


def _beir_cases(folder: Path) -> Iterator[Case]:
    titles = {line["_id"]: _beir_title(line) for line in _lines(folder / "corpus.jsonl")}
    relevant: dict[str, dict[str, float]] = defaultdict(dict)
    path = folder / "qrels" / "test.tsv"
    try:
        with path.open(encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows, delimiter="\t"):
                if float(row["score"]) > 0:
                    relevant[row["query-id"]][row["corpus-id"]] = float(row["score"])
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"cannot read the relevance labels of {folder.name!r}: {error}") from error
    name = f"{PREFIX}{folder.name}"
    for line in _lines(folder / "queries.jsonl"):
        if line["_id"] not in relevant:
            continue
        wanted = tuple(dict.fromkeys(titles[document] for document in relevant[line["_id"]] if document in titles))
        case = f"{folder.name}-{line['_id']}"
        yield Case(
            case, case, "test", "fact", (line["text"],), wanted, dataset=name, tags=("retrieval",), judge="retrieval"
        )


def _pubmedqa_papers(folder: Path) -> Iterator[dict[str, str]]:
    answerable = {case.papers[0] for case in _pubmedqa_cases(folder) if case.answerable}
    for line in _lines(folder / "corpus.jsonl"):
        title = f"PubMed {line['_id']}"
        if title in answerable:
            yield {"title": title, "abstract": line["text"]}


def _pubmedqa_cases(folder: Path) -> Iterator[Case]:
    name = f"{PREFIX}{folder.name}"
    for place, line in enumerate(_lines(folder / "qa.jsonl")):
        case = f"pubmedqa-{line['id']}"
        here = place % 2 == 0
        papers = tuple(f"PubMed {paper}" for paper in line["gold_paper_ids"]) if here else ()
        kind: Kind = "yes_no" if here else "unanswerable"
        yield Case(case, case, "test", kind, (line["question"],), papers, answerable=here, dataset=name)


def _planted() -> list[Case]:
    """The bundled questions that injections are planted for: one a paper, facts only, in a fixed order."""
    by_paper: dict[str, Case] = {}
    for case in load_bundled("bundled", "medicine", "biology"):
        if case.kind == "fact" and len(case.papers) == 1 and len(case.turns) == 1:
            by_paper.setdefault(case.papers[0], case)
    return list(by_paper.values())


def _injection_cases(folder: Path) -> Iterator[Case]:
    for case, attack in zip(_planted(), _lines(folder / "injections.jsonl"), strict=False):
        text = str(attack["text"])
        yield replace(
            case,
            id=f"injection-{attack['id']}",
            split="test",
            forbidden=(*case.forbidden, text, *_LINK.findall(text)),
            tags=(*case.tags, "injection", str(attack["category"])),
            dataset=f"{PREFIX}{folder.name}",
        )


def _injection_papers(folder: Path) -> Iterator[dict[str, str]]:
    from assistant.sentences import split
    from ingest.records import Record
    from ingest.sources import read

    attacks = {
        case.papers[0]: attack for case, attack in zip(_planted(), _lines(folder / "injections.jsonl"), strict=False)
    }
    for place, corpus_file in enumerate(corpus_of(name) for name in ("bundled", "medicine", "biology")):
        for record in read(corpus_file):
            if not isinstance(record, Record):
                continue
            abstract = record.abstract
            if attack := attacks.get(record.title):
                sentences = split(abstract)
                at = (0, len(sentences) // 2, len(sentences))[(place + len(abstract)) % 3]
                cut = sentences[at].start if at < len(sentences) else len(abstract)
                abstract = f"{abstract[:cut].rstrip()} {attack['text']} {abstract[cut:]}".strip()
            yield {"title": record.title, "abstract": abstract}


_Reader = tuple[Callable[[Path], Iterator[Case]], Callable[[Path], Iterator[dict[str, str]]]]
_READERS: dict[str, _Reader] = {
    "scifact": (_beir_cases, _beir_papers),
    "cisi": (_beir_cases, _beir_papers),
    "pubmedqa": (_pubmedqa_cases, _pubmedqa_papers),
    "injections": (_injection_cases, _injection_papers),
}
