"""The loop that takes a brain through a curriculum, and can stop and go on anywhere."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from ..core import (
    CheckpointError,
    DataError,
    DeviceLike,
    as_pair,
    check_labels,
    forward,
    resolve_device,
    spawn_seed,
)
from ..metrics import score
from .arguments import check_every, check_phases, check_savable, name_loaders
from .callbacks import Callback
from .display import TrainingDisplay
from .evaluation import Evaluation
from .generators import isolated_rng, reachable_generators, seeded
from .history import TrainingHistory
from .interrupt import InterruptGuard
from .loaders import apply_transform, fingerprint, replayed
from .phase import PhaseConfig
from .resumable import Position, SavedRun, pack_run
from .run_folder import RunFolder
from .summary import summarise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Trainer"]


class Trainer(ABC):
    """Base of the trainers: phases, epochs, steps, evaluations, checkpoints.

    A subclass says how its brain learns a batch, answers, and ends a phase.

    Parameters
    ----------
    brain : learner
        What is trained; to be resumable it must be a :class:`plasticish.core.Persistent`.
    phases : sequence of PhaseConfig
        The curriculum; names are unique.
    eval_loaders : mapping of str to loader, or one loader
        Evaluated at each phase end. Those that are named like a phase give the accuracy matrix.
    device : str or torch.device, optional
        Where batches go; by default where the brain is.
    run_folder : path, optional
        Where checkpoints go: at the start, at phase ends and every so many seconds. At the end
        the brain is saved there as ``brain`` and the history as ``history.json``.
    checkpoint_every_s : float
        Seconds between checkpoints within a phase, at least; never more than a tenth of the time
        goes into them. 0 saves after every step.
    eval_every : int, optional
        Also evaluate after every so many steps.
    callbacks : sequence of Callback
        Told of what happens.
    sleep_after_phase : bool
        Whether the brain sleeps at the end of each phase.
    seed : int
        Seed of the order of batches and of augmentations; a loader with a seed of its own, such
        as :class:`plasticish.data.BatchLoader`, keeps to that.
    notes : mapping, optional
        Anything JSON can hold, kept with the checkpoint for whoever resumes.
    clock : callable
        Seconds; where it jumps back, no time has passed.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        brain: Any,
        phases: Sequence[PhaseConfig],
        eval_loaders: Mapping[str, Iterable[Any]] | Iterable[Any] | None = None,
        device: DeviceLike = None,
        *,
        run_folder: str | Path | None = None,
        checkpoint_every_s: float = 60.0,
        eval_every: int | None = None,
        callbacks: Sequence[Callback] = (),
        sleep_after_phase: bool = True,
        seed: int = 0,
        notes: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.brain = brain
        self.phases = check_phases(phases)
        self.eval_loaders = name_loaders(eval_loaders)
        self.device = resolve_device(getattr(brain, "device", None) if device is None else device)
        self.eval_every = check_every(eval_every)
        self.callbacks = tuple(callbacks)
        self.sleep_after_phase = sleep_after_phase
        self.seed = seed
        self.notes = dict(notes or {})
        self.clock = forward(clock)
        self.history = TrainingHistory([phase.name for phase in self.phases])
        self.position = Position()
        self._started = 0.0
        self.run = RunFolder(
            check_savable(run_folder, brain),
            checkpoint_every_s,
            partial(pack_run, self),
            self.clock,
        )

    @abstractmethod
    def learn_batch(self, x: Any, y: Tensor, phase: PhaseConfig) -> Mapping[str, Any]:
        """Have the brain learn one batch and return its report."""

    @abstractmethod
    def predict(self, x: Any) -> Tensor:
        """Return the brain's labels, int64 ``[batch]``."""

    @abstractmethod
    def consolidate(self) -> None:
        """Have the brain protect what it learned in the phase that ends."""

    def train(self) -> TrainingHistory:
        """Train from where the run stands to the end of the last phase.

        Ctrl-C finishes the step in hand, saves a checkpoint if there is a run folder, and returns
        with ``history.interrupted`` set; a second Ctrl-C raises ``KeyboardInterrupt`` at once and
        leaves the last checkpoint. After either, or after ``kill -9``, the run goes on from
        ``resume``; after a clean interruption also by calling ``train`` again.

        Returns
        -------
        TrainingHistory
            The trainer's own, also while it grows.

        Raises
        ------
        CheckpointError
            If the run folder holds another run, or cannot be written.
        DataError
            If a loader gives no batches, or something that is not a pair.
        """
        self._started = self.clock() - self.history.elapsed_s
        self.history.interrupted = False
        self.run.open()
        try:
            self._tell("on_train_start")
            with InterruptGuard() as guard, TrainingDisplay() as display:
                done = self._run(guard, display)
            self.history.interrupted = not done
            self.stamp()
            self.run.save()
            if done:
                self._leave_results()
        finally:
            self.run.release()
        self._tell("on_train_end", self.history)
        return self.history

    def plot_results(self, path: str | Path | None = None) -> Figure:
        """Draw the history; write it to ``path`` too, if one is given.

        Raises
        ------
        NotReadyError
            If no step was taken.
        """
        from ..visualization import plot_history, save_figure

        figure = plot_history(self.history)
        if path is not None:
            save_figure(figure, path)
        return figure

    def get_summary(self) -> dict[str, Any]:
        """Return accuracy as learned and now, retention and forgetting; see :func:`summarise`."""
        return summarise(self.history)

    def stamp(self) -> None:
        """Bring ``history.elapsed_s`` up to date."""
        self.history.elapsed_s = self.clock() - self._started

    def take_up(self, run: SavedRun) -> None:
        """Stand where a saved run stands; the brain was restored by whoever built this trainer.

        Raises
        ------
        CheckpointError
            If the run was begun with other phases or evaluation loaders.
        """
        run.check(self.phases, list(self.eval_loaders))
        self.history, self.position = run.history, run.position
        self.run.mine = True

    def settings(self) -> dict[str, Any]:
        """Return the arguments that decide the results, for the checkpoint."""
        return {
            "seed": self.seed,
            "eval_every": self.eval_every,
            "sleep_after_phase": self.sleep_after_phase,
            "notes": self.notes,
        }

    def _leave_results(self) -> None:
        if self.run.folder is not None:
            self.brain.save(self.run.folder / "brain")
            self.history.save(self.run.folder / "history.json")

    def _run(self, guard: InterruptGuard, display: TrainingDisplay) -> bool:
        position = self.position
        while position.phase < len(self.phases):
            phase = self.phases[position.phase]
            display.start_phase(phase, position.epoch * len(phase) + position.batch)
            while position.epoch < phase.epochs:
                self._run_epoch(phase, guard, display)
                if guard.requested:
                    return False
            self._end_phase(phase)
            self.run.save()
            if guard.requested:
                return position.phase == len(self.phases)
        return True

    def _run_epoch(
        self, phase: PhaseConfig, guard: InterruptGuard, display: TrainingDisplay
    ) -> None:
        position = self.position
        seed = spawn_seed(self.seed, position.phase, position.epoch)
        before = sum(earlier.epochs for earlier in self.phases[: position.phase])
        owned = reachable_generators(phase.transform_fn)
        batches = replayed(phase.loader, seed, before + position.epoch)
        try:
            self._skip(phase, batches, position)
            for index in count(position.batch):
                batch = next(batches, None)
                if batch is None:
                    break
                report = self._step(phase, batch, spawn_seed(seed, 3, index), owned)
                display.step(report)
                if guard.requested:
                    return
                self.run.save_if_due()
        finally:
            batches.close()  # type: ignore[attr-defined]  # hands the loader's generators back
        if position.batch == 0:
            raise DataError(f"the loader of phase {phase.name!r} gave no batches", got="0 batches")
        position.next_epoch()

    def _skip(self, phase: PhaseConfig, batches: Iterable[Any], position: Position) -> None:
        """Go past what was learned before, and see that it is what was learned before."""
        seen = 0
        for _, batch in zip(range(position.batch), batches, strict=False):
            seen = fingerprint(*as_pair(batch), seen)
        if seen != position.fingerprint:
            raise CheckpointError(
                f"the loader of phase {phase.name!r} does not give the same batches again",
                cure="give the same data, and let its order come from torch's generators",
            )

    def _prepare(
        self, phase: PhaseConfig, batch: Any, seed: int, owned: Sequence[torch.Generator]
    ) -> tuple[Any, Tensor]:
        """Return a batch as the phase's transform leaves it; global generators are lent already."""
        x, y = as_pair(batch)
        labels = check_labels(y, len(x))
        # For the transform alone: the brain's own generators are its state.
        with seeded(owned, seed):
            inputs = apply_transform(x, phase.transform_fn)
        return (inputs.to(self.device) if isinstance(inputs, Tensor) else inputs), labels

    def _step(
        self, phase: PhaseConfig, batch: Any, seed: int, owned: Sequence[torch.Generator]
    ) -> Mapping[str, Any]:
        x, y = as_pair(batch)
        with isolated_rng(seed):
            inputs, labels = self._prepare(phase, batch, seed, owned)
            report = self.learn_batch(inputs, labels.to(self.device), phase)
        position = self.position
        self.history.add_step(position.phase, position.epoch, labels.tolist(), report)
        position.next_batch(fingerprint(x, y, position.fingerprint))
        if self.eval_every and len(self.history) % self.eval_every == 0:
            self._evaluate(phase_end=False)
        self._tell("on_step", report)
        return report

    def _end_phase(self, phase: PhaseConfig) -> None:
        with isolated_rng(spawn_seed(self.seed, self.position.phase, phase.epochs)):
            if phase.consolidate_after:
                self.consolidate()
            if self.sleep_after_phase:
                self.brain.sleep()
        evaluation = self._evaluate(phase_end=True)
        self.history.boundaries.append(len(self.history))
        self.position.next_phase()
        self._tell("on_phase_end", phase, evaluation)

    def _evaluate(self, *, phase_end: bool) -> Evaluation:
        seed = spawn_seed(self.seed, 4, len(self.history))
        scores = {}
        for name, loader in self.eval_loaders.items():
            with isolated_rng(seed):
                scores[name] = score(self.predict, replayed(loader, seed))
        evaluation = Evaluation(
            step=len(self.history),
            phase=self.position.phase,
            phase_end=phase_end,
            accuracy={name: s["accuracy"] for name, s in scores.items()},
            per_class={name: s["per_class"] for name, s in scores.items()},
        )
        self.history.evaluations.append(evaluation)
        return evaluation

    def _tell(self, event: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self, *arguments)
