"""Numbered things with a few properties each: tables that grow by doubling and reuse numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plasticish.core import DataError

__all__ = ["Table", "with_room"]

Array = npt.NDArray[Any]


class Table:
    """Columns of properties by number.

    Parameters
    ----------
    columns : mapping of str to (dtype, int)
        Type of each property, and how many of it every number has.
    most : int
        Numbers there may be.
    ready : int
        Numbers for which the memory is taken at birth, so that it does not grow before.

    Examples
    --------
    >>> table = Table({"token": (np.uint16, 1)}, most=1 << 24)
    >>> table.take(2).tolist(), table["token"].shape
    ([0, 1], (2,))
    >>> table.release(np.array([0])), table.take(1).tolist(), len(table)
    (None, [0], 2)
    """

    def __init__(self, columns: Mapping[str, tuple[Any, int]], most: int, ready: int = 0) -> None:
        self.most, self._ready = most, min(ready, most)
        self._each = {name: each for name, (_, each) in columns.items()}
        self._columns: dict[str, Array] = {
            name: np.full(each * self._ready, 0, dtype) for name, (dtype, each) in columns.items()
        }
        self._count = 0
        self._free: list[int] = []

    def __len__(self) -> int:
        """Return how many numbers were given, those released included."""
        return self._count

    def __getitem__(self, name: str) -> Array:
        """Return a property of all numbers given so far (a view)."""
        return self._columns[name][: self._count * self._each[name]]

    @property
    def alive(self) -> int:
        """How many numbers are in use."""
        return self._count - len(self._free)

    @property
    def room(self) -> int:
        """How many more numbers can be taken."""
        return self.most - self.alive

    @property
    def nbytes(self) -> int:
        """Bytes that the columns take."""
        return sum(column.nbytes for column in self._columns.values())

    def take(self, size: int) -> npt.NDArray[np.int64]:
        """Give ``size`` numbers, the released ones first; their properties are not reset.

        Raises
        ------
        DataError
            If there are not so many left; none is given.
        """
        if size > self.room:
            raise DataError("the table is full", got=str(size), expected=f"at most {self.room}")
        reused = [self._free.pop() for _ in range(min(size, len(self._free)))]
        first, self._count = self._count, self._count + size - len(reused)
        for name, column in self._columns.items():
            self._columns[name] = with_room(column, self._count * self._each[name])
        return np.array([*reused, *range(first, self._count)], dtype=np.int64)

    def release(self, numbers: npt.NDArray[np.int64]) -> None:
        """Take numbers back."""
        self._free.extend(numbers.tolist())

    def export(self) -> dict[str, Tensor]:
        """Return the columns, as far as they are used, and the numbers that are free."""
        tensors = {name: torch.from_numpy(self[name].copy()) for name in self._columns}
        return {**tensors, "free": torch.tensor(self._free, dtype=torch.int64)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what :meth:`export` returned.

        Raises
        ------
        DataError
            If the columns do not fit; nothing is changed.
        """
        stored = {name: tensors[name].cpu().numpy() for name in self._columns}
        counts = {len(column) // self._each[name] for name, column in stored.items()}
        whole = all(len(column) % self._each[name] == 0 for name, column in stored.items())
        kinds = all(stored[name].dtype == self._columns[name].dtype for name in stored)
        free = tensors["free"].tolist()
        count = max(counts)
        fits = len(set(free)) == len(free) and all(0 <= number < count for number in free)
        if len(counts) != 1 or not whole or not kinds or not fits or count > self.most:
            raise DataError(
                "the stored table does not fit",
                got=", ".join(f"{name} {len(column)}" for name, column in stored.items()),
                expected="columns of equal length and of these types",
            )
        for name, column in stored.items():
            self._columns[name] = with_room(self._columns[name], len(column))
            self._columns[name][: len(column)] = column
        self._count, self._free = count, free


def with_room(column: Array, size: int) -> Array:
    """Return ``column`` itself if it has ``size`` places, else a copy that is large enough."""
    if size <= len(column):
        return column
    larger = np.zeros(1 << max(size - 1, 1).bit_length(), column.dtype)
    larger[: len(column)] = column
    return larger
