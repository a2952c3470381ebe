"""One phase of a curriculum: what is shown, how often, and in which state of mind."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from torch import Tensor

from ..core import ConfigError

__all__ = ["Mode", "PhaseConfig", "Transform"]

Mode = Literal["plastic", "panic", "inference"]
Transform = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class PhaseConfig:
    """A phase of training.

    Parameters
    ----------
    name : str
        What the phase is called in tables and figures; unique within a curriculum.
    epochs : int
        How often the loader is gone through, at least 1.
    loader : re-iterable of (x, y)
        Batches of images (floats in [0, 1] or uint8, ``[batch, 3, height, width]``) or features
        ``[batch, width]``, with labels ``[batch]``: a ``DataLoader``, a list, a
        :class:`plasticish.data.BatchLoader`. An iterator is refused: it is spent after one pass.
    mode : {"plastic", "panic", "inference"}
        Ordinary plasticity, aggressive adaptation (a storm), or no learning at all.
    consolidate_after : bool
        Whether the brain protects what it learned at the end of the phase.
    transform_fn : callable, optional
        Applied to each batch of images as floats in [0, 1], before the eyes see it.
    memorize : bool
        Whether the episodic memory keeps the examples of this phase.

    Raises
    ------
    ConfigError
        If a value is outside its range, or the loader cannot be gone through twice.

    Examples
    --------
    >>> import torch
    >>> batches = [(torch.rand(4, 8), torch.tensor([0, 1, 0, 1]))]
    >>> PhaseConfig("Vehicles", 3, batches, mode="plastic", consolidate_after=True).epochs
    3
    """

    name: str
    epochs: int
    loader: Iterable[Any]
    mode: str = "plastic"  # one of Mode; a wrong one is refused with the names of the right ones
    consolidate_after: bool = False
    transform_fn: Transform | None = None
    memorize: bool = True

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("a phase has no name", got=repr(self.name), expected="a name")
        if isinstance(self.epochs, bool) or not isinstance(self.epochs, int) or self.epochs < 1:
            raise ConfigError(
                f"epochs of phase {self.name!r} is out of range",
                got=repr(self.epochs),
                expected="an integer >= 1",
            )
        if self.mode not in get_args(Mode):
            raise ConfigError(
                f"unknown mode of phase {self.name!r}",
                got=repr(self.mode),
                expected="one of: " + ", ".join(get_args(Mode)),
            )
        if isinstance(self.loader, Iterator):
            raise ConfigError(
                f"the loader of phase {self.name!r} is spent after one pass",
                got=type(self.loader).__name__,
                expected="something that can be gone through again, such as a DataLoader",
                cure="give a list of batches, or a BatchLoader over the data",
            )

    def __len__(self) -> int:
        """Batches in one epoch, or 0 where the loader does not know."""
        try:
            return len(cast(Any, self.loader))
        except TypeError:
            return 0

    def __bool__(self) -> bool:
        return True

    def describe(self) -> dict[str, Any]:
        """Return what a resumed run must have in common with this phase, as JSON can hold it."""
        function: Any = self.transform_fn
        while isinstance(function, functools.partial):
            function = function.func
        name = None if function is None else getattr(function, "__name__", type(function).__name__)
        return {
            "name": self.name,
            "epochs": self.epochs,
            "batches": len(self),
            "mode": self.mode,
            "consolidate_after": self.consolidate_after,
            "transform": name,
            "memorize": self.memorize,
        }
