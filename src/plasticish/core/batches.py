"""The forms in which inputs come with their labels: one batch, or something that yields batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .errors import DataError, DTypeError

__all__ = ["as_batches", "as_pair"]


def as_pair(batch: Any) -> tuple[Any, Any]:
    """Return ``(x, y)`` of a batch, or say what came instead.

    Raises
    ------
    DataError
        If the batch is not a pair.

    Examples
    --------
    >>> as_pair([[[0.0, 1.0]], [3]])
    ([[0.0, 1.0]], [3])
    """
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        return batch[0], batch[1]
    name = type(batch).__name__
    # A tensor without axes has a __len__, and no length.
    got = f"{name} of {len(batch)}" if isinstance(batch, (tuple, list)) else name
    raise DataError(
        "a batch is not a pair",
        got=got,
        expected="(inputs, labels)",
        cure="put both into one tuple (x, y)",
    )


def as_batches(data: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs ``(x, y)`` of a loader, or the one pair that ``data`` itself is.

    Raises
    ------
    DTypeError, DataError
        If it is neither.

    Examples
    --------
    >>> import torch
    >>> x, y = torch.ones(2, 4), torch.tensor([0, 1])
    >>> [len(list(as_batches(data))) for data in ((x, y), [x, y], [(x, y), [x, y]])]
    [1, 1, 2]
    """
    if not isinstance(data, Iterable):
        raise DTypeError(
            "this is neither a batch nor a loader",
            got=type(data).__name__,
            expected="(inputs, labels), or something that yields such pairs",
            cure="give a tuple (x, y), a list of them, or a DataLoader",
        )
    for batch in [data] if _is_batch(data) else data:
        yield as_pair(batch)


def _is_batch(data: Any) -> bool:
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        return False
    first = data[0]
    # A DataLoader makes lists of its pairs; a list whose first entry is no array is a loader.
    if isinstance(first, (tuple, list)):
        inner = bool(first) and hasattr(first[0], "ndim")
        return isinstance(data, tuple) and not isinstance(first, tuple) and not inner
    return True
