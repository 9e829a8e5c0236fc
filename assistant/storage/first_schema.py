"""The schema of step 1, frozen: libraries in the field began with it, and every new one still does."""

from __future__ import annotations

from typing import Final

STATEMENTS: Final = """
CREATE TABLE changes (
    number INTEGER NOT NULL,
    token TEXT NOT NULL,
    made_at TEXT NOT NULL,
    PRIMARY KEY (number)
);
CREATE TABLE conversations (
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE ingest_reports (
    id INTEGER NOT NULL,
    made_at TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE meta (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE papers (
    "row" INTEGER NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    abstract TEXT NOT NULL,
    authors TEXT NOT NULL,
    year INTEGER,
    venue TEXT,
    doi TEXT,
    arxiv_id TEXT,
    url TEXT,
    categories TEXT NOT NULL,
    tags TEXT NOT NULL,
    source TEXT,
    citekey TEXT,
    title_folded TEXT NOT NULL,
    authors_folded TEXT NOT NULL,
    venue_folded TEXT,
    source_folded TEXT,
    digest TEXT NOT NULL,
    text_digest TEXT NOT NULL,
    change INTEGER NOT NULL,
    added_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY ("row"),
    UNIQUE (id)
);
CREATE INDEX ix_papers_change ON papers (change);
CREATE INDEX ix_papers_citekey ON papers (citekey);
CREATE INDEX ix_papers_title_folded ON papers (title_folded);
CREATE INDEX ix_papers_year ON papers (year);
CREATE TABLE records (
    id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    conversation_id TEXT,
    record TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_records_created_at ON records (created_at);
CREATE INDEX records_by_conversation ON records (conversation_id, created_at);
CREATE TABLE removals (
    "row" INTEGER NOT NULL,
    passage_id TEXT NOT NULL,
    paper_id TEXT NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY ("row")
);
CREATE INDEX ix_removals_change ON removals (change);
CREATE TABLE feedback (
    id INTEGER NOT NULL,
    record_id TEXT NOT NULL,
    rating FLOAT NOT NULL,
    comment TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(record_id) REFERENCES records (id) ON DELETE CASCADE
);
CREATE INDEX ix_feedback_record_id ON feedback (record_id);
CREATE TABLE identifiers (
    scheme TEXT NOT NULL,
    value TEXT NOT NULL,
    paper_id TEXT NOT NULL,
    PRIMARY KEY (scheme, value),
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE INDEX ix_identifiers_paper_id ON identifiers (paper_id);
CREATE TABLE labels (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    paper_id TEXT NOT NULL,
    PRIMARY KEY (kind, value, paper_id),
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE INDEX ix_labels_paper_id ON labels (paper_id);
CREATE TABLE passages (
    "row" INTEGER NOT NULL,
    id TEXT NOT NULL,
    paper_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    text TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    sentences TEXT NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY ("row"),
    UNIQUE (paper_id, ordinal),
    UNIQUE (id),
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE INDEX ix_passages_change ON passages (change);
CREATE TABLE turns (
    conversation_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    question TEXT NOT NULL,
    "query" TEXT NOT NULL,
    record_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (conversation_id, ordinal),
    FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE TABLE versions (
    paper_id TEXT NOT NULL,
    text_digest TEXT NOT NULL,
    title TEXT NOT NULL,
    abstract TEXT NOT NULL,
    replaced_at TEXT NOT NULL,
    PRIMARY KEY (paper_id, text_digest),
    FOREIGN KEY(paper_id) REFERENCES papers (id) ON DELETE CASCADE
);
CREATE TABLE sentence_vectors (
    passage_row INTEGER NOT NULL,
    packed BLOB NOT NULL,
    PRIMARY KEY (passage_row),
    FOREIGN KEY(passage_row) REFERENCES passages ("row") ON DELETE CASCADE
);
CREATE TABLE staged_vectors (
    passage_row INTEGER NOT NULL,
    vector BLOB NOT NULL,
    packed BLOB,
    PRIMARY KEY (passage_row),
    FOREIGN KEY(passage_row) REFERENCES passages ("row") ON DELETE CASCADE
);
CREATE TABLE vectors (
    passage_row INTEGER NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (passage_row),
    FOREIGN KEY(passage_row) REFERENCES passages ("row") ON DELETE CASCADE
);
"""
