"""The hippocampus: every example kept at once, answered by its nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    DataError,
    DeviceLike,
    LabelError,
    Persistent,
    Registry,
    Report,
    ShapeError,
    State,
    as_pair,
    check_features,
    check_labels,
    check_positive,
    make_generator,
    resolve_device,
)

from .answers import Answers
from .approximate import InvertedIndex
from .checks import check_whole, refuse_absurd
from .eviction import EVICTIONS, dropped
from .priorities import skip_draws
from .table import CHUNK, MemoryTable

__all__ = ["MEMORIES", "EpisodicMemoryBank"]

MEMORIES: Registry[type[EpisodicMemoryBank]] = Registry("memory", "plasticish.memories")
"""Every kind of hippocampus by its permanent name; a brain makes its own of one of them."""


@LEARNERS.register("episodic_memory")
@MEMORIES.register("episodic_memory")
class EpisodicMemoryBank(Answers, Persistent):
    r"""A bank of single examples: stored in one shot, recalled by similarity, evicted by a rule.

    A query :math:`x` wakes its :math:`k` nearest memories :math:`i`, by cosine :math:`s_i`, and
    each votes for its label with weight

    .. math:: w_i = \frac{\exp(s_i / \tau)}{\sum_j \exp(s_j / \tau)}

    as in [1]_. Search is exact for the keys as they are stored (rounded to ``key_dtype``), or
    approximate if ``index="faiss"``. Under a metric (:meth:`set_metric`) the cosine is that of
    projected vectors, whose unit rows are kept in bfloat16 and are then what the search is exact
    for; the raw keys stay.

    Parameters
    ----------
    input_dim : int
        Width of a key.
    memory_size : int
        The most memories kept. Room is taken as it fills: two bytes a number for the key and two
        for its unit row.
    k_neighbors : int
        How many memories vote.
    num_classes : int, optional
        Fixes the classes; ``None`` lets them grow to the largest label seen plus one.
    eviction : {"balanced", "ring", "reservoir"}
        Who goes when the bank is full; see :mod:`plasticish.memory.eviction`. Every policy keeps
        the same memories whether a batch comes at once or one at a time (slots may differ).
    key_dtype : {"float16", "bfloat16", "float32"}
        How keys are rounded; each row carries a power of two, so no magnitude is lost.
    index : {"exact", "faiss"}
        ``"faiss"`` needs the extra ``faiss`` and serves :meth:`recall` and :meth:`vote`.
    temperature : float
        :math:`\tau` > 0, in units of cosine; smaller listens more to the nearest.
    seed : int
        Of the random priorities that decide evictions. Banks to be merged should differ in it,
        or the later :meth:`follow` the earlier.
    device : str or torch.device, optional
        Where the memories live.

    References
    ----------
    .. [1] Z. Wu, Y. Xiong, S. Yu, D. Lin, "Unsupervised feature learning via non-parametric
       instance discrimination", CVPR 2018, sec. 3.4 (there tau = 0.07).

    Examples
    --------
    >>> bank = EpisodicMemoryBank(input_dim=2, k_neighbors=1)
    >>> bank.store([[1.0, 0.0], [0.0, 1.0]], [4, 7])["memories"]
    2
    >>> bank.predict([[0.1, 0.9]])
    tensor([7])
    """

    kind = "episodic_memory"

    def __init__(
        self,
        input_dim: int,
        memory_size: int = 60000,
        k_neighbors: int = 50,
        num_classes: int | None = None,
        *,
        eviction: str = "balanced",
        key_dtype: str = "float16",
        index: str = "exact",
        temperature: float = 0.07,
        seed: int = 0,
        device: DeviceLike = None,
    ) -> None:
        check_positive(temperature=temperature)
        check_whole(
            input_dim=input_dim,
            memory_size=memory_size,
            k_neighbors=k_neighbors,
            num_classes=1 if num_classes is None else num_classes,
        )
        if eviction not in EVICTIONS:
            raise ConfigError(
                "unknown eviction", got=repr(eviction), expected=f"one of {list(EVICTIONS)}"
            )
        if index not in ("exact", "faiss"):
            raise ConfigError("unknown index", got=repr(index), expected="'exact' or 'faiss'")
        where = resolve_device(device)
        super().__init__(
            MemoryTable(input_dim, memory_size, key_dtype, where),
            k_neighbors,
            temperature,
            InvertedIndex(input_dim, seed) if index == "faiss" else None,
        )
        self.eviction, self.key_dtype, self.index, self.seed = eviction, key_dtype, index, seed
        self._fixed_classes = num_classes
        self._classes = num_classes or 0
        self._generator = make_generator(seed)

    # ------------------------------------------------------------------ learning

    @property
    def fixed_classes(self) -> int | None:
        """Number of classes if it was fixed, else None."""
        return self._fixed_classes

    def store(self, x: ArrayLike, y: ArrayLike) -> Report:
        """Keep examples at once; a full bank lets others go by its policy.

        Parameters
        ----------
        x : array [batch, input_dim]
            Finite keys.
        y : array [batch]
            Integer labels >= 0.

        Returns
        -------
        mapping
            ``stored`` (newcomers kept), ``evicted`` (older memories that went), ``memories``,
            ``fill`` and ``classes``.

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError
            Unusable input; nothing is stored.
        """
        keys = check_features(x, self.input_dim, device=self.device, name="keys")
        labels = check_labels(y, len(keys), num_classes=self._fixed_classes, device=self.device)
        refuse_absurd(labels)
        birth = self.seen + torch.arange(len(keys), device=self.device)
        # Drawn for every example under every policy: one stream of numbers, however it is cut.
        priority = torch.rand(len(keys), generator=self._generator, dtype=torch.float64)
        report = self._admit(labels, birth, priority.to(self.device), lambda some: keys[some])
        self.seen += len(keys)
        return report

    def learn(self, batch: Batch) -> Report:
        """Store one batch ``(x, y)``; see :meth:`store`."""
        return self.store(*as_pair(batch))

    def sleep(self) -> Report:
        """Do nothing: single examples are already all that this store can know."""
        return {"memories": len(self)}

    def merge(self, other: EpisodicMemoryBank) -> Report:
        """Take over the memories of ``other``, which is left as it is.

        The policy chooses among both, as if their streams had been one, ``other``'s the later.

        Raises
        ------
        ConfigError, ShapeError, LabelError
            If it is this very bank, has another width, or holds a class that is unknown here.
        """
        if other is self:
            raise ConfigError("a bank cannot be merged with itself")
        if other.input_dim != self.input_dim:
            raise ShapeError(
                "the banks differ in width", got=str(other.input_dim), expected=str(self.input_dim)
            )
        if self._fixed_classes is not None and other.num_classes > self._fixed_classes:
            raise LabelError(
                "the other bank has classes that are unknown here",
                got=f"{other.num_classes} classes",
                expected=f"at most {self._fixed_classes}",
            )
        theirs = other._table
        report = self._admit(
            theirs["label"].to(self.device),
            theirs["birth"].to(self.device) + self.seen,
            theirs["priority"].to(self.device),
            lambda some: other.examples(some)[0].to(self.device),
        )
        self.seen += other.seen
        skip_draws(self._generator, other.seen)
        self._classes = max(self._classes, other.num_classes)
        return report

    def follow(self, earlier: EpisodicMemoryBank, after: int = 0) -> None:
        """Draw from now on the priorities that ``earlier`` would draw ``after`` examples later.

        An empty bank that follows another can be merged into it, and the two are then, also when
        full, what one bank would be that had seen both streams.
        """
        self._generator.set_state(earlier._generator.get_state())
        skip_draws(self._generator, after)

    def remove(self, indices: ArrayLike) -> int:
        """Forget the memories in these slots and return how many that were; slots change.

        Raises
        ------
        DTypeError, ShapeError, DataError
            If the indices are not integers, not a row of them, or out of range.
        """
        slots = torch.unique(self._slots(indices))
        before = len(self)
        self._table.drop(slots)
        # Every slot beyond the new end is gone, and some before it were refilled from there.
        self._changed(torch.cat([slots, torch.arange(len(self), before, device=self.device)]))
        return len(slots)

    def _admit(
        self, labels: Tensor, birth: Tensor, priority: Tensor, keys: Callable[[Tensor], Tensor]
    ) -> Report:
        table, size = self._table, len(self)
        gone = torch.empty(0, dtype=torch.int64, device=self.device)
        if size + len(labels) > self.memory_size:
            gone = dropped(
                self.eviction,
                torch.cat([table["label"], labels]),
                torch.cat([table["birth"], birth]),
                torch.cat([table["priority"], priority]),
                self.memory_size,
            )
        freed = gone[gone < size]
        stays = torch.ones(len(labels), dtype=torch.bool, device=self.device)
        stays[gone[gone >= size] - size] = False
        fresh = stays.nonzero().flatten()
        table.extend(len(fresh) - len(freed))
        slots = torch.cat([freed, torch.arange(size, len(self), device=self.device)])
        for i in range(0, len(fresh), CHUNK):
            some = fresh[i : i + CHUNK]
            marks = {"label": labels[some], "birth": birth[some], "priority": priority[some]}
            table.write(slots[i : i + CHUNK], keys(some), marks)
        if self._fixed_classes is None:
            self._classes = max(self._classes, int(labels.max()) + 1 if len(labels) else 0)
        self._changed(slots)
        return {
            "stored": len(fresh),
            "evicted": len(freed),
            "memories": len(self),
            "fill": self.fill,
            "classes": self._classes,
        }

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "input_dim": self.input_dim,
            "memory_size": self.memory_size,
            "k_neighbors": self.k_neighbors,
            "num_classes": self._fixed_classes,
            "eviction": self.eviction,
            "key_dtype": self.key_dtype,
            "index": self.index,
            "temperature": self.temperature,
            "seed": self.seed,
            "device": str(self.device),
        }

    def export_state(self) -> State:
        """Return memories, metric, counters and the generator."""
        tensors = self._table.export()
        tensors["generator"] = self._generator.get_state()
        values: dict[str, Any] = {"seen": self.seen, "classes": self._classes}
        if self._lists is not None and self._lists.centroids is not None:
            tensors["centroids"] = self._lists.centroids.clone()
            values |= {"trained_at": self._lists.trained_at, "probes": self._lists.probes}
        return State(values, tensors)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        DataError, ShapeError, DTypeError
            If the arrays do not fit this bank.
        """
        classes, labels = int(state.values["classes"]), state.tensors["label"]
        if len(labels) and int(labels.max()) >= classes:
            raise DataError(
                "the stored labels do not fit", got=str(int(labels.max())), expected=f"< {classes}"
            )
        self._table.restore(state.tensors)
        self._generator.set_state(state.tensors["generator"].cpu())
        self.seen, self._classes = int(state.values["seen"]), classes
        self._members = None
        if self._lists is not None:
            self._lists = InvertedIndex(self._table["unit"].shape[1], self.seed)
            if "centroids" in state.tensors:
                self._lists.centroids = state.tensors["centroids"]
                self._lists.trained_at = int(state.values["trained_at"])
                self._lists.probes = int(state.values["probes"])
                self._lists.rebuild(self._table["unit"])

    # ------------------------------------------------------------------ inside

    def _changed(self, slots: Tensor) -> None:
        self._members = None
        if self._lists is not None:
            self._lists.update(self._table["unit"], slots)
