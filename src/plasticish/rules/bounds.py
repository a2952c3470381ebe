r"""What keeps a weight within its bounds.

Three conventions are in use, and which one is meant changes what a rule converges to:

``"hard"``
    The change does not depend on the weight; the sum is clipped to ``[w_min, w_max]``. Weights
    pile up at both ends (Song, Miller & Abbott 2000).
``"soft"``
    .. math:: f_+(w) = \left(\frac{w_{max} - w}{w_{max} - w_{min}}\right)^\mu, \qquad
              f_-(w) = \left(\frac{w - w_{min}}{w_{max} - w_{min}}\right)^\mu

    scale potentiation and depression (Gütig, Aharonov, Rotter & Sompolinsky 2003).
``"multiplicative"``
    Potentiation does not depend on the weight, depression is proportional to it:
    :math:`f_+ = 1, f_- = (w - w_{min})/(w_{max} - w_{min})` (van Rossum, Bi & Turrigiano 2000).

The scaled changes are clipped too, since a large step could still leave the bounds.

References
----------
Song, S., Miller, K. D. & Abbott, L. F. (2000). Competitive Hebbian learning through
spike-timing-dependent synaptic plasticity. Nature Neuroscience 3.
van Rossum, M. C. W., Bi, G. Q. & Turrigiano, G. G. (2000). Stable Hebbian learning from
spike timing-dependent plasticity. Journal of Neuroscience 20.
Gütig, R., Aharonov, R., Rotter, S. & Sompolinsky, H. (2003). Learning input correlations through
nonlinear temporally asymmetric Hebbian plasticity. Journal of Neuroscience 23.
"""

from __future__ import annotations

from torch import Tensor

from .parameters import RuleParameters

__all__ = ["bounded", "scaled_change"]


def scaled_change(
    potentiation: Tensor, depression: Tensor, weight: Tensor, parameters: RuleParameters
) -> Tensor:
    """Return ``f+(w) * potentiation - f-(w) * depression`` by the bounds of ``parameters``.

    Parameters
    ----------
    potentiation, depression : Tensor of shape (post, pre)
        Amounts >= 0 that would be added and taken away if the weight did not matter.
    weight : Tensor of shape (post, pre)
        Weights that the amounts are scaled by.
    parameters : RuleParameters
        ``bounds``, ``w_min``, ``w_max`` and ``mu``.

    Examples
    --------
    >>> import torch
    >>> one, weight = torch.ones(1, 1), torch.full((1, 1), 0.25)
    >>> float(scaled_change(one, one, weight, RuleParameters(bounds="soft")))
    0.5
    """
    if parameters.bounds == "hard":
        return potentiation - depression
    share = (weight - parameters.w_min) / (parameters.w_max - parameters.w_min)
    if parameters.bounds == "multiplicative":
        return potentiation - share * depression
    # Rounding may leave the share a hair outside [0, 1], where a power of it is NaN.
    share = share.clamp(0.0, 1.0)
    return (1.0 - share) ** parameters.mu * potentiation - share**parameters.mu * depression


def bounded(weight: Tensor, change: Tensor, parameters: RuleParameters) -> Tensor:
    """Return ``weight + learning_rate * change``, clipped to the bounds.

    Examples
    --------
    >>> import torch
    >>> float(bounded(torch.tensor(0.9), torch.tensor(0.3), RuleParameters()))
    1.0
    """
    return (weight + parameters.learning_rate * change).clamp(parameters.w_min, parameters.w_max)
