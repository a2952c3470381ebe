"""The run folder, which survives ``kill -9``.

What is trained, the position in the curriculum, and the history go into ONE checkpoint, which core
replaces in one rename: they can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from ..core import (
    Checkpoint,
    CheckpointError,
    ConfigError,
    forward,
    make_folder,
    save_checkpoint,
    sole_owner,
)
from .resumable import CHECKPOINT

__all__ = ["RunFolder"]

# A large brain on a slow disk: saving may take a tenth of the time, whatever the interval says.
_SAVING_SHARE = 0.1


class RunFolder:
    """The folder of one run; without one, everything here does nothing.

    Parameters
    ----------
    folder : path or None
        Where it is.
    every_s : float
        Seconds between checkpoints, at least.
    pack : callable
        Returns everything the run needs to go on from where it stands.
    clock : callable
        Seconds; where it jumps back, no time has passed.
    """

    def __init__(
        self,
        folder: str | Path | None,
        every_s: float,
        pack: Callable[[], Checkpoint],
        clock: Callable[[], float],
    ) -> None:
        if not every_s >= 0:
            raise ConfigError(
                "checkpoint_every_s is out of range", got=repr(every_s), expected="seconds >= 0"
            )
        self.folder = None if folder is None else Path(folder)
        self.every_s = every_s
        self.pack, self.clock = pack, forward(clock)
        self.mine = False  # whether what stands in the folder is this very run
        self._due = 0.0
        self._held = ExitStack()

    def open(self) -> None:
        """Take the folder and save where the run stands, so that it can be resumed from now on.

        Raises
        ------
        CheckpointError
            If another run is there, or another process is at work on this one.
        """
        if self.folder is None:
            return
        make_folder(self.folder, "the run folder")
        busy = f"another process is at work on the run {self.folder}"
        self._held.enter_context(sole_owner(self.folder, busy))
        if not self.mine and self._exists(f"{CHECKPOINT}/checkpoint.json"):
            self.release()
            raise CheckpointError(
                f"{self.folder} holds a run already",
                cure="go on with resume, or choose another run_folder",
            )
        self.save()

    def _exists(self, name: str) -> bool:
        return self.folder is not None and (self.folder / name).exists()

    def release(self) -> None:
        """Let others have the folder."""
        self._held.close()

    def save_if_due(self) -> bool:
        """Save if the last checkpoint is old enough, and return whether that was so."""
        due = self.folder is not None and self.clock() >= self._due
        if due:
            self.save()
        return due

    def save(self) -> None:
        """Write everything as one."""
        if self.folder is None:
            return
        started = self.clock()
        save_checkpoint(self.folder / CHECKPOINT, self.pack())
        self.mine = True
        now = self.clock()
        wait = self.every_s and max(self.every_s, (now - started) / _SAVING_SHARE)
        self._due = now + wait
