"""Streams: every class once, every row once, the same order for the same seed."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import ConfigError, make_generator
from plasticish.data import (
    BatchLoader,
    LabelledSet,
    Source,
    batches,
    class_phases,
    class_splits,
    invert_tensor,
    transformed_task,
)


def toy(classes=5, rows=20):
    x = torch.linspace(0, 1, rows)[:, None]
    data = LabelledSet(x, torch.arange(rows) % classes, tuple("abcdefghij"[:classes]), "toy")
    return Source(data, data.subset(range(classes)), "toy")


@given(st.integers(1, 10), st.integers(1, 12), st.integers(0, 50))
def test_splits_hold_every_class_and_row_once(classes, per_task, seed):
    source = toy(classes)
    tasks = class_splits(source, per_task, generator=make_generator(seed))
    labels = [label for task in tasks for label in task.classes]
    assert sorted(labels) == list(range(classes))
    assert all(len(task.classes) == per_task for task in tasks[:-1])
    assert sum(len(task.train) for task in tasks) == len(source.train)
    assert sum(len(task.test) for task in tasks) == len(source.test)
    for task in tasks:
        assert set(task.train.labels.tolist()) == set(task.classes)
        assert task.train.classes == source.classes  # labels mean the same in every task
    again = class_splits(source, per_task, generator=make_generator(seed))
    assert [task.classes for task in again] == [task.classes for task in tasks]


def test_an_order_is_kept_and_may_leave_classes_out():
    tasks = class_splits(toy(), 2, order=["e", 0, 2])
    assert [task.classes for task in tasks] == [(4, 0), (2,)]
    assert [task.name for task in tasks] == ["e+a", "c"]


@pytest.mark.parametrize("order", [[0, 0], [], [9], ["z"]])
def test_an_unusable_order_is_refused(order):
    with pytest.raises(ConfigError):
        class_splits(toy(), 2, order=order)


def test_other_refusals():
    with pytest.raises(ConfigError, match="exclude each other"):
        class_splits(toy(), 2, order=[0], generator=make_generator(0))
    with pytest.raises(ConfigError, match="classes_per_task"):
        class_splits(toy(), 0)
    with pytest.raises(ConfigError, match="batch_size"):
        batches(toy().train, 0)
    with pytest.raises(ConfigError, match="batch_size"):
        BatchLoader(toy().train, 0)
    with pytest.raises(ConfigError, match="seed"):
        BatchLoader(toy().train, 2, seed=-1)
    with pytest.raises(ConfigError):
        class_phases(toy(), {"none": []})


def test_phases_come_in_order_and_classes_may_come_back():
    phases = class_phases(toy(), {"second": ["c", "d"], "first": [0], "again": [2]})
    assert [(phase.name, phase.classes) for phase in phases] == [
        ("second", (2, 3)),
        ("first", (0,)),
        ("again", (2,)),
    ]
    assert set(phases[0].train.labels.tolist()) == {2, 3}


def test_a_storm_changes_inputs_and_nothing_else():
    task = class_splits(toy())[0]
    storm = transformed_task(task, invert_tensor, "storm")
    assert storm.name == "storm"
    assert storm.classes == task.classes
    assert torch.allclose(storm.train.inputs, 1 - task.train.inputs)
    assert torch.equal(storm.test.labels, task.test.labels)


@given(st.integers(1, 25), st.one_of(st.none(), st.integers(0, 9)))
def test_batches_give_every_row_once_with_its_label(size, seed):
    data = toy().train
    generator = None if seed is None else make_generator(seed)
    got = list(batches(data, size, generator))
    assert [len(labels) for _, labels in got[:-1]] == [size] * (len(got) - 1)
    x = torch.cat([inputs for inputs, _ in got]).flatten()
    y = torch.cat([labels for _, labels in got])
    rows = (x * 19).round().long()
    assert sorted(rows.tolist()) == list(range(20))
    assert torch.equal(data.labels[rows], y)
    assert (rows.tolist() == list(range(20))) == (seed is None)


def test_batches_of_an_empty_set_are_none():
    empty = toy().train.subset([])
    assert list(batches(empty, 4)) == list(batches(empty, 4, make_generator(0))) == []
    assert len(BatchLoader(empty, 4)) == 0


def test_a_loader_shuffles_every_epoch_anew_and_can_go_back():
    def order(loader):
        return torch.cat([x for x, _ in loader]).flatten().tolist()

    loader = BatchLoader(toy().train, 6, seed=5)
    first, second = order(loader), order(loader)
    assert len(loader) == 4
    assert loader.epoch == 2
    assert sorted(first) == sorted(second)
    assert first != second
    resumed = BatchLoader(toy().train, 6, seed=5)
    resumed.epoch = 1
    assert order(resumed) == second
    plain = BatchLoader(toy().train, 6)
    assert order(plain) == order(plain) == sorted(first)
