"""Learning in shards: the brain of one process, also when workers and runs are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import torch

from plasticish import PhaseConfig, PlasticBrain, PlasticTrainer
from plasticish.core import CheckpointError, ConfigError, Engine, ProcessEngine, make_engine
from plasticish.core.engines import SequentialEngine
from plasticish.training import ShardedTrainer, resume

WIDTH, BATCH = 10, 8


def brain() -> PlasticBrain:
    return PlasticBrain(WIDTH, hidden_dim=16, sparsity_k=8, expansion=16, memory_size=60)


def phases(count: int = 2, epochs: int = 1, shift: float = 0.0) -> list[PhaseConfig]:
    generator = torch.Generator().manual_seed(0)
    made = []
    for phase in range(count):
        y = 2 * phase + torch.randint(0, 2, (12, BATCH), generator=generator)
        x = torch.randn(12, BATCH, WIDTH, generator=generator) + y[..., None] + shift
        made.append(PhaseConfig(f"phase {phase}", epochs, list(zip(x, y, strict=True))))
    return made


def sums(brain: PlasticBrain) -> tuple[torch.Tensor, torch.Tensor]:
    moments = brain.cortex.moments()
    return moments.within, moments.counts


def kept(brain: PlasticBrain) -> torch.Tensor:
    state = brain.memory.export_state().tensors
    order = state["birth"].argsort()
    return torch.cat([state["key"].float(), state["label"][:, None]], dim=1)[order]


def same(one: PlasticBrain, other: PlasticBrain) -> None:
    assert one.seen == other.seen
    assert torch.equal(kept(one), kept(other))
    torch.testing.assert_close(sums(one), sums(other), rtol=1e-5, atol=1e-7)


@pytest.fixture(scope="module")
def alone() -> PlasticBrain:
    learner = brain()
    PlasticTrainer(learner, phases(epochs=2)).train()
    return learner


@pytest.fixture(scope="module")
def workers() -> Iterator[Engine]:
    with make_engine("processes", 2) as engine:
        yield engine


class Stopping(SequentialEngine):
    """Dies, as a process does, after some shards."""

    def __init__(self, after: int) -> None:
        super().__init__(1)
        self.left, self.learned = after, 0

    def unordered(self, function, items, *, stop=None):
        for result in super().unordered(function, items, stop=stop):
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            self.learned += 1
            yield result


class Deadly(ProcessEngine):
    """Kills a worker that is at work, once the first shard is done."""

    killed = 0

    def unordered(self, function, items, *, stop=None):
        for result in super().unordered(function, items, stop=stop):
            busy = [worker for worker in self._workers if worker.position is not None]
            if not self.killed and busy:
                os.kill(busy[0].process.pid, signal.SIGKILL)
                self.killed += 1
            yield result


@pytest.mark.parametrize("shards", [1, 3, 100])
def test_shards_give_the_brain_of_one_process(alone, shards):
    learner = brain()
    trainer = ShardedTrainer(learner, phases(epochs=2), shards=shards)
    history = trainer.train()
    same(alone, learner)
    assert len(history) == 48
    assert history.boundaries == [24, 48]
    assert history.column("seen") == [BATCH * (step + 1) for step in range(48)]


def test_accuracy_of_phases_is_told_as_without_shards(alone):
    exams = {f"phase {i}": phase.loader for i, phase in enumerate(phases())}
    histories = [
        PlasticTrainer(brain(), phases(), exams).train(),
        ShardedTrainer(brain(), phases(), exams, shards=3).train(),
    ]
    one, other = (history.eval_accuracy for history in histories)
    assert one.keys() == other.keys()
    for name in one:
        assert other[name] == pytest.approx(one[name], abs=0.03)


def test_a_killed_worker_counts_for_nothing(alone):
    learner = brain()
    with Deadly(2) as engine:
        ShardedTrainer(learner, phases(epochs=2), shards=5, engine=engine).train()
        assert engine.killed == 1
    same(alone, learner)


@pytest.mark.parametrize("after", [0, 2, 4, 9])
@pytest.mark.parametrize("every", [0.0, 1000.0])
def test_a_stopped_run_keeps_its_shards_and_counts_none_twice(alone, tmp_path, after, every):
    run, shards = tmp_path / "run", 3
    first = Stopping(after)
    trainer = ShardedTrainer(
        brain(), phases(epochs=2), run_folder=run, checkpoint_every_s=every, shards=shards,
        engine=first,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    second = Stopping(1000)
    going_on = resume(run, phases(epochs=2), engine=second)
    assert isinstance(going_on, ShardedTrainer)
    going_on.train()
    same(alone, going_on.brain)
    assert first.learned + second.learned == 4 * shards  # none was learned again
    assert len(going_on.history) == 48
    assert not (run / "shards").exists()
    same(alone, PlasticBrain.load(run / "brain"))


def test_shards_kept_out_of_order_are_merged_in_order(alone, tmp_path, workers):
    class Backwards(SequentialEngine):
        def unordered(self, function, items, *, stop=None):
            done = list(super().unordered(function, items, stop=stop))
            yield from reversed(done[1:])
            raise KeyboardInterrupt

    trainer = ShardedTrainer(
        brain(), phases(epochs=2), run_folder=tmp_path, shards=4, engine=Backwards(1)
    )
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert trainer.brain.seen == 0  # the first was missing
    assert len(list((tmp_path / "shards").iterdir())) == 3
    going_on = resume(tmp_path, phases(epochs=2), engine=workers)
    going_on.train()
    same(alone, going_on.brain)


def test_a_damaged_shard_is_learned_again_and_a_foreign_one_refused(alone, tmp_path):
    trainer = ShardedTrainer(
        brain(), phases(epochs=2), run_folder=tmp_path, shards=3, checkpoint_every_s=1000,
        engine=Stopping(2),
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    with pytest.raises(CheckpointError, match="learned from other batches"):
        resume(tmp_path, phases(epochs=2, shift=1.0)).train()
    (damaged, *_) = sorted((tmp_path / "shards").glob("*/tensors*"))
    damaged.write_bytes(damaged.read_bytes()[:-5])
    going_on = resume(tmp_path, phases(epochs=2))
    going_on.train()
    same(alone, going_on.brain)


def test_phases_that_memorise_nothing_are_learned_unsharded():
    taught, silent = phases()
    course = [taught, PhaseConfig("looking", 1, silent.loader, memorize=False)]
    one, other = brain(), brain()
    PlasticTrainer(one, course, sleep_after_phase=False).train()
    ShardedTrainer(other, course, shards=4, sleep_after_phase=False).train()
    same(one, other)
    assert other.seen == 12 * BATCH


def test_transforms_draw_what_they_draw_without_shards():
    def noisy(x: torch.Tensor) -> torch.Tensor:
        return x + torch.randn_like(x)

    course = [PhaseConfig("noise", 2, phases()[0].loader, transform_fn=noisy)]
    one, other = brain(), brain()
    PlasticTrainer(one, course).train()
    ShardedTrainer(other, course, shards=3).train()
    same(one, other)


def test_what_cannot_be_sharded_is_refused():
    with pytest.raises(ConfigError, match="eval_every does not go with shards"):
        ShardedTrainer(brain(), phases(), eval_every=3)
    with pytest.raises(ConfigError, match="cannot be learned in shards: got object"):
        ShardedTrainer(object(), phases())
    with pytest.raises(ConfigError, match="shards"):
        ShardedTrainer(brain(), phases(), shards=0)
