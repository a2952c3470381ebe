"""The trainer of a :class:`~plasticish.vision.PlasticBrain`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from ..core import CheckpointError, DeviceLike
from .phase import PhaseConfig
from .resumable import SavedRun, load_run
from .trainer import Trainer

__all__ = ["PlasticTrainer"]


class PlasticTrainer(Trainer):
    """Take a PlasticBrain through a curriculum; images go through the brain's own eyes.

    Parameters
    ----------
    brain, phases, eval_loaders, device, **options
        As :class:`Trainer`.

    Examples
    --------
    >>> import torch
    >>> from plasticish import PhaseConfig, PlasticBrain, PlasticTrainer
    >>> batches = [(torch.eye(4), torch.tensor([0, 1, 0, 1]))]
    >>> brain = PlasticBrain(4, hidden_dim=8, sparsity_k=2)
    >>> phases = [PhaseConfig("Calm", 2, batches), PhaseConfig("Storm", 1, batches, mode="panic")]
    >>> trainer = PlasticTrainer(brain, phases, eval_loaders={"test": batches})
    >>> len(trainer.train())
    3
    >>> [phase["name"] for phase in trainer.get_summary()["phases"]]
    ['Calm', 'Storm']

    With data of one's own, and a folder from which a crashed run goes on::

        phases = [
            PhaseConfig("Vehicles", 3, vehicles, mode="plastic", consolidate_after=True),
            PhaseConfig("Storm", 3, storm, mode="panic"),
        ]
        trainer = PlasticTrainer(brain, phases, eval_loaders={"test": test}, run_folder="runs/a")
        history = trainer.train()
        trainer.plot_results("runs/a/results.png")

    and, after a crash::

        PlasticTrainer.resume("runs/a", phases, eval_loaders={"test": test}).train()
    """

    kind: ClassVar[str] = "plastic"

    def learn_batch(self, x: Any, y: Tensor, phase: PhaseConfig) -> Mapping[str, Any]:
        """Have the brain take one step in the phase's mode."""
        report: Mapping[str, Any] = self.brain.train_step(
            x, y, mode=phase.mode, memorize=phase.memorize
        )
        return report

    def predict(self, x: Any) -> Tensor:
        """Return the brain's labels."""
        labels: Tensor = self.brain.predict(x)
        return labels

    def consolidate(self) -> None:
        """Mature the neurons that the phase used."""
        self.brain.consolidate()

    @classmethod
    def resume(
        cls,
        run_folder: str | Path,
        phases: Sequence[PhaseConfig],
        eval_loaders: Mapping[str, Iterable[Any]] | Iterable[Any] | None = None,
        device: DeviceLike = None,
        *,
        brain: Any = None,
        **options: Any,
    ) -> PlasticTrainer:
        """Return a trainer that stands where the run in ``run_folder`` was left.

        Parameters
        ----------
        run_folder : path
            The folder of an earlier trainer, finished, interrupted or killed.
        phases, eval_loaders
            Those it was begun with, over the same data; anything else is refused.
        device : optional
            Where to go on.
        brain : optional
            A brain built with the same arguments, for one whose class or eyes cannot be built
            from its saved configuration; its state is replaced.
        **options
            ``callbacks``, ``checkpoint_every_s``, ``clock``. What decides the results (seed,
            ``eval_every``, ``sleep_after_phase``) comes from the run.

        Raises
        ------
        CheckpointError
            If there is no run, or it was begun with something else.
        """
        run = load_run(run_folder)
        check_trainer(run, cls.kind)
        owner = run.restore(brain) if brain is not None else run.build_brain(device)
        trainer = cls(
            owner, phases, eval_loaders, device, run_folder=run_folder, **run.settings, **options
        )
        trainer.take_up(run)
        return trainer


def check_trainer(run: SavedRun, kind: str) -> None:
    """Refuse a run of another trainer."""
    if run.trainer != kind:
        raise CheckpointError(
            "the run belongs to another trainer",
            got=repr(run.trainer),
            expected=repr(kind),
            cure="use plasticish.training.resume, which picks the trainer",
        )
