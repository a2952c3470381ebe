r"""What the continual learner minimises: terms for what is new, and for what is replayed.

.. math::
    L = \ell\big(f(x), y\big) + \beta\, \ell\big(f(x'), y'\big)
        + \alpha\, \lVert f(x') - z' \rVert^2

with :math:`(x', y', z')` a draw from the buffer, :math:`z'` the logits of the
time when the example came in: dark experience replay, DER++ [1]_. Which classes take part in the
softmax is told by a mask:

================ ================================================================================
term             classes
================ ================================================================================
new, plain       all that were ever seen
new, asymmetric  those of the batch only: a new class does not push down the old ones, of which the
                 batch has no examples that would push back (ER-ACE [2]_)
replayed         all that were ever seen
task mode        those of the row's own task
================ ================================================================================

References
----------
.. [1] P. Buzzega et al., "Dark experience for general continual learning: a strong, simple
   baseline", NeurIPS 2020.
.. [2] L. Caccia et al., "New insights on reducing abrupt representation change in online continual
   learning", ICLR 2022.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from plasticish.core import ShapeError

__all__ = ["Criterion", "among", "dark_experience", "supervised"]

Criterion = Callable[[Tensor, Tensor], Tensor]
"""From outputs and targets to their mean loss, a scalar."""


def among(outputs: Tensor, classes: Tensor | None) -> Tensor:
    """Return logits in which only some classes take part.

    Parameters
    ----------
    outputs : Tensor ``[batch, ..., classes]``
        Logits.
    classes : Tensor of bool ``[classes]`` or ``[batch, classes]``, optional
        Which, for all rows or row by row; by default all.

    Examples
    --------
    >>> among(torch.zeros(1, 3), torch.tensor([True, False, True])).softmax(1)
    tensor([[0.5000, 0.0000, 0.5000]])
    """
    if classes is None:
        return outputs
    if classes.ndim == 2:
        classes = classes.reshape(len(classes), *[1] * (outputs.ndim - 2), -1)
    return outputs.masked_fill(~classes, -torch.inf)


def supervised(outputs: Tensor, targets: Tensor, criterion: Criterion | None) -> Float[Tensor, ""]:
    """Return the mean loss of outputs against classes or values.

    Parameters
    ----------
    outputs : Tensor ``[batch, ..., out]``
        Logits, or values.
    targets : Tensor
        Classes (int64, without the last axis), or values.
    criterion : callable, optional
        By default cross-entropy for classes, mean squared error for values.

    Raises
    ------
    ShapeError
        If the criterion returns no scalar.
    """
    if targets.is_floating_point():
        loss = (criterion or functional.mse_loss)(outputs, targets)
    else:
        flat = outputs.reshape(-1, outputs.shape[-1])
        loss = (criterion or functional.cross_entropy)(flat, targets.reshape(-1))
    if loss.ndim:
        raise ShapeError(
            "the criterion returns no scalar",
            got=str(tuple(loss.shape)),
            expected="one number",
            cure="build it with reduction='mean'",
        )
    return loss


def dark_experience(outputs: Tensor, logits: Tensor) -> Float[Tensor, ""]:
    """Return the mean squared distance to the logits of the time (DER, eq. 5)."""
    return functional.mse_loss(outputs, logits)
