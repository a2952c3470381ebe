"""How strange an input is, judged against what each known class looks like."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn.functional import normalize

from plasticish.core import State

__all__ = ["Familiarity"]

MAHALANOBIS_SHARE = 0.5
STRANGE_QUANTILE = 0.99


@dataclass(frozen=True)
class Familiarity:
    r"""Standardised distance to the nearest known class, in the space that sleep left.

    .. math::
        \nu(z) = -\frac{\max_c \cos(z, m_c) - \mu_1}{\sigma_1}
                 + \tfrac12 \frac{\min_c \lVert z - m_c \rVert^2 - \mu_2}{\sigma_2}

    with :math:`z` the input after the blocks, :math:`m_c` the class means there (the space is
    whitened within classes, so the second term is the Mahalanobis score of Lee et al. [1]_), and
    mean and deviation of both terms taken over memories.

    References
    ----------
    .. [1] K. Lee, K. Lee, H. Lee, J. Shin, "A simple unified framework for detecting
       out-of-distribution samples and adversarial attacks", NeurIPS 2018.
    """

    means: Tensor
    standard: Tensor
    threshold: float

    @classmethod
    def fit(cls, means: Tensor, memories: Tensor) -> Familiarity:
        """Standardise on ``memories`` [n, width], given class ``means`` [classes, width]."""
        raw = torch.stack(_terms(memories, means))
        spread = raw.std(dim=1, unbiased=False).clamp(min=1e-6 * float(raw.abs().max()) + 1e-12)
        fresh = cls(means, torch.stack([raw.mean(dim=1), spread]), 0.0)
        scores = fresh.score(memories)
        return cls(means, fresh.standard, float(torch.quantile(scores, STRANGE_QUANTILE)))

    def score(self, z: Float32[Tensor, "batch width"]) -> Float32[Tensor, " batch"]:
        """Return the strangeness of each row."""
        centre, spread = self.standard
        alike, far = (
            (term - centre[i]) / spread[i] for i, term in enumerate(_terms(z, self.means))
        )
        strangeness: Tensor = MAHALANOBIS_SHARE * far - alike
        return strangeness

    def state(self) -> State:
        """Return what a checkpoint has to hold."""
        return State(
            {"threshold": self.threshold}, {"means": self.means, "standard": self.standard}
        )

    @classmethod
    def from_state(cls, state: State, device: torch.device) -> Familiarity:
        """Put back what :meth:`state` returned."""
        return cls(
            state.tensors["means"].to(device),
            state.tensors["standard"].to(device),
            float(state.values["threshold"]),
        )


def _terms(z: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    alike = (normalize(z, dim=1) @ normalize(means, dim=1).T).amax(dim=1)
    squares = z.square().sum(dim=1, keepdim=True) + means.square().sum(dim=1)
    return alike, (squares - 2 * z @ means.T).amin(dim=1)
