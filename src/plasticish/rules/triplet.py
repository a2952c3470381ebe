r"""The triplet rule of spike-timing-dependent plasticity.

.. math::
   w &\leftarrow w - o_1 \left[A_2^- + A_3^- r_2\right] \quad\text{at a presynaptic spike} \\
   w &\leftarrow w + r_1 \left[A_2^+ + A_3^+ o_2\right] \quad\text{at a postsynaptic spike}

with traces :math:`r_1, r_2` of the presynaptic spikes (:math:`\tau_+, \tau_x`) and
:math:`o_1, o_2` of the postsynaptic ones (:math:`\tau_-, \tau_y`). All are read before the spikes
of the step are added, :math:`r_2` and :math:`o_2` whatever ``coincidence`` says: a spike is no
triplet with itself. For Poisson trains of rates :math:`\rho_x, \rho_y` the drift is that of
Bienenstock, Cooper & Munro,

.. math:: \langle \dot w \rangle = \rho_x \rho_y \left(A_2^+ \tau_+ - A_2^- \tau_-
          + A_3^+ \tau_+ \tau_y \rho_y - A_3^- \tau_- \tau_x \rho_x \right).

References
----------
Pfister, J.-P. & Gerstner, W. (2006). Triplets of spikes in a model of spike timing-dependent
plasticity. Journal of Neuroscience 26. Equations 3 and 4; tables 3 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError

from .bounds import scaled_change
from .products import reduced, spike_product
from .spike_checks import check_input
from .traces import TimingParameters, decay, trace_window, updated

__all__ = ["TRIPLET_ROWS", "TripletParameters", "TripletTraces", "triplet_step", "triplet_traces"]
__all__ += ["triplet_window"]

P = TypeVar("P", bound="TripletParameters")

_FIELDS = ("a_plus", "a3_plus", "a_minus", "a3_minus", "tau_x", "tau_y")
TRIPLET_ROWS = MappingProxyType(
    {
        "visual_cortex_all_to_all_full": (5e-10, 6.2e-3, 7e-3, 2.3e-4, 101.0, 125.0),
        "visual_cortex_all_to_all_minimal": (0.0, 6.5e-3, 7.1e-3, 0.0, 101.0, 114.0),
        "visual_cortex_nearest_full": (8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714.0, 40.0),
        "visual_cortex_nearest_minimal": (0.0, 5e-2, 8e-3, 0.0, 714.0, 40.0),
        "hippocampus_all_to_all_full": (6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946.0, 27.0),
        "hippocampus_all_to_all_minimal": (5.3e-3, 8e-3, 3.5e-3, 0.0, 946.0, 40.0),
        "hippocampus_nearest_full": (4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575.0, 47.0),
        "hippocampus_nearest_minimal": (4.6e-3, 9.1e-3, 3e-3, 0.0, 575.0, 48.0),
    }
)
"""The published rows, in the order a_plus, a3_plus, a_minus, a3_minus, tau_x, tau_y."""


@dataclass(frozen=True, kw_only=True)
class TripletParameters(TimingParameters):
    r"""Parameters of the triplet rule; the defaults are :meth:`visual_cortex_all_to_all_minimal`.

    Attributes
    ----------
    a_plus, a_minus : float
        Amplitudes of pairs, :math:`A_2^+` and :math:`A_2^-` (the names that the other rules have).
    a3_plus, a3_minus : float
        Amplitudes of triplets, :math:`A_3^+` (post-pre-post) and :math:`A_3^-` (pre-post-pre).
    tau_x, tau_y : float
        Time constants of the slow traces :math:`r_2` and :math:`o_2`, in ms, > 0.

    Examples
    --------
    >>> TripletParameters(a_minus=0.01).a3_plus
    0.0065
    """

    a_plus: float = 0.0
    a_minus: float = 7.1e-3
    a3_plus: float = 6.5e-3
    a3_minus: float = 0.0
    tau_x: float = 101.0
    tau_y: float = 114.0

    @classmethod
    def published(cls: type[P], row: str, **other: Any) -> P:
        """Return a row of tables 3 and 4 of the paper by its name; ``other`` sets further fields.

        Raises
        ------
        ConfigError
            If :data:`TRIPLET_ROWS` has no such row; the message names those it has.

        Examples
        --------
        >>> TripletParameters.published("hippocampus_nearest_full").interaction
        'nearest'
        """
        if row not in TRIPLET_ROWS:
            raise ConfigError(
                "unknown row of the triplet rule",
                got=repr(row),
                expected="one of: " + ", ".join(TRIPLET_ROWS),
            )
        values = dict(zip(_FIELDS, TRIPLET_ROWS[row], strict=True))
        interaction = "nearest" if "nearest" in row else "all_to_all"
        return cls(**{"interaction": interaction, **values, **other})

    @classmethod
    def visual_cortex_all_to_all_full(cls: type[P], **other: Any) -> P:
        """Visual cortex (Sjöström et al. 2001), all spikes, all four amplitudes."""
        return cls.published("visual_cortex_all_to_all_full", **other)

    @classmethod
    def visual_cortex_all_to_all_minimal(cls: type[P], **other: Any) -> P:
        """Visual cortex, all spikes, with the two amplitudes that its data need."""
        return cls.published("visual_cortex_all_to_all_minimal", **other)

    @classmethod
    def visual_cortex_minimal(cls: type[P], **other: Any) -> P:
        """Short for :meth:`visual_cortex_all_to_all_minimal`."""
        return cls.visual_cortex_all_to_all_minimal(**other)

    @classmethod
    def visual_cortex_nearest_full(cls: type[P], **other: Any) -> P:
        """Visual cortex, nearest spikes, all four amplitudes."""
        return cls.published("visual_cortex_nearest_full", **other)

    @classmethod
    def visual_cortex_nearest_minimal(cls: type[P], **other: Any) -> P:
        """Visual cortex, nearest spikes, with the two amplitudes that its data need."""
        return cls.published("visual_cortex_nearest_minimal", **other)

    @classmethod
    def hippocampus_all_to_all_full(cls: type[P], **other: Any) -> P:
        """Hippocampal culture (Wang et al. 2005), all spikes, all four amplitudes."""
        return cls.published("hippocampus_all_to_all_full", **other)

    @classmethod
    def hippocampus_all_to_all_minimal(cls: type[P], **other: Any) -> P:
        """Hippocampal culture, all spikes, with the three amplitudes that its data need."""
        return cls.published("hippocampus_all_to_all_minimal", **other)

    @classmethod
    def hippocampus_nearest_full(cls: type[P], **other: Any) -> P:
        """Hippocampal culture, nearest spikes, all four amplitudes."""
        return cls.published("hippocampus_nearest_full", **other)

    @classmethod
    def hippocampus_nearest_minimal(cls: type[P], **other: Any) -> P:
        """Hippocampal culture, nearest spikes, with the three amplitudes that its data need."""
        return cls.published("hippocampus_nearest_minimal", **other)


class TripletTraces(NamedTuple):
    """Traces as of the end of the last step.

    Attributes
    ----------
    r1, r2 : Tensor of shape (batch, pre)
        Of the presynaptic spikes, time constants ``tau_plus`` and ``tau_x``.
    o1, o2 : Tensor of shape (batch, post)
        Of the postsynaptic spikes, time constants ``tau_minus`` and ``tau_y``.
    """

    r1: Tensor
    r2: Tensor
    o1: Tensor
    o2: Tensor


def triplet_traces(
    batch: int,
    pre: int,
    post: int,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> TripletTraces:
    """Return traces after a long silence: zeros."""
    widths = (pre, pre, post, post)
    return TripletTraces(*(torch.zeros(batch, n, dtype=dtype, device=device) for n in widths))


def triplet_step(
    pre: Tensor,
    post: Tensor,
    state: TripletTraces | None,
    parameters: TripletParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], TripletTraces]:
    """Return the change that one time step makes, and the traces after it.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, pre) and (batch, post)
        Events of this step: 1 for a spike, 0 for none, or graded.
    state : TripletTraces or None
        What the last step returned; None for silence before.
    parameters : TripletParameters
        The rule.
    dt : float
        Time since the last step, in ms.
    weight : Tensor of shape (post, pre), optional
        Needed unless ``bounds="hard"``.

    Returns
    -------
    change : Tensor of shape (post, pre)
        Reduced over the batch; neither multiplied by the learning rate nor clipped.
    state : TripletTraces

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`plasticish.rules.stdp.stdp_step`.

    Examples
    --------
    Only the second of two postsynaptic spikes makes a triplet with a presynaptic one between:

    >>> rule, spike, none = TripletParameters(), torch.ones(1, 1), torch.zeros(1, 1)
    >>> first, state = triplet_step(none, spike, None, rule)
    >>> _, state = triplet_step(spike, none, state, rule, dt=5.0)
    >>> second, state = triplet_step(none, spike, state, rule, dt=5.0)
    >>> first.item(), round(second.item() / rule.a3_plus, 4)  # exp(-5/16.8) * exp(-10/114)
    (0.0, 0.6802)
    """
    sizes, state, weight = check_input(
        pre, post, state, parameters, dt, weight, rest=triplet_traces, axes=2
    )
    factors = _factors(parameters, dt)
    r1, r2, o1, o2 = (trace * factor for trace, factor in zip(state, factors, strict=True))
    kind = parameters.interaction
    after = TripletTraces(
        updated(r1, pre, kind),
        updated(r2, pre, kind),
        updated(o1, post, kind),
        updated(o2, post, kind),
    )
    seen_r1 = after.r1 if parameters.pairs_potentiate else r1
    seen_o1 = after.o1 if parameters.pairs_depress else o1
    potentiation = (post * (parameters.a_plus + parameters.a3_plus * o2)).T @ seen_r1
    depression = seen_o1.T @ (pre * (parameters.a_minus + parameters.a3_minus * r2))
    change = scaled_change(potentiation, depression, weight, parameters)
    return reduced(change, sizes, parameters), after


def triplet_window(
    pre: Tensor,
    post: Tensor,
    state: TripletTraces | None,
    parameters: TripletParameters,
    *,
    dt: float = 1.0,
    weight: Tensor | None = None,
) -> tuple[Float[Tensor, "post pre"], TripletTraces]:
    """Return the change that a whole window makes, and the traces after it.

    Equal to :func:`triplet_step` over its steps, with the weight held fixed. The traces run through
    the window step by step; the sums over batch and time are two products, both of which have
    spikes on one side.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, time, pre) and (batch, time, post)
        Events of every step.
    state, parameters, dt, weight
        As :func:`triplet_step` takes them; ``dt`` is the length of every step.

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`triplet_step`.

    Examples
    --------
    >>> train = torch.zeros(1, 11, 1)
    >>> post, pre = train.clone(), train.clone()
    >>> post[0, [0, 10]], pre[0, 5] = 1.0, 1.0
    >>> rule = TripletParameters(a3_plus=1.0, a_minus=0.0)
    >>> round(triplet_window(pre, post, None, rule)[0].item(), 4)
    0.6802
    """
    sizes, state, weight = check_input(
        pre, post, state, parameters, dt, weight, rest=triplet_traces, axes=3
    )
    f1, f2, g1, g2 = _factors(parameters, dt)
    kind = parameters.interaction
    r1, r1_end = trace_window(pre, state.r1, f1, kind, read_after=parameters.pairs_potentiate)
    r2, r2_end = trace_window(pre, state.r2, f2, kind)
    o1, o1_end = trace_window(post, state.o1, g1, kind, read_after=parameters.pairs_depress)
    o2, o2_end = trace_window(post, state.o2, g2, kind)
    won = o2.mul_(parameters.a3_plus).add_(parameters.a_plus).mul_(post)
    lost = r2.mul_(parameters.a3_minus).add_(parameters.a_minus).mul_(pre)
    change = scaled_change(spike_product(won, r1), spike_product(o1, lost), weight, parameters)
    after = TripletTraces(r1_end, r2_end, o1_end, o2_end)
    return reduced(change, sizes, parameters), after


def _factors(parameters: TripletParameters, dt: float) -> tuple[float, float, float, float]:
    taus = (parameters.tau_plus, parameters.tau_x, parameters.tau_minus, parameters.tau_y)
    f1, f2, g1, g2 = (decay(dt, tau) for tau in taus)
    return f1, f2, g1, g2
