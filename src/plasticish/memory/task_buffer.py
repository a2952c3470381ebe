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

import math
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Int64
from numpy.typing import NDArray
from torch import Tensor

from plasticish.core import (
    ConfigError,
    DataError,
    NotReadyError,
    Persistent,
    ShapeError,
    State,
    make_generator,
)

from .checks import check_whole
from .columns import GrowingColumns
from .eviction import dropped
from .fingerprint import Fingerprint, Marks, unit_interval
from .standing import Standing, classes_of

__all__ = ["BufferPolicy", "Replay", "TaskBuffer"]

BufferPolicy = Literal["reservoir", "class_balanced"]
_EVICTION = {"reservoir": "reservoir", "class_balanced": "balanced"}


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
        self._fingerprint = Fingerprint(seed)
        self._standing: Standing | None = None

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
        columns = self._open(rows)
        rows = {
            name: part.reshape(count, -1) if part.ndim > 1 else part for name, part in rows.items()
        }
        task = torch.as_tensor(tasks, dtype=torch.int64, device=inputs.device).expand(count)
        rows["task"] = task
        self.seen += count
        if self.distinct:
            marks = self._fingerprint(rows)
            fresh = self._new_ones(columns, rows, marks)
            if not len(fresh):
                return
            marks = marks[fresh]
            rows = _picked(rows, fresh)
            rows["mark"] = torch.from_numpy(marks).to(inputs.device)
            priority = unit_interval(marks)
        else:
            draws = torch.rand(count, generator=self._generator, dtype=torch.float64)
            priority = draws.numpy()
        lucky = (~self._beaten(columns, rows, priority)).nonzero()[0]
        if not len(lucky):
            return
        rows["priority"] = torch.from_numpy(priority).to(inputs.device)
        self._admit(columns, rows if len(lucky) == len(priority) else _picked(rows, lucky))

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

    def _new_ones(self, columns: GrowingColumns, rows: dict[str, Tensor], marks: Marks) -> Marks:
        """Refresh the answers of examples that are held already; return where the others are."""
        count = len(marks)
        # Of an example that comes twice in a batch, the last counts.
        last = np.array(sorted({mark: row for row, mark in enumerate(marks.tolist())}.values()))
        held = marks[last, None] == columns["mark"].cpu().numpy()[None, :]
        known = held.any(axis=1)
        if "logit" in rows and known.any():
            slots, where = held[known].argmax(axis=1), last[known]
            newer = rows["logit"] if len(where) == count else _picked(rows, where)["logit"]
            columns.write(torch.from_numpy(slots).to(newer.device), {"logit": newer})
        fresh: Marks = last[~known]
        return fresh

    def _beaten(
        self, columns: GrowingColumns, rows: dict[str, Tensor], priority: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Tell which rows have no chance, without sorting the pool: late in a stream, most.

        A row is beaten if it would be the last of its group and come after the last of all. It
        shifts no one's rank then, so that the rows that are beaten are so together as well.
        """
        if columns.size < self.capacity:
            return np.zeros(len(priority), dtype=bool)
        if self._standing is None:
            balanced = self.policy == "class_balanced"
            self._standing = Standing.of(
                columns["task"], columns["label"], columns["priority"], balanced
            )
        return self._standing.beaten(rows["task"], rows["label"], priority)

    def _admit(self, columns: GrowingColumns, rows: dict[str, Tensor]) -> None:
        size, count = columns.size, len(rows["task"])
        device = rows["task"].device
        if size + count <= self.capacity:
            columns.extend(count)
            columns.write(torch.arange(size, size + count, device=device), rows)
            return
        pool = {name: torch.cat([columns[name], rows[name]]) for name in ("label", "task")}
        gone = dropped(
            _EVICTION[self.policy],
            _groups(pool["label"], pool["task"]),
            pool["task"],  # the order of arrival, which neither policy looks at
            torch.cat([columns["priority"], rows["priority"]]),
            self.capacity,
        )
        out = gone.cpu().numpy()
        if len(out) == count and out[0] >= size:
            return  # none of the newcomers is lucky: the common case, late in a stream
        stays = np.ones(count, dtype=bool)
        stays[out[out >= size] - size] = False
        fresh, freed = stays.nonzero()[0], out[out < size]
        self._standing = None
        columns.extend(len(fresh) - len(freed))
        slots = np.concatenate([freed, np.arange(size, columns.size)])
        columns.write(torch.from_numpy(slots).to(device), _picked(rows, fresh))

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
        pairs = torch.stack([columns["task"], classes_of(columns["label"])], dim=1)
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
        for name, shape in shapes.items():
            wide = math.prod(tensors[name].shape[1:])
            if wide != math.prod(shape):
                raise DataError(
                    f"the stored column {name!r} does not fit",
                    got=f"rows of {wide}",
                    expected=f"rows of shape {shape}",
                )
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
        self._standing = None


def _groups(labels: Tensor, tasks: Tensor) -> Int64[Tensor, " rows"]:
    """Number the classes of every task from 0."""
    classes = classes_of(labels)
    key = tasks * (classes.amax() + 2) + classes
    numbers: Tensor = torch.unique(key, return_inverse=True)[1]
    return numbers


def _picked(rows: dict[str, Tensor], where: Marks) -> dict[str, Tensor]:
    index = torch.from_numpy(where).to(rows["task"].device)
    return {name: part[index] for name, part in rows.items()}
