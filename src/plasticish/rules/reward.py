r"""Reward-modulated spike-timing-dependent plasticity: pairs become eligible, a reward cashes them.

.. math:: \dot e = -e/\tau_e + \mathrm{STDP}(t), \qquad \dot w = M(t)\, e

:math:`M` is what a third factor says: dopamine less its mean, or a temporal-difference error, per
ms and held constant over a step; so a step adds :math:`M_t\, e_t\, \tau_e (1 - e^{-dt/\tau_e})`,
where :math:`e_t` includes the pairs that the step completes.

A reward can be read backwards: a pair completed at :math:`t'` is worth
:math:`R_{t'} = \int_{t'}^\infty M(t) e^{-(t-t')/\tau_e} dt`, so a window is pair STDP whose pairs
are weighed by :math:`R`, one matrix product without any eligibility matrix; that is made once, for
what comes after the window.

References
----------
Izhikevich, E. M. (2007). Solving the distal reward problem through linkage of STDP and dopamine
signaling. Cerebral Cortex 17.
Frémaux, N. & Gerstner, W. (2016). Neuromodulated spike-timing-dependent plasticity, and theory of
three-factor learning rules. Frontiers in Neural Circuits 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import expm1
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ShapeError, check_positive

from .bounds import scaled_change
from .checks import check_finite, check_like
from .products import example_products, reduced, spike_product
from .spike_checks import Sizes, check_input
from .stdp import PairTraces, STDPParameters, pair_traces, pair_window
from .traces import add_expected, decay, trace_window, updated

__all__ = [
    "RewardParameters",
    "RewardTraces",
    "dopamine",
    "reward_step",
    "reward_traces",
    "reward_window",
]

P = TypeVar("P", bound="RewardParameters")


@dataclass(frozen=True, kw_only=True)
class RewardParameters(STDPParameters):
    r"""Parameters of reward-modulated pair STDP.

    Attributes
    ----------
    tau_e : float
        Time constant of the eligibility, in ms, > 0.

    Notes
    -----
    Soft and multiplicative bounds scale the pairs as they become eligible, by the weight of then.

    Examples
    --------
    >>> RewardParameters.izhikevich_2007().tau_e
    1000.0
    """

    tau_e: float = 1000.0

    @classmethod
    def izhikevich_2007(cls: type[P], **other: Any) -> P:
        """Return the eligibility of Izhikevich (2007), 1 s, over his pair rule.

        His potentiation reaches 0.1 mV with 20 ms, his depression 0.15 mV with 20 ms, on weights
        between 0 and 4 mV.
        """
        published = {
            "tau_e": 1000.0,
            "tau_plus": 20.0,
            "tau_minus": 20.0,
            "a_plus": 0.1,
            "a_minus": 0.15,
            "w_max": 4.0,
        }
        return cls(**{**published, **other})


class RewardTraces(NamedTuple):
    """Traces as of the end of the last step.

    Attributes
    ----------
    x, y : Tensor of shape (batch, pre) and (batch, post)
        As in :class:`plasticish.rules.stdp.PairTraces`.
    eligibility : Tensor of shape (batch, post, pre) or (1, post, pre)
        One matrix an example where each has its own reward; one sum over the batch where all share
        a reward.
    """

    x: Tensor
    y: Tensor
    eligibility: Tensor


def reward_traces(
    batch: int,
    pre: int,
    post: int,
    *,
    shared: bool = False,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> RewardTraces:
    """Return the state after a long silence: zeros; ``shared`` for a reward without batch axis."""
    pairs = pair_traces(batch, pre, post, dtype=dtype, device=device)
    matrices = 1 if shared else batch
    return RewardTraces(*pairs, torch.zeros(matrices, post, pre, dtype=dtype, device=device))


def reward_step(
    pre: Tensor,
    post: Tensor,
    reward: Tensor,
    state: RewardTraces | None,
    parameters: RewardParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], RewardTraces]:
    """Return the change that one time step makes, and the traces after it.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, pre) and (batch, post)
        Events of this step: 1 for a spike, 0 for none, or graded.
    reward : Tensor of shape (batch,) or ()
        The modulator :math:`M` during this step, per ms, for every example or shared by all.
    state : RewardTraces or None
        What the last step returned; None for silence before.
    parameters : RewardParameters
        The rule.
    dt : float
        Length of the step in ms: since the last one for traces, until the next for the reward.
    weight : Tensor of shape (post, pre), optional
        Needed unless ``bounds="hard"``.

    Returns
    -------
    change : Tensor of shape (post, pre)
        Reduced over the batch; neither multiplied by the learning rate nor clipped.
    state : RewardTraces

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`plasticish.rules.stdp.stdp_step`; a reward that does not fit the spikes.

    Examples
    --------
    Nothing changes without reward, and a late one still finds its pair:

    >>> rule, spike, none = RewardParameters(), torch.ones(1, 1), torch.zeros(1, 1)
    >>> _, state = reward_step(spike, none, torch.tensor(0.0), None, rule)
    >>> change, state = reward_step(none, spike, torch.tensor(0.0), state, rule)
    >>> change.item()
    0.0
    >>> change, _ = reward_step(none, none, torch.tensor(1.0), state, rule, dt=500.0)
    >>> change.item() > 0
    True
    """
    sizes, state, weight, modulator = _checked(
        pre, post, reward, state, parameters, dt, weight, axes=2
    )
    x, y = state.x * decay(dt, parameters.tau_plus), state.y * decay(dt, parameters.tau_minus)
    after_x = updated(x, pre, parameters.interaction)
    after_y = updated(y, post, parameters.interaction)
    seen_x = after_x if parameters.pairs_potentiate else x
    seen_y = after_y if parameters.pairs_depress else y
    left, right = post[:, None], pre[:, None]
    product = spike_product if len(state.eligibility) < sizes.batch else example_products
    completed = scaled_change(
        parameters.a_plus * product(left, seen_x[:, None]),
        parameters.a_minus * product(seen_y[:, None], right),
        weight,
        parameters,
    )
    eligibility = state.eligibility * decay(dt, parameters.tau_e) + completed
    gain = modulator[:, 0] * _span(parameters, dt)
    change = torch.einsum("b,bij->ij", gain, eligibility)
    return reduced(change, sizes, parameters), RewardTraces(after_x, after_y, eligibility)


def reward_window(
    pre: Tensor,
    post: Tensor,
    reward: Tensor,
    state: RewardTraces | None,
    parameters: RewardParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], RewardTraces]:
    """Return the change that a whole window makes, and the traces after it.

    Equal to :func:`reward_step` over its steps, with the weight held fixed.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, time, pre) and (batch, time, post)
        Events of every step.
    reward : Tensor of shape (batch, time) or (time,)
        The modulator :math:`M` during every step, per ms.
    state, parameters, dt, weight
        As :func:`reward_step` takes them; ``dt`` is the length of every step.

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`reward_step`.

    Examples
    --------
    >>> pre, post = torch.zeros(1, 50, 1), torch.zeros(1, 50, 1)
    >>> pre[0, 0], post[0, 10] = 1.0, 1.0
    >>> reward = torch.zeros(50)
    >>> reward[40] = 1.0
    >>> change, _ = reward_window(pre, post, reward, None, RewardParameters(a_plus=1.0))
    >>> round(change.item(), 3)  # exp(-10 / 16.8) * exp(-30 / 1000)
    0.535
    """
    sizes, state, weight, modulator = _checked(
        pre, post, reward, state, parameters, dt, weight, axes=3
    )
    kept = decay(dt, parameters.tau_e)
    worth = torch.zeros_like(modulator)[..., None]
    first = add_expected(
        worth, modulator[..., None], kept, size=_span(parameters, dt), read_after=True
    )
    pairs = PairTraces(state.x, state.y)
    change, after = pair_window(pre, post, pairs, parameters, weight, dt=dt, gains=worth)
    change = change + kept * torch.einsum("b,bij->ij", first[:, 0], state.eligibility)
    ages = torch.arange(sizes.time - 1, -1, -1, dtype=pre.dtype, device=pre.device)
    left = (torch.full_like(ages, kept) ** ages)[None, :, None]
    product = spike_product if len(state.eligibility) < sizes.batch else example_products
    completed, _ = pair_window(
        pre, post, pairs, parameters, weight, dt=dt, gains=left, product=product
    )
    eligibility = state.eligibility * kept**sizes.time + completed
    return reduced(change, sizes, parameters), RewardTraces(*after, eligibility)


def dopamine(
    delivered: Float[Tensor, "*batch time"],
    *,
    tau: float = 200.0,
    mean: float = 0.0,
    dt: float = 1.0,
) -> Float[Tensor, "*batch time"]:
    r"""Return the modulator that rewards make: dopamine less its mean.

    .. math:: \dot d = -d/\tau + \sum_k r_k \delta(t - t_k), \qquad M = d - \bar d

    Parameters
    ----------
    delivered : Tensor of shape (..., time)
        Size of the reward that comes in each step.
    tau : float
        Time constant of dopamine in ms, > 0; 200 in Izhikevich (2007).
    mean : float
        What is expected, subtracted.
    dt : float
        Length of a step in ms, > 0.

    Examples
    --------
    >>> dopamine(torch.tensor([1.0, 0.0]), tau=1.0, mean=0.1)
    tensor([0.9000, 0.2679])
    """
    check_positive(tau=tau, dt=dt)
    check_finite(delivered, "delivered rewards")
    flat = delivered.reshape(1, -1, delivered.shape[-1]).mT
    level, _ = trace_window(flat, torch.zeros_like(flat[:, 0]), decay(dt, tau), read_after=True)
    return level.mT.reshape(delivered.shape) - mean


def _span(parameters: RewardParameters, dt: float) -> float:
    """Return the integral of a decaying eligibility of 1 over a step."""
    return -parameters.tau_e * expm1(-dt / parameters.tau_e)


def _checked(
    pre: Tensor,
    post: Tensor,
    reward: Tensor,
    state: RewardTraces | None,
    parameters: RewardParameters,
    dt: float,
    weight: Tensor | None,
    *,
    axes: int,
) -> tuple[Sizes, RewardTraces, Tensor, Tensor]:
    """Refuse what does not fit, and return the modulator as [matrices, time]."""
    shared = reward.ndim == axes - 2

    def rest(batch: int, pre: int, post: int, **where: Any) -> RewardTraces:
        return reward_traces(batch, pre, post, shared=shared, **where)

    sizes, state, weight = check_input(
        pre, post, state, parameters, dt, weight, rest=rest, axes=axes
    )
    time = () if axes == 2 else (sizes.time,)
    wanted = time if shared else (sizes.batch, *time)
    if reward.shape != wanted:
        raise ShapeError(
            "the reward does not fit the spikes",
            got=str(tuple(reward.shape)),
            expected=f"{(sizes.batch, *time)}, or {time} for one that all examples share",
        )
    check_finite(reward, "rewards")
    check_like(reward, pre.new_empty(()).expand(wanted), "the reward", "the spikes")
    return sizes, state, weight, reward.reshape(len(state.eligibility), sizes.time)
