"""The log of everything that happened, in SQLite: an event is on the disk before it is acted on.

The log is the truth, and the network what follows from it. Each event is one row and one
transaction, in a write-ahead log that is synchronised at every commit: whatever moment a process
dies at, the log ends with the last event that was acknowledged.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from plasticish.core import CheckpointError

from .events import Birth, Event, Exchange, Forgetting, Logged, Overheard, Sleep, Taught

__all__ = ["EventLog"]

_OURS = 0x504C5354  # "PLST", in the header of every such file
_VERSION = 1
_LESSON = "lesson"
_TABLE = """
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_s REAL NOT NULL,
    kind TEXT NOT NULL,
    prompt TEXT, reply TEXT, text TEXT, reward REAL, teacher TEXT, details TEXT
) STRICT
"""
_COLUMNS = "kind, prompt, reply, text, reward, teacher, details"


class EventLog:
    """Events in the order in which they happened.

    Parameters
    ----------
    path : Path
        The file; it is made if it is not there.
    writable : bool
        Whether events will be added; else the file has to be there.
    clock : callable
        Seconds since 1970.

    Raises
    ------
    CheckpointError
        If the file is something else, truncated, from a newer version, or cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = EventLog(Path(folder, "turns.db"), clock=lambda: 0.0)
    ...     log.append(Exchange("hi", "hello"))
    ...     list(log.after(0))
    ...     log.close()
    1
    [Logged(number=1, at_s=0.0, event=Exchange(prompt='hi', reply='hello'))]
    """

    def __init__(
        self,
        path: Path,
        *,
        writable: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path, self._clock = path, clock
        with self._explained("opened"), self._recovered():
            self._connection = _connect(path, _mode(path, writable))
            try:
                if writable:
                    self._prepare()
                self._check()
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def _recovered(self) -> Iterator[None]:
        """Have a reader recover what one that was killed left, and stay until it is opened.

        A writer that cannot make the index of the write-ahead log, as on a full disk, takes the
        log for empty when it is closed, and deletes it. A reader deletes nothing.
        """
        if not _write_ahead(self.path).exists():
            yield
            return
        with closing(_connect(self.path, "mode=ro")) as reader:
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield

    def _prepare(self) -> None:
        if self._pragma("application_id") == 0 and not self._all("SELECT 1 FROM sqlite_master"):
            self._pragma("journal_mode = WAL")
            with self._transaction():
                self._connection.execute(_TABLE)
                self._pragma(f"user_version = {_VERSION}")
                self._pragma(f"application_id = {_OURS}")
        self._pragma("synchronous = FULL")
        self._pragma("cache_size = -512")  # kB: events are written once, and seldom read
        self._pragma("secure_delete = ON")  # what is forgotten is overwritten with zeros

    def _check(self) -> None:
        if self._pragma("application_id") != _OURS:
            raise CheckpointError(
                f"{self.path} is a database of something else", cure="choose another folder"
            )
        if self._pragma("user_version") != _VERSION:
            raise CheckpointError(
                f"{self.path} is from a newer plasticish",
                got=f"version {self._pragma('user_version')}",
                expected=str(_VERSION),
                cure="upgrade plasticish",
            )
        if self._pragma("quick_check") != "ok":
            raise self._damaged(str(self._pragma("quick_check")))

    # ------------------------------------------------------------------ writing

    def begin(self, birth: Birth, number: int) -> None:
        """Put the first event into an empty log.

        Raises
        ------
        CheckpointError
            If it cannot be written.
        """
        with self._explained("written"), self._transaction():
            self._insert(birth, number)

    def append(self, *events: Event) -> int:
        """Put events on the disk, all or none, and return the number of the last.

        Raises
        ------
        CheckpointError
            If they cannot be written, as when the disk is full; none was added then.
        """
        with self._explained("written"), self._transaction():
            numbers = [self._insert(event) for event in events]
        return numbers[-1] if numbers else self.last

    def erase(self, numbers: Iterable[int]) -> None:
        """Take events out of the log for good, down to the bytes of its files.

        Raises
        ------
        CheckpointError
            If it cannot be written; none was taken out then.
        """
        with self._explained("written"):
            with self._transaction():
                self._connection.executemany(
                    "DELETE FROM events WHERE number = ?", [(number,) for number in numbers]
                )
            # Until then the write-ahead log still holds pages with what was forgotten.
            self._pragma("wal_checkpoint(TRUNCATE)")

    def _insert(self, event: Event, number: int | None = None) -> int:
        added = self._connection.execute(
            f"INSERT INTO events (number, at_s, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (number, self._clock(), *_row(event)),
        )
        assert added.lastrowid is not None
        return added.lastrowid

    # ------------------------------------------------------------------ reading

    @property
    def last(self) -> int:
        """Number of the last event; 0 if there is none."""
        with self._explained("read"):
            found = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        return int(found[0][0]) if found else 0

    @property
    def birth(self) -> Birth | None:
        """How the log begins; None while it is empty."""
        found = next(self._events("WHERE kind = 'birth'", ()), None)
        return found.event if found is not None and isinstance(found.event, Birth) else None

    def after(self, number: int) -> Iterator[Logged]:
        """Yield the events after ``number``."""
        yield from self._events("WHERE number > ? ORDER BY number", (number,))

    def recent(self, count: int) -> list[Logged]:
        """Return the last ``count`` exchanges, oldest first."""
        found = self._events("WHERE kind = 'exchange' ORDER BY number DESC LIMIT ?", (count,))
        return list(found)[::-1]

    def lessons(self, teacher: str, count: int) -> tuple[int, list[tuple[str, str]]]:
        """Return how many lessons a teacher gave, and answer and due answer of the last of them."""
        condition = "WHERE kind = 'taught' AND details = ? AND teacher = ? AND reply NOTNULL"
        with self._explained("read"):
            (given,) = self._connection.execute(
                f"SELECT count(*) FROM events {condition}", (_LESSON, teacher)
            ).fetchone()
            rows = self._connection.execute(
                f"SELECT reply, text FROM events {condition} ORDER BY number DESC LIMIT ?",
                (_LESSON, teacher, count),
            ).fetchall()
        return int(given), rows[::-1]

    def says(self, text: str, besides: Iterable[int] = ()) -> bool:
        """Whether ``text`` stands, letter for letter, in an event that is not among ``besides``."""
        with self._explained("read"):
            rows = self._connection.execute(
                "SELECT number FROM events WHERE instr(coalesce(prompt, '') || char(10) || "
                "coalesce(reply, '') || char(10) || coalesce(text, ''), ?)",
                (text,),
            )
            excluded = set(besides)
            return any(number not in excluded for (number,) in rows)

    def forgotten(self) -> list[int]:
        """Return the events that are to be forgotten and are still there."""
        said = [one.event for one in self._events("WHERE kind = 'forgetting'", ())]
        numbers = {n for one in said if isinstance(one, Forgetting) for n in one.events}
        return [number for number in sorted(numbers) if self.about(number) is not None]

    def about(self, number: int) -> Logged | None:
        """Return one event, None if it is not there any more."""
        return next(self._events("WHERE number = ?", (number,)), None)

    def _events(self, condition: str, values: tuple[Any, ...]) -> Iterator[Logged]:
        with self._explained("read"):
            rows = self._connection.execute(
                f"SELECT number, at_s, {_COLUMNS} FROM events {condition}", values
            )
            for number, at_s, *row in rows:
                yield Logged(number, at_s, self._event(*row))

    def _event(
        self,
        kind: str,
        prompt: str | None,
        reply: str | None,
        text: str | None,
        reward: float | None,
        teacher: str | None,
        details: str | None,
    ) -> Event:
        if kind == "exchange" and prompt is not None and reply is not None:
            return Exchange(prompt, reply)
        if kind == "taught" and prompt is not None and teacher is not None:
            return Taught(prompt, reply, text, reward, teacher, lesson=details == _LESSON)
        if kind == "overheard" and prompt is not None and text is not None:
            return Overheard(prompt, text)
        if kind == "sleep":
            return Sleep()
        if kind == "forgetting" and details is not None:
            return Forgetting(_numbers(details))
        if kind == "birth" and details is not None:
            return _birth(details)
        raise self._damaged(f"an event of the kind {kind!r} that says nothing")

    # ------------------------------------------------------------------ the connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()

    def _pragma(self, pragma: str) -> Any:
        row = self._connection.execute(f"PRAGMA {pragma}").fetchone()
        return row[0] if row else None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        """Say in one line what SQLite says in its own way."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CheckpointError(
                f"the log {self.path} could not be {done}",
                got=str(error),
                cure="free space, or mend the permissions; what it held is untouched",
            ) from error
        except (sqlite3.DatabaseError, ValueError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, detail: str) -> CheckpointError:
        return CheckpointError(
            f"the log {self.path} is truncated or damaged",
            got=detail,
            cure="restore it from a copy",
        )


def _numbers(details: str) -> tuple[int, ...]:
    found = _json(details)
    if not isinstance(found, list) or not all(isinstance(one, int) for one in found):
        raise ValueError("a forgetting that names no events")
    return tuple(found)


def _birth(details: str) -> Birth:
    found = _json(details)
    if not isinstance(found, dict) or not isinstance(found.get("config"), dict):
        raise ValueError("a birth without a config")
    return Birth(found["config"], bool(found.get("blank")))


def _json(details: str) -> Any:
    try:
        return json.loads(details)
    except RecursionError as error:
        raise ValueError("JSON that nests too deeply") from error


def _row(event: Event) -> tuple[Any, ...]:
    match event:
        case Birth():
            details = json.dumps({"config": dict(event.config), "blank": event.blank})
            return "birth", None, None, None, None, None, details
        case Exchange():
            return "exchange", event.prompt, event.reply, None, None, None, None
        case Taught():
            told = event.prompt, event.reply, event.text, event.reward, event.teacher
            return "taught", *told, _LESSON if event.lesson else None
        case Overheard():
            return "overheard", event.prompt, None, event.text, None, None, None
        case Sleep():
            return "sleep", None, None, None, None, None, None
        case Forgetting():
            return "forgetting", None, None, None, None, None, json.dumps(event.events)


def _mode(path: Path, writable: bool) -> str:
    """Return how to open the file; a reader leaves nothing behind, and can be in a locked folder.

    Without a write-ahead log beside it nobody has it open, and nothing in it will change.
    """
    if writable:
        return "mode=rwc"
    return "mode=ro" if _write_ahead(path).exists() else "mode=ro&immutable=1"


def _write_ahead(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
