"""How fast and in how much memory sources are read: a made arXiv snapshot, plain and packed, and the tagged formats.

    python benchmarks/reading_sources.py --records 200000 --folder /tmp/made

Each file is read to its end in a process of its own; CPU seconds are that process's after its imports, memory is its
largest resident set. The abstracts are made of random words, so that they pack about as text does.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_CATEGORIES = (
    "cs.CL",
    "cs.LG stat.ML",
    "hep-ph",
    "math.AG",
    "astro-ph.GA",
    "quant-ph",
    "cond-mat.mes-hall",
    "cs.CV cs.AI",
)
_WORDS = 9_000
_READ = """
import resource, sys, time
from ingest.records import Record
from ingest.sources import read
import rispy, defusedxml.ElementTree, bibtexparser, zstandard  # imports are not what is measured
path, categories = sys.argv[1], sys.argv[2:]
began = time.process_time()
kept = sum(isinstance(item, Record) for item in read(path, categories=categories))
print(kept, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def papers(number: int) -> Iterator[dict[str, object]]:
    """`number` records in the snapshot's layout, of about 1,700 characters each; the same at every call."""
    chance = random.Random(5)
    words = ["".join(chance.choices("etaoinshrdlucmfwypvbg", k=chance.randint(2, 11))) for _ in range(_WORDS)]
    for index in range(number):
        text = chance.choices(words, k=165)
        lines = [" ".join(text[at : at + 12]) for at in range(0, len(text), 12)]
        authors = [
            (chance.choice(words).title(), f"{chance.choice('ABCDEFG')}.") for _ in range(chance.randint(1, 6))
        ]
        yield {
            "id": f"{2001 + index // 90_000 % 12:04}.{index % 90_000:05}",
            "submitter": authors[0][0],
            "authors": ", ".join(f"{given} {family}" for family, given in authors),
            "title": " ".join(chance.choices(words, k=9)).capitalize(),
            "comments": "12 pages",
            "journal-ref": None,
            "doi": None,
            "report-no": None,
            "categories": _CATEGORIES[index % len(_CATEGORIES)],
            "license": None,
            "abstract": "  " + ".\n".join(lines) + ".\n",
            "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
            "update_date": "2008-11-26",
            "authors_parsed": [[family, given, ""] for family, given in authors],
        }


def written(folder: Path, number: int) -> list[Path]:
    """The files, made where they are not there yet: the snapshot three times, a tenth of it in other formats."""
    import zstandard

    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / f"snapshot-{number}.json"
    if not plain.exists():
        with plain.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(paper) + "\n" for paper in papers(number))
    packed, pressed = plain.with_suffix(".json.gz"), plain.with_suffix(".json.zst")
    if not packed.exists():
        with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=6) as out:
            while piece := source.read(1 << 20):
                out.write(piece)
    if not pressed.exists():
        with plain.open("rb") as source, pressed.open("wb") as out:
            zstandard.ZstdCompressor().copy_stream(source, out)
    return [plain, packed, pressed, *(_other(folder, name, number // 10) for name in _OTHERS)]


def _ris(paper: dict[str, object]) -> str:
    abstract = " ".join(str(paper["abstract"]).split())
    authors = "".join(f"AU  - {name.strip()}\n" for name in str(paper["authors"]).split(","))
    return f"TY  - JOUR\n{authors}TI  - {paper['title']}\nAB  - {abstract}\nPY  - 2007\nER  - \n\n"


def _bib(paper: dict[str, object]) -> str:
    authors = " and ".join(name.strip() for name in str(paper["authors"]).split(","))
    return f"@article{{k{paper['id']},\n title = {{{paper['title']}}},\n author = {{{authors}}},\n abstract = {{{paper['abstract']}}},\n year = 2007\n}}\n\n"


def _nbib(paper: dict[str, object]) -> str:
    lines = [line for line in str(paper["abstract"]).split("\n") if line.strip()]
    return (
        f"PMID- 1{str(paper['id']).replace('.', '')}\nTI  - {paper['title']}\nAB  - "
        + "\n      ".join(lines)
        + "\nDP  - 2007\n\n"
    )


def _pubmed(paper: dict[str, object]) -> str:
    authors = "".join(
        f"<Author><LastName>{name.split()[-1]}</LastName></Author>" for name in str(paper["authors"]).split(",")
    )
    return (
        f"<PubmedArticle><MedlineCitation><PMID>1{str(paper['id']).replace('.', '')}</PMID><Article>"
        f"<ArticleTitle>{paper['title']}</ArticleTitle><Abstract><AbstractText>{paper['abstract']}</AbstractText></Abstract>"
        f"<AuthorList>{authors}</AuthorList></Article></MedlineCitation></PubmedArticle>\n"
    )


_OTHERS = {
    "ris": (_ris, "", ""),
    "bib": (_bib, "", ""),
    "nbib": (_nbib, "", ""),
    "xml": (_pubmed, "<PubmedArticleSet>\n", "</PubmedArticleSet>\n"),
}


def _other(folder: Path, name: str, number: int) -> Path:
    path = folder / f"papers-{number}.{name}"
    if not path.exists():
        written_as, head, end = _OTHERS[name]
        with path.open("w", encoding="utf-8") as out:
            out.write(head)
            out.writelines(written_as(paper) for paper in papers(number))
            out.write(end)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, required=True)
    asked = parser.parse_args()
    began = time.process_time()
    files = written(asked.folder, asked.records)
    print(
        f"made in {time.process_time() - began:.0f} CPU s; this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB"
    )
    print("| file | MB | category | papers | CPU s | records/s | MB resident |\n|---|---|---|---|---|---|---|")
    for path in files:
        total = asked.records if path.name.startswith("snapshot") else asked.records // 10
        for categories in ([], ["cs.CL"]) if path.suffix == ".json" else ([],):
            told = subprocess.run(
                [sys.executable, "-c", _READ, str(path), *categories], capture_output=True, text=True, check=True
            )
            kept, seconds, resident = told.stdout.split()
            size = path.stat().st_size / 1e6
            row = (
                path.name,
                f"{size:.0f}",
                " ".join(categories) or "all",
                kept,
                f"{float(seconds):.1f}",
                f"{total / float(seconds):,.0f}",
                resident,
            )
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
