r"""Who has to go when the memory is full: three stated policies, each a rule on a whole pool.

A policy looks at the pool of everything that could be kept (the stored memories and the newcomers)
and names those that must be dropped. Written as a total order whose first ``capacity`` members
stay, a policy gives the same memories whether a batch arrives at once or one at a time, and
merging two banks gives what one bank would hold that had seen both streams.

================ ===================================================================================
policy           who stays
================ ===================================================================================
``"ring"``       the youngest.
``"reservoir"``  those with the smallest random priority :math:`u \sim U(0, 1)`, drawn once when an
                 example arrives: every example ever seen is kept with equal probability. The law is
                 that of Vitter's Algorithm R [1]_; unlike its form this one can be merged [2]_.
``"balanced"``   the smallest by (rank of :math:`u` within the class, :math:`u`): all classes are
                 kept level, the largest pays, and each class keeps a uniform sample of all that was
                 ever seen of it (the aim of GDumb [3]_ and of class-balancing reservoirs [4]_).
================ ===================================================================================

References
----------
.. [1] J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11 (1985).
.. [2] E. Cohen, H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.
.. [3] A. Prabhu, P. Torr, P. Dokania, "GDumb: a simple approach that questions our progress in
   continual learning", ECCV 2020.
.. [4] A. Chrysakis, M.-F. Moens, "Online continual learning from imbalanced data", ICML 2020.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["EVICTIONS", "Eviction", "dropped"]

Eviction = Literal["balanced", "ring", "reservoir"]
"""Which example makes room when a memory is full; see this module."""
EVICTIONS: tuple[str, ...] = get_args(Eviction)


def dropped(
    policy: str,
    labels: Int64[Tensor, " pool"],
    birth: Int64[Tensor, " pool"],
    priority: Float64[Tensor, " pool"],
    capacity: int,
) -> Int64[Tensor, " excess"]:
    """Return the indices of the pool's members that must go, ascending.

    Parameters
    ----------
    policy : {"balanced", "ring", "reservoir"}
        See the table above.
    labels, birth, priority : Tensor [pool]
        Class, order of arrival (unique) and random priority in [0, 1) of every member.
    capacity : int
        How many may stay.

    Examples
    --------
    >>> u = torch.tensor([0.1, 0.9, 0.5, 0.2], dtype=torch.float64)
    >>> dropped("balanced", torch.tensor([0, 0, 0, 1]), torch.arange(4), u, 3)
    tensor([1])
    """
    excess = len(labels) - capacity
    if excess <= 0:
        return torch.empty(0, dtype=torch.int64, device=labels.device)
    if policy == "ring":
        out = birth.topk(excess, largest=False, sorted=False).indices
    elif policy == "reservoir":
        out = priority.topk(excess, sorted=False).indices
    else:
        out = _dropped_balanced(labels, priority, capacity)
    return out.sort().values


def _dropped_balanced(labels: Tensor, priority: Tensor, capacity: int) -> Tensor:
    # NumPy's vectorised sort is ten times faster here than torch's, and this runs at every store
    # of a full bank; one float64 sorts by class, and by priority within it.
    classes, chance = labels.cpu().numpy(), priority.cpu().numpy()
    order = np.argsort(classes + chance)
    counts = np.bincount(classes)
    starts = np.cumsum(counts) - counts
    rank = np.arange(len(order)) - starts[classes[order]]
    level = _water_level(counts, capacity)
    spare = capacity - int(np.minimum(counts, level).sum())
    rim = order[rank == level]  # one member a class; the luckiest find the last places
    out = np.concatenate([order[rank > level], rim[np.argsort(chance[rim])][spare:]])
    return torch.from_numpy(out).to(labels.device)


def _water_level(counts: NDArray[np.int64], capacity: int) -> int:
    """Return the largest level with ``sum(min(counts, level)) <= capacity``, by bisection."""
    low, high = 0, int(counts.max())
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(counts, middle).sum()) <= capacity:
            low = middle
        else:
            high = middle - 1
    return low
