"""Numbers of a run for Weights & Biases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core import Persistent, import_extra
from .callbacks import ScalarCallback

if TYPE_CHECKING:
    from .history import TrainingHistory
    from .trainer import Trainer

__all__ = ["WandbCallback"]


class WandbCallback(ScalarCallback):
    """Write every number of every step, and each evaluation, for Weights & Biases.

    The run's config holds the curriculum, the settings of the trainer and those of the brain; its
    summary, at the end, what :func:`~plasticish.training.summarise` says.

    Parameters
    ----------
    project : str
        The project that the run belongs to.
    every : int
        Write one step in so many, >= 1; evaluations always.
    config : mapping, optional
        Said of the run beside what the trainer knows, and before it.
    **options
        Whatever else ``wandb.init`` takes: ``name``, ``tags``, ``dir``, ``mode="offline"`` (no
        account and no network; ``wandb sync`` sends the folder later), ``settings``.
        A run that may be killed is continued with ``id="…", resume="allow"``: the steps between
        its checkpoint and its death come a second time, with the same numbers, and W&B keeps the
        first of each.

    Raises
    ------
    MissingExtraError
        If the extra ``wandb`` is not installed.
    ConfigError
        If ``every`` is no count.

    Examples
    --------
    >>> watched = WandbCallback("digits", mode="offline")  # doctest: +SKIP
    >>> PlasticTrainer(brain, phases, exams, callbacks=[watched]).train()  # doctest: +SKIP
    """

    def __init__(
        self,
        project: str,
        every: int = 1,
        *,
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(every)
        self.project, self.config, self.options = project, dict(config or {}), options
        self._wandb = import_extra("wandb", "wandb", "logging to Weights & Biases")
        self._run: Any = None

    def on_train_start(self, trainer: Trainer) -> None:
        """Begin the run, or continue the one whose ``id`` was given."""
        self._run = self._wandb.init(
            project=self.project, config=described(trainer) | self.config, **self.options
        )

    def write(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers at a step."""
        self._run.log(dict(values), step=step)

    def on_train_end(self, trainer: Trainer, history: TrainingHistory) -> None:
        """Write the summary and close the run; one that was interrupted may go on."""
        self._run.summary.update(flat(trainer.get_summary(), "summary/"))
        self._run.finish()


def described(trainer: Trainer) -> dict[str, Any]:
    """Return what decides the results of a run, as plain values."""
    brain = trainer.brain
    return {
        "trainer": trainer.kind,
        "brain": type(brain).__name__,
        "brain_config": dict(brain.config()) if isinstance(brain, Persistent) else {},
        "phases": [phase.describe() for phase in trainer.phases],
        **trainer.settings(),
    }


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of a summary by path; what was not measured is left out.

    Examples
    --------
    >>> flat({"eval": {"test": 0.5}, "phases": [{"name": "A", "now": None}], "steps": 3})
    {'eval/test': 0.5, 'phases/0/name': 'A', 'steps': 3}
    """
    leaves: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            value = {str(index): item for index, item in enumerate(value)}
        if isinstance(value, Mapping):
            leaves |= flat(value, f"{prefix}{name}/")
        elif value is not None and not (isinstance(value, float) and math.isnan(value)):
            leaves[f"{prefix}{name}"] = value
    return leaves
