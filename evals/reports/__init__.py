"""A run on disk: cases.jsonl, papers.jsonl, summary.json, junit.xml, report.md, report.html."""

from evals.reports.files import read, read_corpus, write

__all__ = ["read", "read_corpus", "write"]
