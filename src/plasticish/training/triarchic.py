"""The trainer of a :class:`~plasticish.vision.TriarchicBrain`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..core import ConfigError, DeviceLike
from .phase import PhaseConfig
from .plastic import check_trainer
from .resumable import load_run
from .trainer import Trainer

__all__ = ["TriarchicTrainer"]

Loader = Iterable[Any]


class TriarchicTrainer(Trainer):
    """Take a TriarchicBrain through a curriculum; images go through the eyes given here.

    Parameters
    ----------
    brain : TriarchicBrain
        What is trained.
    eyes : callable or None
        Images ``[batch, 3, h, w]`` in [0, 1] to features ``[batch, width]``, such as
        :class:`~plasticish.vision.PretrainedEyes`; None where the loaders give features.
    phases : sequence of PhaseConfig
        The curriculum. ``mode`` is "plastic" or "inference": this brain has no panic mode, its
        context layer adapts by itself.
    memory_test_loader : loader, or mapping of str to loader
        What must not be forgotten, evaluated at each phase end (and each ``eval_every`` steps);
        one loader is called ``memory`` in the history.
    device, **options
        As :class:`Trainer`; but the brain sleeps after a phase only if asked to.

    Examples
    --------
    >>> import torch
    >>> from plasticish import PhaseConfig, TriarchicBrain, TriarchicTrainer
    >>> batches = [(torch.eye(4), torch.tensor([0, 1, 0, 1]))]
    >>> brain = TriarchicBrain(4, hidden_size=64, out_size=2, sparsity_k=4)
    >>> phases = [PhaseConfig("Features", 30, batches)]
    >>> history = TriarchicTrainer(brain, None, phases, batches).train()
    >>> history.evaluations[-1].accuracy
    {'memory': 1.0}

    With images, which go through eyes::

        phases = [PhaseConfig("Animals", 3, animals),
                  PhaseConfig("Storm", 3, animals, transform_fn=invert_colors)]
        history = TriarchicTrainer(brain, eyes, phases, memory_test_loader).train()
    """

    kind: ClassVar[str] = "triarchic"

    def __init__(
        self,
        brain: Any,
        eyes: Callable[[Tensor], Tensor] | None,
        phases: Sequence[PhaseConfig],
        memory_test_loader: Mapping[str, Loader] | Loader | None = None,
        device: DeviceLike = None,
        *,
        sleep_after_phase: bool = False,
        **options: Any,
    ) -> None:
        memory = memory_test_loader
        if memory is not None and not isinstance(memory, Mapping):
            memory = {"memory": memory}
        super().__init__(
            brain, phases, memory, device, sleep_after_phase=sleep_after_phase, **options
        )
        self.eyes = eyes
        panicking = [phase.name for phase in self.phases if phase.mode == "panic"]
        if panicking:
            raise ConfigError(
                "a TriarchicBrain has no panic mode",
                got=f"phase {panicking[0]!r} in mode 'panic'",
                expected="'plastic' or 'inference'",
                cure="leave the mode out: its context layer adapts by itself",
            )

    def learn_batch(self, x: Any, y: Tensor, phase: PhaseConfig) -> Mapping[str, Any]:
        """See, then learn, unless the phase is for looking only."""
        features = self._see(x)
        if phase.mode == "inference":
            hits = self.brain.predict(features).cpu() == y.cpu()
            return {"accuracy": float(hits.double().mean())}
        report: Mapping[str, Any] = self.brain.update_batch(features, y)
        return report

    def predict(self, x: Any) -> Tensor:
        """See, then answer."""
        labels: Tensor = self.brain.predict(self._see(torch.as_tensor(x).to(self.device)))
        return labels

    def consolidate(self) -> None:
        """Put the brain to sleep, which is how this one consolidates."""
        self.brain.sleep()

    def _see(self, x: Any) -> Any:
        if getattr(x, "ndim", 2) != 4:
            return x
        if self.eyes is None:
            raise ConfigError(
                "images came, but there are no eyes", cure="pass eyes=PretrainedEyes()"
            )
        return self.eyes(x)

    @classmethod
    def resume(
        cls,
        run_folder: str | Path,
        eyes: Callable[[Tensor], Tensor] | None,
        phases: Sequence[PhaseConfig],
        memory_test_loader: Mapping[str, Loader] | Loader | None = None,
        device: DeviceLike = None,
        *,
        brain: Any = None,
        **options: Any,
    ) -> TriarchicTrainer:
        """Return a trainer that stands where the run in ``run_folder`` was left.

        Parameters and errors as :meth:`PlasticTrainer.resume`, with the eyes given anew.
        """
        run = load_run(run_folder)
        check_trainer(run, cls.kind)
        owner = run.restore(brain) if brain is not None else run.build_brain(device)
        trainer = cls(
            owner,
            eyes,
            phases,
            memory_test_loader,
            device,
            run_folder=run_folder,
            **run.settings,
            **options,
        )
        trainer.take_up(run)
        return trainer
