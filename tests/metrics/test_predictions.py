"""Accuracy, confusion and AUROC against scikit-learn."""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from plasticish.core import DataError, DTypeError, LabelError, ShapeError
from plasticish.metrics import accuracy, auroc, confusion_matrix, per_class_accuracy

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40)
# Few different scores, so that ties are common.
scored = st.lists(
    st.tuples(st.sampled_from([-1.5, 0.0, 0.25, 2.0, 1e9]), st.booleans()), min_size=2, max_size=40
)


@given(pairs)
def test_counts_equal_the_reference(rows):
    pred, y = map(list, zip(*rows, strict=True))
    assert accuracy(pred, y) == pytest.approx(reference.accuracy_score(y, pred))
    expected = reference.confusion_matrix(y, pred, labels=range(6))
    matrix = confusion_matrix(pred, y, 6)
    assert np.array_equal(matrix.numpy(), expected)
    for label, share in per_class_accuracy(pred, y).items():
        assert share == pytest.approx(expected[label, label] / expected[label].sum())
    assert set(per_class_accuracy(pred, y)) == set(y)


@given(scored)
def test_auroc_equals_the_reference_with_ties(rows):
    scores, flags = map(list, zip(*rows, strict=True))
    assume(0 < sum(flags) < len(flags))
    expected = reference.roc_auc_score(flags, scores)
    assert auroc(scores, flags) == pytest.approx(expected, abs=1e-12)
    assert auroc([-s for s in scores], flags) == pytest.approx(1 - expected, abs=1e-12)


def test_auroc_takes_infinite_scores_narrow_floats_and_numbers_as_flags():
    assert auroc([-math.inf, 0.0, math.inf], [0, 1, 1]) == 1.0
    scores = torch.tensor([1.0, 2.0, 3.0], dtype=torch.bfloat16)
    assert auroc(scores, torch.tensor([1, 0, 1])) == 0.5


def test_integer_scores_that_a_double_cannot_tell_apart_are_ranked_exactly():
    assert auroc(torch.tensor([2**53, 2**53 + 1]), [False, True]) == 1.0


def test_i_do_not_know_is_wrong():
    assert accuracy([-1, 1], [0, 1]) == 0.5
    assert per_class_accuracy([-1, 1], [0, 1]) == {0: 0.0, 1: 1.0}


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix, per_class_accuracy])
@pytest.mark.parametrize(
    ("pred", "y", "error", "text"),
    [
        ([0, 1], [0], ShapeError, r"got \(2,\) predictions, expected \(1,\)"),
        ([[0]], [[0]], ShapeError, "do not match"),
        ([], [], DataError, "nothing to count"),
        ([0.5], [0], DTypeError, "argmax"),
        ([True], [0], DTypeError, "not integers"),
        ([0], [0.0], DTypeError, "labels are not integers"),
        ([0], [-1], LabelError, "negative"),
        (["cat"], [0], DTypeError, "not numbers"),
    ],
)
def test_what_cannot_be_counted_is_refused(metric, pred, y, error, text):
    with pytest.raises(error, match=text):
        metric(pred, y)


def test_labels_beyond_the_confusion_matrix_are_refused():
    with pytest.raises(LabelError, match="got 3, expected 0 <= label < 2"):
        confusion_matrix([0, 3], [0, 1], 2)
    with pytest.raises(LabelError, match="got -1"):
        confusion_matrix([0, -1], [0, 1])


@pytest.mark.parametrize(
    ("scores", "flags", "error"),
    [
        ([0.1, 0.2], [True], ShapeError),
        ([0.1, math.nan], [True, False], DataError),
        ([0.1, 0.2], [True, True], DataError),
        ([], [], DataError),
        ([0.1, 0.2], [1, 2], DTypeError),
        ([0.1, 0.2], [0.5, 1.0], DTypeError),
        ([1j, 0.2], [True, False], DTypeError),
        (["a", "b"], [True, False], DTypeError),
    ],
)
def test_what_cannot_be_ranked_is_refused(scores, flags, error):
    with pytest.raises(error):
        auroc(scores, flags)
