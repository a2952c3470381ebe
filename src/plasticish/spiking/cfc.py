r"""Closed-form continuous-time cells: a liquid neuron without a differential equation solver.

The state at time :math:`t` after the last observation is a mixture of two views of input
:math:`x` and state :math:`h`, gated by a time that the cell chooses itself:

.. math:: h' = (1 - s) \tanh(f_1) + s \tanh(f_2), \qquad s = \sigma(t_a\, t + t_b)

where :math:`f_1, f_2, t_a, t_b` are linear in a shared backbone
:math:`b = 1.7159 \tanh(0.666\,(W_x x + W_h h + c))`. As :math:`t \to \infty` the gate closes on one
of the two views, by the sign of :math:`t_a`; at :math:`t = 0` it is :math:`\sigma(t_b)`.

``"no_gate"``
    :math:`h' = \tanh(f_1) + s \tanh(f_2)`: the first view is not faded out.
``"pure"``
    The closed form of the liquid time-constant neuron itself, without gates:
    :math:`h' = A - A f_1 e^{-t(|w_\tau| + |f_1|)}`, with :math:`w_\tau, A` learned per unit.

References
----------
Hasani, R., Lechner, M., Amini, A., Liebenwein, L., Ray, A., Tschaikowski, M., Teschl, G. & Rus, D.
(2022). Closed-form continuous-time neural networks. Nature Machine Intelligence 4.
LeCun, Y., Bottou, L., Orr, G. & Müller, K.-R. (1998). Efficient BackProp (the activation).
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import ConfigError

from .sizes import check_sizes
from .ticks import tick_lengths

__all__ = ["CFC_MODES", "CfC", "cfc_update", "lecun_tanh", "pure_update"]

Mode = Literal["default", "no_gate", "pure"]
CFC_MODES: tuple[str, ...] = get_args(Mode)


def lecun_tanh(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return ``1.7159 * tanh(0.666 * x)``, which maps unit variance to about unit variance.

    Examples
    --------
    >>> round(float(lecun_tanh(torch.tensor(1.0))), 3)
    0.999
    """
    return 1.7159 * torch.tanh(0.666 * x)


def cfc_update(
    features: Float[Tensor, "*batch fourfold"],
    timespan: float | Tensor = 1.0,
    mode: str = "default",
) -> Float[Tensor, "*batch units"]:
    """Return the next state from the cell's four linear parts.

    Parameters
    ----------
    features : Tensor of shape (*batch, 4 * units)
        ``f1``, ``f2``, ``t_a`` and ``t_b`` one after another.
    timespan : float or Tensor broadcastable to the state
        Time since the last observation, >= 0, in the unit that the cell was trained with.
    mode : {"default", "no_gate"}
        The equation.

    Examples
    --------
    The four parts are -2, 2, 1 and 0: with time the state goes over from tanh(-2) to tanh(2).

    >>> parts = torch.tensor([-2.0, 2.0, 1.0, 0.0])
    >>> [round(float(cfc_update(parts, t)), 3) for t in (0.0, 1.0, 9.0)]
    [0.0, 0.445, 0.964]
    """
    f1, f2, t_a, t_b = features.chunk(4, dim=-1)
    gate = torch.sigmoid(t_a * timespan + t_b)
    first, second = torch.tanh(f1), torch.tanh(f2)
    return first + gate * second if mode == "no_gate" else torch.lerp(first, second, gate)


def pure_update(
    f1: Float[Tensor, "*batch units"],
    w_tau: Float[Tensor, " units"],
    A: Float[Tensor, " units"],
    timespan: float | Tensor = 1.0,
) -> Float[Tensor, "*batch units"]:
    """Return the next state of the ungated closed form, which tends to ``A`` with time.

    Examples
    --------
    >>> one = torch.ones(1)
    >>> [round(float(pure_update(0.5 * one, one, one, t)), 3) for t in (0.0, 1.0, 9.0)]
    [0.5, 0.888, 1.0]
    """
    return A - A * f1 * torch.exp(-timespan * (w_tau.abs() + f1.abs()))


class CfC(nn.Module):
    """A layer of closed-form continuous-time cells.

    The products with the input do not depend on the state, so a sequence pays for them once.

    Parameters
    ----------
    inputs, units : int
        Width of the input and of the state.
    mode : {"default", "no_gate", "pure"}
        The equation.
    backbone_units : int
        Width of the backbone.
    backbone_layers : int
        Layers of the backbone, >= 1; the first takes input and state together.

    Raises
    ------
    ConfigError
        If a size is not a whole number in range, or the mode is unknown.

    Examples
    --------
    >>> cells = CfC(3, 8)
    >>> states, last = cells(torch.zeros(2, 5, 3), timespans=torch.ones(2, 5))
    >>> states.shape, bool(torch.equal(states[:, -1], last))
    (torch.Size([2, 5, 8]), True)
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        mode: str = "default",
        backbone_units: int = 64,
        backbone_layers: int = 1,
    ) -> None:
        super().__init__()
        check_sizes(
            inputs=inputs,
            units=units,
            backbone_units=backbone_units,
            backbone_layers=backbone_layers,
        )
        if mode not in CFC_MODES:
            raise ConfigError("unknown mode", got=repr(mode), expected=f"one of {list(CFC_MODES)}")
        self.units, self.mode = units, mode
        self.inputs = nn.Linear(inputs, backbone_units)
        self.recurrent = nn.Linear(units, backbone_units, bias=False)
        self.backbone = nn.ModuleList(
            nn.Linear(backbone_units, backbone_units) for _ in range(backbone_layers - 1)
        )
        self.gates = nn.Linear(backbone_units, units if mode == "pure" else 4 * units)
        if mode == "pure":
            self.w_tau = nn.Parameter(torch.zeros(units))
            self.A = nn.Parameter(torch.ones(units))

    def initial_state(self, like: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch units"]:
        """Return the zero state for a batch as large as ``like``, of its type and device."""
        return like.new_zeros(like.shape[0], self.units)

    def update(
        self,
        driven: Float[Tensor, "batch backbone"],
        state: Float[Tensor, "batch units"],
        timespan: float | Tensor = 1.0,
    ) -> Float[Tensor, "batch units"]:
        """Return the next state, given what :attr:`inputs` makes of the input."""
        hidden = lecun_tanh(driven + self.recurrent(state))
        for layer in self.backbone:
            hidden = lecun_tanh(layer(hidden))
        features = self.gates(hidden)
        if self.mode == "pure":
            return pure_update(features, self.w_tau, self.A, timespan)
        return cfc_update(features, timespan, self.mode)

    def forward(
        self,
        x: Float[Tensor, "batch time inputs"],
        state: Float[Tensor, "batch units"] | None = None,
        timespans: Float[Tensor, "batch time"] | None = None,
    ) -> tuple[Float[Tensor, "batch time units"], Float[Tensor, "batch units"]]:
        """Return the states of a whole sequence, and the last one.

        Parameters
        ----------
        x : Tensor of shape (batch, time, inputs)
            The observations.
        state : Tensor of shape (batch, units), optional
            Where an earlier sequence ended; zero if left out.
        timespans : Tensor of shape (batch, time), optional
            Time before each observation; 1 if left out.
        """
        state = self.initial_state(x[:, 0]) if state is None else state
        spans = tick_lengths(1.0 if timespans is None else timespans, x.shape[1])
        states = []
        for driven, span in zip(self.inputs(x).unbind(1), spans, strict=True):
            state = self.update(driven, state, span)
            states.append(state)
        return torch.stack(states, dim=1), state
