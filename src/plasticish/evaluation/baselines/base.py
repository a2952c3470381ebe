"""What every baseline shares: the input gate, growing classes, and never guessing a class unseen.

A subclass says how it learns a checked batch (:meth:`Baseline._learn`) and how loudly each class
speaks for a row (:meth:`Baseline._scores`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from plasticish.core import NotReadyError, Report, as_pair, check_features, check_labels

__all__ = ["Baseline", "grown"]


def grown(tensor: Tensor, rows: int) -> Tensor:
    """Return ``tensor`` with zero rows appended until it has ``rows`` of them.

    Examples
    --------
    >>> grown(torch.ones(1, 2), 2)
    tensor([[1., 1.],
            [0., 0.]])
    """
    missing = rows - tensor.shape[0]
    if missing <= 0:
        return tensor
    return torch.cat([tensor, tensor.new_zeros(missing, *tensor.shape[1:])])


class Baseline(ABC):
    """A learner to stand beside: features in, classes grow as labels appear.

    Attributes
    ----------
    width : int or None
        Features a row; fixed by the first batch.
    counts : Tensor
        Examples seen of each class, int64 ``[classes]``.
    """

    def __init__(self) -> None:
        self.width: int | None = None
        self.counts = torch.zeros(0, dtype=torch.int64)

    @property
    def num_classes(self) -> int:
        """One more than the highest label seen."""
        return len(self.counts)

    def learn(self, batch: tuple[Any, Any]) -> Report:
        """Learn one batch of features ``[batch, width]`` and labels ``[batch]``.

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError
            If the batch is not usable; nothing was learned from it then.
        """
        features, labels = as_pair(batch)
        x = check_features(features, self.width)
        y = check_labels(labels, len(x))
        self.width = x.shape[1]
        before = self.num_classes
        self.counts = grown(self.counts, int(y.max()) + 1)
        if self.num_classes > before:
            self._grow(self.num_classes, self.width)
        self._learn(x, y)
        self.counts += torch.bincount(y, minlength=self.num_classes)
        return {"examples": len(x), "classes": int((self.counts > 0).sum())}

    @torch.no_grad()
    def predict(self, x: Any) -> Int64[Tensor, " batch"]:
        """Return the label of each row; only classes that were seen are ever answered.

        Raises
        ------
        NotReadyError
            If nothing has been learned yet.
        """
        if self.num_classes == 0:
            raise NotReadyError(
                f"{type(self).__name__} knows no class", cure="call learn((x, y)) first"
            )
        scores = self._scores(check_features(x, self.width))
        return scores.masked_fill(self.counts == 0, -torch.inf).argmax(dim=1)

    def sleep(self) -> Report:
        """Do what is done offline, if there is anything."""
        return {}

    def stats(self) -> Report:
        """Return how much was seen."""
        return {"seen": int(self.counts.sum()), "classes": int((self.counts > 0).sum())}

    def _grow(self, classes: int, width: int) -> None:  # noqa: B027 (not every one has room to make)
        """Make room for ``classes`` classes; called before the batch that brings them."""

    @abstractmethod
    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        """Learn a checked batch; ``counts`` are still those before it."""

    @abstractmethod
    def _scores(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch classes"]:
        """Return how loudly each class speaks for each row."""
