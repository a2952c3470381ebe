"""Sets, splits and their refusals."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import (
    ConfigError,
    DataError,
    DTypeError,
    LabelError,
    ShapeError,
    make_generator,
)
from plasticish.data import LabelledSet, Source, few_shot, load_digits, stratified_split

NAMES = ("cat", "dog", "emu")


def pets(labels=(0, 1, 1, 2, 0)):
    rows = torch.arange(len(labels), dtype=torch.float32)[:, None].repeat(1, 2)
    return LabelledSet(rows, torch.tensor(labels, dtype=torch.int64), NAMES, "pets")


def test_subset_keeps_order_and_names():
    part = pets().subset([3, 0])
    assert part.inputs[:, 0].tolist() == [3, 0]
    assert part.labels.tolist() == [2, 0]
    assert part.classes == NAMES


def test_of_classes_takes_labels_and_names_in_stored_order():
    part = pets().of_classes(["emu", 0])
    assert part.inputs[:, 0].tolist() == [0, 3, 4]
    assert part.labels.tolist() == [0, 2, 0]


@pytest.mark.parametrize("key", [3, -1, "cow"])
def test_an_unknown_class_is_refused(key):
    with pytest.raises(ConfigError, match=r"'pets' has no such class.*cat, dog, emu"):
        pets().of_classes([key])


def test_an_index_outside_is_refused():
    with pytest.raises(ConfigError, match="outside 'pets': got 5 to 5, expected 0 <= index < 5"):
        pets().subset([5])


def test_an_empty_set_is_allowed_and_says_so():
    empty = pets().subset([])
    assert len(empty) == 0
    with pytest.raises(DataError, match="'pets' is empty"):
        empty.map_inputs(lambda x: x)


@pytest.mark.parametrize(
    ("inputs", "labels", "error", "text"),
    [
        (torch.zeros(2), torch.zeros(2, dtype=torch.int64), ShapeError, "inputs of 'x'"),
        (torch.zeros(2, 1), torch.zeros(3, dtype=torch.int64), ShapeError, "do not match"),
        (torch.zeros(0, 1), torch.zeros(1, dtype=torch.int64), ShapeError, "do not match"),
        (torch.zeros(2, 1), torch.zeros(2), DTypeError, "not integers"),
        (torch.zeros(2, 1), torch.tensor([0, 3]), LabelError, "got 3, expected 0 <= label < 3"),
        (torch.zeros(2, 1), torch.tensor([0, -1]), LabelError, "negative"),
    ],
)
def test_parts_that_do_not_fit_are_refused(inputs, labels, error, text):
    with pytest.raises(error, match=text):
        LabelledSet(inputs, labels, NAMES, "x")


def test_map_inputs_equals_one_call_whatever_the_batch():
    doubled = pets().map_inputs(lambda x: 2 * x, batch_size=2)
    assert torch.equal(doubled.inputs, 2 * pets().inputs)
    assert torch.equal(doubled.labels, pets().labels)


def test_a_mapping_that_loses_rows_is_refused():
    with pytest.raises(ShapeError):
        pets().map_inputs(lambda x: x[:1])


def test_a_source_maps_both_parts_even_an_empty_test():
    source = Source(pets(), pets().subset([]), "pets")
    wide = source.map_inputs(lambda x: x.repeat(1, 3))
    assert wide.train.inputs.shape == (5, 6)
    assert wide.test.inputs.shape == (0, 6)


def test_a_source_has_one_list_of_classes():
    other = LabelledSet(torch.zeros(1, 2), torch.tensor([0]), ("cow",), "x")
    with pytest.raises(LabelError, match="name different classes"):
        Source(pets(), other, "pets")


labels_of_three = st.lists(st.integers(0, 2), min_size=1, max_size=60)


@given(labels_of_three, st.floats(0, 0.95), st.integers(0, 99))
def test_a_split_is_a_partition_with_its_share_of_every_class(labels, share, seed):
    data = pets(labels)
    rest, held = stratified_split(data, share, make_generator(seed))
    rows = torch.cat([rest.inputs[:, 0], held.inputs[:, 0]])
    assert sorted(rows.tolist()) == list(range(len(labels)))
    for label in range(3):
        count = labels.count(label)
        out = int((held.labels == label).sum())
        assert abs(out - share * count) <= 1 or count - out == 1
        if count >= 2 and share > 0:
            assert 1 <= out < count
    again = stratified_split(data, share, make_generator(seed))
    assert torch.equal(again[1].inputs, held.inputs)


def test_another_seed_holds_out_other_rows():
    first, second = (stratified_split(pets([0] * 50), 0.5, make_generator(s))[1] for s in (0, 1))
    assert not torch.equal(first.inputs, second.inputs)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ConfigError, match="share is out of range"):
        stratified_split(pets(), share, make_generator(0))


@given(labels_of_three, st.integers(1, 9), st.integers(0, 99))
def test_few_shot_takes_as_many_of_every_class(labels, shots, seed):
    few = few_shot(pets(labels), shots, make_generator(seed))
    for label in range(3):
        assert int((few.labels == label).sum()) == min(shots, labels.count(label))
    assert len(set(few.inputs[:, 0].tolist())) == len(few)
    with pytest.raises(ConfigError):
        few_shot(pets(labels), 0, make_generator(seed))


def test_digits_are_all_there_in_range_and_split_alike():
    digits = load_digits(seed=3)
    assert len(digits.train) + len(digits.test) == 1797
    for part in (digits.train, digits.test):
        assert part.inputs.shape[1] == 64
        assert part.inputs.dtype == torch.float32
        assert float(part.inputs.min()) == 0.0
        assert float(part.inputs.max()) == 1.0
    shares = digits.test.labels.bincount() / digits.train.labels.bincount()
    assert float((shares - 1 / 3).abs().max()) < 0.02
    assert torch.equal(load_digits(seed=3).test.inputs, digits.test.inputs)
    assert not torch.equal(load_digits(seed=4).test.inputs, digits.test.inputs)
    together = torch.cat([digits.train.inputs, digits.test.inputs]).unique(dim=0)
    assert len(together) == 1797  # no digit on both sides
