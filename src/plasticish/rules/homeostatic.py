r"""Homeostatic spike-timing-dependent plasticity: a triplet rule whose depression tracks the rate.

The minimal triplet rule (:mod:`plasticish.rules.triplet`) with an amplitude of depression that
grows with the square of a slow estimate of each postsynaptic rate,

.. math:: A_2^-(t) = A^-_\kappa \left(\frac{\bar\nu(t)}{\kappa}\right)^2, \qquad
          \tau_{hom} \dot{\bar\nu} = -\bar\nu + \sum_k \delta(t - t_k)

so that a neuron above its target rate :math:`\kappa` loses weight and one below gains. With the
default :math:`A^-_\kappa = \frac{\tau_+}{\tau_-} (A_2^+ + A_3^+ \tau_y \kappa)` the mean drift
under Poisson trains is 0 exactly at the target; for :math:`A_2^+ = 0` this is the rule of the
paper, :math:`A_2^-(t) = A_3^+ \frac{\tau_+ \tau_y}{\tau_-} \frac{\bar\nu^2}{\kappa}`.

References
----------
Zenke, F., Hennequin, G. & Gerstner, W. (2013). Synaptic plasticity in neural networks needs
homeostasis with a fast rate detector. PLoS Computational Biology 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import check_positive

from .bounds import scaled_change
from .products import reduced, spike_product
from .spike_checks import check_input
from .traces import TimingParameters, decay, trace_window, updated

__all__ = [
    "HomeostaticParameters",
    "HomeostaticTraces",
    "homeostatic_step",
    "homeostatic_traces",
    "homeostatic_window",
]

P = TypeVar("P", bound="HomeostaticParameters")


@dataclass(frozen=True, kw_only=True)
class HomeostaticParameters(TimingParameters):
    r"""Parameters of the homeostatic rule; the defaults are :meth:`zenke_2013`.

    Attributes
    ----------
    target_rate : float
        :math:`\kappa`, spikes of a postsynaptic neuron per ms, > 0: with steps of 1 ms the share
        of steps with a spike, so 0.1 is 10 % (100 Hz) and 0.003 is 3 Hz.
    homeostatic_rate : float
        :math:`1/\tau_{hom}` per ms, > 0: how fast the estimate of the rate follows.
    a_plus : float
        Amplitude of pairs that potentiate, :math:`A_2^+`.
    a3_plus : float
        Amplitude of triplets that potentiate, :math:`A_3^+`.
    a_minus : float or None
        Amplitude of depression at the target rate, :math:`A^-_\kappa`; None for the one that
        leaves no drift there. Another one moves the rate at which the drift is zero.
    tau_y : float
        Time constant of the slow postsynaptic trace, in ms, > 0.

    Examples
    --------
    >>> round(1000 * HomeostaticParameters.zenke_2013().depression_at_target, 3)
    1.108
    """

    target_rate: float = 3e-3
    homeostatic_rate: float = 1e-4
    a_plus: float = 0.0
    a3_plus: float = 6.5e-3
    a_minus: float | None = None
    tau_y: float = 114.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(target_rate=self.target_rate, homeostatic_rate=self.homeostatic_rate)

    @classmethod
    def zenke_2013(cls: type[P], **other: Any) -> P:
        """Return the rule of the paper: 3 Hz, a rate detector of 10 s, visual cortex."""
        published = {
            "target_rate": 3e-3,
            "homeostatic_rate": 1e-4,
            "a_plus": 0.0,
            "a3_plus": 6.5e-3,
            "a_minus": None,
            "tau_plus": 16.8,
            "tau_minus": 33.7,
            "tau_y": 114.0,
        }
        return cls(**{**published, **other})

    @property
    def depression_at_target(self) -> float:
        r""":math:`A^-_\kappa`, given or balanced."""
        if self.a_minus is not None:
            return self.a_minus
        potentiation = self.a_plus + self.a3_plus * self.tau_y * self.target_rate
        return self.tau_plus / self.tau_minus * potentiation


class HomeostaticTraces(NamedTuple):
    """Traces as of the end of the last step.

    Attributes
    ----------
    r1 : Tensor of shape (batch, pre)
        Of the presynaptic spikes, time constant ``tau_plus``.
    o1, o2 : Tensor of shape (batch, post)
        Of the postsynaptic spikes, time constants ``tau_minus`` and ``tau_y``.
    share : Tensor of shape (batch, post)
        Estimate of the rate as a share of the target, float64: its steps are very small.
    """

    r1: Tensor
    o1: Tensor
    o2: Tensor
    share: Tensor


def homeostatic_traces(
    batch: int,
    pre: int,
    post: int,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> HomeostaticTraces:
    """Return traces after a long silence, and the rate at its target: nothing to correct yet."""
    r1, o1, o2 = (torch.zeros(batch, n, dtype=dtype, device=device) for n in (pre, post, post))
    share = torch.ones(batch, post, dtype=torch.float64, device=device)
    return HomeostaticTraces(r1, o1, o2, share)


def homeostatic_step(
    pre: Tensor,
    post: Tensor,
    state: HomeostaticTraces | None,
    parameters: HomeostaticParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], HomeostaticTraces]:
    """Return the change that one time step makes, and the traces after it.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, pre) and (batch, post)
        Events of this step: 1 for a spike, 0 for none, or graded.
    state : HomeostaticTraces or None
        What the last step returned; None for silence before, at the target rate.
    parameters : HomeostaticParameters
        The rule.
    dt : float
        Time since the last step, in ms.
    weight : Tensor of shape (post, pre), optional
        Needed unless ``bounds="hard"``.

    Returns
    -------
    change : Tensor of shape (post, pre)
        Reduced over the batch; neither multiplied by the learning rate nor clipped.
    state : HomeostaticTraces

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`plasticish.rules.stdp.stdp_step`.

    Examples
    --------
    >>> rule, spike, none = HomeostaticParameters(), torch.ones(1, 1), torch.zeros(1, 1)
    >>> _, state = homeostatic_step(none, spike, None, rule)
    >>> change, _ = homeostatic_step(spike, none, state, rule)
    >>> change.item() < 0  # post before pre
    True
    """
    sizes, state, weight = check_input(
        pre, post, state, parameters, dt, weight, rest=homeostatic_traces, axes=2
    )
    f1, g1, g2, slow = _factors(parameters, dt)
    r1, o1, o2, share = state.r1 * f1, state.o1 * g1, state.o2 * g2, state.share * slow
    kind = parameters.interaction
    after = HomeostaticTraces(
        updated(r1, pre, kind),
        updated(o1, post, kind),
        updated(o2, post, kind),
        share + _raise(parameters) * post,
    )
    seen_r1 = after.r1 if parameters.pairs_potentiate else r1
    seen_o1 = after.o1 if parameters.pairs_depress else o1
    potentiation = (post * (parameters.a_plus + parameters.a3_plus * o2)).T @ seen_r1
    depression = (parameters.depression_at_target * share.to(o1) ** 2 * seen_o1).T @ pre
    change = scaled_change(potentiation, depression, weight, parameters)
    return reduced(change, sizes, parameters), after


def homeostatic_window(
    pre: Tensor,
    post: Tensor,
    state: HomeostaticTraces | None,
    parameters: HomeostaticParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], HomeostaticTraces]:
    """Return the change that a whole window makes, and the traces after it.

    Equal to :func:`homeostatic_step` over its steps, with the weight held fixed.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, time, pre) and (batch, time, post)
        Events of every step.
    state, parameters, dt, weight
        As :func:`homeostatic_step` takes them; ``dt`` is the length of every step.

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`homeostatic_step`.

    Examples
    --------
    >>> post, pre = torch.zeros(1, 9, 1), torch.zeros(1, 9, 1)
    >>> post[0, 2], pre[0, 5] = 1.0, 1.0
    >>> change, _ = homeostatic_window(pre, post, None, HomeostaticParameters())
    >>> change.item() < 0
    True
    """
    sizes, state, weight = check_input(
        pre, post, state, parameters, dt, weight, rest=homeostatic_traces, axes=3
    )
    f1, g1, g2, slow = _factors(parameters, dt)
    kind = parameters.interaction
    r1, r1_end = trace_window(pre, state.r1, f1, kind, read_after=parameters.pairs_potentiate)
    o1, o1_end = trace_window(post, state.o1, g1, kind, read_after=parameters.pairs_depress)
    o2, o2_end = trace_window(post, state.o2, g2, kind)
    share, share_end = trace_window(_raise(parameters) * post.double(), state.share, slow)
    won = o2.mul_(parameters.a3_plus).add_(parameters.a_plus).mul_(post)
    lost = o1.mul_(share.to(o1).square_()).mul_(parameters.depression_at_target)
    change = scaled_change(spike_product(won, r1), spike_product(lost, pre), weight, parameters)
    after = HomeostaticTraces(r1_end, o1_end, o2_end, share_end)
    return reduced(change, sizes, parameters), after


def _factors(parameters: HomeostaticParameters, dt: float) -> tuple[float, float, float, float]:
    taus = (parameters.tau_plus, parameters.tau_minus, parameters.tau_y)
    f1, g1, g2 = (decay(dt, tau) for tau in taus)
    return f1, g1, g2, decay(dt, 1.0 / parameters.homeostatic_rate)


def _raise(parameters: HomeostaticParameters) -> float:
    """By how much of the target one spike raises the estimate."""
    return parameters.homeostatic_rate / parameters.target_rate
