"""The buffer: fair, bounded, exact about what it holds, and the same after a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from torch import Tensor

from plasticish.core import ConfigError, DataError, NotReadyError, ShapeError, make_generator
from plasticish.memory import TaskBuffer

BOTH = pytest.mark.parametrize("distinct", [False, True])


def numbered(count: int, start: int = 0) -> Tensor:
    """Rows that say who they are."""
    return torch.arange(start, start + count, dtype=torch.float32)[:, None]


def fill(buffer: TaskBuffer, count: int, batch: int, classes: int = 1) -> TaskBuffer:
    for start in range(0, count, batch):
        rows = numbered(min(batch, count - start), start)
        buffer.add(rows, rows[:, 0].long() % classes, rows.repeat(1, 2))
    return buffer


def held(buffer: TaskBuffer) -> list[int]:
    return sorted(int(x) for x in buffer.everything().inputs[:, 0])


@BOTH
@pytest.mark.parametrize("batch", [1, 7])
def test_the_reservoir_is_uniform(distinct: bool, batch: int) -> None:
    """Each of 20 examples is among the 5 held equally often, whatever the batches (chi²)."""
    runs, count, capacity = 50, 20, 5
    kept = torch.zeros(count)
    for seed in range(runs):
        buffer = fill(TaskBuffer(capacity, distinct=distinct, seed=seed), count, batch)
        kept[held(buffer)] += 1
    expected = runs * capacity / count
    # Without replacement the variance is that of a binomial times (1 - k/n).
    statistic = float(((kept - expected) ** 2).sum() / (expected * (1 - capacity / count)))
    assert statistic < chi2.ppf(0.9999, count - 1)
    assert statistic > chi2.ppf(0.0001, count - 1)


@BOTH
@given(
    st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=9), min_size=1, max_size=12),
    st.integers(1, 12),
)
@settings(max_examples=40, deadline=None)
def test_balanced_keeps_every_class_level(
    distinct: bool, stream: list[list[int]], capacity: int
) -> None:
    """After every batch no class has two more than another that had more to give."""
    buffer = TaskBuffer(capacity, "class_balanced", distinct=distinct)
    seen: dict[int, int] = {}
    start = 0
    for labels in stream:
        buffer.add(numbered(len(labels), start), torch.tensor(labels))
        start += len(labels)
        for label in labels:
            seen[label] = seen.get(label, 0) + 1
        counts = {label: buffer.counts().get((0, label), 0) for label in seen}
        assert sum(counts.values()) == len(buffer) == min(capacity, start)
        top = max(counts.values())
        assert all(n >= min(seen[label], top - 1) for label, n in counts.items())


@BOTH
@pytest.mark.parametrize("policy", ["reservoir", "class_balanced"])
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=4, max_size=12),
    st.integers(1, 9),
    st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_batches_make_no_difference_to_who_stays(
    policy: str, distinct: bool, stream: list[list[int]], capacity: int, seed: int
) -> None:
    """What is turned away unsorted would have lost: one batch decides as many do."""
    many, one = (TaskBuffer(capacity, policy, distinct=distinct, seed=seed) for _ in range(2))
    labels = torch.tensor([label for batch in stream for label in batch])
    rows, start = numbered(len(labels)), 0
    one.add(rows, labels)
    for batch in stream:
        end = start + len(batch)
        many.add(rows[start:end], labels[start:end])
        start = end
    assert held(many) == held(one)


def test_balanced_is_uniform_within_a_class() -> None:
    kept = torch.zeros(40)
    for seed in range(80):
        buffer = fill(TaskBuffer(10, "class_balanced", seed=seed), 40, 20, classes=2)
        kept[held(buffer)] += 1
    statistic = float(((kept - 20) ** 2).sum() / (20 * (1 - 10 / 40)))
    assert statistic < chi2.ppf(0.9999, 39)


def test_where_labels_are_no_classes_tasks_are_kept_level() -> None:
    buffer = TaskBuffer(6, "class_balanced")
    for task in range(3):
        buffer.add(numbered(10, 10 * task), torch.rand(10, 2), tasks=task)
    assert buffer.counts() == {(0, -1): 2, (1, -1): 2, (2, -1): 2}


def test_the_same_label_in_another_task_is_another_class() -> None:
    buffer = TaskBuffer(8, "class_balanced")
    buffer.add(numbered(20), torch.zeros(20, dtype=torch.int64), tasks=0)
    buffer.add(numbered(4), torch.tensor([0, 0, 1, 1]), tasks=torch.tensor([1, 1, 1, 1]))
    assert buffer.counts() == {(0, 0): 4, (1, 0): 2, (1, 1): 2}


@given(st.integers(1, 30), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_rows_stay_together(count: int, capacity: int) -> None:
    buffer = fill(TaskBuffer(capacity), count, 4, classes=3)
    for part in (buffer.everything(), buffer.sample(5)):
        assert part.logits is not None
        assert torch.equal(part.logits, part.inputs.repeat(1, 2))
        assert torch.equal(part.labels, part.inputs[:, 0].long() % 3)
    assert len(set(held(buffer))) == len(buffer) == min(count, capacity)


def test_a_sample_repeats_nothing_and_reaches_everything() -> None:
    buffer = fill(TaskBuffer(10), 10, 5)
    drawn = torch.zeros(10)
    for _ in range(200):
        rows = buffer.sample(4).inputs[:, 0].long()
        assert len(set(rows.tolist())) == 4
        drawn[rows] += 1
    statistic = float(((drawn - 80) ** 2).sum() / (80 * 0.6))
    assert statistic < chi2.ppf(0.9999, 9)
    assert len(buffer.sample(50).inputs) == 10


def test_bytes_stay_bytes_and_shapes_stay_shapes() -> None:
    images = torch.randint(0, 256, (5, 1, 4, 6), dtype=torch.uint8, generator=make_generator(0))
    buffer = TaskBuffer(5)
    buffer.add(images, torch.arange(5), torch.zeros(5, 3))
    part = buffer.everything()
    assert part.inputs.dtype == torch.uint8
    assert torch.equal(part.inputs[part.labels.argsort()], images)
    assert part.logits is not None
    assert part.logits.shape == (5, 3)


def test_a_buffer_that_has_room_for_many_takes_none_of_it_at_first() -> None:
    buffer = TaskBuffer(10**7)
    buffer.add(torch.zeros(3, 1000, dtype=torch.uint8), torch.arange(3))
    assert buffer.nbytes() < 10**7


def test_what_comes_again_is_one_example() -> None:
    buffer = TaskBuffer(100, distinct=True)
    rows, labels = numbered(8), torch.arange(8)
    for epoch in range(3):
        buffer.add(rows[:5], labels[:5], torch.full((5, 1), float(epoch)))
        buffer.add(rows[3:], labels[3:], torch.full((5, 1), 10.0 + epoch))
    part = buffer.everything()
    assert sorted(part.labels.tolist()) == list(range(8))
    assert part.logits is not None
    newest = dict(zip(part.labels.tolist(), part.logits[:, 0].tolist(), strict=True))
    assert newest == {0: 2, 1: 2, 2: 2, 3: 12, 4: 12, 5: 12, 6: 12, 7: 12}
    buffer.add(rows, labels, torch.zeros(8, 1), tasks=1)  # in another task it is another
    buffer.add(rows, labels + 1, torch.zeros(8, 1))  # and so it is under another label
    assert len(buffer) == 24


def test_epochs_do_not_change_who_is_held() -> None:
    once, often = (TaskBuffer(7, "class_balanced", distinct=True) for _ in range(2))
    fill(once, 50, 8, classes=3)
    for _ in range(4):
        fill(often, 50, 8, classes=3)
    assert held(once) == held(often)


def test_twice_in_one_batch_is_once() -> None:
    buffer = TaskBuffer(10, distinct=True)
    buffer.add(torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64), torch.arange(4.0)[:, None])
    part = buffer.everything()
    assert len(buffer) == 1
    assert part.logits is not None
    assert part.logits.item() == 3  # the newest


@BOTH
@pytest.mark.parametrize("policy", ["reservoir", "class_balanced"])
def test_a_loaded_buffer_goes_on_bit_for_bit(policy: str, distinct: bool, tmp_path: Path) -> None:
    for upto in (0, 4, 30):
        buffer = TaskBuffer(9, policy, distinct=distinct, seed=4)
        fill(buffer, upto, 4, classes=3)
        if upto:
            buffer.sample(3)
        loaded = TaskBuffer.load(buffer.save(tmp_path / str(upto)))
        for each in (buffer, loaded):
            each.add(numbered(11, 100), torch.arange(11) % 3, torch.rand(11, 2) * 0)
        for one, other in zip(buffer.everything(), loaded.everything(), strict=True):
            assert one is not None
            assert torch.equal(one, other)
        assert torch.equal(buffer.sample(5).inputs, loaded.sample(5).inputs)
        assert loaded.seen == buffer.seen == upto + 11


def test_it_keeps_no_hold_of_what_came_in() -> None:
    buffer, rows = TaskBuffer(4), numbered(4)
    buffer.add(rows, torch.arange(4))
    rows.zero_()
    assert held(buffer) == [0, 1, 2, 3]
    buffer.everything().inputs.zero_()
    assert held(buffer) == [0, 1, 2, 3]


def test_what_does_not_fit_is_refused_and_nothing_stored() -> None:
    for capacity in (0, -1):
        with pytest.raises(ConfigError, match="capacity is"):
            TaskBuffer(capacity)
    with pytest.raises(ConfigError, match="unknown policy: got 'fifo', expected one of: reservoir"):
        TaskBuffer(3, "fifo")
    buffer = TaskBuffer(3)
    with pytest.raises(NotReadyError, match="the buffer is empty"):
        buffer.sample(2)
    buffer.add(numbered(3), torch.arange(3), torch.zeros(3, 2))
    before = buffer.export_state()
    x, y, z = numbered(2), torch.arange(2), torch.zeros(2, 2)
    wrong: list[tuple[tuple[Any, ...], type[Exception], str]] = [
        ((x, y[:1], z), ShapeError, r"not one label a row: got \(1,\), expected \(2, ...\)"),
        ((x, y, z[:1]), ShapeError, "not one logit a row"),
        ((x[:0], y[:0], z[:0]), DataError, "the batch is empty"),
        ((x, y), DataError, "logits come with all batches or with none"),
        ((x.repeat(1, 2), y, z), ShapeError, "inputs are not as those before"),
        ((x.double(), y, z), ShapeError, "inputs are not as those before: .*float64"),
        ((x, y, z.repeat(1, 2)), ShapeError, "logits are not as those before"),
    ]
    for rows, error, text in wrong:
        with pytest.raises(error, match=text):
            buffer.add(*rows)
    after = buffer.export_state()
    assert after.values == before.values
    assert all(torch.equal(after.tensors[name], t) for name, t in before.tensors.items())
