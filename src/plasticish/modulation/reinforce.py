r"""REINFORCE for plasticity: what a horizon was worth, and which way that pushes the policy.

.. math:: R = \frac12 \Big(\frac{\Delta p}{s_p} - \frac{\Delta l}{s_l}\Big), \qquad
          g = \frac1h \sum_t \varepsilon^T\,\frac{\partial a_t}{\partial\theta}

:math:`\Delta` is the change of the mean from the previous horizon to this one and :math:`s` its
standard error; :math:`g / \sigma` is the gradient of the logarithm of the chance of the actions
:math:`a_t + \sigma\varepsilon`, whose noise is held through the horizon and whose credit is spread
evenly over it. :math:`\eta\,(R - b)\,g` is the step of Williams (1992) at the rate
:math:`\eta\sigma`, for any baseline :math:`b` that does not depend on the noise. That the rate
falls with :math:`\sigma` is in the spirit of his advice for Gaussian units: otherwise less
exploration would make larger steps of mere noise.

References
----------
Williams, R. J. (1992). Simple statistical gradient-following algorithms for connectionist
reinforcement learning. Machine Learning 8.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .meta_policy import MetaPolicy

__all__ = ["change_reward", "score_gradient"]

CLIP = 3.0


def change_reward(told: Float[Tensor, "2 steps"], horizon: int) -> float:
    """Return the change of performance less loss over the last horizon, in standard errors.

    Parameters
    ----------
    told : Tensor of shape (2, steps)
        Performance and loss, latest last; at least two horizons.
    horizon : int
        Steps of a horizon.

    Returns
    -------
    float
        In [-3, 3]; the clipping keeps a jump of the world from deciding for good.

    Examples
    --------
    >>> change_reward(torch.tensor([[0.0, 1.0] * 4, [0.5] * 8]), horizon=2)
    0.0
    """
    change = told[:, -horizon:].mean(1) - told[:, -2 * horizon : -horizon].mean(1)
    floor = 1e-3 * told.mean(1).abs() + 1e-12
    error = torch.maximum(told.std(1, correction=0), floor) * (2.0 / horizon) ** 0.5
    better = change / error
    return float(((better[0] - better[1]) / 2).clamp(-CLIP, CLIP))


def score_gradient(
    policy: MetaPolicy,
    theta: Float[Tensor, " size"],
    seen: Float[Tensor, "steps layers features"],
    noise: Float[Tensor, "layers outputs"],
) -> Float[Tensor, " size"]:
    """Return :math:`g`, for standard normal ``noise`` added to the actions on what was seen."""
    with torch.enable_grad():
        variable = theta.clone().requires_grad_()
        actions = policy.actions(variable.expand(len(seen), -1), seen)
        score = (actions * noise).sum() / len(seen)
        (gradient,) = torch.autograd.grad(score, variable)
    return gradient
