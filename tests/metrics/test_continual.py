"""The accuracy matrix against its definitions, written out as loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import DataError, DTypeError, ShapeError
from plasticish.metrics import (
    average_accuracy,
    average_incremental_accuracy,
    backward_transfer,
    forgetting,
    forward_transfer,
    retention,
)

ALL = (average_accuracy, average_incremental_accuracy, backward_transfer, forgetting, retention)
R = [[0.9, 0.1, 0.2], [0.8, 0.7, 0.3], [0.6, 0.75, 0.95]]
share = st.floats(0, 1)


@st.composite
def matrices(draw):
    tasks = draw(st.integers(1, 6))
    row = st.lists(share, min_size=tasks, max_size=tasks)
    return draw(st.lists(row, min_size=tasks, max_size=tasks))


@given(matrices())
def test_every_number_equals_its_definition(matrix):
    T = len(matrix)
    acc = sum(matrix[T - 1]) / T
    aia = sum(sum(matrix[i][: i + 1]) / (i + 1) for i in range(T)) / T
    assert average_accuracy(matrix) == pytest.approx(acc)
    assert average_incremental_accuracy(matrix) == pytest.approx(aia)
    if T > 1:
        bwt = sum(matrix[-1][j] - matrix[j][j] for j in range(T - 1)) / (T - 1)
        lost = [max(matrix[i][j] for i in range(T - 1)) - matrix[-1][j] for j in range(T - 1)]
        fwt = sum(matrix[j - 1][j] - 0.25 for j in range(1, T)) / (T - 1)
        assert backward_transfer(matrix) == pytest.approx(bwt, abs=1e-12)
        assert forgetting(matrix) == pytest.approx(sum(lost) / (T - 1), abs=1e-12)
        assert forward_transfer(matrix, [0.25] * T) == pytest.approx(fwt, abs=1e-12)


@given(matrices())
def test_forgetting_is_at_least_negative_backward_transfer(matrix):
    # The best earlier accuracy is never below the accuracy as learned.
    assert forgetting(matrix) >= -backward_transfer(matrix) - 1e-12


def test_a_hand_made_stream():
    assert average_accuracy(R) == pytest.approx((0.6 + 0.75 + 0.95) / 3)
    assert average_incremental_accuracy(R) == pytest.approx((0.9 + 0.75 + 2.3 / 3) / 3)
    assert backward_transfer(R) == pytest.approx((-0.3 + 0.05) / 2)
    assert forgetting(R) == pytest.approx((0.3 - 0.05) / 2)
    assert forward_transfer(R, [0, 0.1, 0.1]) == pytest.approx((0.0 + 0.2) / 2)
    assert retention(R) == pytest.approx([0.6 / 0.9, 0.75 / 0.7, 1.0])


def test_what_was_not_measured_above_the_diagonal_does_not_count():
    holes = torch.tensor(R).masked_fill(torch.ones(3, 3).triu(1).bool(), math.nan)
    zeros = torch.tensor(R).tril()
    for metric in ALL:
        assert metric(holes) == metric(zeros)
    with pytest.raises(DataError, match="just before it is learned: got NaN after task 0"):
        forward_transfer(holes, [0.1, 0.1, 0.1])


def test_a_single_task_forgets_nothing():
    one = [[0.4]]
    assert average_accuracy(one) == average_incremental_accuracy(one) == pytest.approx(0.4)
    assert backward_transfer(one) == forgetting(one) == forward_transfer(one, [0.1]) == 0.0
    assert retention(one) == [1.0]


def test_a_task_that_was_never_learned_keeps_everything():
    assert retention([[0.0, 0.0], [0.0, 1.0]]) == [1.0, 1.0]


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("matrix", "error", "text"),
    [
        ([[0.1, 0.2]], ShapeError, r"wrong shape: got \(1, 2\), expected \(tasks, tasks\)"),
        ([0.1], ShapeError, "wrong shape"),
        (torch.zeros(0, 0), ShapeError, "wrong shape"),
        ([[90.0]], DataError, r"out of range: got \[90, 90\].*Divide percentages by 100"),
        ([[-0.1]], DataError, "out of range"),
        ([[math.inf]], DataError, "out of range"),
        ([[math.nan]], DataError, r"has a gap: got NaN at \(0, 0\)"),
        ([[0.1, 0.2], [math.nan, 0.2]], DataError, r"NaN at \(1, 0\)"),
        ([["a"]], DTypeError, "not numbers"),
        ([[0.1, 0.2], [0.1]], DTypeError, "not numbers"),
        ([[True]], DTypeError, "not real"),
    ],
)
def test_what_is_no_accuracy_matrix_is_refused(metric, matrix, error, text):
    with pytest.raises(error, match=text):
        metric(matrix)


@pytest.mark.parametrize("baseline", [[0.1], [0.1, 0.2, 1.2], [0.1, math.nan, 0.1], [[0.1] * 3]])
def test_what_is_no_baseline_is_refused(baseline):
    with pytest.raises((ShapeError, DataError), match="baseline"):
        forward_transfer(R, baseline)
