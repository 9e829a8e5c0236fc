"""Coverage-guided fuzzing of the readers of sources, with atheris (which is no dependency: install it beside Ibid).

    python -m benchmarks.fuzz_sources CORPUS_FOLDER -max_total_time=600 -timeout=5 -rss_limit_mb=1024 -max_len=20000

Whatever a file holds, `ingest.sources.read` gives records and rejections, each as they should be, and raises nothing. A run ends
at the first input that breaks this, takes more than `-timeout` seconds or more memory than the limit, and keeps it as a file.
The folder is filled with samples of every format before the first run, and with what else is given by `--samples FOLDER`.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["ingest", "assistant.identity", "assistant.cleaning", "rispy", "bibtexparser"]
):
    from ingest.records import Record
    from ingest.sources import FORMATS, detect, read
    from ingest.sources.packed import Limits

_LIMITS = Limits(unpacked_bytes=4 << 20, members=20)
_NAMES = ("given", *(f"given{suffix}" for source in FORMATS for suffix in source.SUFFIXES[:1]))
_LARGEST = 30_000  # bytes of a sample


def one_input(data: bytes) -> None:
    """The first byte chooses the file's name, as that settles doubts about the format."""
    name = _NAMES[data[0] % len(_NAMES)] if data else "given"
    items = list(read(io.BytesIO(data[1:]), name, limits=_LIMITS))
    if not items:
        raise AssertionError("neither a record nor a rejection")
    for item in items:
        if isinstance(item, Record):
            if not (item.title.strip() and item.abstract.strip() and item.where and item.source):
                raise AssertionError(f"an incomplete record: {item!r}")
            item.title.encode(), item.abstract.encode()  # raises for half a character
        elif not item.reason or "\n" in item.reason:
            raise AssertionError(f"a reason that is not one line: {item!r}")


def fill(folder: Path, samples: Path | None) -> None:
    """The formats' own samples, and the beginnings of the files below `samples`."""
    from tests.source_samples import SAMPLES

    folder.mkdir(parents=True, exist_ok=True)
    for kind, (name, text) in SAMPLES.items():
        chosen = next((at for at, known in enumerate(_NAMES) if known.endswith(Path(name).suffix or "?")), 0)
        (folder / f"sample-{kind.replace(' ', '-')}").write_bytes(bytes([chosen]) + text.encode())
    for number, path in enumerate(sorted(samples.rglob("*")) if samples else ()):
        if path.is_file():
            (folder / f"real-{number}").write_bytes(b"\0" + path.read_bytes()[:_LARGEST])


def main() -> None:
    arguments = sys.argv
    samples = None
    if "--samples" in arguments:
        at = arguments.index("--samples")
        samples = Path(arguments[at + 1])
        del arguments[at : at + 2]
    fill(Path(arguments[1]), samples)
    detect('{"title": "loads every reader"}', "given")
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
