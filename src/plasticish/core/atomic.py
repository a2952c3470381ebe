"""Files that are there whole or not at all, and one writer at a time.

What returned from here is on the disk: a power cut right after cannot undo it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import CheckpointError

__all__ = ["make_folder", "sole_owner", "sync_folder", "write_atomically", "writer_lock"]


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader sees all of it or none.

    Raises
    ------
    CheckpointError
        If the disk is full or the folder cannot be written; what stood there before still does.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path.name} could not be written",
            got=f"{error.strerror} ({path.parent})",
            cure="free space or choose another folder; the earlier state there is untouched",
        ) from error


def make_folder(folder: Path, what: str) -> None:
    """Make a folder and those it lies in; one that is there already is left alone.

    Parameters
    ----------
    folder : Path
        Which one.
    what : str
        What it is, for the message: ``"the run folder"``.

    Raises
    ------
    CheckpointError
        If it cannot be made.
    """
    try:
        if folder.is_dir():
            return
        above = folder.parent
        if above != folder and not above.exists():
            make_folder(above, what)
        folder.mkdir(exist_ok=True)
        sync_folder(above)
    except OSError as error:
        raise CheckpointError(
            f"{what} could not be made",
            got=f"{error.strerror} ({folder})",
            cure="choose a folder that you may write to",
        ) from error


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, not only what the files hold."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def sole_owner(folder: Path, busy: str, name: str = ".running") -> Iterator[None]:
    """Have a folder for this process alone; it is not waited for.

    The lock goes with the process, however that ends. It is not ``flock``, which a worker of a
    DataLoader would inherit, and hold when the process is gone.

    Parameters
    ----------
    folder : Path
        Which one; it has to be there.
    busy : str
        The message for whoever comes second.
    name : str
        Of the file that is locked; each name is a lock of its own.

    Raises
    ------
    CheckpointError
        If another process has it, or it cannot be written.
    """
    descriptor = None
    try:
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if descriptor is None:
            raise CheckpointError(
                f"{folder} cannot be written", got=error.strerror or str(error)
            ) from error
        os.close(descriptor)
        raise CheckpointError(busy, cure="wait for it, or choose another folder") from error
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with the process, so a killed one leaves none behind."""
    try:
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CheckpointError(
            "the checkpoint folder cannot be written",
            got=f"{error.strerror} ({folder})",
            cure="choose another folder or mend its permissions",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
