"""Shards: runs of batches of one epoch, each learned by an empty brain of its own.

A shard has its place in the stream, and that is its name: what was learned for it is kept under
it, and merged once.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from ..core import (
    LEARNERS,
    Checkpoint,
    CheckpointError,
    State,
    load_checkpoint,
    make_folder,
    save_checkpoint,
)
from ..vision import PretrainedEyes

__all__ = ["Learned", "Place", "ShardStore", "Work", "cut", "learn_shard"]

KIND = "shard"
FOLDER = "shards"


@dataclass(frozen=True)
class Place:
    """Which part of the stream a shard is: batches ``start`` to ``stop`` of an epoch of a phase.

    ``fingerprint`` is the checksum of all batches of the epoch before ``stop``.
    """

    phase: int
    epoch: int
    start: int
    stop: int
    fingerprint: int

    def __str__(self) -> str:
        return f"{self.phase}-{self.epoch}-{self.start}-{self.stop}"


@dataclass(frozen=True, eq=False)
class Work:
    """All that a worker needs to learn one shard.

    Attributes
    ----------
    kind, config, eyes
        What makes the brain; ``eyes`` only if they have to look.
    after : int
        Examples of the whole stream before this shard.
    batches : sequence of pair
        Inputs and labels.
    mode : str
        Of the phase.
    """

    kind: str
    config: Mapping[str, Any]
    eyes: Mapping[str, Any] | None
    after: int
    batches: Sequence[tuple[Any, Tensor]]
    mode: str


@dataclass(frozen=True, eq=False)
class Learned:
    """What a worker returns: the state of its brain, a report a batch, and the seconds it took.

    What a report cannot tell yet (NaN) is None in it, for it may be kept as JSON.
    """

    state: State
    reports: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def learn_shard(work: Work) -> Learned:
    """Learn one shard with an empty brain; this runs on a worker."""
    started = time.perf_counter()
    eyes = None if work.eyes is None else PretrainedEyes(**work.eyes)
    brain = LEARNERS[work.kind](**work.config).branch(work.after)
    brain.eyes = eyes
    reports = [_told(brain.train_step(x, y, mode=work.mode)) for x, y in work.batches]
    return Learned(brain.export_state(), reports, time.perf_counter() - started)


def _told(report: Mapping[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in report.items()}


def cut(count: int, shards: int) -> list[tuple[int, int]]:
    """Cut ``count`` batches into runs as equal as can be.

    Examples
    --------
    >>> cut(7, 3), cut(2, 3)
    ([(0, 3), (3, 5), (5, 7)], [(0, 1), (1, 2)])
    """
    shards = min(shards, count)
    size, longer = divmod(count, shards)
    stops = [(i + 1) * size + min(i + 1, longer) for i in range(shards)]
    return list(zip([0, *stops[:-1]], stops, strict=True))


class ShardStore:
    """Finished shards in the run folder, until a checkpoint of the run holds them too.

    Parameters
    ----------
    run_folder : path or None
        Without one nothing is kept.
    """

    def __init__(self, run_folder: Path | None) -> None:
        self._folder = None if run_folder is None else run_folder / FOLDER

    def keep(self, place: Place, learned: Learned) -> None:
        """Write what was learned for a shard, atomically."""
        if self._folder is None:
            return
        make_folder(self._folder, "the folder of shards")
        save_checkpoint(
            self._folder / str(place),
            Checkpoint(
                KIND,
                {**asdict(place), "reports": learned.reports, "seconds": learned.seconds},
                learned.state.values,
                learned.state.tensors,
            ),
        )

    def find(self, place: Place) -> Learned | None:
        """Return what was learned for a shard; None if it has to be learned (again).

        Raises
        ------
        CheckpointError
            If it was learned from other batches.
        """
        if self._folder is None or not (self._folder / str(place)).exists():
            return None
        try:
            saved = load_checkpoint(self._folder / str(place), KIND)
        except CheckpointError:  # damaged: learning it again costs time and nothing else
            shutil.rmtree(self._folder / str(place), ignore_errors=True)
            return None
        if saved.config["fingerprint"] != place.fingerprint:
            raise CheckpointError(
                f"the shard {place} was learned from other batches",
                cure="give the same data, and let its order come from torch's generators",
            )
        reports, seconds = saved.config["reports"], saved.config["seconds"]
        return Learned(State(saved.state, saved.tensors), reports, seconds)

    def forget(self, places: Sequence[Place]) -> None:
        """Remove shards that a checkpoint of the run holds."""
        if self._folder is None:
            return
        for place in places:
            shutil.rmtree(self._folder / str(place), ignore_errors=True)

    def clear(self) -> None:
        """Remove them all."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
