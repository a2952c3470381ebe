r"""Evolution strategy with antithetic perturbations, and the optimiser that follows it.

.. math:: \hat g = \frac{1}{2 n \sigma} \sum_{i=1}^{n}
          \big(J(\theta + \sigma\varepsilon_i) - J(\theta - \sigma\varepsilon_i)\big)\,
          \varepsilon_i, \qquad \varepsilon_i \sim N(0, I)

is an unbiased estimate of the gradient of the smoothed objective
:math:`E_\varepsilon J(\theta + \sigma\varepsilon)` (for a quadratic: of the objective itself).

References
----------
Salimans, T., Ho, J., Chen, X., Sidor, S. & Sutskever, I. (2017). Evolution strategies as a
scalable alternative to reinforcement learning. arXiv:1703.03864.
Kingma, D. P. & Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["AdamState", "adam_ascent", "antithetic_gradient"]


class AdamState(NamedTuple):
    """Moments of the gradient, and the number of steps taken."""

    mean: Tensor
    square: Tensor
    steps: int

    @classmethod
    def zero(cls, size: int) -> AdamState:
        """Return the state before the first step."""
        return cls(torch.zeros(size), torch.zeros(size), 0)


def antithetic_gradient(
    noise: Float[Tensor, "pairs size"],
    plus: Float[Tensor, " pairs"],
    minus: Float[Tensor, " pairs"],
    sigma: float,
) -> Float[Tensor, " size"]:
    """Return the gradient that pairs of evaluations at ``theta ± sigma * noise`` tell.

    Examples
    --------
    >>> noise = torch.tensor([[1.0, 0.0]])
    >>> antithetic_gradient(noise, torch.tensor([3.0]), torch.tensor([1.0]), sigma=0.5)
    tensor([2., 0.])
    """
    return ((plus - minus) @ noise) / (2.0 * sigma * len(noise))


def adam_ascent(
    theta: Float[Tensor, " size"],
    gradient: Float[Tensor, " size"],
    state: AdamState,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.99),
) -> tuple[Float[Tensor, " size"], AdamState]:
    """Return the parameters one Adam step uphill, and the new moments."""
    steps = state.steps + 1
    mean = betas[0] * state.mean + (1 - betas[0]) * gradient
    square = betas[1] * state.square + (1 - betas[1]) * gradient**2
    direction = (mean / (1 - betas[0] ** steps)) / (
        (square / (1 - betas[1] ** steps)).sqrt() + 1e-8
    )
    return theta + rate * direction, AdamState(mean, square, steps)
