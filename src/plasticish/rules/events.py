"""Products of sparse spikes with dense values, as sums over events; compiled when first used.

A dense product multiplies every zero. Here a row of values is added for every spike there is, which
is faster below about one spike in six (784 to 400 neurons, one thread against one).

Events are listed by chunk of time and by neuron, so that a neuron's sum takes four rows each time
it is read and written; and the columns are cut into blocks whose values, one chunk at a time, stay
in the first cache. The values of the pair rule are made there, and never in main memory.
"""

from __future__ import annotations

from typing import Any, no_type_check

import numpy as np
import numpy.typing as npt

from plasticish.core.compiled import compiler

__all__ = ["event_product", "pair_product"]

Array = npt.NDArray[Any]
ROWS = 96  # steps of a chunk
COLUMNS = 64  # of a block: a constant, so that the loop over them is unrolled

# Contraction alone: a multiply-add may round once, but nothing is assumed of infinities.
compiled = compiler(fastmath={"contract"}, nogil=True)


@compiled
@no_type_check  # a check at run time could not be compiled
def listed(spikes: Array, span: int) -> tuple[Array, Array, Array]:
    """Return where lists of events end [chunks, p], and of every event its row and its size.

    Lists are filled up to a multiple of four with events of size 0 in a row after the chunk's own,
    which :func:`block` leaves 0.
    """
    rows, p = spikes.shape
    chunks = (rows + span - 1) // span
    ends = np.zeros((chunks, p), np.int64)
    for row in range(rows):
        place = ends[row // span]
        for i in range(p):
            place[i] += spikes[row, i] != 0
    room = 0
    for place in ends:
        for i in range(p):  # where each list begins; when all is listed, it is where it ends
            room, place[i] = room + (place[i] + 3) // 4 * 4, room
    index, size = np.full(room, np.uint32(span)), np.zeros(room, spikes.dtype)
    neuron = np.empty(p, np.uint32)
    for row in range(rows):
        place = ends[row // span]
        count = 0
        for i in range(p):
            neuron[count] = i
            count += spikes[row, i] != 0  # no branch: spikes are not predictable
        for event in range(count):
            i = neuron[event]
            index[place[i]] = row % span
            size[place[i]] = spikes[row, i]
            place[i] += 1
    return ends, index, size


@compiled
@no_type_check
def add_events(
    sums: Array, values: Array, begin: int, ends: Array, index: Array, size: Array
) -> int:
    """Add to ``sums`` [p, width] the rows of ``values`` at the events of every neuron."""
    event = begin
    for i in range(len(ends)):
        while event < ends[i]:
            r0, r1, r2, r3 = index[event], index[event + 1], index[event + 2], index[event + 3]
            s0, s1, s2, s3 = size[event], size[event + 1], size[event + 2], size[event + 3]
            for j in range(COLUMNS):
                one, other = s0 * values[r0, j] + s1 * values[r1, j], s2 * values[r2, j]
                sums[i, j] += one + (other + s3 * values[r3, j])
            event += 4
    return event


@compiled
@no_type_check
def block(rows: int, like: Array) -> Array:
    """Return zeros [rows, COLUMNS] that begin with a cache line, as vectors want to."""
    length, line = rows * COLUMNS, 64 // like.itemsize
    room = np.zeros(length + line, like.dtype)
    skip = (-room.ctypes.data % 64) // like.itemsize
    return room[skip : skip + length].reshape(rows, COLUMNS)


@compiled
@no_type_check
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
    ends, index, size = listed(spikes, ROWS)
    out = np.empty((p, q), values.dtype)
    near = block(ROWS + 1, values)
    for left in range(0, q, COLUMNS):
        right = min(left + COLUMNS, q)
        sums = block(p, values)
        begin = 0
        for chunk in range(len(ends)):
            first = chunk * ROWS
            for row in range(first, min(first + ROWS, rows)):
                near[row - first, : right - left] = values[row, left:right]
            begin = add_events(sums, near, begin, ends[chunk], index, size)
        out[:, left:right] = sums[:, : right - left]
    return out


@compiled
@no_type_check
def pair_values(
    near: Array, post: Array, left: int, y: Array, first: Array, factors: Array, after: Array
) -> None:
    """Set ``near`` to z of :mod:`plasticish.rules.stdp`, ``y`` and ``first`` to the traces' ends.

    For one example and the block of neurons that begins at ``left``. ``factors`` are the decay and
    the size of what is to come, and of what has been; ``after`` is 1 where a step reads its own.
    """
    plus, a_plus, minus, a_minus = factors
    own_plus, own_minus = after * np.array([a_plus, -a_minus], near.dtype)
    right = min(left + COLUMNS, post.shape[1])
    y, first = y[left:right], first[left:right]  # a slice of one axis is known to be contiguous
    for t in range(len(post)):
        now, z = post[t][left:right], near[t]
        for j in range(len(y)):
            decayed = y[j] * minus
            y[j] = decayed + now[j]
            z[j] = own_minus * now[j] - a_minus * decayed
    for t in range(len(post) - 1, -1, -1):
        now, z = post[t][left:right], near[t]
        for j in range(len(first)):
            decayed = first[j] * plus
            first[j] = decayed + a_plus * now[j]
            z[j] += decayed + own_plus * now[j]


@compiled
@no_type_check
def pair_product(
    pre: Array, post: Array, y: Array, factors: Array, after: Array
) -> tuple[Array, Array, Array]:
    r"""Return :math:`\sum_{bt} s_{bt} z_{bt}^\top` of the all-to-all pair rule, and traces.

    Parameters
    ----------
    pre, post : array of shape (batch, time, p) and (batch, time, q)
        Events; those of ``pre`` are mostly 0.
    y : array of shape (batch, q)
        The trace of the postsynaptic events that the last window left.
    factors : array of 4
        Decay over a step and size of potentiation, then of depression.
    after : array of 2
        1 where coincident pairs potentiate and where they depress, else 0.

    Returns
    -------
    out : array of shape (p, q)
    first : array of shape (batch, q)
        What the events to come amount to in the first step.
    y : array of shape (batch, q)
        The trace as this window leaves it.

    Examples
    --------
    >>> pre, post = np.zeros((1, 3, 1)), np.zeros((1, 3, 1))
    >>> pre[0, 0], post[0, 2] = 1.0, 1.0
    >>> factors = np.array([0.5, 1.0, 0.5, 1.0])
    >>> pair_product(pre, post, np.zeros((1, 1)), factors, np.zeros(2))[0]
    array([[0.25]])
    """
    batch, time, p = pre.shape
    q = post.shape[2]
    ends, index, size = listed(pre.reshape(batch * time, p), time)
    out, first, y = np.empty((p, q), post.dtype), np.zeros_like(y), y.copy()
    near = block(time + 1, post)
    for left in range(0, q, COLUMNS):
        right = min(left + COLUMNS, q)
        sums = block(p, post)
        begin = 0
        for b in range(batch):
            pair_values(near, post[b], left, y[b], first[b], factors, after)
            begin = add_events(sums, near, begin, ends[b], index, size)
        out[:, left:right] = sums[:, : right - left]
    return out, first, y
