"""A few memories at hand, by which a batch is judged while it is learned, at a fixed cost."""

from __future__ import annotations

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from plasticish.core import State

__all__ = ["Glimpse"]

SIZE = 256


class Glimpse:
    """A uniform sample of everything memorised, whatever its number.

    Each example draws a random priority once; the smallest stay. That is reservoir sampling
    (J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11, 1985) for whole batches.

    Parameters
    ----------
    width : int
        Of the rescaled features.
    device : torch.device
        Where they are kept.

    Examples
    --------
    >>> glimpse = Glimpse(2, torch.device("cpu"))
    >>> x, y = torch.eye(2), torch.tensor([4, 7])
    >>> glimpse.hits(x, y) is None
    True
    >>> glimpse.keep(x, y, torch.Generator().manual_seed(0))
    >>> glimpse.hits(x, torch.tensor([4, 4]))
    tensor([1., 0.])
    """

    def __init__(self, width: int, device: torch.device) -> None:
        self._rows = torch.zeros(0, width, device=device)
        self._labels = torch.zeros(0, dtype=torch.int64, device=device)
        self._priority = torch.zeros(0, dtype=torch.float64)

    def hits(
        self, features: Float32[Tensor, "batch width"], labels: Int64[Tensor, " batch"]
    ) -> Tensor | None:
        """Return 1 where the nearest of the sample has the right label, else 0; None if empty."""
        if not len(self._rows):
            return None
        nearest = (features @ self._rows.T).argmax(dim=1)
        return (self._labels[nearest] == labels).float()

    def keep(self, features: Tensor, labels: Tensor, generator: torch.Generator) -> None:
        """Let a batch compete for places in the sample."""
        drawn = torch.rand(len(labels), generator=generator, dtype=torch.float64)
        room = min(SIZE - len(self._rows), len(labels))
        if room:
            self._rows = torch.cat([self._rows, features[:room]])
            self._labels = torch.cat([self._labels, labels[:room]])
            self._priority = torch.cat([self._priority, drawn[:room]])
        if room == len(labels):
            return
        both = torch.cat([self._priority, drawn[room:]])
        stays = torch.zeros(len(both), dtype=torch.bool)
        stays[both.argsort(stable=True)[:SIZE]] = True
        freed = (~stays[:SIZE]).nonzero().flatten()
        taken = stays[SIZE:].nonzero().flatten() + room
        where = freed.to(self._rows.device)
        self._rows[where], self._labels[where] = features[taken], labels[taken]
        self._priority[freed] = drawn[taken]

    def merge(self, other: Glimpse) -> None:
        """Let the sample of another stream compete too: the smallest priorities of both stay."""
        device = self._rows.device
        priority = torch.cat([self._priority, other._priority])
        stays = priority.argsort(stable=True)[:SIZE].sort().values
        where = stays.to(device)
        self._rows = torch.cat([self._rows, other._rows.to(device)])[where]
        self._labels = torch.cat([self._labels, other._labels.to(device)])[where]
        self._priority = priority[stays]

    def export_state(self) -> State:
        """Return the sample."""
        return State({}, {"rows": self._rows, "labels": self._labels, "priority": self._priority})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        device = self._rows.device
        self._rows = state.tensors["rows"].to(device).clone()
        self._labels = state.tensors["labels"].to(device).clone()
        self._priority = state.tensors["priority"].cpu().clone()
