"""scikit-learn's own stream learners: what ``partial_fit`` gives without this package."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier
from torch import Tensor

__all__ = ["PartialFit", "mlp", "sgd"]


class PartialFit:
    """An estimator of scikit-learn behind ``learn`` and ``predict``.

    ``partial_fit`` has to be told all classes beforehand, which a stream cannot know; here it is
    told, so that it can be compared at all.
    """

    def __init__(self, estimator: Any, classes: int) -> None:
        self.estimator, self.classes = estimator, np.arange(classes)

    def learn(self, batch: tuple[Tensor, Tensor]) -> dict[str, Any]:
        """Learn one batch."""
        self.estimator.partial_fit(batch[0].numpy(), batch[1].numpy(), classes=self.classes)
        return {}

    def predict(self, x: Tensor) -> Tensor:
        """Return a label for each row."""
        return torch.from_numpy(self.estimator.predict(x.numpy())).long()

    def sleep(self) -> dict[str, Any]:
        """Do nothing: it has no such thing."""
        return {}


def sgd(classes: int, seed: int = 0) -> PartialFit:
    """Return a linear classifier under stochastic gradient descent, logistic loss."""
    return PartialFit(SGDClassifier(loss="log_loss", random_state=seed), classes)


def mlp(classes: int, seed: int = 0) -> PartialFit:
    """Return a network with one hidden layer of 100 units, scikit-learn's default."""
    return PartialFit(MLPClassifier(random_state=seed), classes)
