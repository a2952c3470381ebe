"""From sums to answers: the shrunken linear discriminant that sleep solves for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from plasticish.core import DataError, NotReadyError

from .coactivity import Moments
from .shrinkage import choose_shrinkage

__all__ = ["Readout", "read_out"]

ROUNDING_FLOOR = 1e-4


@dataclass(frozen=True)
class Readout:
    """Log evidence for a class is linear in the code: ``code @ weights + bias``.

    Attributes
    ----------
    weights : Tensor [width, known]
        Float32.
    bias : Tensor [known]
        Float32.
    known : Tensor [known]
        Labels of the columns, ascending.
    shrinkage : float
        How far the covariance was shrunken.
    """

    weights: Tensor
    bias: Tensor
    known: Tensor
    shrinkage: float


def read_out(moments: Moments, shrinkage: float | None) -> Readout:
    """Solve for the discriminant of :class:`~plasticish.memory.AssociativeCortex`.

    Parameters
    ----------
    moments : Moments
        Of the code; ``within`` is overwritten.
    shrinkage : float or None
        ``None`` chooses it (:func:`plasticish.memory.shrinkage.choose_shrinkage`).

    Raises
    ------
    NotReadyError
        If there is no example at all.
    DataError
        If the moments are those of no examples.
    """
    known = moments.known
    if not len(known):
        raise NotReadyError(
            "the cortex has seen nothing yet", cure="teach it with learn((x, y)) first"
        )
    with _of_examples():
        chosen = choose_shrinkage(moments) if shrinkage is None else shrinkage
    means, system = moments.means[known], moments.within
    # With one example a class nothing varies within: the answer is then that of the nearest
    # mean, as sure of itself as the spread of the means allows. The floor lies above the
    # rounding of the float32 products.
    floor = ROUNDING_FLOOR * float(means.square().mean())
    one_each = moments.total <= len(known)
    variance = means.var(dim=0, correction=0) if one_each else system.diagonal()
    scale = max(float(variance.mean()), floor, 1e-30)
    system.diagonal().add_(chosen * scale + floor)
    # Cholesky in place: the system is large, and a second copy of it would set the peak.
    with _of_examples():
        torch.linalg.cholesky(system, out=system)
    weights = torch.cholesky_solve(means.T, system)
    bias = -0.5 * (means.T * weights).sum(dim=0)
    # In the layout that a checkpoint brings back: a product may round by the order of its axes.
    return Readout(weights.float().contiguous(), bias.float(), known, chosen)


@contextmanager
def _of_examples() -> Iterator[None]:
    """Say what it means if a covariance is none: sums of examples never come to that."""
    try:
        yield
    except RuntimeError as error:  # torch does not export its LinAlgError
        raise DataError(
            "the sums of the cortex are those of no examples",
            got=str(error),
            cure="load it from another checkpoint",
        ) from error
