"""Building something again from a file: it may ask for little, and fails in one way.

A checksum tells what was damaged, not what was forged: a few bytes of JSON can ask for a matrix of
terabytes, and a missing or senseless value makes a constructor raise whatever it happens to raise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .errors import CheckpointError

__all__ = ["restoring"]

_FLOOR = 1 << 28  # bytes: more than any learner takes that holds nothing yet
_FACTOR = 8  # what is derived from the stored arrays: sums in float64, unit rows, optimisers
_FACTORIES = frozenset(
    (torch.empty, torch.zeros, torch.ones, torch.full, torch.eye, torch.rand, torch.randn,
     torch.randint, torch.randperm, torch.arange, torch.linspace)
)  # fmt: skip
_UNFIT = (
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
)


@contextmanager
def restoring(what: str, into: str, stored: Mapping[str, Tensor]) -> Iterator[None]:
    """Build what a checkpoint describes: whatever goes wrong is that the checkpoint does not fit.

    Parameters
    ----------
    what, into : str
        What is read and what it is to become, for the message.
    stored : mapping of str to Tensor
        The arrays of the checkpoint: 256 MB and eight times their size may be allocated.

    Raises
    ------
    CheckpointError
        If it asks for more memory than that, or has a value with which nothing can be built.

    Examples
    --------
    >>> with restoring("it", "a brain", {}):
    ...     torch.zeros(10**6, 10**6)
    Traceback (most recent call last):
        ...
    plasticish.core.errors.CheckpointError: it does not fit a brain: got an array of \
4,000,000,000,000 bytes, more than it could fill. It was written by another version or altered by \
hand.
    """
    allowed = _FLOOR + _FACTOR * sum(array.nbytes for array in stored.values())
    try:
        with _Allowance(allowed):
            yield
    except _UNFIT as error:
        raise CheckpointError(
            f"{what} does not fit {into}",
            got=str(error) or type(error).__name__,
            cure="it was written by another version or altered by hand",
        ) from error


class _Allowance(TorchFunctionMode):
    """Count what torch allocates, and refuse what is too much before it is allocated."""

    def __init__(self, allowed: int) -> None:
        super().__init__()
        self._left = allowed

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func not in _FACTORIES:
            return func(*args, **kwargs)
        self._take(4 * _items(func, args, kwargs), before=True)
        made = func(*args, **kwargs)
        self._take(made.nbytes, before=False)
        return made

    def _take(self, size: int, *, before: bool) -> None:
        if size > self._left:
            raise MemoryError(f"an array of {size:,} bytes, more than it could fill")
        self._left -= 0 if before else size


def _items(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
    """Return how many numbers a factory is asked for; 0 where that cannot be told beforehand."""
    shapes = [one for one in (kwargs.get("size"), *args) if isinstance(one, tuple | list)]
    axes = shapes[0] if shapes else [one for one in args if isinstance(one, int)]
    if func is torch.eye and len(axes) == 1:
        axes = [*axes, *axes]
    if not axes or not all(isinstance(axis, int) and axis >= 0 for axis in axes):
        return 0  # torch itself refuses it, or it is small
    return math.prod(axes)
