"""What the rules refuse before they compute anything."""

from __future__ import annotations

import torch
from torch import Tensor

from plasticish.core import DataError, DTypeError, ShapeError

__all__ = ["check_events", "check_finite", "check_like"]


def check_finite(values: Tensor, name: str) -> None:
    """Raise unless ``values`` are finite floating-point numbers, at least one.

    Raises
    ------
    DTypeError, DataError
        The first if they are not floats; the second if they are empty, NaN or infinite.
    """
    if not values.is_floating_point():
        raise DTypeError(
            f"{name} are not floating-point numbers",
            got=str(values.dtype),
            expected="float32 or float64",
            cure="convert with .float()",
        )
    if values.numel() == 0:
        raise DataError(f"{name} are empty", got=str(tuple(values.shape)))
    # One reduction instead of a mask; only a suspicious sum pays for the exact look.
    if not bool(torch.isfinite(values.sum())) and not bool(torch.isfinite(values).all()):
        raise DataError(
            f"{name} contain NaN or infinity",
            expected="finite numbers",
            cure="find where they come from; nothing was changed",
        )


def check_events(events: Tensor, name: str, *, axes: str, most: float | None = None) -> None:
    """Raise unless ``events`` have the named axes and lie in [0, ``most``].

    ``axes`` is such as ``"batch, time, pre"``; leading ``"..."`` allows any number before.

    Raises
    ------
    ShapeError, DTypeError, DataError
        Wrong number of axes; not floats; empty, not finite or out of range.
    """
    names = axes.split(", ")
    if names[0] != "..." and events.ndim != len(names):
        raise ShapeError(
            f"{name} has the wrong number of axes",
            got=str(tuple(events.shape)),
            expected=f"({axes})",
        )
    check_finite(events, name)
    low, high = (float(value) for value in torch.aminmax(events))
    if low < 0 or (most is not None and high > most):
        raise DataError(
            f"{name} is out of range",
            got=f"[{low:.4g}, {high:.4g}]",
            expected="values >= 0" if most is None else f"values in [0, {most:g}]",
        )


def check_like(state: Tensor, other: Tensor, name: str, than: str) -> None:
    """Raise unless ``state`` has shape, dtype and device of ``other``.

    Raises
    ------
    ShapeError, DTypeError
        If they differ; a device that differs is a type error too.
    """
    if state.shape != other.shape:
        raise ShapeError(
            f"{name} does not fit {than}",
            got=str(tuple(state.shape)),
            expected=str(tuple(other.shape)),
            cure="make a new state when batch or width change",
        )
    if state.dtype != other.dtype or state.device != other.device:
        raise DTypeError(
            f"{name} does not fit {than}",
            got=f"{state.dtype} on {state.device}",
            expected=f"{other.dtype} on {other.device}",
            cure="make the state with this dtype and device",
        )
