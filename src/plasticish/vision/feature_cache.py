"""The feature cache: no image is looked at twice, over epochs, over runs, over processes.

One SQLite file in write-ahead mode holds exact float32 features by the digest of the eyes and of
the pixels. A transaction is there whole or not at all, whatever moment its writer is killed at;
every entry carries a checksum; the file is bounded, and what was used least recently goes first.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..core import check_positive
from .feature_file import (
    FILES,
    connect,
    count,
    evict,
    latest_use,
    newest_generation,
    roll_back,
    used_bytes,
)

__all__ = ["FeatureCache"]

_ASKED_TOGETHER = 500  # below the 999 parameters that old builds of SQLite allow


class FeatureCache:
    """Features on disk, by image and eyes; it can be lost at any time and never stops a learner.

    Parameters
    ----------
    folder : path, optional
        Where the file lies; by default ``$PLASTICISH_CACHE``, else
        ``$XDG_CACHE_HOME/plasticish/features``, else ``~/.cache/plasticish/features``. Must be a
        local disk: SQLite's write-ahead mode does not work over a network file system.
    max_bytes : int
        Bound on the size of the file (2 GiB; about 240,000 images of 2,048 features). The log
        beside it may take 16 MiB more.
    clock : callable
        Returns the time in seconds; a test hands in its own.

    Attributes
    ----------
    hits, misses : int
        Images that were known, and that were not, since this object was made.
    refresh_after : float
        Recency is noted this coarsely, in seconds: an entry that is read again sooner keeps its
        time, which saves a write for every read.

    Raises
    ------
    ConfigError
        If ``max_bytes`` is not positive. Nothing else is raised: whatever the disk does, a warning
        is given once and the learner goes on without a cache.

    Notes
    -----
    Features are kept as exact float32, so a run that reads them is bit-identical with the run that
    stored them. Damaged entries are dropped and computed again; a file that is damaged as a whole
    is replaced by an empty one.

    Examples
    --------
    >>> import tempfile
    >>> cache = FeatureCache(tempfile.mkdtemp())
    >>> cache.store([b"one", b"two"], torch.ones(2, 4))
    >>> features, known = cache.lookup([b"two", b"three"], width=4)
    >>> known
    tensor([ True, False])
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        max_bytes: int = 2 << 30,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        check_positive(max_bytes=max_bytes)
        self.folder = _default_folder() if folder is None else Path(folder).expanduser()
        self.max_bytes = int(max_bytes)
        self.refresh_after = 60.0
        self.hits = 0
        self.misses = 0
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._owner = os.getpid()
        self._generation = 0
        self._latest = 0
        self._readable = self._writable = True
        self._warned = False

    @property
    def path(self) -> Path:
        """The file, as of the last time it was opened."""
        return self.folder / FILES.format(self._generation)

    def lookup(
        self, keys: Sequence[bytes], width: int
    ) -> tuple[Float[Tensor, "keys width"], Bool[Tensor, " keys"]]:
        """Return features ``[keys, width]`` and which of them are known; the others are zeros.

        Parameters
        ----------
        keys : sequence of bytes
            Distinct keys, as :func:`plasticish.vision.image_keys.image_keys` makes them.
        width : int
            Features an image; an entry of another width counts as damaged.
        """
        table = torch.zeros(len(keys), width)
        known = torch.zeros(len(keys), dtype=torch.bool)
        stale: list[bytes] = []
        damaged: list[bytes] = []
        for start in range(0, len(keys), _ASKED_TOGETHER):
            asked = keys[start : start + _ASKED_TOGETHER]
            slot_of = {key: start + slot for slot, key in enumerate(asked)}
            sound: list[tuple[int, bytes]] = []
            rows = self._rows(asked)
            before = self._now() - int(self.refresh_after * 1000)
            for key, checksum, data, at in rows:
                if key not in slot_of:  # of a damaged index: it was not asked for
                    continue
                if isinstance(data, bytes) and checksum == _checksum(key, data, width):
                    sound.append((slot_of[key], data))
                    if not isinstance(at, int) or at < before:
                        stale.append(key)
                else:
                    damaged.append(key)
            if sound:
                slots = torch.tensor([slot for slot, _ in sound])
                values = np.frombuffer(b"".join(data for _, data in sound), dtype="<f4")
                table[slots] = torch.from_numpy(values.reshape(-1, width).astype(np.float32))
                known[slots] = True
        self._remove(damaged)
        self._touch(stale)
        hits = int(known.sum())
        self.hits, self.misses = self.hits + hits, self.misses + len(keys) - hits
        return table, known

    def store(self, keys: Sequence[bytes], features: Float[Tensor, "keys width"]) -> None:
        """Keep one row of ``features`` a key, all in one transaction; known keys keep theirs."""
        rows = features.detach().cpu().to(torch.float32).contiguous().numpy().astype("<f4")
        width = rows.shape[1]
        blobs = ((key, row.tobytes()) for key, row in zip(keys, rows, strict=True))
        entries = [(key, _checksum(key, blob, width), blob) for key, blob in blobs]
        with self._using(writing=True) as connection:
            if connection is not None:
                now = self._now()
                evict(connection, self.max_bytes - rows.nbytes)
                connection.executemany("INSERT OR IGNORE INTO feature VALUES (?, ?, ?)", entries)
                connection.executemany(
                    "INSERT OR REPLACE INTO use VALUES (?, ?)", [(key, now) for key in keys]
                )
                evict(connection, self.max_bytes)

    def clear(self) -> None:
        """Forget everything."""
        with self._using(writing=True) as connection:
            if connection is not None:
                evict(connection, 0)

    def __len__(self) -> int:
        """Return the number of images that are kept."""
        with self._using(writing=False) as connection:
            if connection is not None:
                return count(connection)
        return 0

    @property
    def used_bytes(self) -> int:
        """Bytes of the file that hold something."""
        with self._using(writing=False) as connection:
            if connection is not None:
                return used_bytes(connection)
        return 0

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                with suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = None

    def __reduce__(self) -> tuple[type[FeatureCache], tuple[Path, int]]:
        """Copy as another view of the same file: a brain that is copied keeps its cache."""
        return type(self), (self.folder, self.max_bytes)

    def __del__(self) -> None:
        """Leave no open file behind."""
        if hasattr(self, "_connection"):
            self.close()

    # ------------------------------------------------------------------------------ the file

    def _rows(self, keys: Sequence[bytes]) -> list[tuple[bytes, int, object, int | None]]:
        marks = ",".join("?" * len(keys))
        query = (
            "SELECT feature.key, checksum, data, at FROM feature "
            f"LEFT JOIN use ON use.key = feature.key WHERE feature.key IN ({marks})"
        )
        with self._using(writing=False) as connection:
            if connection is not None:
                return connection.execute(query, list(keys)).fetchall()
        return []

    def _now(self) -> int:
        """Return the time in ms, or that of the latest use, if the clock was set back since.

        Else what is used now would seem to have been used long ago, and go first.
        """
        self._latest = max(self._latest, int(self._clock() * 1000))
        return self._latest

    def _remove(self, keys: Iterable[bytes]) -> None:
        keyed = [(key,) for key in keys]
        if keyed:
            with self._using(writing=True) as connection:
                if connection is not None:
                    connection.executemany("DELETE FROM feature WHERE key = ?", keyed)
                    connection.executemany("DELETE FROM use WHERE key = ?", keyed)

    def _touch(self, keys: Iterable[bytes]) -> None:
        timed = [(key, self._now()) for key in keys]
        if timed:
            with self._using(writing=True) as connection:
                if connection is not None:
                    connection.executemany("INSERT OR REPLACE INTO use VALUES (?, ?)", timed)

    @contextmanager
    def _using(self, *, writing: bool) -> Iterator[sqlite3.Connection | None]:
        """Hand out the open file, or None where there is none; its errors end here."""
        with self._lock:
            connection = self._begin(writing)
            try:
                yield connection
                if connection is not None and writing:
                    connection.execute("COMMIT")
            except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
                roll_back(connection)
                self._mend_or_give_up(error, writing)
            except BaseException:
                roll_back(connection)
                raise

    def _begin(self, writing: bool) -> sqlite3.Connection | None:
        try:
            if not (self._writable if writing else self._readable):
                return None
            connection = self._open()
            if writing:
                connection.execute("BEGIN IMMEDIATE")
            return connection
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            self._mend_or_give_up(error, writing)
            return None

    def _open(self) -> sqlite3.Connection:
        if self._owner != os.getpid():  # a connection must not cross a fork, not even to be closed
            self._inherited, self._connection, self._owner = self._connection, None, os.getpid()
        if self._connection is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._generation = max(self._generation, newest_generation(self.folder))
            self._connection = connect(self.path)
            self._latest = max(self._latest, latest_use(self._connection))
        return self._connection

    def _mend_or_give_up(self, error: Exception, writing: bool) -> None:
        code = getattr(error, "sqlite_errorcode", None) or 0
        if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            self.close()
            damaged, self._generation = self.path, self._generation + 1
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    Path(f"{damaged}{suffix}").unlink(missing_ok=True)
            consequence = "it is replaced by an empty one"
        else:
            self._writable = False
            self._readable = self._readable and writing and self._connection is not None
            consequence = "nothing more is kept" if self._readable else "going on without it"
        if not self._warned:
            self._warned = True
            text = f"the feature cache in {self.folder} fails ({error}): {consequence}"
            warnings.warn(text, UserWarning, stacklevel=5)


def _default_folder() -> Path:
    chosen = os.environ.get("PLASTICISH_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "plasticish" / "features"


def _checksum(key: bytes, data: bytes, width: int) -> int:
    # Key and width take part, so that a pointer to another sound row does not pass for this one.
    return zlib.crc32(data, zlib.crc32(key, width))
