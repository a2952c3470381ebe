"""Batches in an order that can be had again: what a bit-identical resume stands on.

A shuffling ``DataLoader`` draws its order from torch's global generator, and augmentations draw
from that, from numpy's, from Python's, or from one of their own. Each is seeded for the length of
one draw and put back afterwards, so that batch *b* of epoch *e* depends on the seed and on nothing
else, and the program around it never notices.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np
import torch

from ..core import as_pair, check_images, spawn_seed
from .generators import isolated_rng, reachable_generators, seeded
from .phase import Transform

__all__ = ["TransformedLoader", "fingerprint", "lent", "replayed"]


class TransformedLoader:
    """Another loader seen through a transform: a storm to be evaluated in.

    Examples
    --------
    >>> clean = [(torch.zeros(2, 3, 4, 4), torch.tensor([0, 1]))]
    >>> storm = TransformedLoader(clean, lambda images: 1 - images)
    >>> float(next(iter(storm))[0].mean())
    1.0
    """

    def __init__(self, loader: Iterable[Any], transform_fn: Transform) -> None:
        self.loader = loader
        self.transform_fn = transform_fn

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for batch in self.loader:
            x, y = as_pair(batch)
            yield apply_transform(x, self.transform_fn), y


def apply_transform(x: Any, transform_fn: Transform | None) -> Any:
    """Transform a batch; images are brought to floats in [0, 1] first, as transforms expect."""
    if transform_fn is None:
        return x
    tensor = torch.as_tensor(x)
    return transform_fn(check_images(tensor) if tensor.ndim == 4 else tensor)


def replayed(loader: Iterable[Any], seed: int, epoch: int = 0) -> Iterator[Any]:
    """Yield the batches of one epoch in the order that ``seed`` and ``epoch`` stand for.

    Generators of torch that the loader, its sampler or its data set holds are seeded for the
    epoch, and a loader that counts its epochs (an integer ``epoch``, as
    :class:`plasticish.data.BatchLoader` has) is told this one; both are put back
    at the end. An order drawn from any other private generator cannot be had again;
    :func:`fingerprint` is there to notice.

    Examples
    --------
    >>> from torch.utils.data import DataLoader
    >>> loader = DataLoader(range(6), batch_size=3, shuffle=True)
    >>> [b.tolist() for b in replayed(loader, 5)] == [b.tolist() for b in replayed(loader, 5)]
    True
    """
    with lent(loader, seed, epoch):
        yield from _draws(loader, seed)


@contextmanager
def lent(loader: object, seed: int, epoch: int = 0) -> Iterator[None]:
    """Seed the generators of a loader and set its counter of epochs; put both back at the end.

    Examples
    --------
    >>> from plasticish.data import BatchLoader, load_digits
    >>> loader = BatchLoader(load_digits().test, 64, seed=0)
    >>> with lent(loader, seed=5):
    ...     _ = list(loader)
    >>> loader.epoch
    0
    """
    counters = _epoch_counters(loader)
    epochs = [counter.epoch for counter in counters]
    for counter in counters:
        counter.epoch = epoch
    try:
        with seeded(reachable_generators(loader), spawn_seed(seed, 0)):
            yield
    finally:
        for counter, before in zip(counters, epochs, strict=True):
            counter.epoch = before


def _draws(loader: Iterable[Any], seed: int) -> Iterator[Any]:
    with isolated_rng(spawn_seed(seed, 1)):
        iterator = iter(loader)
    for index in count():
        # Each draw has its own seed, so skipping a batch cannot shift those after it.
        with isolated_rng(spawn_seed(seed, 2, index)):
            try:
                batch = next(iterator)
            except StopIteration:
                return
        yield batch


def _epoch_counters(loader: object) -> list[Any]:
    inner = loader
    while isinstance(inner, TransformedLoader):
        inner = inner.loader
    # torch's DistributedSampler keeps what set_epoch is told under this name too.
    holders = (inner, getattr(inner, "sampler", None))
    return [holder for holder in holders if isinstance(getattr(holder, "epoch", None), int)]


def fingerprint(x: Any, y: Any, before: int = 0) -> int:
    """Fold a batch into a running checksum of all labels and of the first and last example.

    Examples
    --------
    >>> x, y = torch.eye(2), torch.tensor([0, 1])
    >>> fingerprint(x, y) == fingerprint(x.clone(), y.clone())
    True
    >>> fingerprint(x, y) == fingerprint(x.flip(0), y)
    False
    """
    labels = np.ascontiguousarray(torch.as_tensor(y).cpu().numpy())
    rows = torch.as_tensor(x)
    ends = np.ascontiguousarray(rows[[0, -1]].cpu().numpy()) if len(rows) else labels
    return zlib.crc32(ends.tobytes(), zlib.crc32(labels.tobytes(), before))
