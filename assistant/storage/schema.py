"""Tables of `library.sqlite`, the truth. A change here needs a numbered step in `migrations.py`.

Every transaction that changes papers adds one row to `changes`; its number is stamped on the rows it wrote, so that
a derived index that has reached number n catches up by reading what is stamped above n (and `removals` above n).
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Computed,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class Digest(TypeDecorator[str]):
    """Hexadecimal digits outside, half as many bytes in the file; any other text is stored as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | bytes | None:
        return None if value is None else as_bytes(value)

    def process_result_value(self, value: str | bytes | None, dialect: Dialect) -> str | None:
        return value.hex() if isinstance(value, bytes) else value


def as_bytes(digest: str) -> str | bytes:
    """What a `Digest` stores."""
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return digest


metadata = MetaData()

LIBRARY_ID = "library"

meta = Table(  # the library's own id, fingerprint of the embedder
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column(
        "token", Text, nullable=False
    ),  # random: tells this history from another library's, or a restored backup's
    Column("made_at", Text, nullable=False),
)

papers = Table(
    "papers",
    metadata,
    Column("row", Integer, primary_key=True),  # order of arrival
    Column("id", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("abstract", Text, nullable=False),
    Column("authors", Text, nullable=False),  # JSON list
    Column("year", Integer),
    Column("venue", Text),
    Column("doi", Text),
    Column("arxiv_id", Text),
    Column("url", Text),
    Column("categories", Text, nullable=False),  # JSON list
    Column("tags", Text, nullable=False),  # JSON list
    Column("source", Text),
    Column("citekey", Text, index=True),
    Column("title_folded", Text, nullable=False, index=True),
    Column("authors_folded", Text, nullable=False),  # one name a line
    Column("venue_folded", Text),
    Column("source_folded", Text),
    Column("digest", Digest, nullable=False),  # of the whole record but its source
    Column("text_digest", Digest, nullable=False),  # of title and abstract
    Column("change", Integer, nullable=False, index=True),
    Column("added_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("notices", Text, nullable=False, server_default="[]"),  # JSON list: retractions, corrections
    Column("origins", Text, nullable=False, server_default="{}"),  # JSON: field to source, where that isn't `source`
    Column("note", Text),  # the user's
    Column("own_words", Text),  # the user's note and tags, found by the lexical index beside title and abstract
    Column("details", Text, nullable=False, server_default="{}"),  # JSON: volume, issue, page, …: papers.DetailName
)

_paper = ForeignKey("papers.id", ondelete="CASCADE")

versions = Table(  # former texts of papers, so that old records still open on what they quoted
    "versions",
    metadata,
    Column("paper_id", Text, _paper, primary_key=True),
    Column("text_digest", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("abstract", Text, nullable=False),
    Column("replaced_at", Text, nullable=False),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("scheme", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("paper_id", Text, ForeignKey("papers.id", ondelete="CASCADE"), nullable=False, index=True),
)

labels = Table(  # categories and tags, case-folded, for filters
    "labels",
    metadata,
    Column("kind", Text, primary_key=True),  # "category" | "tag"
    Column("value", Text, primary_key=True),
    Column("paper_id", Text, ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True, index=True),
)

edits = Table(  # what the user changed, and what the sources say of those fields
    "edits",
    metadata,
    Column("paper_id", Text, ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
    Column("edits", Text, nullable=False),  # JSON, assistant.editing.Edits
    Column("sourced", Text, nullable=False),  # JSON: field to value
    Column("edited_at", Text, nullable=False),
)

citekeys = Table(  # every key that the user's files have for a paper; files may use one key for different papers
    "citekeys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("paper_id", Text, ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True, index=True),
)

sources = Table(  # what `ibid sync` remembers
    "sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("options", Text, nullable=False),  # JSON
    Column("added_at", Text, nullable=False),
    Column("synced_at", Text),
)

source_parts = Table(  # a file of a folder, or the one part of a source that has no parts
    "source_parts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Integer, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text),  # digest or version of what was read to its end; None before
    UniqueConstraint("source_id", "name"),
)

memberships = Table(  # which papers a part held when it was last read to its end
    "memberships",
    metadata,
    Column("part_id", Integer, ForeignKey("source_parts.id", ondelete="CASCADE"), primary_key=True),
    Column("paper_id", Text, ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("brought", Integer, nullable=False),  # 1 where a sync added the paper, so that a sync may prune it
)

passages = Table(  # their text is `abstract[start:end]` of their paper
    "passages",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("paper_id", Text, ForeignKey("papers.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("id", Text, Computed("paper_id || '#' || ordinal", persisted=False)),  # takes no space, has no index
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("sentences", Text, nullable=False),  # JSON [[start, end], ...]
    Column("change", Integer, nullable=False, index=True),
    UniqueConstraint("paper_id", "ordinal"),
)

vectors = Table(
    "vectors",
    metadata,
    Column("passage_row", Integer, ForeignKey("passages.row", ondelete="CASCADE"), primary_key=True),
    Column("vector", LargeBinary, nullable=False),  # assistant.embedding.pack
)

sentence_vectors = Table(
    "sentence_vectors",
    metadata,
    Column("passage_row", Integer, ForeignKey("passages.row", ondelete="CASCADE"), primary_key=True),
    Column("packed", LargeBinary, nullable=False),  # assistant.embedding.pack_beside, beside the passage's vector
)

staged_vectors = Table(  # of another embedder, until there is one for every passage
    "staged_vectors",
    metadata,
    Column("passage_row", Integer, ForeignKey("passages.row", ondelete="CASCADE"), primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("packed", LargeBinary),
)

removals = Table(
    "removals",
    metadata,
    Column("row", Integer, primary_key=True),
    Column("passage_id", Text, nullable=False),
    Column("paper_id", Text, nullable=False),
    Column("change", Integer, nullable=False, index=True),
)

ingest_reports = Table(
    "ingest_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("made_at", Text, nullable=False),
    Column("report", Text, nullable=False),  # JSON
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("updated_at", Text, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("conversation_id", Text, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("question", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_at", Text, nullable=False, index=True),
    Column("conversation_id", Text),
    Column("record", Text, nullable=False),  # JSON
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("record_id", Text, ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("rating", Float, nullable=False),  # -1 … 1
    Column("comment", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

Index(  # holds all that filters ask for, so that SQLite need not go through the papers with their texts
    "papers_for_filters",
    papers.c.year,
    papers.c.id,
    papers.c.authors_folded,
    papers.c.venue_folded,
    papers.c.source_folded,
)
Index("records_by_conversation", records.c.conversation_id, records.c.created_at)
