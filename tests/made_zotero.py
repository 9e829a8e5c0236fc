"""A small `zotero.sqlite` with the tables and columns that Zotero 7 has, as far as an import looks at them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE libraries (libraryID INTEGER PRIMARY KEY, type TEXT NOT NULL, editable INT NOT NULL, filesEditable INT NOT NULL,
    version INT NOT NULL DEFAULT 0, storageVersion INT NOT NULL DEFAULT 0, lastSync INT NOT NULL DEFAULT 0, archived INT NOT NULL DEFAULT 0);
CREATE TABLE itemTypes (itemTypeID INTEGER PRIMARY KEY, typeName TEXT, templateItemTypeID INT, display INT DEFAULT 1);
CREATE TABLE fields (fieldID INTEGER PRIMARY KEY, fieldName TEXT, fieldFormatID INT);
CREATE TABLE items (itemID INTEGER PRIMARY KEY, itemTypeID INT NOT NULL, dateAdded TIMESTAMP, dateModified TIMESTAMP,
    clientDateModified TIMESTAMP, libraryID INT NOT NULL, key TEXT NOT NULL, version INT NOT NULL DEFAULT 0,
    synced INT NOT NULL DEFAULT 0, UNIQUE (libraryID, key));
CREATE TABLE itemDataValues (valueID INTEGER PRIMARY KEY, value UNIQUE);
CREATE TABLE itemData (itemID INT, fieldID INT, valueID, PRIMARY KEY (itemID, fieldID));
CREATE TABLE creatorTypes (creatorTypeID INTEGER PRIMARY KEY, creatorType TEXT);
CREATE TABLE creators (creatorID INTEGER PRIMARY KEY, firstName TEXT, lastName TEXT, fieldMode INT, UNIQUE (lastName, firstName, fieldMode));
CREATE TABLE itemCreators (itemID INT NOT NULL, creatorID INT NOT NULL, creatorTypeID INT NOT NULL DEFAULT 1, orderIndex INT NOT NULL DEFAULT 0,
    PRIMARY KEY (itemID, creatorID, creatorTypeID, orderIndex));
CREATE TABLE tags (tagID INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE itemTags (itemID INT NOT NULL, tagID INT NOT NULL, type INT NOT NULL, PRIMARY KEY (itemID, tagID));
CREATE TABLE collections (collectionID INTEGER PRIMARY KEY, collectionName TEXT NOT NULL, parentCollectionID INT DEFAULT NULL,
    clientDateModified TIMESTAMP, libraryID INT NOT NULL, key TEXT NOT NULL, version INT NOT NULL DEFAULT 0, synced INT NOT NULL DEFAULT 0);
CREATE TABLE collectionItems (collectionID INT NOT NULL, itemID INT NOT NULL, orderIndex INT NOT NULL DEFAULT 0, PRIMARY KEY (collectionID, itemID));
CREATE TABLE itemAttachments (itemID INTEGER PRIMARY KEY, parentItemID INT, linkMode INT, contentType TEXT, charsetID INT, path TEXT);
CREATE TABLE itemNotes (itemID INTEGER PRIMARY KEY, parentItemID INT, note TEXT, title TEXT);
CREATE TABLE deletedItems (itemID INTEGER PRIMARY KEY, dateDeleted DEFAULT CURRENT_TIMESTAMP NOT NULL);
CREATE TABLE retractedItems (itemID INTEGER PRIMARY KEY, data TEXT, flag INT DEFAULT 0);
INSERT INTO libraries (libraryID, type, editable, filesEditable) VALUES (1, 'user', 1, 1), (2, 'group', 1, 1);
INSERT INTO itemTypes (itemTypeID, typeName) VALUES (1, 'journalArticle'), (2, 'preprint'), (3, 'attachment'), (4, 'note');
INSERT INTO creatorTypes VALUES (1, 'author'), (2, 'editor');
"""
_TYPES = {"journalArticle": 1, "preprint": 2, "attachment": 3, "note": 4}


def zotero_file(path: Path, items: Sequence[Mapping[str, Any]]) -> None:
    """Writes the database. An item: `key`, `type`, `fields`, `authors` [(first, last)], `tags`, `collections`,
    `library`, `deleted`, `retracted`."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        for number, item in enumerate(items, 1):
            _item(connection, number, item)


def _item(connection: sqlite3.Connection, number: int, item: Mapping[str, Any]) -> None:
    values = (number, _TYPES[item.get("type", "journalArticle")], item.get("library", 1), item["key"])
    connection.execute("INSERT INTO items (itemID, itemTypeID, libraryID, key) VALUES (?, ?, ?, ?)", values)
    for name, value in item.get("fields", {}).items():
        field = _id(connection, "fields", "fieldID", "fieldName", name)
        told = _id(connection, "itemDataValues", "valueID", "value", value)
        connection.execute("INSERT INTO itemData VALUES (?, ?, ?)", (number, field, told))
    for place, (first, last) in enumerate(item.get("authors", ())):
        connection.execute(
            "INSERT OR IGNORE INTO creators (firstName, lastName, fieldMode) VALUES (?, ?, 0)", (first, last)
        )
        query = "SELECT creatorID FROM creators WHERE firstName = ? AND lastName = ?"
        (who,) = connection.execute(query, (first, last)).fetchone()
        connection.execute("INSERT INTO itemCreators VALUES (?, ?, 1, ?)", (number, who, place))
    for tag in item.get("tags", ()):
        connection.execute(
            "INSERT INTO itemTags VALUES (?, ?, 0)", (number, _id(connection, "tags", "tagID", "name", tag))
        )
    for name in item.get("collections", ()):
        connection.execute(
            "INSERT INTO collections (collectionName, libraryID, key) SELECT ?, 1, ? WHERE NOT EXISTS"
            " (SELECT 1 FROM collections WHERE collectionName = ?)", (name, f"C{number}", name)
        )  # fmt: skip
        query = "INSERT INTO collectionItems SELECT collectionID, ?, 0 FROM collections WHERE collectionName = ?"
        connection.execute(query, (number, name))
    if item.get("deleted"):
        connection.execute("INSERT INTO deletedItems (itemID) VALUES (?)", (number,))
    if item.get("retracted"):
        connection.execute("INSERT INTO retractedItems VALUES (?, ?, 0)", (number, json.dumps(item["retracted"])))


def _id(connection: sqlite3.Connection, table: str, key: str, column: str, value: str) -> int:
    connection.execute(
        f"INSERT INTO {table} ({column}) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {column} = ?)",
        (value, value),
    )
    return int(connection.execute(f"SELECT {key} FROM {table} WHERE {column} = ?", (value,)).fetchone()[0])
