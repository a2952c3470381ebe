"""The gate of every rule of spikes: trains, carried traces and weights are looked at before use."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

from plasticish.core import ConfigError, DTypeError, ShapeError, check_positive

from .checks import check_finite, check_like
from .parameters import RuleParameters

__all__ = ["Rest", "Sizes", "check_input", "check_spikes", "check_state"]

S_co = TypeVar("S_co", bound="tuple[Tensor, ...]", covariant=True)
_AXES = {2: "(batch, neurons)", 3: "(batch, time, neurons)"}


class Sizes(NamedTuple):
    """Lengths of the axes of a pair of spike trains; ``time`` is 1 for a single step."""

    batch: int
    time: int
    pre: int
    post: int


def check_spikes(pre: Tensor, post: Tensor, *, axes: int, dt: float) -> Sizes:
    """Refuse spike trains that do not belong together, and a time step that is none.

    Parameters
    ----------
    pre, post : Tensor of shape (batch, pre) and (batch, post), or with time in between
        Spikes, or graded events.
    axes : {2, 3}
        2 for a step, 3 for a window.
    dt : float
        Length of a step in ms, > 0.

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        Wrong axes, batches or times that differ; not float32 or float64, or two types or devices;
        NaN, infinity or nothing at all; a time step that is not > 0.

    Examples
    --------
    >>> check_spikes(torch.zeros(2, 5, 3), torch.zeros(2, 5, 4), axes=3, dt=1.0)
    Sizes(batch=2, time=5, pre=3, post=4)
    """
    check_positive(dt=dt)
    for name, spikes in (("presynaptic spikes", pre), ("postsynaptic spikes", post)):
        _check_train(name, spikes, axes)
    if pre.shape[:-1] != post.shape[:-1]:
        raise ShapeError(
            "pre- and postsynaptic spikes differ in batch or time",
            got=f"{tuple(pre.shape)} and {tuple(post.shape)}",
            expected="the same axes but for the last",
            cure="cut both trains to the same window",
        )
    if pre.dtype != post.dtype or pre.device != post.device:
        raise DTypeError(
            "pre- and postsynaptic spikes differ in type or device",
            got=f"{pre.dtype} on {pre.device} and {post.dtype} on {post.device}",
            expected="one type and one device",
            cure="move one of them with post.to(pre)",
        )
    return Sizes(pre.shape[0], pre.shape[1] if axes == 3 else 1, pre.shape[-1], post.shape[-1])


def _check_train(name: str, spikes: Tensor, axes: int) -> None:
    if spikes.layout != torch.strided:
        raise DTypeError(
            f"{name} are a sparse tensor", expected="a dense one", cure="call spikes.to_dense()"
        )
    if spikes.dtype not in (torch.float32, torch.float64):
        raise DTypeError(
            f"{name} have the wrong type",
            got=str(spikes.dtype),
            expected="float32 or float64",
            cure="convert them with spikes.float()",
        )
    if spikes.ndim != axes:
        raise ShapeError(
            f"{name} have the wrong number of axes",
            got=str(tuple(spikes.shape)),
            expected=_AXES[axes],
            cure="use the *_step form for one time step and the *_window form for several",
        )
    check_finite(spikes, name)


def check_state(state: tuple[Tensor, ...], rest: tuple[Tensor, ...]) -> None:
    """Refuse a carried state of another shape, type or device than the state at rest.

    Raises
    ------
    ShapeError, DTypeError
        The message names what came and what would have been right.
    """
    for carried, fresh in zip(state, rest, strict=True):
        check_like(carried, fresh, "the carried state", "these spikes")


def _widened(state: Any, fresh: tuple[Tensor, ...], dtype: torch.dtype) -> Any:
    """Return the state with slow estimates, which are kept in float64, taken up from float32.

    They are such after a layer was converted as a whole, and nothing is lost or made up.
    """
    entries = [
        carried.to(rest.dtype) if rest.dtype != dtype and carried.dtype == dtype else carried
        for carried, rest in zip(state, fresh, strict=True)
    ]
    return type(state)(*entries)


@runtime_checkable
class Rest(Protocol[S_co]):
    """A function that returns the state of a rule after a long silence."""

    def __call__(
        self,
        batch: int,
        pre: int,
        post: int,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> S_co: ...


def check_input(
    pre: Tensor,
    post: Tensor,
    state: S_co | None,
    parameters: RuleParameters,
    dt: float,
    weight: Tensor | None,
    *,
    rest: Rest[S_co],
    axes: int,
) -> tuple[Sizes, S_co, Tensor]:
    """Refuse whatever a step or window of a rule cannot work with.

    Parameters
    ----------
    pre, post, axes, dt
        As :func:`check_spikes` takes them.
    state : tuple of Tensor or None
        What the rule carries; None stands for ``rest``.
    parameters : RuleParameters
        Its bounds say whether the weight is needed.
    weight : Tensor of shape (post, pre) or None
        The weight.
    rest : Rest
        Makes the state after a long silence.

    Returns
    -------
    sizes : Sizes
    state : tuple of Tensor
        The carried one, or rest.
    weight : Tensor
        The given one; where hard bounds do not look at it, a scalar may stand for it.

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`check_spikes`; a state or weight that does not fit the spikes; no weight where the
        bounds need it.
    """
    sizes = check_spikes(pre, post, axes=axes, dt=dt)
    if weight is not None:
        wanted = pre.new_empty(()).expand(sizes.post, sizes.pre)
        check_like(weight, wanted, "the weight", "the spikes")
    elif parameters.bounds != "hard":
        raise ConfigError(
            f"{parameters.bounds} bounds scale a change by the weight",
            got="weight=None",
            expected=f"a tensor of shape {(sizes.post, sizes.pre)}",
            cure="pass weight=…, or take bounds='hard'",
        )
    else:
        weight = pre.new_zeros(())
    fresh = rest(sizes.batch, sizes.pre, sizes.post, dtype=pre.dtype, device=pre.device)
    if state is None:
        return sizes, fresh, weight
    widened: S_co = _widened(state, fresh, pre.dtype)
    check_state(widened, fresh)
    return sizes, widened, weight
