"""Growing columns: parallel arrays with one row a memory, enlarged geometrically up to a limit."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Int64
from torch import Tensor

__all__ = ["GrowingColumns"]

SMALLEST = 1024


class GrowingColumns:
    """Named arrays that share their rows; a memory of 60,000 starts with the room of 1,024.

    Parameters
    ----------
    specs : mapping of str to (width or None, dtype)
        The columns: ``None`` is one number a row.
    limit : int
        The most rows there may ever be.
    device : torch.device
        Where the arrays live.

    Examples
    --------
    >>> table = GrowingColumns({"label": (None, torch.int64)}, 10, torch.device("cpu"))
    >>> table.extend(3)
    >>> table.write(torch.arange(3), {"label": torch.tensor([4, 5, 6])})
    >>> table.drop(torch.tensor([0]))
    >>> table["label"]
    tensor([6, 5])
    """

    def __init__(
        self,
        specs: Mapping[str, tuple[int | None, torch.dtype]],
        limit: int,
        device: torch.device,
    ) -> None:
        self.limit, self.device, self.size = limit, device, 0
        self._room = 0
        self._arrays = {
            name: torch.empty(_shape(0, width), dtype=dtype, device=device)
            for name, (width, dtype) in specs.items()
        }

    def __getitem__(self, name: str) -> Tensor:
        return self._arrays[name][: self.size]

    def extend(self, count: int) -> None:
        """Add ``count`` rows at the end; what stands in them is undefined until written."""
        self._make_room(self.size + count)
        self.size += count

    def write(self, slots: Int64[Tensor, " rows"], rows: Mapping[str, Tensor]) -> None:
        """Put values into the rows ``slots`` of the named columns."""
        for name, values in rows.items():
            self[name][slots] = values

    def clear(self) -> None:
        """Forget every row and give the room back."""
        self.size = self._room = 0
        for name, array in self._arrays.items():
            self._arrays[name] = array.new_empty((0, *array.shape[1:]))

    def drop(self, slots: Int64[Tensor, " rows"]) -> None:
        """Remove rows; those at the end move into the holes, so only as many rows are copied."""
        gone = torch.zeros(self.size, dtype=torch.bool, device=self.device)
        gone[slots] = True
        left = self.size - int(gone.sum())
        holes = gone[:left].nonzero().flatten()
        movers = (~gone[left:]).nonzero().flatten() + left
        for array in self._arrays.values():
            array[holes] = array[movers]
        self.size = left

    def reshape(self, name: str, width: int) -> None:
        """Give a column another width; what it held is lost (and freed before the new is made)."""
        old = self._arrays[name]
        if old.shape[1] != width:
            dtype = old.dtype
            self._arrays[name] = old.new_empty(0)
            del old
            self._arrays[name] = torch.empty((self._room, width), dtype=dtype, device=self.device)

    def nbytes(self) -> int:
        """Bytes that the arrays hold, spare room included."""
        return sum(array.nbytes for array in self._arrays.values())

    def _make_room(self, rows: int) -> None:
        if rows <= self._room:
            return
        room = min(self.limit, max(rows, 2 * self._room, SMALLEST))
        for name, array in self._arrays.items():
            grown = array.new_empty((room, *array.shape[1:]))
            grown[: self.size] = array[: self.size]
            self._arrays[name] = grown
        self._room = room


def _shape(rows: int, width: int | None) -> tuple[int, ...]:
    return (rows,) if width is None else (rows, width)
