r"""The accuracy matrix of a stream, and the numbers the field reads off it.

:math:`R_{i,j}` is the accuracy on task *j* after learning task *i*; both run from 1 to *T* in the
equations. Entries above the diagonal (tasks not learned yet) may be NaN for "not measured" unless
a function says that it needs them. All results are plain floats, in units of accuracy (0.01 is
one point).

References
----------
Lopez-Paz, D. & Ranzato, M. (2017). Gradient Episodic Memory for Continual Learning. NeurIPS 30.
Chaudhry, A., Dokania, P. K., Ajanthan, T. & Torr, P. H. S. (2018). Riemannian Walk for Incremental
Learning: Understanding Forgetting and Intransigence. ECCV.
Rebuffi, S.-A., Kolesnikov, A., Sperl, G. & Lampert, C. H. (2017). iCaRL. CVPR (average incremental
accuracy).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from plasticish.core import DataError, DTypeError, ShapeError
from plasticish.core.validate import ArrayLike

__all__ = [
    "average_accuracy",
    "average_incremental_accuracy",
    "backward_transfer",
    "check_accuracy_matrix",
    "forgetting",
    "forward_transfer",
    "retention",
]


def check_accuracy_matrix(R: ArrayLike) -> Float64[Tensor, "tasks tasks"]:
    """Return ``R`` as float64, if it is an accuracy matrix.

    Raises
    ------
    DTypeError, ShapeError, DataError
        Not real numbers; not square or empty; an entry outside [0, 1], or one on or below the
        diagonal that is not finite.

    Examples
    --------
    >>> check_accuracy_matrix([[0.9, float("nan")], [0.8, 0.7]]).shape
    torch.Size([2, 2])
    """
    matrix = _as_doubles(R, "the accuracy matrix")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not len(matrix):
        raise ShapeError(
            "the accuracy matrix has the wrong shape",
            got=str(tuple(matrix.shape)),
            expected="(tasks, tasks)",
        )
    measured = matrix[~matrix.isnan()]
    if measured.numel() and not bool(((measured >= 0) & (measured <= 1)).all()):
        raise DataError(
            "an accuracy is out of range",
            got=f"[{float(measured.min()):.3g}, {float(measured.max()):.3g}]",
            expected="values in [0, 1]",
            cure="divide percentages by 100",
        )
    missing = torch.tril(matrix.isnan()).nonzero()
    if len(missing):
        raise DataError(
            "the accuracy matrix has a gap",
            got=f"NaN at {tuple(missing[0].tolist())}",
            expected="every task measured after itself and after each later one",
        )
    return matrix


def average_accuracy(R: ArrayLike) -> float:
    r"""Return the mean accuracy over all tasks at the end of the stream.

    .. math:: ACC = \frac{1}{T} \sum_{j=1}^{T} R_{T,j}

    Lopez-Paz & Ranzato (2017), eq. 2.

    Examples
    --------
    >>> average_accuracy([[1.0, 0.0], [0.5, 1.0]])
    0.75
    """
    return float(check_accuracy_matrix(R)[-1].mean())


def average_incremental_accuracy(R: ArrayLike) -> float:
    r"""Return the mean, over the stream, of the accuracy on everything learned so far.

    .. math:: AIA = \frac{1}{T} \sum_{i=1}^{T} \frac{1}{i} \sum_{j=1}^{i} R_{i,j}

    Rebuffi et al. (2017).

    Examples
    --------
    >>> average_incremental_accuracy([[1.0, 0.0], [0.5, 1.0]])
    0.875
    """
    matrix = check_accuracy_matrix(R)
    seen = torch.arange(1, len(matrix) + 1, dtype=torch.float64)
    # tril would multiply by zero nothing: it replaces, so NaN above the diagonal does no harm.
    return float((matrix.tril().sum(dim=1) / seen).mean())


def backward_transfer(R: ArrayLike) -> float:
    r"""Return what later learning did to earlier tasks; negative is forgetting.

    .. math:: BWT = \frac{1}{T-1} \sum_{j=1}^{T-1} R_{T,j} - R_{j,j}

    Lopez-Paz & Ranzato (2017), eq. 3. Zero for a single task: nothing came after it.

    Examples
    --------
    >>> backward_transfer([[1.0, 0.0], [0.5, 1.0]])
    -0.5
    """
    matrix = check_accuracy_matrix(R)
    if len(matrix) == 1:
        return 0.0
    return float((matrix[-1] - matrix.diagonal())[:-1].mean())


def forward_transfer(R: ArrayLike, baseline: ArrayLike) -> float:
    r"""Return what earlier learning gave to tasks before they were learned.

    .. math:: FWT = \frac{1}{T-1} \sum_{j=2}^{T} R_{j-1,j} - b_j

    Lopez-Paz & Ranzato (2017), eq. 4. Zero for a single task. Note that a learner that is always
    asked among all classes knows nothing of a class before its task, so that FWT is at most zero.

    Parameters
    ----------
    R : array of shape (tasks, tasks)
        Accuracy matrix, measured just above the diagonal as well.
    baseline : array of shape (tasks,)
        Accuracy :math:`b_j` of an untrained learner on each task.

    Examples
    --------
    >>> forward_transfer([[1.0, 0.5], [0.5, 1.0]], [0.25, 0.25])
    0.25
    """
    matrix = check_accuracy_matrix(R)
    untrained = _as_doubles(baseline, "the baseline")
    if untrained.shape != (len(matrix),):
        raise ShapeError(
            "the baseline has the wrong shape",
            got=str(tuple(untrained.shape)),
            expected=f"({len(matrix)},)",
        )
    if not bool(((untrained >= 0) & (untrained <= 1)).all()):
        raise DataError(
            "the baseline is out of range", got=str(untrained.tolist()), expected="[0, 1]"
        )
    if len(matrix) == 1:
        return 0.0
    ahead = matrix.diagonal(offset=1)
    if bool(ahead.isnan().any()):
        raise DataError(
            "forward transfer needs each task measured just before it is learned",
            got=f"NaN after task {int(ahead.isnan().nonzero()[0])}",
            expected="finite values above the diagonal",
        )
    return float((ahead - untrained[1:]).mean())


def forgetting(R: ArrayLike) -> float:
    r"""Return how far below their best earlier accuracy the tasks ended.

    .. math:: F = \frac{1}{T-1} \sum_{j=1}^{T-1} \max_{l < T} R_{l,j} - R_{T,j}

    Chaudhry et al. (2018), eq. 3; entries that were not measured (NaN) do not count as a best.
    Negative where a task ended better than it ever was. Zero for a single task.

    Examples
    --------
    >>> forgetting([[0.8, 0.0, 0.0], [0.9, 0.7, 0.0], [0.5, 0.6, 1.0]])
    0.25
    """
    matrix = check_accuracy_matrix(R)
    if len(matrix) == 1:
        return 0.0
    best = matrix[:-1, :-1].nan_to_num(nan=-1.0).amax(dim=0)
    return float((best - matrix[-1, :-1]).mean())


def retention(R: ArrayLike) -> list[float]:
    r"""Return, for every task, the share of its accuracy as learned that is left at the end.

    .. math:: K_j = R_{T,j} / R_{j,j}

    The last task keeps 1 by definition. A task that was never learned (:math:`R_{j,j} = 0`) had
    nothing to lose and counts as 1.

    Examples
    --------
    >>> retention([[0.8, 0.0], [0.4, 1.0]])
    [0.5, 1.0]
    """
    matrix = check_accuracy_matrix(R)
    learned = matrix.diagonal()
    kept = torch.where(learned > 0, matrix[-1] / learned.clamp(min=1e-300), 1.0)
    return [float(share) for share in kept]


def _as_doubles(values: ArrayLike, name: str) -> Tensor:
    try:
        tensor = torch.as_tensor(values if isinstance(values, Tensor) else np.asarray(values))
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"{name} is not numbers", got=type(values).__name__, expected="a tensor or an array"
        ) from error
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise DTypeError(f"{name} is not real numbers", got=str(tensor.dtype), expected="floats")
    return tensor.detach().to(device="cpu", dtype=torch.float64)
