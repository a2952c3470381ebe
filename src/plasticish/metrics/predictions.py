"""Numbers read off predictions and scores."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from plasticish.core import DataError, DTypeError, LabelError, ShapeError, check_labels
from plasticish.core.validate import ArrayLike

__all__ = ["accuracy", "auroc", "confusion_matrix", "per_class_accuracy"]


def accuracy(pred: ArrayLike, y: ArrayLike) -> float:
    """Return the share of predictions that are right, in [0, 1].

    Parameters
    ----------
    pred, y : integer arrays of shape (batch,)
        Predicted and true labels. A prediction may be negative ("I do not know"), and is wrong.

    Raises
    ------
    ShapeError, DTypeError, LabelError, DataError
        Not one prediction a label; not integers; a negative true label; nothing to count.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    0.75
    """
    predicted, true = _pair(pred, y)
    return int((predicted == true).sum()) / len(true)


def per_class_accuracy(pred: ArrayLike, y: ArrayLike) -> dict[int, float]:
    """Return, for every label that occurs in ``y``, the share of its rows that are right.

    Examples
    --------
    >>> per_class_accuracy([0, 1, 2, 2], [0, 1, 1, 2])
    {0: 1.0, 1: 0.5, 2: 1.0}
    """
    predicted, true = _pair(pred, y)
    counts = true.bincount()
    right = true[predicted == true].bincount(minlength=len(counts))
    labels = counts.nonzero().flatten()
    shares = right[labels] / counts[labels].double()
    return dict(zip(labels.tolist(), shares.tolist(), strict=True))


def confusion_matrix(
    pred: ArrayLike, y: ArrayLike, num_classes: int | None = None
) -> Int64[Tensor, "classes classes"]:
    """Count how often each true label (row) was called each label (column).

    Parameters
    ----------
    pred, y : integer arrays of shape (batch,)
        Predicted and true labels, all ``>= 0``.
    num_classes : int, optional
        Size of the matrix; by default the largest label in either, plus one.

    Raises
    ------
    ShapeError, DTypeError, LabelError, DataError
        As :func:`accuracy`; also for a negative prediction, and labels beyond ``num_classes``.

    Examples
    --------
    >>> confusion_matrix([0, 1, 0], [0, 1, 1])
    tensor([[1, 0],
            [1, 1]])
    """
    predicted, true = _pair(pred, y)
    high = max(int(predicted.max()), int(true.max()))
    size = high + 1 if num_classes is None else num_classes
    if int(predicted.min()) < 0 or high >= size:
        raise LabelError(
            "a label does not fit the confusion matrix",
            got=str(int(predicted.min()) if int(predicted.min()) < 0 else high),
            expected=f"0 <= label < {size}",
        )
    return (true * size + predicted).bincount(minlength=size * size).reshape(size, size)


def auroc(scores: ArrayLike, is_positive: ArrayLike) -> float:
    r"""Return the chance that a random positive scores above a random negative; ties count half.

    The Mann-Whitney statistic from mid-ranks :math:`r` (Hanley & McNeil 1982, Radiology 143):

    .. math:: AUROC = \frac{\sum_{i \in +} r_i - n_+ (n_+ + 1) / 2}{n_+ n_-}

    Parameters
    ----------
    scores : array of shape (batch,)
        Higher means "rather positive" (stranger, for novelty). Infinite scores have a rank; NaN
        has none and is refused.
    is_positive : array of shape (batch,)
        bool, or integers 0 and 1.

    Raises
    ------
    ShapeError, DTypeError, DataError
        Not one flag a score; flags that are not 0 and 1; NaN; only one kind of flag.

    Examples
    --------
    >>> auroc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    values, positive = _scores(scores, is_positive)
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        raise DataError(
            "AUROC needs both kinds",
            got=f"{positives} positive(s) and {negatives} negative(s)",
            expected="at least one of each",
        )
    _, place, counts = np.unique(values.numpy(), return_inverse=True, return_counts=True)
    # Equal scores share the middle of the ranks that they take up together.
    ranks = (counts.cumsum() - (counts - 1) / 2.0)[place]
    above = float(ranks[positive.numpy()].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def _pair(pred: ArrayLike, y: ArrayLike) -> tuple[Tensor, Tensor]:
    predicted, true = _tensor(pred, "predictions").cpu(), _tensor(y, "labels").cpu()
    if predicted.ndim != 1 or predicted.shape != true.shape:
        raise ShapeError(
            "predictions do not match the labels",
            got=f"{tuple(predicted.shape)} predictions",
            expected=f"{tuple(true.shape)}, one axis",
        )
    if not len(true):
        raise DataError("there is nothing to count", got="0 labels", expected="at least one")
    if predicted.is_floating_point() or predicted.is_complex() or predicted.dtype == torch.bool:
        raise DTypeError(
            "predictions are not integers",
            got=str(predicted.dtype),
            expected="int64",
            cure="take the argmax of probabilities first",
        )
    return predicted.long(), check_labels(true, len(true))


def _scores(scores: ArrayLike, is_positive: ArrayLike) -> tuple[Tensor, Tensor]:
    values, flags = _tensor(scores, "scores").cpu(), _tensor(is_positive, "flags").cpu()
    if values.ndim != 1 or values.shape != flags.shape:
        raise ShapeError(
            "flags do not match the scores",
            got=f"{tuple(flags.shape)} flags",
            expected=f"{tuple(values.shape)}, one axis",
        )
    if values.is_complex() or values.dtype == torch.bool:
        raise DTypeError("scores are not real", got=str(values.dtype), expected="real numbers")
    if values.is_floating_point() and bool(values.isnan().any()):
        raise DataError("scores contain NaN", expected="numbers that can be ordered")
    positive = flags == 1
    if not bool((positive | (flags == 0)).all()):
        raise DTypeError("flags are not yes or no", got=str(flags.dtype), expected="bool, 0 or 1")
    # NumPy knows no bfloat16; every narrower float is exact in a double.
    return values.double() if values.is_floating_point() else values, positive


def _tensor(values: ArrayLike, name: str) -> Tensor:
    if isinstance(values, Tensor):
        return values.detach()
    try:
        return torch.as_tensor(np.asarray(values))
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"{name} are not numbers", got=type(values).__name__, expected="a tensor or an array"
        ) from error
