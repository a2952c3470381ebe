r"""Synaptic tagging and capture: what a strong event nearby makes of a weak memory.

The early phase :math:`h` of a synapse (mV) is set by calcium within a second and forgets within
hours; while it is far from rest the synapse carries a tag. Strong changes anywhere on the neuron
start the synthesis of a protein :math:`p` that all its synapses share; a tagged synapse that finds
protein turns its early phase into a lasting late phase :math:`z`:

.. math::
    \tau_h \dot h &= r\,(h_0 - h) + \gamma_p\,(h_{max} - h)\,[c > \theta_p]
                     - \gamma_d\,h\,[c > \theta_d] \\
    \tau_p \dot p &= -p + [\textstyle\sum_i |h_i - h_0| > \theta_{pro}] \\
    \tau_z \dot z &= p\,(1 - z)\,[h - h_0 > \theta_{tag}]
                     - p\,(z - z_{min})\,[h_0 - h > \theta_{tag}]

(Luboeinski & Tetzlaff 2021, without noise and with the calcium replaced by the time it spends above
its thresholds). Every early phase decays at one rate, so the instants at which tags and protein
synthesis end are known in closed form and a step is exact whatever its length: a night is one step.

References
----------
Luboeinski, J. & Tetzlaff, C. (2021). Memory consolidation and improvement by synaptic tagging and
capture in recurrent neural networks. Communications Biology 4.
Frey, U. & Morris, R. G. M. (1997). Synaptic tagging and long-term potentiation. Nature 385.
Li, Y., Kulvicius, T. & Tetzlaff, C. (2016). Induction and consolidation of calcium-based homo- and
heterosynaptic potentiation and depression. PLoS ONE 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError, check_positive

from .checks import check_events, check_like

__all__ = [
    "TaggingParameters",
    "TaggingState",
    "efficacy",
    "induce",
    "protein_window_s",
    "tag_lifetime_s",
    "tagging_state",
    "tagging_step",
    "tags",
]


@dataclass(frozen=True, kw_only=True)
class TaggingParameters:
    """Constants of the early phase, the tag, the protein and the late phase.

    Attributes
    ----------
    tau_h_s : float
        Time constant of the early phase, s.
    relaxation : float
        Factor of its decay towards rest: it forgets with ``tau_h_s / relaxation`` (1.9 h).
    gamma_p, gamma_d : float
        How much faster calcium above the thresholds moves it, up and down.
    h0, h_max : float
        Early phase at rest and its upper end, mV; its lower end is 0.
    theta_tag : float
        Distance from rest above which a synapse is tagged, as a share of ``h0``.
    theta_protein : float
        Summed distance of a neuron's synapses above which it makes protein, as a share of ``h0``.
    tau_p_s, tau_z_s : float
        Time constants of protein and late phase, s.
    z_min : float
        Lowest late phase; the highest is 1, rest is 0.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> TaggingParameters().theta_tag
    0.2
    """

    tau_h_s: float = 688.4
    relaxation: float = 0.1
    gamma_p: float = 1645.6
    gamma_d: float = 313.1
    h0: float = 4.2007
    h_max: float = 10.0
    theta_tag: float = 0.2
    theta_protein: float = 0.5
    tau_p_s: float = 3600.0
    tau_z_s: float = 3600.0
    z_min: float = -0.5

    def __post_init__(self) -> None:
        names = set(self.__dataclass_fields__) - {"z_min"}
        check_positive(**{name: getattr(self, name) for name in sorted(names)})
        if not self.h0 < self.h_max:
            raise ConfigError(
                "the early phase has no room above rest",
                got=f"h0={self.h0!r}, h_max={self.h_max!r}",
                expected="h0 < h_max",
            )
        if not (isfinite(self.z_min) and self.z_min < 0):
            raise ConfigError("z_min is out of range", got=repr(self.z_min), expected="z_min < 0")


class TaggingState(NamedTuple):
    """Synapses of any number of neurons.

    Attributes
    ----------
    h : Tensor of shape (..., synapses)
        Early phase, mV; the last axis are the synapses of one neuron.
    z : Tensor of shape (..., synapses)
        Late phase in [z_min, 1].
    protein : Tensor of shape (...)
        Protein of each neuron in [0, 1].
    """

    h: Tensor
    z: Tensor
    protein: Tensor


def tagging_state(
    *shape: int,
    parameters: TaggingParameters | None = None,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> TaggingState:
    """Return synapses at rest; ``shape`` ends in the number of synapses of a neuron.

    Examples
    --------
    >>> tagging_state(3, 5).protein.shape
    torch.Size([3])
    """
    rest = (parameters or TaggingParameters()).h0
    h = torch.full(shape, rest, dtype=dtype, device=device)
    return TaggingState(h, torch.zeros_like(h), h.new_zeros(shape[:-1]))


def tags(state: TaggingState, parameters: TaggingParameters) -> Float[Tensor, "*neurons synapses"]:
    """Return 1 for a synapse tagged for potentiation, -1 for depression, 0 for none."""
    away = state.h - parameters.h0
    return away.sign() * (away.abs() > parameters.theta_tag * parameters.h0)


def efficacy(
    state: TaggingState, parameters: TaggingParameters
) -> Float[Tensor, "*neurons synapses"]:
    """Return the strength of each synapse in mV: early phase and late phase together.

    Examples
    --------
    >>> round(float(efficacy(tagging_state(1), TaggingParameters())), 4)
    4.2007
    """
    return state.h + parameters.h0 * state.z


def induce(
    state: TaggingState,
    parameters: TaggingParameters,
    *,
    potentiation_s: Tensor | None = None,
    depression_s: Tensor | None = None,
) -> TaggingState:
    r"""Move the early phase by the time that calcium spent above its thresholds.

    Calcium above the higher threshold is above the lower too, so that potentiation is a tug of
    both: :math:`h` relaxes to :math:`(r h_0 + \gamma_p h_{max})/(r + \gamma_p + \gamma_d)`, and
    under depression alone to :math:`r h_0/(r + \gamma_d)`. This takes about a second and counts
    as an instant beside the hours of consolidation.

    Parameters
    ----------
    potentiation_s, depression_s : Tensor of shape (..., synapses), optional
        Seconds above the higher threshold, and between the two; >= 0. The first comes first.

    Raises
    ------
    ShapeError, DTypeError, DataError
        If they do not fit the state, or are negative or not finite; nothing is changed.

    Examples
    --------
    >>> state = tagging_state(2)
    >>> second = torch.tensor([1.0, 0.0])
    >>> induce(state, TaggingParameters(), potentiation_s=second).h
    tensor([8.1572, 4.2007])
    """
    h, rest, relaxation = state.h, parameters.h0, parameters.relaxation
    up, down = parameters.gamma_p, parameters.gamma_d
    for name, seconds, rate, drive in (
        ("potentiation_s", potentiation_s, relaxation + up + down, up * parameters.h_max),
        ("depression_s", depression_s, relaxation + down, 0.0),
    ):
        if seconds is None:
            continue
        check_events(seconds, name, axes="..., synapses")
        check_like(h, seconds, "the state", name)
        target = (relaxation * rest + drive) / rate
        h = target + (h - target) * torch.exp(-seconds * rate / parameters.tau_h_s)
    return state._replace(h=h)


def tagging_step(
    state: TaggingState, parameters: TaggingParameters, *, dt_s: float = 1.0
) -> TaggingState:
    """Let ``dt_s`` seconds pass without calcium: exact for any length.

    Raises
    ------
    ConfigError
        If ``dt_s`` is not positive.

    Examples
    --------
    A strong event consolidates itself.

    >>> parameters = TaggingParameters()
    >>> strong = tagging_state(1)._replace(h=torch.tensor([10.0]))
    >>> tagging_step(strong, parameters, dt_s=8 * 3600.0).z
    tensor([0.8336])
    """
    check_positive(dt_s=dt_s)
    away = state.h - parameters.h0
    distance = away.abs()
    tagged = _time_above(distance, parameters.theta_tag, parameters).clamp(max=dt_s)
    making = _time_above(distance.sum(-1), parameters.theta_protein, parameters).clamp(max=dt_s)
    peak = 1.0 - (1.0 - state.protein) * torch.exp(-making / parameters.tau_p_s)
    protein = peak * torch.exp(-(dt_s - making) / parameters.tau_p_s)
    captured = _exposure(
        tagged, making[..., None], state.protein[..., None], peak[..., None], parameters
    )
    end = torch.where(away > 0, 1.0, parameters.z_min).to(state.z)
    z = end + (state.z - end) * torch.exp(-captured / parameters.tau_z_s)
    decay = torch.exp(distance.new_tensor(-dt_s * parameters.relaxation / parameters.tau_h_s))
    return TaggingState(parameters.h0 + away * decay, z, protein)


def _time_above(distance: Tensor, share: float, parameters: TaggingParameters) -> Tensor:
    """Return for how many seconds a decaying distance stays above ``share * h0``."""
    ratio = (distance / (share * parameters.h0)).clamp(min=1.0)
    return ratio.log() * (parameters.tau_h_s / parameters.relaxation)


def _exposure(
    tagged: Tensor, making: Tensor, start: Tensor, peak: Tensor, parameters: TaggingParameters
) -> Tensor:
    """Return the integral of the protein over the time that each synapse is tagged.

    The protein rises from ``start`` towards 1 while it is made, and decays from ``peak`` after.
    """
    tau = parameters.tau_p_s
    rising = torch.minimum(tagged, making)
    falling = tagged - rising
    made = rising - (1.0 - start) * tau * -torch.expm1(-rising / tau)
    return made + peak * tau * -torch.expm1(-falling / tau)


def tag_lifetime_s(h: float, parameters: TaggingParameters) -> float:
    """Return for how many seconds a synapse with early phase ``h`` (mV) stays tagged.

    Examples
    --------
    >>> round(tag_lifetime_s(10.0, TaggingParameters()) / 3600, 2)
    3.69
    """
    return _lifetime(h, parameters.theta_tag, parameters)


def protein_window_s(h: float, parameters: TaggingParameters) -> float:
    """Return for how many seconds one synapse at ``h`` (mV) keeps its neuron making protein.

    Examples
    --------
    >>> round(protein_window_s(10.0, TaggingParameters()) / 3600, 2)
    1.94
    """
    return _lifetime(h, parameters.theta_protein, parameters)


def _lifetime(h: float, share: float, parameters: TaggingParameters) -> float:
    distance = torch.tensor(h - parameters.h0, dtype=torch.float64).abs()
    return float(_time_above(distance, share, parameters))
