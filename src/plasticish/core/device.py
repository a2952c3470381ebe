"""Where tensors live: one place that turns ``"cuda"`` or ``None`` into a device that exists."""

from __future__ import annotations

import warnings

import torch

from .errors import ConfigError

__all__ = ["DeviceLike", "resolve_device"]

DeviceLike = str | torch.device | None
"""A device, its name, or None for the one chosen by default."""


def resolve_device(device: DeviceLike = None) -> torch.device:
    """Return a device that exists on this machine.

    Parameters
    ----------
    device : str, torch.device or None
        ``None`` means the CPU. A CUDA device that this machine lacks becomes the CPU, with a
        warning, so that a script written on a workstation runs on a laptop.

    Raises
    ------
    ConfigError
        If the name is not one that torch knows.

    Examples
    --------
    >>> resolve_device()
    device(type='cpu')
    """
    try:
        resolved = torch.device("cpu" if device is None else device)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(
            "unknown device", got=repr(device), expected="'cpu', 'cuda' or 'cuda:N'"
        ) from error
    if resolved.type == "cuda" and not torch.cuda.is_available():
        warnings.warn(
            f"device {str(resolved)!r} was asked for, but torch sees no CUDA here: using the CPU",
            UserWarning,
            stacklevel=3,
        )
        return torch.device("cpu")
    return resolved
