"""Randomness that others own, made a function of where a run stands.

A loader, its sampler, the transforms of its data set, or the ``transform_fn`` of a phase may hold
generators of their own. They are found, seeded for the length of one use, and handed back as they
were; and the global generators of torch, numpy and Python are lent in the same way.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core import spawn_seed

__all__ = ["isolated_rng", "reachable_generators", "seeded"]

_DEPTH = 6  # DataLoader → data set → Compose → list → partial → generator
_MOST = 64  # items of a container that are looked through: options, not data


@contextmanager
def isolated_rng(seed: int) -> Iterator[None]:
    """Seed the global generators inside this block and put them back after it.

    Only those of the CPU: an accelerator's generator is neither seeded nor put back.

    Examples
    --------
    >>> with isolated_rng(3):
    ...     first = torch.rand(1)
    >>> with isolated_rng(3):
    ...     bool(first == torch.rand(1))
    True
    """
    numpy_state = np.random.get_state()  # noqa: NPY002 - other people's augmentations draw from it
    kept = random.getstate(), torch.random.get_rng_state()
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)  # noqa: NPY002
    # Not torch.manual_seed, which would reseed every accelerator too, for good.
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(numpy_state)  # noqa: NPY002
        torch.random.set_rng_state(kept[1])


@contextmanager
def seeded(generators: Sequence[torch.Generator], seed: int) -> Iterator[None]:
    """Seed these generators inside this block and put them back after it.

    Examples
    --------
    >>> generator = torch.Generator()
    >>> with seeded([generator], 3):
    ...     first = torch.rand(1, generator=generator)
    >>> with seeded([generator], 3):
    ...     bool(first == torch.rand(1, generator=generator))
    True
    """
    kept = [generator.get_state() for generator in generators]
    for position, generator in enumerate(generators):
        generator.manual_seed(spawn_seed(seed, position))
    try:
        yield
    finally:
        for generator, state in zip(generators, kept, strict=True):
            generator.set_state(state)


def reachable_generators(thing: Any) -> list[torch.Generator]:
    """Return the ``torch.Generator`` objects that ``thing`` holds, in an order that is its own.

    Looked through are attributes, short containers, the arguments of a ``functools.partial``, and
    what a function closes over, has as a default, or names as a global.

    Examples
    --------
    >>> generator = torch.Generator()
    >>> reachable_generators(lambda x: x + torch.rand(1, generator=generator)) == [generator]
    True
    """
    found: dict[int, torch.Generator] = {}
    _search(thing, _DEPTH, found, set())
    return list(found.values())


def _search(thing: Any, depth: int, found: dict[int, torch.Generator], seen: set[int]) -> None:
    if isinstance(thing, torch.Generator):
        # The global one is lent by isolated_rng already.
        if thing is not torch.default_generator:
            found[id(thing)] = thing
    elif depth > 0 and id(thing) not in seen:
        seen.add(id(thing))
        for part in _parts(thing):
            _search(part, depth - 1, found, seen)


def _parts(thing: Any) -> list[Any]:
    if isinstance(thing, (Tensor, np.ndarray, type, str, bytes)):
        return []
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, MethodType):
        return [thing.__self__, thing.__func__]
    if isinstance(thing, FunctionType):
        return _parts_of_function(thing)
    if isinstance(thing, (list, tuple, set, frozenset)):
        return list(thing) if len(thing) <= _MOST else []
    if isinstance(thing, dict):
        return list(thing.values()) if len(thing) <= _MOST else []
    return list(getattr(thing, "__dict__", {}).values())


def _parts_of_function(function: FunctionType) -> list[Any]:
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # a name that was not bound yet
            continue
    names = (function.__globals__.get(name) for name in function.__code__.co_names)
    # Of globals only generators themselves: through the rest one would reach the whole program.
    named = [value for value in names if isinstance(value, torch.Generator)]
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return [*cells, *named, *defaults]
