"""`ibid sync`: sources that the library remembers and brings up to date with, again and again."""

from ingest.syncing.running import Services, sync
from ingest.syncing.telling import SourceReport, SyncReport

__all__ = ["Services", "SourceReport", "SyncReport", "sync"]
