"""Which memories spoke, and how loudly."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float32, Int64
from torch import Tensor

__all__ = ["Recall"]


@dataclass(frozen=True)
class Recall:
    """The memories that a query woke, nearest first.

    Attributes
    ----------
    indices : Tensor [batch, k]
        int64 slots in the bank, valid until it next stores, removes or merges.
    labels : Tensor [batch, k]
        int64 label of each of these memories.
    weights : Tensor [batch, k]
        float32 share of the vote, each row summing to one.
    similarity : Tensor [batch, k]
        float32 cosine with the query, in [-1, 1].
    """

    indices: Int64[Tensor, "batch k"]
    labels: Int64[Tensor, "batch k"]
    weights: Float32[Tensor, "batch k"]
    similarity: Float32[Tensor, "batch k"]

    def __len__(self) -> int:
        return len(self.indices)
