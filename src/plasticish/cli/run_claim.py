"""A run folder belongs to one command at a time, and to one run until that is replaced."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from plasticish.core import make_folder, sole_owner

__all__ = ["claim", "clear", "found_in"]


def claim(folder: Path) -> AbstractContextManager[None]:
    """Have the run folder, which is made, for this command alone.

    Raises
    ------
    CheckpointError
        If another command is at work there, or it cannot be written.
    """
    make_folder(folder, "the run folder")
    return sole_owner(folder, f"another command is at work on the run {folder}", ".command")


def found_in(folder: Path) -> list[str]:
    """Return the names in a folder, if it is there.

    Hidden ones are locks, and what a command left that was killed while it wrote its first file.
    """
    if not folder.is_dir():
        return []
    return sorted(child.name for child in folder.iterdir() if not child.name.startswith("."))


def clear(folder: Path, names: Iterable[str]) -> None:
    """Take the files of a run away, in this order."""
    for name in names:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
