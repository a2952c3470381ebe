"""What a bank can be asked: which memories are near, what they vote, how alike each class is."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from plasticish.core import (
    ArrayLike,
    DataError,
    DTypeError,
    NotReadyError,
    Report,
    ShapeError,
    check_features,
)

from .approximate import InvertedIndex
from .checks import check_whole
from .recall import Recall
from .search import SLACK, class_means, finish, nearest
from .similarity import Metric
from .table import CHUNK, MemoryTable

__all__ = ["Answers"]


class Answers:
    """The reading half of an episodic bank: nothing here changes a memory.

    Parameters
    ----------
    table : MemoryTable
        The memories.
    k_neighbors : int
        How many of them vote.
    temperature : float
        Of the vote.
    lists : InvertedIndex, optional
        An approximate index over the table.
    """

    def __init__(
        self,
        table: MemoryTable,
        k_neighbors: int,
        temperature: float,
        lists: InvertedIndex | None,
    ) -> None:
        self.input_dim, self.device = table.width, table.device
        self.memory_size = table.limit
        self.k_neighbors, self.temperature = k_neighbors, temperature
        self._table, self._lists = table, lists
        self._classes = self.seen = 0
        self._members: list[Tensor] | None = None

    def __len__(self) -> int:
        return len(self._table)

    @property
    def num_classes(self) -> int:
        """Number of classes: fixed, or the largest label ever stored plus one."""
        return self._classes

    @property
    def labels(self) -> Tensor:
        """Labels [memories] by slot, a copy."""
        return self._table["label"].clone()

    @property
    def class_counts(self) -> Tensor:
        """Memories held of each class, int64 [classes]."""
        return torch.bincount(self._table["label"], minlength=self._classes)

    @property
    def metric(self) -> Metric:
        """The metric in force."""
        return self._table.metric

    @property
    def fill(self) -> float:
        """Share of the bank that is in use, in [0, 1]."""
        return len(self) / self.memory_size

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays hold."""
        return self._table.nbytes()

    def stats(self) -> Report:
        """Return counts, fill and bytes as plain numbers."""
        return {
            "memories": len(self),
            "capacity": self.memory_size,
            "fill": self.fill,
            "seen": self.seen,
            "classes": self._classes,
            "bytes": self.nbytes,
        }

    # ------------------------------------------------------------------ answering

    def recall(self, x: ArrayLike, k: int | None = None) -> Recall:
        """Return which memories speak to ``x``, and how loudly.

        Parameters
        ----------
        x : array [batch, input_dim]
            The queries.
        k : int, optional
            How many each (default ``k_neighbors``); never more than there are memories.

        Raises
        ------
        NotReadyError
            If the bank is empty.
        ShapeError, DTypeError, DataError
            Unusable queries.
        """
        similarity, indices = self._nearest(x, self.k_neighbors if k is None else k)
        weights = torch.softmax(similarity / self.temperature, dim=1)
        return Recall(indices, self._table["label"][indices], weights, similarity)

    def vote(self, x: ArrayLike) -> Float32[Tensor, "batch classes"]:
        """Return the share of the vote that each class gets; rows sum to one.

        Raises
        ------
        NotReadyError, ShapeError, DTypeError, DataError
            As :meth:`recall`.
        """
        woken = self.recall(x)
        shares = woken.weights.new_zeros((len(woken), self._classes))
        return shares.scatter_add_(1, woken.labels, woken.weights)

    def predict(self, x: ArrayLike) -> Int64[Tensor, " batch"]:
        """Return the label with the largest share of the vote."""
        return self.vote(x).argmax(dim=1)

    def class_similarity(self, x: ArrayLike, k: int = 10) -> Float32[Tensor, "batch classes"]:
        """Return the mean cosine of the ``k`` nearest memories of each class.

        A class with fewer than ``k`` memories is judged by all it has, so with few examples this
        is a nearest-mean vote; a class with none gets -1.

        Raises
        ------
        NotReadyError, ShapeError, DTypeError, DataError
            As :meth:`recall`.
        """
        check_whole(k=k)
        queries = self._queries(x)
        if self._members is None:
            order = self._table["label"].argsort(stable=True)
            self._members = list(torch.split(order, self.class_counts.tolist()))
        return class_means(queries, self._table.view(), self._members, k)

    def max_similarity(self, x: ArrayLike) -> Float32[Tensor, " batch"]:
        """Return the cosine with the nearest memory: low for what was never seen the like of."""
        return self._nearest(x, 1)[0][:, 0]

    # ------------------------------------------------------------------ metric and replay

    def set_metric(self, transform: Tensor | None = None, mean: Tensor | None = None) -> None:
        """Measure similarity between ``(x - mean) @ transform``; no arguments: between raw keys.

        Parameters
        ----------
        transform : Tensor [input_dim, rank], optional
            For instance a whitening.
        mean : Tensor [input_dim], optional
            For instance the mean of all examples.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Wrong shape, not real, NaN or infinity; the metric stays as it was.
        """
        self._table.set_metric(Metric.checked(transform, mean, self.input_dim, self.device))
        if self._lists is not None:
            self._lists = InvertedIndex(self._table["unit"].shape[1], self._lists.seed)
            self._lists.update(self._table["unit"], torch.arange(len(self)))

    def examples(self, indices: ArrayLike | None = None) -> tuple[Tensor, Tensor]:
        """Return keys (float32 [n, input_dim], as rounded) and labels of these slots, or of all.

        Raises
        ------
        DTypeError, ShapeError, DataError
            If the indices are not integers, not a row of them, or out of range.
        """
        return self._table.examples(slice(None) if indices is None else self._slots(indices))

    def iter_examples(self, chunk: int = CHUNK) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all examples, ``chunk`` at a time, in slot order."""
        for i in range(0, len(self), chunk):
            yield self._table.examples(slice(i, i + chunk))

    def _queries(self, x: ArrayLike) -> Tensor:
        if not len(self):
            raise NotReadyError("the memory is empty", cure="store some examples first")
        queries = check_features(x, self.input_dim, device=self.device, name="queries")
        return self._table.project(queries)

    def _nearest(self, x: ArrayLike, k: int) -> tuple[Tensor, Tensor]:
        check_whole(k=k)
        queries, view, k = self._queries(x), self._table.view(), min(k, len(self))
        if self._lists is None or not self._lists.ready:
            return nearest(queries, view, k)
        candidates = self._lists.search(queries, min(k + SLACK, len(self)))
        short = (candidates < 0).any(dim=1)  # the lists that were probed held too few
        similarity, indices = finish(queries, view, candidates.clamp(min=0), k)
        if bool(short.any()):
            similarity[short], indices[short] = nearest(queries[short], view, k)
        return similarity, indices

    def _slots(self, indices: ArrayLike) -> Tensor:
        slots = torch.as_tensor(indices, device=self.device)
        if slots.ndim != 1:
            raise ShapeError("slots are not a row", got=str(tuple(slots.shape)), expected="(n,)")
        if not len(slots):
            return slots.long()
        if slots.is_floating_point() or slots.is_complex() or slots.dtype == torch.bool:
            raise DTypeError("slots are not integers", got=str(slots.dtype), expected="int64")
        if int(slots.min()) < 0 or int(slots.max()) >= len(self):
            raise DataError(
                "a slot is out of range",
                got=f"[{int(slots.min())}, {int(slots.max())}]",
                expected=f"0 <= slot < {len(self)}",
            )
        return slots.long()
