"""The answering half of a brain: nothing here changes it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from plasticish.core import ArrayLike, NotReadyError
from plasticish.memory import AssociativeCortex, EpisodicMemoryBank
from plasticish.metrics import score

from .explanation import Explanation
from .familiarity import Familiarity
from .layers import LayerStack
from .seeing import Seeing
from .verdict import combine

__all__ = ["Answering"]

NEAREST = 10  # memories of each class that speak


class Answering(LayerStack, Seeing):
    """What a brain can be asked: which class, how sure, how well, why, and how strange."""

    memory: EpisodicMemoryBank
    cortex: AssociativeCortex
    use_cortex: bool
    use_hippocampus: bool
    _familiarity: Familiarity | None

    @property
    def num_classes(self) -> int:
        """Number of classes: fixed, or the largest label ever learned plus one."""
        return max(self.memory.num_classes, self.cortex.num_classes)

    @property
    def novelty_threshold(self) -> float:
        """Novelty that one memory in a hundred exceeds; infinite before the first sleep."""
        return math.inf if self._familiarity is None else self._familiarity.threshold

    def predict_proba(self, x: ArrayLike) -> Float32[Tensor, "batch classes"]:
        """Return the probability of each class; rows sum to one.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        ShapeError, DTypeError, DataError
            Unusable input.
        """
        return self._judge(self.see(x))[0]

    def predict(self, x: ArrayLike) -> Int64[Tensor, " batch"]:
        """Return the most probable label of each row."""
        return self.predict_proba(x).argmax(dim=1)

    def _judge(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if not len(self.memory):
            raise NotReadyError("the brain has learned nothing yet", cure="teach it first")
        counts = self.memory.class_counts
        present = (counts > 0).nonzero().flatten()
        similarity = self.memory.class_similarity(features, NEAREST)
        classes = self.num_classes
        if similarity.shape[1] < classes:
            pad = similarity.new_full((len(similarity), classes - similarity.shape[1]), -1.0)
            similarity = torch.cat([similarity, pad], dim=1)
        if not (self.cortex.slept and self.use_cortex):
            return combine(similarity, present, None, present)
        evidence, known = self.cortex.evidence(features), self.cortex.known_classes
        together = combine(similarity, present, evidence, known)
        return together if self.use_hippocampus else (together[2], *together[1:])

    def evaluate(self, loader: Iterable[Any]) -> dict[str, Any]:
        """Return ``accuracy``, ``per_class`` accuracy and ``count`` over a loader or one batch.

        Raises
        ------
        NotReadyError, ShapeError, DTypeError, DataError, LabelError
            Nothing was learned, or unusable or no input.
        """
        return score(self.predict, loader)

    def why(self, x: ArrayLike) -> Explanation:
        """Return what every part said: blocks, the memories that woke, both votes, novelty."""
        features = self.see(x)
        together, hippocampus, cortex = self._judge(features)
        return Explanation(
            labels=together.argmax(dim=1),
            proba=together,
            hippocampus=hippocampus,
            cortex=cortex,
            recall=self.memory.recall(features),
            novelty=self._strangeness(features),
            layers=self._layer_activity(features),
        )

    def novelty(self, x: ArrayLike) -> Float32[Tensor, " batch"]:
        """Return how strange each input is: about 0 for the familiar, higher for stranger.

        Before the first sleep it is the distance (1 - cosine) to the nearest memory.

        Raises
        ------
        NotReadyError, ShapeError, DTypeError, DataError
            Nothing was learned, or unusable input.
        """
        return self._strangeness(self.see(x))

    def _strangeness(self, features: Tensor) -> Tensor:
        if self._familiarity is None:
            return 1.0 - self.memory.max_similarity(features)
        return self._familiarity.score(features)
