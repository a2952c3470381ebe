"""Arrays that grow by doubling."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["power_of_two", "with_room"]


def power_of_two(size: int) -> int:
    """Return the smallest power of two that is at least ``size`` and 2.

    Examples
    --------
    >>> [power_of_two(size) for size in (0, 2, 3, 1024)]
    [2, 2, 4, 1024]
    """
    return 1 << max(size - 1, 1).bit_length()


def with_room(array: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """Return ``array`` itself if it has ``size`` rows, else a copy that is large enough."""
    if size <= len(array):
        return array
    larger = np.zeros(power_of_two(size), array.dtype)
    larger[: len(array)] = array
    return larger
