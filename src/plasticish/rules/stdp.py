r"""Pair-based spike-timing-dependent plasticity.

.. math:: \Delta w = \begin{cases}
            A_+ e^{-\Delta t/\tau_+} & \Delta t = t_{post} - t_{pre} > 0 \\
            -A_- e^{\Delta t/\tau_-} & \Delta t < 0 \end{cases}

summed over all pairs of spikes, or over nearest ones. With a trace :math:`x` of the presynaptic
and :math:`y` of the postsynaptic spikes (:mod:`plasticish.rules.traces`), a postsynaptic spike adds
:math:`A_+ x` and a presynaptic one takes :math:`A_- y` away.

Over a window of steps the all-to-all rule is one matrix product,

.. math:: \Delta W = \sum_t z_t s_t^\top, \qquad
          z_t = A_+ \sum_{t' > t} e^{-(t'-t) dt/\tau_+} p_{t'} - A_- y_t

of the presynaptic spikes :math:`s` with what the postsynaptic spikes :math:`p` still will do and
have done: the trace is moved from the one side of the product to the other.

References
----------
Bi, G. Q. & Poo, M. M. (1998). Synaptic modifications in cultured hippocampal neurons. Journal of
Neuroscience 18.
Morrison, A., Diesmann, M. & Gerstner, W. (2008). Phenomenological models of synaptic plasticity
based on spike timing. Biological Cybernetics 98.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .bounds import scaled_change
from .products import events_pay, reduced, spike_product
from .spike_checks import check_input
from .traces import TimingParameters, add_expected, decay, trace_end, trace_window, updated

__all__ = [
    "PairTraces",
    "STDPParameters",
    "pair_traces",
    "pair_window",
    "stdp_step",
    "stdp_window",
]

Product = Callable[[Tensor, Tensor], Tensor]
LONG = 32  # steps from which every neuron has events enough for a list of its own
P = TypeVar("P", bound="STDPParameters")


@dataclass(frozen=True, kw_only=True)
class STDPParameters(TimingParameters):
    """Parameters of the pair rule; the defaults are those of :meth:`hippocampal_culture`.

    Attributes
    ----------
    a_plus, a_minus : float
        Change of the weight by one pair at a vanishing distance, in the unit of the weight.
        Positive values potentiate and depress; the opposite signs make an anti-Hebbian rule.

    Examples
    --------
    >>> STDPParameters(tau_plus=20.0, a_plus=0.01).tau_minus
    33.7
    """

    a_plus: float = 0.777 / 60
    a_minus: float = 0.273 / 60

    @classmethod
    def hippocampal_culture(cls: type[P], **other: float | str) -> P:
        """Return what Bi & Poo (1998, Fig. 7) measured, a sixtieth of it a pair.

        60 pairings changed synapses between cultured hippocampal neurons by up to +77.7 % and
        -27.3 % of their weight, with time constants of 16.8 and 33.7 ms.

        Examples
        --------
        >>> round(STDPParameters.hippocampal_culture().a_plus * 60, 3)
        0.777
        """
        return cls(
            tau_plus=16.8,
            tau_minus=33.7,
            a_plus=0.777 / 60,
            a_minus=0.273 / 60,
            **other,  # type: ignore[arg-type]
        )


class PairTraces(NamedTuple):
    """Traces as of the end of the last step.

    Attributes
    ----------
    x : Tensor of shape (batch, pre)
        Of the presynaptic spikes, time constant ``tau_plus``.
    y : Tensor of shape (batch, post)
        Of the postsynaptic spikes, time constant ``tau_minus``.
    """

    x: Tensor
    y: Tensor


def pair_traces(
    batch: int,
    pre: int,
    post: int,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> PairTraces:
    """Return traces after a long silence: zeros."""
    return PairTraces(
        torch.zeros(batch, pre, dtype=dtype, device=device),
        torch.zeros(batch, post, dtype=dtype, device=device),
    )


def stdp_step(
    pre: Tensor,
    post: Tensor,
    state: PairTraces | None,
    parameters: STDPParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], PairTraces]:
    """Return the change that one time step makes, and the traces after it.

    Parameters
    ----------
    pre : Tensor of shape (batch, pre)
        Presynaptic events of this step: 1 for a spike, 0 for none, or graded.
    post : Tensor of shape (batch, post)
        Postsynaptic events.
    state : PairTraces or None
        What the last step returned; None for silence before.
    parameters : STDPParameters
        The rule.
    dt : float
        Time since the last step, in ms.
    weight : Tensor of shape (post, pre), optional
        Needed unless ``bounds="hard"``.

    Returns
    -------
    change : Tensor of shape (post, pre)
        Reduced over the batch; neither multiplied by the learning rate nor clipped, see
        :func:`plasticish.rules.bounds.bounded`.
    state : PairTraces

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`plasticish.rules.checks.check_spikes` and its neighbours refuse.

    Examples
    --------
    A presynaptic spike, and a postsynaptic one 10 ms later:

    >>> rule, spike, none = STDPParameters(), torch.ones(1, 1), torch.zeros(1, 1)
    >>> _, state = stdp_step(spike, none, None, rule)
    >>> change, _ = stdp_step(none, spike, state, rule, dt=10.0)
    >>> round(change.item() / rule.a_plus, 4)  # exp(-10 / 16.8)
    0.5514
    """
    sizes, state, weight = check_input(
        pre, post, state, parameters, dt, weight, rest=pair_traces, axes=2
    )
    x = state.x * decay(dt, parameters.tau_plus)
    y = state.y * decay(dt, parameters.tau_minus)
    after = PairTraces(
        updated(x, pre, parameters.interaction), updated(y, post, parameters.interaction)
    )
    seen_x = after.x if parameters.pairs_potentiate else x
    seen_y = after.y if parameters.pairs_depress else y
    potentiation = parameters.a_plus * (post.T @ seen_x)
    depression = parameters.a_minus * (seen_y.T @ pre)
    change = scaled_change(potentiation, depression, weight, parameters)
    return reduced(change, sizes, parameters), after


def stdp_window(
    pre: Tensor,
    post: Tensor,
    state: PairTraces | None,
    parameters: STDPParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], PairTraces]:
    """Return the change that a whole window makes, and the traces after it.

    Equal to :func:`stdp_step` over its steps, with the weight held fixed.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, time, pre) and (batch, time, post)
        Events of every step.
    state, parameters, dt, weight
        As :func:`stdp_step` takes them; ``dt`` is the length of every step.

    Returns
    -------
    change : Tensor of shape (post, pre)
    state : PairTraces

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`stdp_step`.

    Examples
    --------
    >>> pre, post = torch.zeros(1, 20, 1), torch.zeros(1, 20, 1)
    >>> pre[0, 0], post[0, 10] = 1.0, 1.0
    >>> change, _ = stdp_window(pre, post, None, STDPParameters(a_plus=1.0))
    >>> round(change.item(), 4)
    0.5514
    """
    sizes, state, weight = check_input(
        pre, post, state, parameters, dt, weight, rest=pair_traces, axes=3
    )
    change, after = pair_window(pre, post, state, parameters, weight, dt=dt)
    return reduced(change, sizes, parameters), after


def pair_window(
    pre: Float[Tensor, "batch time pre"],
    post: Float[Tensor, "batch time post"],
    state: PairTraces,
    parameters: STDPParameters,
    weight: Tensor,
    *,
    dt: float,
    gains: Float[Tensor, "#batch time 1"] | None = None,
    product: Product = spike_product,
) -> tuple[Float[Tensor, "*each post pre"], PairTraces]:
    """Return what the pairs of a window come to, and the traces after it.

    Pairs that a step completes are weighed by its gain; ``product`` sums over the batch, or leaves
    the examples apart. Nothing is checked.
    """
    plus, minus = decay(dt, parameters.tau_plus), decay(dt, parameters.tau_minus)
    kind = parameters.interaction
    simple = kind == "all_to_all" and parameters.bounds == "hard"
    whole = gains is None and product is spike_product and pre.shape[1] >= LONG
    if simple and whole and events_pay(pre, post, *state):
        return _by_events(pre, post, state, parameters, plus, minus)
    y, y_end = trace_window(post, state.y, minus, kind, read_after=parameters.pairs_depress)
    won, lost = post, y.mul_(-parameters.a_minus)
    if gains is not None:
        won, lost = gains * post, lost.mul_(gains)
    if not simple:
        x, x_end = trace_window(pre, state.x, plus, kind, read_after=parameters.pairs_potentiate)
        potentiation = parameters.a_plus * product(won, x)
        change = scaled_change(potentiation, -product(lost, pre), weight, parameters)
        return change, PairTraces(x_end, y_end)
    # The trace that potentiates, run backwards over the spikes that will read it. What it is
    # before the first step is what they all will read of the trace carried in.
    first = add_expected(
        lost, won, plus, size=parameters.a_plus, read_after=parameters.pairs_potentiate
    )
    change = product(lost, pre) + product(plus * first[:, None], state.x[:, None])
    return change, PairTraces(trace_end(pre, state.x, plus), y_end)


def _by_events(
    pre: Tensor, post: Tensor, state: PairTraces, parameters: STDPParameters, *decays: float
) -> tuple[Tensor, PairTraces]:
    """Return what :func:`pair_window` does, from one pass over the spikes."""
    from .events import pair_product  # the compiler is slow to load, and often not needed

    plus, minus = decays
    s, p, y = (tensor.detach().contiguous().numpy() for tensor in (pre, post, state.y))
    factors = np.array([plus, parameters.a_plus, minus, parameters.a_minus], p.dtype)
    after = np.array([parameters.pairs_potentiate, parameters.pairs_depress], p.dtype)
    summed, first, y_end = map(torch.from_numpy, pair_product(s, p, y, factors, after))
    change = summed.T
    if state.x.any():  # what the first step still has of it, all later ones read
        change = change + plus * first.T @ state.x
    return change, PairTraces(trace_end(pre, state.x, plus), y_end)
