"""What a controller refuses to be told."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError

__all__ = ["check_activity", "check_number", "check_whole"]


def check_whole(least: int = 1, **values: int) -> None:
    """Raise :class:`ConfigError` for the first named value that is no whole number >= ``least``."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(
                f"{name} is out of range", got=repr(value), expected=f"a whole number >= {least}"
            )


def check_number(name: str, value: Any) -> float:
    """Return ``value`` as a finite float, or raise :class:`DTypeError` or :class:`DataError`."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"{name} is not a number", got=type(value).__name__, expected="one float"
        ) from error
    if number != number or number in (float("inf"), float("-inf")):
        raise DataError(
            f"{name} is NaN or infinite",
            got=repr(number),
            expected="a finite number",
            cure="leave out the step that led to it; nothing was learned",
        )
    return number


def check_activity(activity: Any, num_layers: int) -> Float[Tensor, " layers"]:
    """Return the activity of each layer as finite float32 on the CPU, or refuse it.

    Raises
    ------
    DTypeError, ShapeError, DataError
        No numbers; not one a layer; NaN or infinity.
    """
    try:
        row = torch.as_tensor(activity, dtype=torch.float32).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise DTypeError(
            "the activity is not numbers", got=type(activity).__name__, expected="an array"
        ) from error
    if row.shape != (num_layers,):
        raise ShapeError(
            "the activity has the wrong shape",
            got=str(tuple(row.shape)),
            expected=f"({num_layers},)",
            cure="give one number for each layer, such as its mean firing rate",
        )
    if not bool(torch.isfinite(row).all()):
        raise DataError(
            "the activity contains NaN or infinity",
            expected="finite numbers",
            cure="leave out the step that led to it; nothing was learned",
        )
    return row
