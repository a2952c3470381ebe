"""The SQLite file under the feature cache: its schema, how it is opened, counted and bounded."""

from __future__ import annotations

import math
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

__all__ = [
    "FILES",
    "connect",
    "count",
    "evict",
    "latest_use",
    "newest_generation",
    "roll_back",
    "used_bytes",
]

# The number is the version of the schema; a damaged file is succeeded by the next generation.
# A new name, because a process that still has the old file open deletes its log by name.
FILES = "features-1.{}.sqlite"
SETTINGS = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA journal_size_limit = 16777216;
CREATE TABLE IF NOT EXISTS feature
    (key BLOB NOT NULL UNIQUE, checksum INTEGER NOT NULL, data BLOB NOT NULL);
-- Apart from the features, because SQLite rewrites a whole row to change one number in it.
CREATE TABLE IF NOT EXISTS use (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""
_PATIENCE_S = 20.0  # how long another process may hold the file before we go on without
_KEPT_SHARE = 0.9  # what eviction leaves, so that it does not come back at every store


def newest_generation(folder: Path) -> int:
    head, tail = FILES.split("{}")
    found = (p.name.removeprefix(head).removesuffix(tail) for p in folder.glob(f"{head}*{tail}"))
    return max((int(number) for number in found if number.isdecimal()), default=0)


def connect(path: Path) -> sqlite3.Connection:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        connection = sqlite3.connect(
            path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.executescript(SETTINGS)
            return connection
        except sqlite3.Error as error:
            connection.close()
            # Two processes that make the file at the same moment: SQLite does not wait by itself
            # while the journal mode changes.
            busy = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def roll_back(connection: sqlite3.Connection | None) -> None:
    if connection is not None and connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def used_bytes(connection: sqlite3.Connection) -> int:
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return pages * _pragma(connection, "page_size")


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM use").fetchone()[0])


def latest_use(connection: sqlite3.Connection) -> int:
    # A damaged file may hold anything in any column.
    asked = "SELECT coalesce(max(at), 0) FROM use WHERE typeof(at) = 'integer'"
    return int(connection.execute(asked).fetchone()[0])


def damaged(detail: str) -> sqlite3.DatabaseError:
    """Return the error that SQLite raises for a damaged file, of a damage that it did not see."""
    error = sqlite3.DatabaseError(detail)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def evict(connection: sqlite3.Connection, limit: int) -> None:
    """Drop what was used least recently until the file holds at most ``limit`` bytes."""
    oldest = "(SELECT key FROM use ORDER BY at LIMIT ?)"
    if used_bytes(connection) > limit:
        target = limit * _KEPT_SHARE
        while (used := used_bytes(connection)) > target and (entries := count(connection)):
            number = math.ceil(min(1.0, 1.0 - target / used) * entries)
            connection.execute(f"DELETE FROM feature WHERE key IN {oldest}", (number,))
            dropped = connection.execute(f"DELETE FROM use WHERE key IN {oldest}", (number,))
            if dropped.rowcount < 1:  # or this would go on for ever
                raise damaged("entries that are counted cannot be found")
    # Free pages are used again, but those above the bound go back to the file system. One at a
    # time: Python's sqlite3 takes a single step of this statement, and a step is a page.
    surplus = _pragma(connection, "page_count") - limit // _pragma(connection, "page_size")
    for _ in range(min(surplus, _pragma(connection, "freelist_count"))):
        connection.execute("PRAGMA incremental_vacuum")
