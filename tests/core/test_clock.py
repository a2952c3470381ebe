"""A clock that jumps back loses nothing, and measures nothing negative."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.conversation.event_log import EventLog
from plasticish.conversation.events import Exchange
from plasticish.core import forward
from plasticish.training import Callback, ContinualLearningTrainer, PhaseConfig, TriarchicTrainer
from plasticish.vision import FeatureCache, TriarchicBrain

BATCHES = [(torch.eye(4), torch.tensor([0, 1, 0, 1]))] * 6


def jumping(step: float = 1.0, back_at: int = 5, by: float = 3600.0) -> Callable[[], float]:
    """Return a clock that is set back once."""
    asked = [0]

    def clock() -> float:
        asked[0] += 1
        return 1e6 + step * asked[0] - by * (asked[0] >= back_at)

    return clock


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=30))
def test_it_never_runs_backwards_and_counts_what_runs_forwards(readings: list[float]) -> None:
    source = iter(readings)
    now = forward(lambda: next(source))
    seen = [now() for _ in readings[1:]]
    steps = [b - a for a, b in pairwise(readings)]
    assert all(b >= a for a, b in pairwise(seen))
    assert seen[-1] - readings[0] == pytest.approx(sum(max(0.0, s) for s in steps), abs=1e-3)
    assert forward(now) is now


def brain() -> TriarchicBrain:
    return TriarchicBrain(4, hidden_size=64, out_size=2, sparsity_k=4)


def test_checkpoints_go_on_when_the_clock_is_set_back(tmp_path: Path) -> None:
    now, saves = [1000.0], []

    class Tick(Callback):
        def on_step(self, trainer, report):
            now[0] += 10.0 if len(trainer.history) != 3 else -5000.0

    class Counting(TriarchicBrain):
        def export_state(self):
            saves.append(now[0])
            return super().export_state()

    trainer = TriarchicTrainer(
        Counting(4, hidden_size=64, out_size=2, sparsity_k=4),
        None,
        [PhaseConfig("A", 2, BATCHES)],
        run_folder=tmp_path / "run",
        checkpoint_every_s=10.0,
        callbacks=[Tick()],
        clock=lambda: now[0],
    )
    history = trainer.train()
    assert sum(at < 0 for at in saves) >= 7  # else all wait for an hour and a half
    assert history.elapsed_s == pytest.approx(110.0)


def test_a_stream_of_tasks_takes_no_negative_time() -> None:
    model = torch.nn.Linear(4, 2)
    trainer = ContinualLearningTrainer(model, use_meta_plasticity=False, clock=jumping())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    trainer.train_on_task("a", BATCHES, BATCHES, 1, optimizer, torch.nn.CrossEntropyLoss())
    assert 0 <= trainer.history.elapsed_s < 100


def test_events_keep_their_order_whatever_the_time_they_bear(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "turns.db", clock=jumping(back_at=3))
    said = [Exchange(f"prompt {n}", "reply") for n in range(6)]
    for one in said:
        log.append(one)
    found = list(log.after(0))
    assert [one.event for one in found] == said
    assert [one.number for one in found] == [1, 2, 3, 4, 5, 6]
    assert [one.event for one in log.recent(2)] == said[-2:]
    assert found[-1].at_s < found[0].at_s  # what the clock said, not what it should have said
    log.close()


def test_the_cache_keeps_what_it_was_given_last(tmp_path: Path) -> None:
    now = [1e6]
    cache = FeatureCache(tmp_path, max_bytes=400_000, clock=lambda: now[0])
    rows = torch.ones(50, 512)
    for part in range(6):
        now[0] += 60.0 if part != 3 else -1e5
        cache.store([f"{part}-{row}".encode() for row in range(50)], rows)
    keys = [f"5-{row}".encode() for row in range(50)]
    assert bool(cache.lookup(keys, 512)[1].all())
    cache.close()
