"""Why a brain answered as it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from plasticish.memory import Recall

__all__ = ["Explanation"]


@dataclass(frozen=True)
class Explanation:
    """What every part of the brain said about a batch of inputs.

    Attributes
    ----------
    labels : Tensor [batch]
        The answer.
    proba : Tensor [batch, classes]
        Probability of each class, both stores together.
    hippocampus, cortex : Tensor [batch, classes]
        Probability of each class by the fast and the slow store alone; a cortex that has not
        slept yet gives zeros.
    recall : Recall
        Which memories spoke, with what label, and how loudly.
    novelty : Tensor [batch]
        How strange the input is; above the brain's ``novelty_threshold`` it is like nothing seen.
    layers : sequence of mapping
        Per block: ``winners`` [batch, k] unit indices, ``code`` [batch, k] their activity, and
        ``gate`` [units].
    """

    labels: Tensor
    proba: Tensor
    hippocampus: Tensor
    cortex: Tensor
    recall: Recall
    novelty: Tensor
    layers: Sequence[Mapping[str, Any]]
