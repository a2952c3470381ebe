"""The trainer that learns each phase in shards, on the workers of an engine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from torch import Tensor

from ..core import (
    CheckpointError,
    ConfigError,
    DataError,
    DeviceLike,
    Engine,
    as_pair,
    check_positive,
    make_engine,
    spawn_seed,
)
from .display import TrainingDisplay
from .generators import isolated_rng, reachable_generators
from .interrupt import InterruptGuard
from .loaders import fingerprint, replayed
from .phase import PhaseConfig
from .plastic import PlasticTrainer
from .shards import Learned, Place, ShardStore, Work, cut, learn_shard

__all__ = ["ShardedTrainer"]


class ShardedTrainer(PlasticTrainer):
    """Take a PlasticBrain through a curriculum, each epoch of it in shards learned side by side.

    The batches of an epoch are those of :class:`PlasticTrainer`, in the same order. They are cut
    into ``shards`` runs; a worker learns a run with an empty
    :meth:`~plasticish.vision.PlasticBrain.branch` of the brain, and the brain merges them in the
    order of the stream, each as soon as it and all before it are there. At the end of a phase the
    brain sleeps and is asked, as without shards. A shard is known by its place in the stream: one
    whose worker was killed is learned again, and none is merged twice. With a run folder finished
    shards outlive Ctrl-C and ``kill -9``.

    Cortex and memories are those of :class:`PlasticTrainer` (the sums to rounding, the memories
    exactly, also in a full bank). Blocks settle on the merged sums, so that answers may differ
    where two classes are level. ``accuracy`` in the history is that of a glimpse of the shard's
    own examples, NaN for its first batch. Phases that memorise nothing are learned here, unsharded.

    Parameters
    ----------
    brain, phases, eval_loaders, device, **options
        As :class:`Trainer`, but for ``eval_every``: between shards there is no step to ask at.
    shards : int
        Into how many runs an epoch is cut; an epoch of fewer batches gives fewer. The results
        depend on it in the rounding alone.
    engine : Engine, optional
        Who learns them; by default this process, one after another.

    Raises
    ------
    ConfigError
        If the brain cannot be merged, or ``eval_every`` was asked for.

    Examples
    --------
    >>> import torch
    >>> from plasticish import PhaseConfig, PlasticBrain
    >>> from plasticish.training import ShardedTrainer
    >>> batches = [(torch.eye(4), torch.tensor([0, 1, 0, 1])) for _ in range(6)]
    >>> brain = PlasticBrain(4, hidden_dim=8, sparsity_k=2)
    >>> trainer = ShardedTrainer(brain, [PhaseConfig("Calm", 1, batches)], shards=3)
    >>> len(trainer.train()), brain.seen
    (6, 24)
    """

    kind: ClassVar[str] = "plastic_sharded"

    def __init__(
        self,
        brain: Any,
        phases: Sequence[PhaseConfig],
        eval_loaders: Mapping[str, Iterable[Any]] | Iterable[Any] | None = None,
        device: DeviceLike = None,
        *,
        shards: int = 1,
        engine: Engine | None = None,
        **options: Any,
    ) -> None:
        check_positive(shards=shards)
        if not (hasattr(brain, "branch") and hasattr(brain, "merge")):
            raise ConfigError(
                "this brain cannot be learned in shards",
                got=type(brain).__name__,
                expected="one with branch and merge, such as PlasticBrain",
            )
        super().__init__(brain, phases, eval_loaders, device, **options)
        if self.eval_every:
            raise ConfigError(
                "eval_every does not go with shards", cure="evaluate at the ends of phases"
            )
        self.shards = int(shards)
        self.engine = make_engine() if engine is None else engine
        self._store = ShardStore(self.run.folder)

    def settings(self) -> dict[str, Any]:
        """Return the arguments that decide the results, for the checkpoint."""
        return {**super().settings(), "shards": self.shards}

    def _leave_results(self) -> None:
        super()._leave_results()
        self._store.clear()

    def _run_epoch(
        self, phase: PhaseConfig, guard: InterruptGuard, display: TrainingDisplay
    ) -> None:
        if not phase.memorize or phase.mode == "inference":
            super()._run_epoch(phase, guard, display)
            return
        batches, marks = self._gathered(phase)
        places = [
            Place(self.position.phase, self.position.epoch, start, stop, marks[stop])
            for start, stop in cut(len(batches), self.shards)
        ]
        ahead = [place for place in places if place.stop > self.position.batch]
        merged: list[Place] = []
        for place, learned in self._in_order(ahead, batches, phase, guard):
            self._merge(place, learned, [y for _, y in batches[place.start : place.stop]], display)
            merged.append(place)
            if self.run.save_if_due():
                self._store.forget(merged)
                merged.clear()
        if self.position.batch == len(batches):
            self.position.next_epoch()
            self.run.save()
            self._store.forget(places)

    def _gathered(self, phase: PhaseConfig) -> tuple[list[tuple[Any, Tensor]], list[int]]:
        """Return the batches of this epoch as the transform leaves them, and checksums so far."""
        position = self.position
        seed = spawn_seed(self.seed, position.phase, position.epoch)
        before = sum(earlier.epochs for earlier in self.phases[: position.phase])
        owned = reachable_generators(phase.transform_fn)
        batches, marks = [], [0]
        for index, batch in enumerate(replayed(phase.loader, seed, before + position.epoch)):
            marks.append(fingerprint(*as_pair(batch), marks[-1]))
            each = spawn_seed(seed, 3, index)
            with isolated_rng(each):
                batches.append(self._prepare(phase, batch, each, owned))
        if not batches:
            raise DataError(f"the loader of phase {phase.name!r} gave no batches", got="0 batches")
        if position.batch >= len(marks) or marks[position.batch] != position.fingerprint:
            raise CheckpointError(
                f"the loader of phase {phase.name!r} does not give the same batches again",
                cure="give the same data, and let its order come from torch's generators",
            )
        return batches, marks

    def _in_order(
        self,
        places: Sequence[Place],
        batches: Sequence[tuple[Any, Tensor]],
        phase: PhaseConfig,
        guard: InterruptGuard,
    ) -> Iterator[tuple[Place, Learned]]:
        """Yield every shard in the order of the stream, learned now or before; stop at Ctrl-C."""
        waiting = {i: kept for i, place in enumerate(places) if (kept := self._store.find(place))}
        missing = [i for i in range(len(places)) if i not in waiting]
        work = [self._work(places[i], batches, phase) for i in missing]
        due = 0
        done = self.engine.unordered(learn_shard, work, stop=lambda: guard.requested)
        while due < len(places):
            while due not in waiting:
                position, learned = next(done, (None, None))
                if position is None or learned is None:
                    return
                waiting[missing[position]] = learned
                self._store.keep(places[missing[position]], learned)
            yield places[due], waiting.pop(due)
            due += 1

    def _work(
        self, place: Place, batches: Sequence[tuple[Any, Tensor]], phase: PhaseConfig
    ) -> Work:
        own = batches[place.start : place.stop]
        before = sum(len(y) for _, y in batches[self.position.batch : place.start])
        images = isinstance(own[0][0], Tensor) and own[0][0].ndim == 4
        eyes = self.brain.eyes.config() if images and self.brain.eyes is not None else None
        return Work(
            self.brain.kind, self.brain.config(), eyes, self.brain.seen + before, own, phase.mode
        )

    def _merge(
        self, place: Place, learned: Learned, labels: Sequence[Tensor], display: TrainingDisplay
    ) -> None:
        before = self.brain.seen
        branch = self.brain.branch()
        branch.import_state(learned.state)
        self.brain.merge(branch)
        share = {"memory_fill": self.brain.memory.fill, "mature": self.brain.stats()["mature"]}
        for y, found in zip(labels, learned.reports, strict=True):
            seen = before + found["seen"]
            accuracy = math.nan if found["accuracy"] is None else found["accuracy"]
            report = {**found, **share, "accuracy": accuracy, "seen": seen}
            self.history.add_step(place.phase, place.epoch, y.tolist(), report)
            self.position.next_batch(place.fingerprint)
            display.step(report)
            self._tell("on_step", report)
