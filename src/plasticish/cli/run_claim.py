"""A run folder belongs to one command at a time, and to one run until that is replaced."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from plasticish.core import CheckpointError, make_folder, sole_owner

__all__ = ["claim", "clear", "refuse_taken"]


def claim(folder: Path) -> AbstractContextManager[None]:
    """Have the run folder, which is made, for this command alone.

    Raises
    ------
    CheckpointError
        If another command is at work there, or it cannot be written.
    """
    make_folder(folder, "the run folder")
    return sole_owner(folder, f"another command is at work on the run {folder}", ".command")


def refuse_taken(out: Path, ours: Callable[[Path], bool], go_on: str, *, force: bool) -> None:
    """Refuse a place where a run cannot begin.

    Parameters
    ----------
    out : Path
        Where it is to be.
    ours : callable
        Tells whether a folder holds a run of this command.
    go_on : str
        The command that goes on with such a run.
    force : bool
        Whether such a run may be replaced.

    Raises
    ------
    CheckpointError
        If a file stands there, or a folder that holds something else, or such a run.
    """
    if out.exists() and not out.is_dir():
        raise CheckpointError(f"{out} is a file", expected="a folder, or a path not yet taken")
    # Hidden ones are locks, and what a command left that was killed while it wrote its first file.
    there = sorted(p.name for p in out.iterdir() if p.name[0] != ".") if out.is_dir() else []
    if there and not ours(out):
        raise CheckpointError(
            f"{out} holds something else", got=there[0], cure="choose another --out"
        )
    if there and not force:
        raise CheckpointError(
            f"{out} holds a run already",
            cure=f"go on with it ({go_on} {shlex.quote(str(out))}), replace it (--force), or "
            "choose another --out",
        )


def clear(folder: Path, names: Iterable[str]) -> None:
    """Take the files of a run away, in this order."""
    for name in names:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
