"""A fixed transform before a learner: the tails of pooled features, tamed."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from plasticish.core import Report, check_features

from .base import Baseline

__all__ = ["PowerTransformed", "signed_sqrt"]


def signed_sqrt(x: Tensor) -> Tensor:
    """Return ``sign(x) sqrt(|x|)``: tames the long tails of pooled features.

    References
    ----------
    Perronnin, Sanchez & Mensink (2010), Improving the Fisher kernel for large-scale image
    classification.

    Examples
    --------
    >>> import torch
    >>> signed_sqrt(torch.tensor([-4.0, 0.0, 9.0]))
    tensor([-2.,  0.,  3.])
    """
    return x.sign() * x.abs().sqrt()


class PowerTransformed:
    """A baseline that sees :func:`signed_sqrt` of its features.

    Parameters
    ----------
    inner : Baseline
        What learns.

    Examples
    --------
    >>> from plasticish.evaluation import NCM
    >>> ncm = PowerTransformed(NCM())
    >>> _ = ncm.learn(([[0.0], [4.0]], [0, 1]))
    >>> ncm.inner.means.flatten().tolist()
    [0.0, 2.0]
    """

    def __init__(self, inner: Baseline) -> None:
        self.inner = inner

    def learn(self, batch: tuple[Any, Any]) -> Report:
        """Learn one batch."""
        return self.inner.learn((self._seen(batch[0]), batch[1]))

    def predict(self, x: Any) -> Tensor:
        """Return the label of each row."""
        return self.inner.predict(self._seen(x))

    def sleep(self) -> Report:
        """Let the inner one sleep."""
        return self.inner.sleep()

    def _seen(self, x: Any) -> Tensor:
        return signed_sqrt(check_features(x, self.inner.width))
