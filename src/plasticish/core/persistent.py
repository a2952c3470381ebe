"""Saving and loading, written once: a learner names its config and state, this does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from torch import Tensor

from .checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from .hub import HubMixin
from .restoring import restoring

__all__ = ["Persistent", "State"]

# Not typing.Self: the run-time type checks of the tests cannot resolve it on a method.
P = TypeVar("P", bound="Persistent")


@dataclass(frozen=True)
class State:
    """What changes while a part learns: plain values for JSON, arrays for safetensors."""

    values: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def nest(cls, parts: Mapping[str, State]) -> State:
        """Pack the states of several parts into one, each under its name.

        Examples
        --------
        >>> whole = State.nest({"memory": State({"size": 3}), "cortex": State({"seen": 9})})
        >>> whole.part("cortex").values
        {'seen': 9}
        """
        return cls(
            values={name: dict(part.values) for name, part in parts.items()},
            tensors={
                f"{name}/{key}": tensor
                for name, part in parts.items()
                for key, tensor in part.tensors.items()
            },
        )

    def part(self, name: str) -> State:
        """Return the state that :meth:`nest` packed under ``name``."""
        prefix = f"{name}/"
        return State(
            values=self.values.get(name, {}),
            tensors={
                key.removeprefix(prefix): tensor
                for key, tensor in self.tensors.items()
                if key.startswith(prefix)
            },
        )


class Persistent(HubMixin, ABC):
    """Base of everything that a checkpoint can hold.

    A subclass sets ``kind`` (its permanent registered name) and gives its constructor arguments
    (:meth:`config`) and its state (:meth:`export_state`, :meth:`import_state`).
    """

    kind: ClassVar[str]

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Return the constructor arguments, as JSON can hold them."""

    @abstractmethod
    def export_state(self) -> State:
        """Return everything that learning changed, generators included."""

    @abstractmethod
    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""

    def save(self, path: str | Path) -> Path:
        """Write the learner into the folder ``path``, atomically.

        Raises
        ------
        CheckpointError
            If the folder holds something else or cannot be written; nothing there is changed.
        """
        state, config = self.export_state(), self.config()
        return save_checkpoint(
            path,
            Checkpoint(self.kind, config, state.values, state.tensors, config.get("seed")),
        )

    @classmethod
    def load(cls: type[P], path: str | Path) -> P:
        """Read the learner that :meth:`save` wrote; it goes on bit for bit.

        Raises
        ------
        CheckpointError
            If it is missing, foreign, truncated, of another class, or from a newer version.
        """
        checkpoint = load_checkpoint(path, cls.kind)
        with restoring(f"the checkpoint {path}", cls.__name__, checkpoint.tensors):
            learner = cls(**checkpoint.config)
            learner.import_state(State(checkpoint.state, checkpoint.tensors))
        return learner
