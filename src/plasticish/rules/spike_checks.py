"""The gate of every rule of spikes: trains, carried traces and weights are looked at before use."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from plasticish.core import ConfigError, DTypeError, ShapeError, check_positive

from .checks import check_finite, check_like

__all__ = ["Sizes", "check_spikes", "check_state", "check_weight"]

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


def check_weight(weight: Tensor | None, sizes: Sizes, like: Tensor, *, needed: bool) -> None:
    """Refuse a weight that does not fit the spikes, or a missing one where bounds need it.

    Raises
    ------
    ConfigError, ShapeError, DTypeError
        Missing; not ``(post, pre)``; of another type or device than ``like``.
    """
    if weight is not None:
        check_like(weight, like.new_empty(()).expand(sizes.post, sizes.pre), "weight", "the spikes")
    elif needed:
        raise ConfigError(
            "this rule scales its change by the weight",
            got="weight=None",
            expected=f"a tensor of shape {(sizes.post, sizes.pre)}",
            cure="pass weight=…, or take bounds='hard'",
        )


def check_state(state: tuple[Tensor, ...], rest: tuple[Tensor, ...]) -> None:
    """Refuse a carried state of another shape, type or device than the state at rest.

    Raises
    ------
    ShapeError, DTypeError
        The message names what came and what would have been right.
    """
    for carried, fresh in zip(state, rest, strict=True):
        check_like(carried, fresh, "the carried state", "these spikes")
