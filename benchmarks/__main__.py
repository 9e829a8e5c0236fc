"""`make bench`: the end-to-end measurements, as the tables of docs/benchmarks.md. The other modules run one by one.

python -m benchmarks                                  start-up, adding, questions over 59 and 5,000 papers
python -m benchmarks --papers 59 5000 100000          a library of 100,000 takes a quarter of an hour to build
python -m benchmarks --float32 FLOAT32.onnx           adds the usual tutorial's way of adding papers
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.measuring import ROOT, machine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--papers", nargs="+", default=["59", "5000"])
    parser.add_argument("--abstracts", default="200", help="how many are added, three times")
    parser.add_argument("--float32", help="the embedding model in float32, from tools/quantise_minilm.py --float32")
    parser.add_argument("--keep", help="folder of libraries that were built before")
    options = parser.parse_args()
    ingest = ["benchmarks.ingest", "--abstracts", options.abstracts]
    queries = ["benchmarks.queries", "--papers", *options.papers]
    ingest += ["--float32", options.float32] if options.float32 else []
    queries += ["--keep", options.keep] if options.keep else []
    print(f"{machine()}\n", flush=True)
    for module in (["benchmarks.cold_start"], ingest, queries):
        subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
