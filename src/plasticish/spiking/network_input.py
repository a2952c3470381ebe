"""The gate of the liquid spiking network: what it can be shown."""

from __future__ import annotations

import torch
from torch import Tensor

from plasticish.core import DataError, DTypeError, ShapeError

from .encoders import ENCODERS
from .network_config import LiquidSpikingConfig
from .tracing import values_readable

__all__ = ["check_network_input", "check_timespans"]


def check_network_input(x: Tensor, config: LiquidSpikingConfig, like: Tensor) -> None:
    """Refuse what the network of this configuration and type cannot be shown.

    Raises
    ------
    ShapeError, DTypeError, DataError
        As :meth:`~plasticish.spiking.network.LiquidSpikingNetwork.forward` says.
    """
    if not isinstance(x, Tensor):
        raise DTypeError(
            "the input is no tensor",
            got=type(x).__name__,
            expected="a tensor",
            cure="convert it with torch.as_tensor(x)",
        )
    if x.device != like.device:
        raise DTypeError(
            "the input is on another device than the network",
            got=str(x.device),
            expected=str(like.device),
            cure=f"move it with x.to({str(like.device)!r})",
        )
    if config.tokens:
        _check_tokens(x, config)
    else:
        _check_features(x, config, like)


def _check_tokens(x: Tensor, config: LiquidSpikingConfig) -> None:
    if x.ndim != 2 or 0 in x.shape:
        raise _shape(x, "(batch, time)", "give one row of symbols a sequence")
    if x.dtype not in (torch.int64, torch.int32):
        raise DTypeError(
            "symbols are not whole numbers",
            got=str(x.dtype),
            expected="torch.int64",
            cure="convert them with x.long()",
        )
    if values_readable(x):
        low, high = int(x.min()), int(x.max())
        if low < 0 or high >= config.inputs:
            raise DataError(
                "a symbol is unknown",
                got=f"symbols from {low} to {high}",
                expected=f"0 <= symbol < {config.inputs}",
                cure="build the network with a larger vocabulary",
            )


def _check_features(x: Tensor, config: LiquidSpikingConfig, like: Tensor) -> None:
    width, sequence = config.inputs, f"(batch, time, {config.inputs})"
    expected = sequence if config.task == "sequence" else f"(batch, {width}) or {sequence}"
    axes = (3,) if config.task == "sequence" else (2, 3)
    if x.ndim not in axes or x.shape[-1] != width or 0 in x.shape:
        flat = "flatten images with x.flatten(1)" if x.ndim > 3 else "add a batch axis with x[None]"
        raise _shape(x, expected, flat)
    if x.dtype != like.dtype:
        raise DTypeError(
            "the input is not of the network's type",
            got=str(x.dtype),
            expected=str(like.dtype),
            cure=f"convert it with x.to({like.dtype}), and bring bytes to [0, 1]",
        )
    if not values_readable(x):
        return
    if not bool(torch.isfinite(x).all()):
        raise DataError(
            "the input contains NaN or infinity", expected="finite numbers", cure="mend it first"
        )
    if x.ndim == 2 and ENCODERS[config.encoder].in_unit_interval:
        low, high = float(x.min()), float(x.max())
        if low < 0 or high > 1:
            raise DataError(
                f"the encoder {config.encoder!r} codes values in [0, 1]",
                got=f"[{low:.3g}, {high:.3g}]",
                cure="rescale them, or take encoder='direct'",
            )


def check_timespans(timespans: Tensor, x: Tensor, still: bool) -> None:
    """Refuse times that do not belong to the sequence ``x``, or do not pass.

    Raises
    ------
    ShapeError, DataError
        If the input is still, the shape is another, or a time is not a finite number > 0.
    """
    if still or timespans.shape != x.shape[:2]:
        raise ShapeError(
            "the timespans do not belong to the input",
            got=f"{tuple(timespans.shape)} for an input of shape {tuple(x.shape)}",
            expected="(batch, time) of a sequence",
            cure="leave them out for still inputs, whose ticks the encoder makes",
        )
    if values_readable(timespans):
        shortest, longest = float(timespans.min()), float(timespans.max())
        # Written so that NaN, which is smaller than nothing, fails it too.
        if not (shortest > 0 and longest < float("inf")):
            raise DataError(
                "a timespan does not pass",
                got=f"between {shortest:.3g} and {longest:.3g}",
                expected="finite numbers > 0",
            )


def _shape(x: Tensor, expected: str, cure: str) -> ShapeError:
    return ShapeError(
        "the input has the wrong shape", got=str(tuple(x.shape)), expected=expected, cure=cure
    )
