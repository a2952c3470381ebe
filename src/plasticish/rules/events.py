"""The product of sparse spikes with dense values, as a sum over events; compiled when first used.

A dense product multiplies every zero. Here a row of values is added for every spike there is, which
is faster below about one spike in six (784 to 400 neurons, one thread against one).
"""

from __future__ import annotations

from typing import Any, no_type_check

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["event_product"]

Array = npt.NDArray[Any]
ROWS = 64  # time steps compressed at once: their indices stay in the first cache
COLUMNS = 256  # outputs summed at once: their rows stay in the second cache


# Contraction alone: a multiply-add may round once, but nothing is assumed of infinities.
@numba.njit(cache=True, fastmath={"contract"}, nogil=True)
@no_type_check  # a check at run time could not be compiled
def event_product(spikes: Array, values: Array) -> Array:
    """Return ``spikes.T @ values`` for spikes ``[rows, p]`` that are mostly 0 and values [rows, q].

    Examples
    --------
    >>> event_product(np.eye(2, dtype=np.float32), np.array([[3.0], [4.0]], dtype=np.float32))
    array([[3.],
           [4.]], dtype=float32)
    """
    rows, p = spikes.shape
    q = values.shape[1]
    out = np.zeros((p, q), values.dtype)
    # One more than can be: the slot after the last event is written to, whatever comes.
    index = np.empty(ROWS * p + 1, np.int32)
    size = np.empty(ROWS * p + 1, spikes.dtype)
    ends = np.empty(ROWS, np.int64)
    for first in range(0, rows, ROWS):
        last = min(first + ROWS, rows)
        count = 0
        for row in range(first, last):
            for i in range(p):
                index[count] = i
                size[count] = spikes[row, i]
                count += spikes[row, i] != 0  # no branch: spikes are not predictable
            ends[row - first] = count
        for left in range(0, q, COLUMNS):
            right = min(left + COLUMNS, q)
            event = 0
            for row in range(first, last):
                added = values[row, left:right]
                while event < ends[row - first]:
                    target = out[index[event], left:right]
                    factor = size[event]
                    for j in range(right - left):
                        target[j] += factor * added[j]
                    event += 1
    return out
