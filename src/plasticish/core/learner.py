"""The one protocol that every learner of the house obeys.

A learner takes a stream one batch at a time (``learn``), answers without changing (``predict``),
turns what it stored at once into what it knows for good (``sleep``), says how it is (``stats``)
and survives the process (``save`` / ``load``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

__all__ = ["Batch", "Learner", "Report"]

Batch = Sequence[Any]
"""Inputs and their labels, one row an example: a tuple, or the list that a DataLoader makes."""

Report = Mapping[str, Any]
"""What a step did, as plain numbers and strings that JSON can hold."""


@runtime_checkable
class Learner(Protocol):
    """What ``tests/contract`` checks of every registered learner."""

    def learn(self, batch: Batch) -> Report:
        """Learn one batch; refuse bad input with one error and nothing changed."""
        ...

    def predict(self, x: Any, /) -> Any:
        """Answer; the same question gets the same answer until something is learned.

        What an answer is depends on the habitat: a tensor of classes, a next symbol, a reply.
        """
        ...

    def sleep(self) -> Report:
        """Consolidate offline: nothing new comes in, what is stored becomes knowledge."""
        ...

    def stats(self) -> Report:
        """Return plain numbers about the inside."""
        ...

    def save(self, path: str | Path) -> Path:
        """Write everything needed to go on bit for bit."""
        ...

    @classmethod
    def load(cls, path: str | Path) -> Learner:
        """Read what :meth:`save` wrote."""
        ...
