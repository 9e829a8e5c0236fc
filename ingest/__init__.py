"""Brings papers into a library: reads sources, cuts abstracts into passages, embeds what is new."""

from ingest.adding import add
from ingest.report import IngestReport, Progress

__all__ = ["IngestReport", "Progress", "add"]
