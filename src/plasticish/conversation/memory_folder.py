"""The folder that a learner lives in: the log of what happened, and a checkpoint it can go on from.

::

    memory/
        turns.db          the log, see :mod:`plasticish.conversation.event_log`
        checkpoint/       checkpoint.json and safetensors: the learner after some event of the log
        .lock             held by the one process that has the folder open

The log is always ahead of the checkpoint or level with it, never behind. What the checkpoint lacks
is learned again from the log when the folder is opened, each event once.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from plasticish.core import (
    Checkpoint,
    CheckpointError,
    inspect_checkpoint,
    load_checkpoint,
    make_folder,
    save_checkpoint,
    sync_folder,
)
from plasticish.core.checkpoint import MANIFEST

from .event_log import EventLog
from .events import Birth

__all__ = [
    "CHECKPOINT",
    "LOG",
    "MemoryFolder",
    "inspect_memory",
    "lost_beginning",
    "read_config",
]

LOG, CHECKPOINT, _LOCK = "turns.db", "checkpoint", ".lock"
_ELSEWHERE = "choose another folder"


class MemoryFolder:
    """An open folder, locked for this process until it is closed.

    Parameters
    ----------
    path : path
        Where it is; a new one is made whole or not at all.
    newborn : callable
        Returns the checkpoint that a new folder begins with.
    last : int
        Number of the last event in that checkpoint.
    clock : callable
        Seconds since 1970.

    Raises
    ------
    CheckpointError
        If it holds something else, is damaged, or another process has it open.
    """

    def __init__(
        self,
        path: str | Path,
        newborn: Callable[[], Checkpoint],
        last: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = Path(path)
        self.made = _is_free(self.path)
        if self.made:
            self._lock: int | None = _create(self.path, newborn(), last)
        else:
            _refuse_foreign(self.path)
            self._lock = _locked(self.path)
        try:
            self.log = EventLog(self.path / LOG, clock=clock)
            self._check_log()
        except BaseException:
            assert self._lock is not None
            os.close(self._lock)
            raise

    def _check_log(self) -> None:
        if self.log.birth is None:
            self.log.close()
            raise lost_beginning(self.path / LOG)

    def read(self, kind: str) -> Checkpoint | None:
        """Return the checkpoint, None if it was taken away and all of it follows from the log.

        Raises
        ------
        CheckpointError
            If it is damaged, or does not belong to the log.
        """
        return read_state(self.path, self.log, kind)

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint.

        Raises
        ------
        CheckpointError
            If it cannot be written; the one before still stands, and the log as well.
        """
        save_checkpoint(self.path / CHECKPOINT, checkpoint)
        _give_back_memory()

    def close(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            self.log.close()
            os.close(self._lock)
            self._lock = None


def lost_beginning(log: Path) -> CheckpointError:
    """Return the error for a log that does not say who lives there."""
    return CheckpointError(f"the log {log} has lost its beginning", cure="restore it from a copy")


def _give_back_memory() -> None:
    """Let the system have what was freed: a checkpoint takes copies of everything for a moment.

    The allocator of glibc would keep them, and the process look as if it grew.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def read_config(path: str | Path) -> Mapping[str, Any] | None:
    """Return the constructor arguments of the learner that lives in a folder, None if none does.

    Raises
    ------
    CheckpointError
        If the folder holds something else, or is damaged.
    """
    path = Path(path)
    if _is_free(path):
        return None
    _refuse_foreign(path)
    log = EventLog(path / LOG, writable=False)
    try:
        birth = log.birth
    finally:
        log.close()
    return None if birth is None else birth.config


def inspect_memory(path: Path) -> dict[str, Any]:
    """Return how many events a folder remembers and what its checkpoint holds, changing nothing.

    Raises
    ------
    CheckpointError
        If the folder is damaged.
    """
    log = EventLog(path / LOG, writable=False)
    try:
        events = log.last
    finally:
        log.close()
    saved = path / CHECKPOINT
    return {"events": events, "checkpoint": inspect_checkpoint(saved) if saved.exists() else None}


def read_state(path: Path, log: EventLog, kind: str) -> Checkpoint | None:
    """Return the checkpoint in a folder with this log; see :meth:`MemoryFolder.read`."""
    folder = path / CHECKPOINT
    birth = log.birth
    if not folder.exists() and birth is not None and birth.blank:
        return None
    try:
        checkpoint = load_checkpoint(folder, kind)
    except CheckpointError as error:
        if birth is not None and birth.blank:
            error = CheckpointError(
                error.what,
                got=error.got,
                cure=f"move {folder} away, and everything is learned again from {LOG}",
            )
        raise error from None
    last = checkpoint.state.get("last")
    if not isinstance(last, int) or last > log.last:
        raise CheckpointError(
            f"the log {path / LOG} is older than the checkpoint beside it",
            got=f"{log.last} events",
            expected=f"at least {last}",
            cure="restore both from the same copy",
        )
    return checkpoint


# --------------------------------------------------------------------------- the folder itself


def _is_free(path: Path) -> bool:
    try:
        return not path.exists() or (path.is_dir() and not any(path.iterdir()))
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be looked into", got=error.strerror or str(error), cure=_ELSEWHERE
        ) from error


def _refuse_foreign(path: Path) -> None:
    if not path.is_dir():
        raise CheckpointError(f"{path} is a file", expected="a folder", cure=_ELSEWHERE)
    if (path / LOG).is_file():
        return
    held = "a memory of sequences or another learner" if (path / MANIFEST).exists() else "no " + LOG
    raise CheckpointError(
        f"{path} holds something else",
        got=held,
        expected="the folder of a conversation, or an empty one",
        cure=_ELSEWHERE,
    )


def _create(path: Path, newborn: Checkpoint, last: int) -> int:
    """Make the folder beside its place and move it there, so that it is there whole; lock it."""
    building = path.with_name(f".{path.name}.{os.getpid()}.new")
    lock = None
    try:
        make_folder(building, "the folder of the memory")
        lock = _locked(building)
        save_checkpoint(building / CHECKPOINT, newborn)
        log = EventLog(building / LOG)
        log.begin(Birth(newborn.config, blank=last == 0), last + 1)
        log.close()
        building.rename(path)
        sync_folder(path.parent)
        _sweep(path)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        if lock is not None:
            os.close(lock)
        if isinstance(error, CheckpointError):
            raise
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _taken(path) from error
        raise CheckpointError(
            "the folder could not be made", got=f"{error.strerror} ({path})", cure=_ELSEWHERE
        ) from error
    return lock


def _sweep(path: Path) -> None:
    """Take away what was left beside by a process that died while it made this folder."""
    for left in path.parent.glob(f".{path.name}.*.new"):
        try:
            descriptor = _locked(left)
        except CheckpointError:
            continue  # somebody is still at it
        shutil.rmtree(left, ignore_errors=True)
        os.close(descriptor)


def _locked(path: Path) -> int:
    """Lock the folder for this process; the lock goes with it, however it ends."""
    descriptor = None
    try:
        descriptor = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        assert descriptor is not None
        os.close(descriptor)
        raise _taken(path) from error
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written", got=error.strerror or str(error), cure=_ELSEWHERE
        ) from error
    return descriptor


def _taken(path: Path) -> CheckpointError:
    return CheckpointError(
        f"another process has the memory {path} open",
        cure="end it first, or give this one another folder",
    )
