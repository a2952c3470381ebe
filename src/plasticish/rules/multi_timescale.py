r"""A synapse of many timescales: coupled beakers that level out (Benna & Fusi 2016).

Plasticity pours into the first of :math:`m` beakers; each is twice as wide as the one before and
joined to it by a tube half as wide:

.. math::
    C_k\,\dot u_k = g_{k-1}\,(u_{k-1} - u_k) - g_k\,(u_k - u_{k+1}), \qquad
    C_k = 2^{k-1}, \quad g_k = g\,2^{-(k-1)}

with no :math:`u_0`, and :math:`u_{m+1} = 0`: the last beaker leaks, without which the variance
under endless plasticity would grow for ever. The weight is :math:`u_1`. A change decays as
:math:`t^{-1/2}` up to :math:`4^m/4g` steps, so that memory grows with the number of synapses and
not with its root. The step is the matrix exponential of the chain: exact, and the same for any dt.

References
----------
Benna, M. K. & Fusi, S. (2016). Computational principles of synaptic memory consolidation. Nature
Neuroscience 19.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError, check_positive

from .checks import check_finite, check_like

__all__ = [
    "MultiTimescaleParameters",
    "chain",
    "memory_trace",
    "multi_timescale_state",
    "multi_timescale_step",
    "multi_timescale_window",
]


@dataclass(frozen=True, kw_only=True)
class MultiTimescaleParameters:
    """Length and speed of the chain.

    Attributes
    ----------
    variables : int
        Number m of coupled variables, >= 1; each two more remember 16 times as long.
    coupling : float
        Conductance g between the first two, per unit of time of ``dt``; 1/4 as in the paper.
    leak : bool
        Whether the last variable leaks (into :math:`u_{m+1} = 0`), as in the paper.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> MultiTimescaleParameters(variables=6).slowest
    4096.0
    """

    variables: int = 8
    coupling: float = 0.25
    leak: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.variables, bool) or not 1 <= self.variables <= 50:
            raise ConfigError(
                "variables is out of range", got=repr(self.variables), expected="1 to 50"
            )
        check_positive(coupling=self.coupling)

    @property
    def slowest(self) -> float:
        """Time constant of the last variable: :math:`C_m / g_m`."""
        return float(4 ** (self.variables - 1) / self.coupling)


def chain(parameters: MultiTimescaleParameters) -> Float[Tensor, "m m"]:
    r"""Return the matrix :math:`A` of :math:`\dot u = A u`, float64.

    Examples
    --------
    >>> chain(MultiTimescaleParameters(variables=2, coupling=1.0))
    tensor([[-1.0000,  1.0000],
            [ 0.5000, -0.7500]], dtype=torch.float64)
    """
    capacity, flow = _capacity_and_flow(parameters)
    return flow / capacity[:, None]


def _capacity_and_flow(parameters: MultiTimescaleParameters) -> tuple[Tensor, Tensor]:
    """Return C [m] and the symmetric matrix of flows [m, m]."""
    m = parameters.variables
    powers = 2.0 ** torch.arange(m, dtype=torch.float64)
    g = parameters.coupling / powers
    between = g[:-1]
    loss = g.clone() if parameters.leak else torch.cat([between, g.new_zeros(1)])
    loss[1:] += between
    return powers, torch.diag(between, 1) + torch.diag(between, -1) - torch.diag(loss)


@lru_cache(maxsize=64)
def _propagator(parameters: MultiTimescaleParameters, dt: float) -> Tensor:
    """Return exp(A dt), float64, by the symmetric form of the chain."""
    root, values, vectors = _modes(parameters)
    return (vectors * torch.exp(values * dt)) @ vectors.T * (root / root[:, None])


@lru_cache(maxsize=64)
def _modes(parameters: MultiTimescaleParameters) -> tuple[Tensor, Tensor, Tensor]:
    """Return sqrt(C), eigenvalues and eigenvectors of the symmetric form of the chain."""
    capacity, flow = _capacity_and_flow(parameters)
    root = capacity.sqrt()
    values, vectors = torch.linalg.eigh(flow / (root * root[:, None]))
    # Rounding may put the slowest mode of a chain without leak a hair above 0, where it would grow.
    return root, values.clamp(max=0.0), vectors


def multi_timescale_state(
    *shape: int,
    parameters: MultiTimescaleParameters,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Float[Tensor, "*synapses m"]:
    """Return empty beakers, ``[*shape, m]``."""
    return torch.zeros(*shape, parameters.variables, dtype=dtype, device=device)


def multi_timescale_step(
    change: Tensor,
    state: Tensor,
    parameters: MultiTimescaleParameters,
    *,
    dt: float = 1.0,
) -> Float[Tensor, "*synapses m"]:
    """Let ``dt`` pass, then pour ``change`` into the first variable.

    Parameters
    ----------
    change : Tensor of shape (...)
        What a plasticity rule adds to each weight.
    state : Tensor of shape (..., m)
        The variables of each synapse; ``state[..., 0]`` is its weight.
    parameters : MultiTimescaleParameters
        Of all synapses.
    dt : float
        Length of the step, > 0, in the unit of the coupling.

    Raises
    ------
    ConfigError, ShapeError, DTypeError, DataError
        If ``dt`` is not positive, or the change does not fit the state or is not finite.

    Examples
    --------
    >>> parameters = MultiTimescaleParameters(variables=3)
    >>> state = multi_timescale_state(1, parameters=parameters)
    >>> state = multi_timescale_step(torch.ones(1), state, parameters)
    >>> multi_timescale_step(torch.zeros(1), state, parameters, dt=4.0)
    tensor([[0.4727, 0.2282, 0.0173]])
    """
    check_positive(dt=dt)
    check_finite(change, "the change")
    _check_state(state, change, parameters)
    settled = state @ _propagator(parameters, dt).T.to(state)
    return torch.cat([settled[..., :1] + change[..., None], settled[..., 1:]], dim=-1)


def multi_timescale_window(
    changes: Tensor,
    state: Tensor,
    parameters: MultiTimescaleParameters,
    *,
    dt: float = 1.0,
) -> Float[Tensor, "*synapses m"]:
    """Return the state after a whole series of changes, in one product.

    The same as :func:`multi_timescale_step` for each of ``changes`` in turn: the chain is linear,
    so that each change counts by what is left of it at the end.
    """
    check_positive(dt=dt)
    check_finite(changes, "the changes")
    _check_state(state, changes[0], parameters)
    ages = torch.arange(len(changes) - 1, -1, -1, dtype=torch.float64) * dt
    root, values, vectors = _modes(parameters)
    left = (vectors[0] * torch.exp(ages[:, None] * values)) @ vectors.T * (root[0] / root)
    poured = torch.einsum("t...,tm->...m", changes, left.to(state))
    return state @ _propagator(parameters, dt * len(changes)).T.to(state) + poured


def memory_trace(parameters: MultiTimescaleParameters, times: Tensor) -> Float[Tensor, " n"]:
    r"""Return what is left in the weight of a unit change after each of ``times``.

    :math:`r(t) = [e^{A t}]_{11}`, in closed form and float64; the signal of a memory that later,
    independent memories are written over.

    Examples
    --------
    >>> trace = memory_trace(MultiTimescaleParameters(variables=10), torch.tensor([1e2, 1e4]))
    >>> round(float(trace[1] / trace[0]), 3)  # a hundred times later a tenth is left
    0.1
    """
    check_finite(times, "the times")
    _, values, vectors = _modes(parameters)
    return torch.exp(times.to(values)[:, None] * values) @ vectors[0].square()


def _check_state(state: Tensor, change: Tensor, parameters: MultiTimescaleParameters) -> None:
    expected = change[..., None].expand(*change.shape, parameters.variables)
    check_like(state, expected, "the state", "the change and the number of variables")
