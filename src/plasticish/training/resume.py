"""Go on with a run, whichever trainer it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ..core import DeviceLike
from .phase import PhaseConfig
from .plastic import PlasticTrainer
from .resumable import inspect_run
from .sharded import ShardedTrainer
from .trainer import Trainer
from .triarchic import TriarchicTrainer

__all__ = ["resume"]


def resume(
    run_folder: str | Path,
    phases: Sequence[PhaseConfig],
    eval_loaders: Mapping[str, Iterable[Any]] | Iterable[Any] | None = None,
    device: DeviceLike = None,
    *,
    eyes: Callable[[Tensor], Tensor] | None = None,
    brain: Any = None,
    **options: Any,
) -> Trainer:
    """Return a trainer that stands where the run in ``run_folder`` was left; ``train`` goes on.

    Parameters
    ----------
    run_folder : path
        The folder of a run that was finished, interrupted or killed.
    phases, eval_loaders
        Those it was begun with (for a Triarchic run, ``eval_loaders`` is its
        ``memory_test_loader``).
    device, brain, **options
        As :meth:`PlasticTrainer.resume`; of a sharded run also ``engine``.
    eyes : callable, optional
        For a Triarchic run over images.

    Raises
    ------
    CheckpointError
        If there is no run, or it was begun with something else.
    """
    kind = inspect_run(run_folder)["trainer"]
    if kind == TriarchicTrainer.kind:
        return TriarchicTrainer.resume(
            run_folder, eyes, phases, eval_loaders, device, brain=brain, **options
        )
    trainer = ShardedTrainer if kind == ShardedTrainer.kind else PlasticTrainer
    return trainer.resume(run_folder, phases, eval_loaders, device, brain=brain, **options)
