r"""A bounded history of a learner's life, and what can be read off it in no unit at all.

For a quantity :math:`x` with mean :math:`\bar x` and deviation :math:`s` (over at most ``length``
steps, less the last four), its surprise over the last :math:`k` steps is the z-score of their mean:

.. math:: z_k = \frac{\overline{x_{t-k+1..t}} - \bar x}{s / \sqrt k}, \qquad k \in \{1, 4, 16\}

so that a loss in nats and one in volts, a learner that is right in 99 % and one that is right in
30 %, look the same. Surprise is counted where things are *worse* than expected; the time that has
passed since the last one is kept, since a good rate after a change falls like one over the number
of examples seen since (Behrens et al. 2007 find that people do so).

References
----------
Pearce, J. M. & Hall, G. (1980). A model for Pavlovian learning: variations in the effectiveness
of conditioned but not of unconditioned stimuli. Psychological Review 87.
Behrens, T. E. J., Woolrich, M. W., Walton, M. E. & Rushworth, M. F. S. (2007). Learning the value
of information in an uncertain world. Nature Neuroscience 10.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor

__all__ = ["FEATURES", "MetaHistory"]

FEATURES = (
    "one",
    "loss now",
    "loss fast",
    "loss slow",
    "performance fast",
    "performance slow",
    "volatility",
    "age",
    "activity",
    "depth",
)
"""What the policy sees of each layer, in this order; every entry is of order one."""

SPANS = (1, 4, 16)
WARM_UP = 8
SURPRISE = 3.0
CLIP = 5.0


class MetaHistory:
    """The last ``length`` steps of several lives, with the features of the latest.

    Parameters
    ----------
    lives : int
        Number of independent lives kept side by side.
    num_layers : int
        Layers whose activity is kept.
    length : int
        Steps kept; older ones are forgotten.

    Attributes
    ----------
    values : Tensor of shape (lives, 2 + num_layers, steps)
        Performance, loss and the activity of each layer; ``steps <= length``, latest last.
    age : Tensor of shape (lives,), int64
        Steps since the last surprise, or since birth.
    surprise : Tensor of shape (lives,)
        How much worse than usual the last 4 steps were, in standard errors.

    Examples
    --------
    >>> history = MetaHistory(lives=1, num_layers=1, length=50)
    >>> calm = [0.5, 0.6] * 10
    >>> for loss in (*calm, 2.0):
    ...     features = history.append(torch.ones(1, 1), torch.zeros(1), torch.tensor([loss]))
    >>> int(history.age), features.shape
    (0, torch.Size([1, 1, 10]))
    """

    def __init__(self, lives: int, num_layers: int, length: int) -> None:
        self.length = length
        self.values = torch.zeros(lives, 2 + num_layers, 0)
        self.age = torch.zeros(lives, dtype=torch.int64)
        self.surprise = torch.zeros(lives)
        self._depth = (2.0 * torch.arange(num_layers) + 1.0) / num_layers - 1.0

    def append(
        self,
        activity: Float[Tensor, "lives layers"],
        performance: Float[Tensor, " lives"],
        loss: Float[Tensor, " lives"],
    ) -> Float[Tensor, "lives layers features"]:
        """Add one step to every life, forget the oldest, and return the features of this one."""
        latest = torch.cat([performance[:, None], loss[:, None], activity], 1)[:, :, None]
        self.values = torch.cat([self.values, latest], 2)[:, :, -self.length :]
        scores, deviation = self._scores()
        # The mean of both, for either alone may be mere noise; what never varies has no say.
        varies = (self.values[:, :2].amax(2) > self.values[:, :2].amin(2)).sum(1).clamp_min(1)
        self.surprise = (scores[1][:, 1] - scores[1][:, 0]) / varies
        self.age = torch.where(self.surprise > SURPRISE, 0, self.age + 1)
        return self._features(scores, deviation)

    def _scores(self) -> tuple[list[Tensor], Tensor]:
        values, steps = self.values, self.values.shape[2]
        # What is judged has no part in what is usual, or one shock would hide in its own spread.
        usual = values[:, :, : -SPANS[1]] if steps > SPANS[1] else values
        mean = usual.mean(2)
        # A quantity that never varied has no scale but its own size.
        floor = 1e-3 * mean.abs() + 1e-12
        deviation = torch.maximum(usual.std(2, correction=0), floor)
        if steps < WARM_UP + SPANS[1]:
            return [torch.zeros_like(mean) for _ in SPANS], deviation
        scores = []
        for span in SPANS:
            recent = min(span, steps)
            gap = values[:, :, -recent:].mean(2) - mean
            scores.append((gap * math.sqrt(recent) / deviation).clamp(-2 * CLIP, 2 * CLIP))
        return scores, deviation

    def _features(self, scores: list[Tensor], deviation: Tensor) -> Tensor:
        now, fast, slow = (score.clamp(-CLIP, CLIP) / CLIP for score in scores)
        loss = self.values[:, 1, -WARM_UP:]
        spread = loss.std(1, correction=0) / deviation[:, 1]
        age = torch.log1p(self.age.to(fast.dtype)) / math.log1p(self.length)
        common = [
            torch.ones_like(age),
            now[:, 1],
            fast[:, 1],
            slow[:, 1],
            -fast[:, 0],
            -slow[:, 0],
            (spread - 1.0).clamp(-1.0, 2.0),
            age,
        ]
        layers = fast[:, 2:]
        shared = torch.stack(common, 1)[:, None].expand(-1, layers.shape[1], -1)
        depth = self._depth.to(layers.dtype).expand_as(layers)
        return torch.cat([shared, layers[:, :, None], depth[:, :, None]], 2)

    def tensors(self) -> dict[str, Tensor]:
        """Return everything that changes."""
        return {"values": self.values, "age": self.age, "surprise": self.surprise}

    def restore(
        self,
        values: Float[Tensor, "lives channels steps"],
        age: Int64[Tensor, " lives"],
        surprise: Float[Tensor, " lives"],
    ) -> None:
        """Put back what :meth:`tensors` returned."""
        self.values, self.age, self.surprise = values.clone(), age.clone(), surprise.clone()
