"""The synapses themselves: one row a cell, of fixed length, filled from both ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plasticish.core import DataError

from . import network_kernels as kernels

__all__ = ["Rows"]


class Rows:
    """Outgoing synapses of every cell; see :mod:`plasticish.conversation.network_kernels`.

    Parameters
    ----------
    cells : int
        How many rows.
    width : int
        Synapses that a cell may send out.

    Attributes
    ----------
    synapses : array of uint32 of shape (cells, width)
        Segments and weights; what is not in use means nothing.
    ends : array of int32 of shape (cells, 2)
        How many synapses stand at the left and at the right end of each row.
    """

    def __init__(self, cells: int, width: int) -> None:
        # Written, not only asked for: the memory is taken at birth, and does not grow later.
        self.synapses = np.full((cells, width), 0, np.uint32)
        self.ends = np.zeros((cells, 2), np.int32)

    @property
    def budget(self) -> int:
        """Synapses there may be in all."""
        return self.synapses.size

    def __len__(self) -> int:
        """Return how many synapses there are."""
        return int(self.ends.sum())

    @property
    def nbytes(self) -> int:
        """Bytes that the rows take, used or not."""
        return self.synapses.nbytes + self.ends.nbytes

    def segments(self, side: int) -> npt.NDArray[np.uint32]:
        """Return the segments that the synapses at one end of all rows lead to."""
        return np.asarray(self.synapses[self._taken(side)] >> 8)

    def _taken(self, side: int) -> npt.NDArray[np.bool_]:
        width = self.synapses.shape[1]
        place = np.arange(width)
        return np.asarray(
            place >= width - self.ends[:, 1:] if side else place < self.ends[:, :1], dtype=np.bool_
        )

    def export(self) -> dict[str, Tensor]:
        """Return the synapses in use, row by row."""
        packed = np.empty(len(self), np.uint32)  # no mask of all places, which is as large as they
        kernels.pack(self.synapses, self.ends, packed)
        return {
            "synapses": torch.from_numpy(packed.view(np.int32)),
            "ends": torch.from_numpy(self.ends.copy()),
        }

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what :meth:`export` returned.

        Raises
        ------
        DataError
            If they are those of other rows; nothing is changed.
        """
        ends, synapses = tensors["ends"].numpy(), tensors["synapses"].numpy()
        width = self.synapses.shape[1]
        if (
            ends.shape != self.ends.shape
            or ends.dtype != np.int32
            or synapses.dtype != np.int32
            or int(ends.min()) < 0
            or int(ends.sum(axis=1).max()) > width
            or int(ends.sum()) != len(synapses)
        ):
            raise DataError(
                "the stored rows are those of another network",
                got=f"{len(synapses):,} synapses of {len(ends):,} cells",
                expected=f"rows of {len(self.ends):,} cells with at most {width:,} synapses",
            )
        self.ends[:] = ends
        kernels.unpack(synapses.view(np.uint32), self.ends, self.synapses)
