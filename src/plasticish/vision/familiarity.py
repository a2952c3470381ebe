"""How strange an input is, judged against what each known class looks like."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float32
from torch import Tensor
from torch.nn.functional import normalize

from plasticish.core import State
from plasticish.memory import Moments

__all__ = ["Familiarity"]

TENSORS = ("centre", "factor", "means", "standard")
SHRINKAGE = 0.3
ROUNDING_FLOOR = 1e-4
WEIGHTS = (1.0, 0.5, 0.5)  # of direction, evidence and distance
STRANGE_QUANTILE = 0.99


@dataclass(frozen=True)
class Familiarity:
    r"""How little an input is like any known class, in a space whitened within classes.

    .. math::
        \nu(z) = -\Big( \tilde a(z) + \tfrac12 \tilde b(z) + \tfrac12 \tilde d(z) \Big), \qquad
        a = \max_c \cos(z, m_c), \quad b = \max_c z^T m_c - \tfrac12 m_c^T m_c, \quad
        d = -\min_c \lVert z - m_c \rVert^2

    with :math:`z = L^{-1}(x - \mu)`, :math:`L L^T = S_w + e\,\tfrac{\mathrm{tr} S_w}{D} I`, and
    :math:`m_c` the class means there: :math:`d` is the Mahalanobis score of Lee et al. [1]_ and
    :math:`b` the strongest evidence, whose use goes back to Hendrycks and Gimpel [2]_. Each term
    is standardised (tilde) by its mean and deviation over memories.

    References
    ----------
    .. [1] K. Lee, K. Lee, H. Lee, J. Shin, "A simple unified framework for detecting
       out-of-distribution samples and adversarial attacks", NeurIPS 2018.
    .. [2] D. Hendrycks, K. Gimpel, "A baseline for detecting misclassified and
       out-of-distribution examples in neural networks", ICLR 2017.
    """

    centre: Tensor
    factor: Tensor
    means: Tensor
    standard: Tensor
    threshold: float

    @classmethod
    def fit(cls, moments: Moments, memories: Tensor) -> Familiarity:
        """Whiten by ``moments`` of the features, and standardise on ``memories`` [n, width]."""
        means = moments.means[moments.known].float()
        within = moments.within.float()
        # With one example a class the scatter is rounding noise, of either sign.
        floor = ROUNDING_FLOOR * float(means.square().mean())
        scale = max(float(within.diagonal().mean()), floor, 1e-30)
        within.diagonal().add_(SHRINKAGE * scale + floor)
        centre = means.mean(dim=0)
        factor = torch.linalg.cholesky(within).contiguous()  # as a checkpoint has it
        blank = torch.stack([torch.zeros(3), torch.ones(3)]).to(means)
        fresh = cls(centre, factor, _whitened(means, centre, factor), blank, 0.0)
        terms = fresh.terms(memories)
        spread = terms.std(dim=1, unbiased=False).clamp(min=1e-6 * float(terms.abs().max()) + 1e-6)
        standard = torch.stack([terms.mean(dim=1), spread])
        scores = replace(fresh, standard=standard).score(memories)
        threshold = float(torch.quantile(scores, STRANGE_QUANTILE))
        return replace(fresh, standard=standard, threshold=threshold)

    def score(self, x: Float32[Tensor, "batch width"]) -> Float32[Tensor, " batch"]:
        """Return the strangeness of each row."""
        centre, spread = self.standard
        standardised = (self.terms(x) - centre[:, None]) / spread[:, None]
        familiar: Tensor = torch.tensor(WEIGHTS, device=x.device) @ standardised
        return -familiar

    def terms(self, x: Float32[Tensor, "batch width"]) -> Float32[Tensor, "3 batch"]:
        """Return direction, evidence and distance, each higher for the familiar."""
        z = _whitened(x, self.centre, self.factor)
        alike = (normalize(z, dim=1) @ normalize(self.means, dim=1).T).amax(dim=1)
        evidence = z @ self.means.T - 0.5 * self.means.square().sum(dim=1)
        # |z - m|^2 = |z|^2 - 2 evidence: the nearest mean has the strongest evidence.
        strongest = evidence.amax(dim=1)
        return torch.stack([alike, strongest, 2 * strongest - z.square().sum(dim=1)])

    def state(self) -> State:
        """Return what a checkpoint has to hold."""
        return State({"threshold": self.threshold}, {key: getattr(self, key) for key in TENSORS})

    @classmethod
    def from_state(cls, state: State, device: torch.device) -> Familiarity:
        """Put back what :meth:`state` returned."""
        tensors = {key: state.tensors[key].to(device) for key in TENSORS}
        return cls(**tensors, threshold=float(state.values["threshold"]))


def _whitened(x: Tensor, centre: Tensor, factor: Tensor) -> Tensor:
    white: Tensor = torch.linalg.solve_triangular(factor, (x - centre).T, upper=False)
    return white.T
