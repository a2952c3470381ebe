"""The gate: what passes, as what, and what is refused in which words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from plasticish.core import (
    ConfigError,
    DataError,
    DTypeError,
    LabelError,
    PlasticishError,
    ShapeError,
    check_features,
    check_images,
    check_labels,
    check_positive,
)

ROWS = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "form",
    [ROWS, ROWS.tolist(), ROWS.astype(np.int8), ROWS.astype(">f4"), ROWS.astype(np.float16),
     np.asfortranarray(ROWS), np.flip(np.flip(ROWS).copy()), read_only(ROWS),
     torch.tensor(ROWS), torch.tensor(ROWS, requires_grad=True), ROWS.astype(np.uint32)],
)  # fmt: skip
def test_every_form_of_the_same_numbers_is_one(form: Any) -> None:
    tensor = check_features(form, 2)
    assert tensor.dtype == torch.float32
    assert not tensor.requires_grad
    assert tensor.tolist() == ROWS.tolist()


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.integers(1, 5)),
        elements=st.floats(allow_nan=True, allow_infinity=True, width=64),
    )
)
def test_exactly_the_finite_pass(array: np.ndarray[Any, Any]) -> None:
    with np.errstate(over="ignore"):
        finite = bool(np.isfinite(array.astype(np.float32)).all())
    if finite:
        assert torch.equal(check_features(array, None), torch.from_numpy(array).float())
    else:
        with pytest.raises(DataError, match="NaN or infinity"):
            check_features(array, None)


def test_large_numbers_whose_sum_overflows_are_finite() -> None:
    assert check_features(torch.full((2, 4), 3e38), 4).isfinite().all()


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (
            [1.0, 2.0],
            ShapeError,
            r"features have the wrong shape: got \(2,\), .* Add",
        ),
        (np.ones((2, 2, 2)), ShapeError, r"got \(2, 2, 2\).* one image.*x\[None\]"),
        (np.ones((1, 3, 2, 2)), ShapeError, "through eyes"),
        (torch.eye(2).to_sparse(), DTypeError, r"sparse tensor.*to_dense\(\)"),
        (np.ones((2, 3)), ShapeError, r"got \(2, 3\), expected \(batch, 2\)"),
        (np.ones((0, 2)), DataError, "empty batch: got 0 rows"),
        ([["a", "b"]], DTypeError, "features are not numbers: got list"),
        ([[1], [1, 2]], DTypeError, "not numbers"),
        ([[None, 1.0]], DTypeError, "not numbers"),
        (np.ones((1, 2), dtype=complex), DTypeError, "complex: got torch.complex128"),
        ([[1.0, math.nan], [0.0, 0.0]], DataError, r"1 bad row\(s\), the first at index 0"),
        ([[0.0, 0.0], [math.inf, -math.inf]], DataError, r"1 bad row\(s\), the first at index 1"),
    ],
)
def test_features_that_are_none(x: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_features(x, 2)


def test_a_name_may_be_given() -> None:
    with pytest.raises(ShapeError, match="keys have the wrong shape"):
        check_features([1.0], 1, name="keys")


@pytest.mark.parametrize(
    "labels",
    [[0, 2], (0, 2), np.array([0, 2], dtype=np.uint8), np.array([0, 2], dtype=">i2"),
     torch.tensor([0, 2], dtype=torch.int32), np.array([0, 9, 2])[::2], np.array([2, 0])[::-1]],
)  # fmt: skip
def test_labels_of_every_whole_kind(labels: Any) -> None:
    tensor = check_labels(labels, 2, num_classes=3)
    assert tensor.dtype == torch.int64
    assert tensor.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("y", "error", "text"),
    [
        ([0], ShapeError, r"labels do not match the batch: got \(1,\), expected \(2,\)"),
        ([[0], [1]], ShapeError, r"got \(2, 1\)"),
        ([0.0, 1.0], DTypeError, "labels are not integers: got torch.float64.*PlasticClassifier"),
        ([True, False], DTypeError, "labels are not integers: got torch.bool"),
        (["a", "b"], DTypeError, "labels are not numbers"),
        ([0, -1], LabelError, "a label is negative: got -1"),
        ([0, 3], LabelError, "fixed-class learner: got 3, expected 0 <= label < 3"),
    ],
)
def test_labels_that_are_none(y: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_labels(y, 2, num_classes=3)


def test_images_pass_as_floats_in_three_channels() -> None:
    grey = torch.arange(8, dtype=torch.uint8).reshape(2, 1, 2, 2)
    images = check_images(grey)
    assert images.shape == (2, 3, 2, 2)
    torch.testing.assert_close(images[:, 2], grey[:, 0] / 255)
    floats = torch.rand(2, 3, 4, 5)
    assert torch.equal(check_images(floats), floats)
    assert check_images(np.ones((1, 3, 1, 1), dtype=np.float64)).dtype == torch.float32


@pytest.mark.parametrize(
    ("images", "error", "text"),
    [
        (torch.rand(3, 4, 4), ShapeError, r"wrong shape: got \(3, 4, 4\).*x\[None\]"),
        (torch.rand(2, 4, 4, 3), ShapeError, "Put channels first"),
        (torch.rand(2, 3, 0, 4), ShapeError, "wrong shape"),
        (torch.rand(0, 3, 4, 4), DataError, "empty batch"),
        (torch.rand(1, 3, 2, 2) - 1, DataError, r"out of range: got \[-.*do not normalise|Do not"),
        (torch.full((1, 3, 2, 2), 255.0), DataError, r"out of range: got \[255, 255\]"),
        (torch.full((1, 3, 2, 2), math.nan), DataError, "NaN"),
    ],
)
def test_images_that_are_none(images: Tensor, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        check_images(images)


def test_positive_numbers() -> None:
    check_positive(a=1, b=0.5)
    for bad in (0, -1, math.nan, math.inf, True):
        with pytest.raises(
            ConfigError, match=r"rate is out of range: got .* expected a number > 0"
        ):
            check_positive(fine=1, rate=bad)


def test_every_refusal_of_a_batch_names_a_cure() -> None:
    refusals: list[tuple[Any, Any]] = [
        ([1.0], [0]), ([[1.0, 2.0]], [0]), ([["a"]], [0]), ([[1j]], [0]), ([[math.nan]], [0]),
        (np.ones((0, 1)), []), ([[1.0]], [0, 1]), ([[1.0]], [0.5]), ([[1.0]], [-1]), ([[1.0]], [9]),
        ([[1.0]], ["a"]),
    ]  # fmt: skip
    for x, y in refusals:
        with pytest.raises(PlasticishError) as caught:
            check_labels(y, len(check_features(x, 1)), num_classes=2)
        assert caught.value.cure, str(caught.value)


def test_the_cure_for_an_unknown_label_is_the_learners_own() -> None:
    with pytest.raises(LabelError, match="Build it larger"):
        check_labels([3], 1, num_classes=2, cure="build it larger")
