r"""A bounded store of examples for replay: what came in, what was answered, whose task it was.

Who stays is decided by the total orders of :mod:`plasticish.memory.eviction`: the members with the
smallest random priority (a uniform reservoir), or that within every class of every task
(balanced). With ``distinct`` the priority is a hash of the example instead of a draw. The law is
the same for examples that differ, and one that is shown in five epochs is one example still: the
bottom-k sketch of a *set* rather than of a stream [1]_.

References
----------
.. [1] E. Cohen, H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007.
.. [2] P. Buzzega et al., "Dark experience for general continual learning", NeurIPS 2020 (logits
   beside labels).
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from plasticish.core import (
    ConfigError,
    DataError,
    NotReadyError,
    Persistent,
    ShapeError,
    State,
    make_generator,
    spawn_seed,
)

from .checks import check_whole
from .columns import GrowingColumns
from .eviction import dropped

__all__ = ["BufferPolicy", "Replay", "TaskBuffer"]

BufferPolicy = Literal["reservoir", "class_balanced"]
_EVICTION = {"reservoir": "reservoir", "class_balanced": "balanced"}
_CONTENT = ("input", "label", "logit")


class Replay(NamedTuple):
    """Examples out of a buffer; one row an example, the shapes as they came in."""

    inputs: Tensor
    labels: Tensor
    logits: Tensor | None
    tasks: Int64[Tensor, " rows"]


class TaskBuffer(Persistent):
    """A sample of everything seen, of a fixed size.

    Parameters
    ----------
    capacity : int
        The most examples held.
    policy : {"reservoir", "class_balanced"}
        Every example with equal chance, or as many of each class (of each task, where labels are
        no classes), each a uniform sample of its class.
    distinct : bool
        Whether an example that comes again is the same example: it then takes no second place,
        and its logits are replaced by the newer ones.
    seed : int
        Of the draws.

    Examples
    --------
    >>> buffer = TaskBuffer(4, "class_balanced")
    >>> buffer.add(torch.rand(9, 3), torch.tensor([0] * 8 + [1]))
    >>> len(buffer), buffer.counts()
    (4, {(0, 0): 3, (0, 1): 1})
    >>> buffer.sample(2).inputs.shape
    torch.Size([2, 3])
    """

    kind = "task_buffer"

    def __init__(
        self, capacity: int, policy: str = "reservoir", *, distinct: bool = False, seed: int = 0
    ) -> None:
        check_whole(capacity=capacity)
        if policy not in get_args(BufferPolicy):
            raise ConfigError(
                "unknown policy",
                got=repr(policy),
                expected="one of: " + ", ".join(get_args(BufferPolicy)),
            )
        self.capacity, self.policy, self.distinct, self.seed = capacity, policy, distinct, seed
        self.seen = 0
        self._generator = make_generator(seed)
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._columns: GrowingColumns | None = None
        self._hash: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return self._columns.size if self._columns is not None else 0

    # ------------------------------------------------------------------ in

    def add(
        self,
        inputs: Tensor,
        labels: Tensor,
        logits: Tensor | None = None,
        tasks: Tensor | int = 0,
    ) -> None:
        """Offer a batch; who stays is decided at once.

        Parameters
        ----------
        inputs : Tensor ``[batch, ...]``
            Kept in the type they come in: bytes stay bytes.
        labels : Tensor ``[batch, ...]``
            Classes, or whatever the targets are.
        logits : Tensor ``[batch, ...]``, optional
            The answers of the time. All batches come with them, or none.
        tasks : int or Tensor of int64 ``[batch]``
            Whose task it was.

        Raises
        ------
        ShapeError, DataError
            If rows do not match each other, or those that came before; nothing is stored.
        """
        rows = {"input": inputs, "label": labels}
        if logits is not None:
            rows["logit"] = logits
        rows = {name: part.detach() for name, part in rows.items()}
        count = self._check(rows)
        task = torch.as_tensor(tasks, dtype=torch.int64, device=inputs.device).expand(count)
        columns = self._open(rows)
        flat = {
            name: part.reshape(count, -1) if part.ndim > 1 else part for name, part in rows.items()
        }
        flat["task"] = task
        if self.distinct:
            flat["mark"] = self._marks(flat)
            flat = self._new_ones(columns, flat)
            flat["priority"] = _unit_interval(flat["mark"])
        else:
            draws = torch.rand(count, generator=self._generator, dtype=torch.float64)
            flat["priority"] = draws.to(inputs.device)
        self.seen += count
        self._admit(columns, flat)

    def _check(self, rows: dict[str, Tensor]) -> int:
        count = len(rows["input"])
        if count == 0:
            raise DataError("the batch is empty", got="0 rows", expected="at least one")
        for name, part in rows.items():
            if part.ndim == 0 or len(part) != count:
                raise ShapeError(
                    f"there is not one {name} a row",
                    got=str(tuple(part.shape)),
                    expected=f"({count}, ...)",
                )
        if self._columns is None:
            return count
        if set(rows) != set(self._shapes):
            raise DataError(
                "logits come with all batches or with none",
                got="none" if "logit" in self._shapes else "some",
                cure="make a new buffer to change what is stored",
            )
        for name, part in rows.items():
            held = self._columns[name].dtype
            if part.shape[1:] != self._shapes[name] or part.dtype != held:
                raise ShapeError(
                    f"the {name}s are not as those before",
                    got=f"{tuple(part.shape[1:])} {part.dtype}",
                    expected=f"{self._shapes[name]} {held}",
                )
        return count

    def _open(self, rows: dict[str, Tensor]) -> GrowingColumns:
        """Return the columns; the first batch decides what they look like."""
        if self._columns is None:
            self._shapes = {name: tuple(part.shape[1:]) for name, part in rows.items()}
            specs: dict[str, tuple[int | None, torch.dtype]] = {
                name: (part[0].numel() if part.ndim > 1 else None, part.dtype)
                for name, part in rows.items()
            }
            specs |= {"task": (None, torch.int64), "priority": (None, torch.float64)}
            if self.distinct:
                specs["mark"] = (None, torch.int64)
            self._columns = GrowingColumns(specs, self.capacity, rows["input"].device)
        return self._columns

    def _marks(self, flat: dict[str, Tensor]) -> Int64[Tensor, " batch"]:
        """Hash the bits of input, label and task: a multilinear hash, finished by splitmix64."""
        total = torch.zeros_like(flat["task"])
        for number, name in enumerate(("input", "label", "task")):
            part = flat[name].reshape(len(total), -1)
            if part.is_floating_point():
                bits = part.double().view(torch.int64)
                bits = bits ^ (bits >> 32)  # round numbers differ in their upper half only
            else:
                bits = part.long()
            factors = self._factors(number, bits.shape[1]).to(bits.device)
            total = total + (bits * factors[1:]).sum(dim=1) + factors[0]
        for shift, factor in ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15)):
            total = (total ^ _shifted(total, shift)) * factor
        return total ^ _shifted(total, 31)

    def _factors(self, number: int, width: int) -> Int64[Tensor, " factors"]:
        """Return the odd factors of a column's hash, and what is added to it."""
        if number not in self._hash:
            generator = make_generator(spawn_seed(self.seed, number))
            drawn = torch.randint(-(1 << 62), 1 << 62, (width + 1,), generator=generator)
            self._hash[number] = 2 * drawn + 1
        return self._hash[number]

    def _new_ones(self, columns: GrowingColumns, flat: dict[str, Tensor]) -> dict[str, Tensor]:
        """Refresh the answers of examples that are held already, and return the others once."""
        marks = flat["mark"]
        rows = torch.arange(len(marks), device=marks.device)
        later = (marks[:, None] == marks[None, :]) & (rows[None, :] > rows[:, None])
        held = marks[:, None] == columns["mark"][None, :]
        known, last = held.any(dim=1), ~later.any(dim=1)
        if "logit" in flat:
            slots = held[known & last].long().argmax(dim=1) if len(columns["mark"]) else rows[:0]
            columns.write(slots, {"logit": flat["logit"][known & last]})
        return {name: part[last & ~known] for name, part in flat.items()}

    def _admit(self, columns: GrowingColumns, flat: dict[str, Tensor]) -> None:
        size, count = columns.size, len(flat["task"])
        gone = torch.empty(0, dtype=torch.int64, device=flat["task"].device)
        if size + count > self.capacity:
            pool = {
                name: torch.cat([columns[name], flat[name]])
                for name in ("label", "task", "priority")
            }
            gone = dropped(
                _EVICTION[self.policy],
                _groups(pool["label"], pool["task"]),
                torch.arange(size + count, device=gone.device),
                pool["priority"],
                self.capacity,
            )
        stays = torch.ones(count, dtype=torch.bool, device=gone.device)
        stays[gone[gone >= size] - size] = False
        freed = gone[gone < size]
        columns.extend(int(stays.sum()) - len(freed))
        slots = torch.cat([freed, torch.arange(size, columns.size, device=gone.device)])
        columns.write(slots, {name: part[stays] for name, part in flat.items()})

    # ------------------------------------------------------------------ out

    def sample(self, count: int) -> Replay:
        """Draw ``count`` different examples (all, if there are not so many).

        Raises
        ------
        NotReadyError
            If the buffer is empty.
        """
        check_whole(count=count)
        columns = self._filled()
        order = torch.randperm(columns.size, generator=self._generator)[:count]
        return self._rows(columns, order.to(columns.device))

    def everything(self) -> Replay:
        """Return all that is held.

        Raises
        ------
        NotReadyError
            If the buffer is empty.
        """
        columns = self._filled()
        return self._rows(columns, torch.arange(columns.size, device=columns.device))

    def _filled(self) -> GrowingColumns:
        if self._columns is None or not self._columns.size:
            raise NotReadyError("the buffer is empty", cure="add examples first")
        return self._columns

    def _rows(self, columns: GrowingColumns, slots: Tensor) -> Replay:
        parts = {
            name: columns[name][slots].reshape(len(slots), *shape)
            for name, shape in self._shapes.items()
        }
        return Replay(parts["input"], parts["label"], parts.get("logit"), columns["task"][slots])

    def counts(self) -> dict[tuple[int, int], int]:
        """Return how many examples are held, by (task, class); class -1 where labels are none."""
        if not len(self):
            return {}
        columns = self._filled()
        pairs = torch.stack([columns["task"], _classes(columns["label"])], dim=1)
        found, counts = torch.unique(pairs, dim=0, return_counts=True)
        return {
            (task, label): count
            for (task, label), count in zip(found.tolist(), counts.tolist(), strict=True)
        }

    def nbytes(self) -> int:
        """Bytes that the arrays hold."""
        return self._columns.nbytes() if self._columns is not None else 0

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "capacity": self.capacity,
            "policy": self.policy,
            "distinct": self.distinct,
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return the examples and the state of the generator."""
        names = () if self._columns is None else (*self._shapes, "task", "priority")
        if self.distinct and names:
            names = (*names, "mark")
        columns = {name: self._columns[name].clone() for name in names if self._columns is not None}
        return State(
            {"seen": self.seen, "shapes": {n: list(shape) for n, shape in self._shapes.items()}},
            {**columns, "generator": self._generator.get_state()},
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        DataError
            If the columns do not fit each other; nothing is changed.
        """
        shapes = {name: tuple(shape) for name, shape in state.values["shapes"].items()}
        seen = int(state.values["seen"])
        tensors = {name: t for name, t in state.tensors.items() if name != "generator"}
        sizes = {len(t) for t in tensors.values()}
        if len(sizes) > 1 or max(sizes, default=0) > self.capacity:
            raise DataError("the stored columns do not fit", got=f"lengths {sorted(sizes)}")
        columns = None
        if shapes:
            specs: dict[str, tuple[int | None, torch.dtype]] = {
                name: (t.shape[1] if t.ndim > 1 else None, t.dtype) for name, t in tensors.items()
            }
            columns = GrowingColumns(specs, self.capacity, tensors["task"].device)
            columns.extend(len(tensors["task"]))
            columns.write(torch.arange(columns.size, device=columns.device), tensors)
        self._generator.set_state(state.tensors["generator"].cpu())
        self.seen, self._shapes, self._columns = seen, shapes, columns
        self._hash = {}


def _classes(labels: Tensor) -> Int64[Tensor, " rows"]:
    """Return labels that are one integer a row, and -1 for targets of any other kind."""
    if labels.ndim == 1 and not labels.is_floating_point():
        return labels.long()
    return torch.full((len(labels),), -1, dtype=torch.int64, device=labels.device)


def _groups(labels: Tensor, tasks: Tensor) -> Int64[Tensor, " rows"]:
    """Number the classes of every task from 0."""
    classes = _classes(labels)
    key = tasks * (classes.amax() + 2) + classes
    numbers: Tensor = torch.unique(key, return_inverse=True)[1]
    return numbers


def _shifted(x: Int64[Tensor, " rows"], bits: int) -> Int64[Tensor, " rows"]:
    """Shift to the right without the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _unit_interval(marks: Int64[Tensor, " rows"]) -> Float64[Tensor, " rows"]:
    """Return the upper 53 bits as a number in [0, 1)."""
    return _shifted(marks, 11).double() * 2.0**-53
