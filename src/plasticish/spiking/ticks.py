"""The length of every tick of a sequence, equal or not."""

from __future__ import annotations

from torch import Tensor

__all__ = ["tick_lengths"]


def tick_lengths(dt: float | Tensor, ticks: int) -> list[float | Tensor]:
    """Return one length a tick: ``dt`` itself, or the columns ``[batch, 1]`` of ``dt``.

    Examples
    --------
    >>> tick_lengths(0.5, 3)
    [0.5, 0.5, 0.5]
    """
    return list(dt.unsqueeze(-1).unbind(1)) if isinstance(dt, Tensor) else [dt] * ticks
