r"""Traces: what a spike leaves behind, and what every rule of spike timing has in common.

A trace :math:`x` decays between spikes and is raised by each,

.. math:: \dot x = -x/\tau, \qquad
          x \leftarrow x + s \;\text{(all-to-all)} \quad\text{or}\quad x \leftarrow s
          \;\text{(nearest)}

for an event of size :math:`s` (1 for a spike). The decay over a step is :math:`e^{-dt/\tau}`,
which is exact, so that spikes at the same times give the same traces at every ``dt``.

A rule reads the traces of a step *before* its own events are added, as Pfister & Gerstner (2006)
do, so a pre- and a postsynaptic spike in the same step do not pair. ``coincidence`` says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import exp, isfinite
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError, check_positive

from .parameters import RuleParameters, check_choice

__all__ = [
    "Coincidence",
    "Interaction",
    "TimingParameters",
    "decay",
    "trace_end",
    "trace_window",
    "updated",
]

Interaction = Literal["all_to_all", "nearest"]
Coincidence = Literal["none", "potentiation", "depression", "both"]


@dataclass(frozen=True, kw_only=True)
class TimingParameters(RuleParameters):
    """Time constants and conventions that every rule of spike timing has.

    Attributes
    ----------
    tau_plus, tau_minus : float
        Time constants of potentiation (trace of the presynaptic spikes) and of depression (trace
        of the postsynaptic spikes), in ms, > 0. Defaults: Bi & Poo (1998), as Pfister & Gerstner
        (2006) took them.
    interaction : {"all_to_all", "nearest"}
        Whether every earlier spike counts, or only the last one.
    coincidence : {"none", "potentiation", "depression", "both"}
        What a pre- and a postsynaptic spike of the same step do to each other: nothing, or what
        they would do at a distance of :math:`+0`, :math:`-0`, or both.
    """

    tau_plus: float = 16.8
    tau_minus: float = 33.7
    interaction: str = "all_to_all"
    coincidence: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("interaction", self.interaction, Interaction)
        check_choice("coincidence", self.coincidence, Coincidence)
        for field in fields(self):
            value: Any = getattr(self, field.name)
            if field.name.startswith("tau_"):
                check_positive(**{field.name: value})
            elif field.name.startswith("a") and value is not None and not isfinite(value):
                raise ConfigError(
                    f"{field.name} is out of range", got=repr(value), expected="a finite number"
                )

    @property
    def pairs_potentiate(self) -> bool:
        """Whether a coincident pair potentiates."""
        return self.coincidence in ("potentiation", "both")

    @property
    def pairs_depress(self) -> bool:
        """Whether a coincident pair depresses."""
        return self.coincidence in ("depression", "both")


def decay(dt: float, tau: float) -> float:
    r"""Return :math:`e^{-dt/\tau}`, the share of a trace that is left after ``dt``.

    Examples
    --------
    >>> round(decay(10.0, 20.0), 4)
    0.6065
    """
    return exp(-dt / tau)


def updated(trace: Tensor, events: Tensor, interaction: str) -> Tensor:
    """Return the trace after ``events``: raised by them, or set to those that are not 0.

    Examples
    --------
    >>> float(updated(torch.tensor(0.5), torch.tensor(1.0), "all_to_all"))
    1.5
    >>> float(updated(torch.tensor(0.5), torch.tensor(1.0), "nearest"))
    1.0
    """
    if interaction == "nearest":
        return torch.where(events != 0, events, trace)
    return trace + events


def trace_window(
    events: Float[Tensor, "batch time neurons"],
    start: Float[Tensor, "batch neurons"],
    factor: float,
    interaction: str = "all_to_all",
    *,
    read_after: bool = False,
) -> tuple[Float[Tensor, "batch time neurons"], Float[Tensor, "batch neurons"]]:
    """Return a trace as it is read in every step of a window, and as it is left at the end.

    Parameters
    ----------
    events : Tensor of shape (batch, time, neurons)
        Spikes.
    start : Tensor of shape (batch, neurons)
        The trace as the last window left it.
    factor : float
        :func:`decay` over one step.
    interaction : {"all_to_all", "nearest"}
        How events change the trace.
    read_after : bool
        Whether a step reads the trace with its own events, or without.

    Examples
    --------
    >>> spikes = torch.tensor([[[1.0], [0.0], [0.0]]])
    >>> read, end = trace_window(spikes, torch.zeros(1, 1), 0.5)
    >>> read.flatten().tolist(), end.item()
    ([0.0, 0.5, 0.25], 0.25)
    """
    read = torch.empty_like(events)
    trace = start
    for step, now in enumerate(events.unbind(1)):
        decayed = trace * factor
        trace = updated(decayed, now, interaction)
        read[:, step] = trace if read_after else decayed
    return read, trace


def add_expected(
    into: Float[Tensor, "batch time neurons"],
    events: Float[Tensor, "batch time neurons"],
    factor: float,
    *,
    size: float = 1.0,
    read_after: bool = False,
) -> Float[Tensor, "batch neurons"]:
    """Add the trace of what is still to come to ``into``, which is changed; return the first one.

    The all-to-all trace of :func:`trace_window`, ``size`` times, run backwards. In place, since
    windows are large and fresh memory costs more than the sums.

    Examples
    --------
    >>> spikes, into = torch.tensor([[[0.0], [0.0], [1.0]]]), torch.zeros(1, 3, 1)
    >>> first = add_expected(into, spikes, 0.5)
    >>> into.flatten().tolist(), first.item()
    ([0.25, 0.5, 0.0], 0.25)
    """
    trace = torch.zeros_like(events[:, 0])
    for step in reversed(range(events.shape[1])):
        trace *= factor
        if read_after:
            trace.add_(events[:, step], alpha=size)
            into[:, step] += trace
        else:
            into[:, step] += trace
            trace.add_(events[:, step], alpha=size)
    return trace


def trace_end(
    events: Float[Tensor, "batch time neurons"],
    start: Float[Tensor, "batch neurons"],
    factor: float,
) -> Float[Tensor, "batch neurons"]:
    """Return an all-to-all trace as a window leaves it, for those who do not read it within.

    Examples
    --------
    >>> spikes = torch.tensor([[[1.0], [0.0], [0.0]]])
    >>> trace_end(spikes, torch.zeros(1, 1), 0.5).item()
    0.25
    """
    time = events.shape[1]
    ages = torch.arange(time - 1, -1, -1, dtype=events.dtype, device=events.device)
    weights = torch.full_like(ages, factor) ** ages
    return start * factor**time + (weights @ events)
