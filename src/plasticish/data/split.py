"""Holding rows out, class by class, so that every class is on both sides in the same share."""

from __future__ import annotations

import torch
from jaxtyping import Int64
from torch import Tensor

from plasticish.core import ConfigError

from .labelled import LabelledSet

__all__ = ["few_shot", "stratified_split"]


def stratified_split(
    dataset: LabelledSet, share: float, generator: torch.Generator
) -> tuple[LabelledSet, LabelledSet]:
    """Split a set in two, with ``share`` of every class in the second part.

    A class with at least two rows has at least one on either side; a class of one row stays
    whole in the first. Rows keep their order.

    Parameters
    ----------
    dataset : LabelledSet
        What to split.
    share : float
        Part to hold out, in [0, 1).
    generator : torch.Generator
        Decides which rows; the same seed gives the same split.

    Returns
    -------
    rest, held : LabelledSet
        Together every row once.

    Examples
    --------
    >>> from plasticish.core import make_generator
    >>> data = LabelledSet(torch.zeros(8, 1), torch.tensor([0, 1] * 4), ("a", "b"), "toy")
    >>> rest, held = stratified_split(data, 0.25, make_generator(0))
    >>> rest.labels.bincount().tolist(), held.labels.bincount().tolist()
    ([3, 3], [1, 1])
    """
    if not 0 <= share < 1:
        raise ConfigError("share is out of range", got=repr(share), expected="0 <= share < 1")
    ranks, counts = _random_ranks(dataset, generator)
    held = (counts * share).round()
    if share:
        held = held.clamp(min=1)
    held = torch.minimum(held, (counts - 1).clamp(min=0))
    out = ranks < held[dataset.labels]
    return dataset.subset((~out).nonzero().flatten()), dataset.subset(out.nonzero().flatten())


def few_shot(dataset: LabelledSet, shots: int, generator: torch.Generator) -> LabelledSet:
    """Return ``shots`` random rows of every class (all of a class that has fewer).

    Examples
    --------
    >>> from plasticish.core import make_generator
    >>> data = LabelledSet(torch.zeros(5, 1), torch.tensor([0, 1, 1, 1, 1]), ("a", "b"), "toy")
    >>> few_shot(data, 2, make_generator(0)).labels.tolist()
    [0, 1, 1]
    """
    if shots < 1:
        raise ConfigError("shots is out of range", got=repr(shots), expected="at least 1")
    ranks, _ = _random_ranks(dataset, generator)
    return dataset.subset((ranks < shots).nonzero().flatten())


def _random_ranks(
    dataset: LabelledSet, generator: torch.Generator
) -> tuple[Int64[Tensor, " n"], Int64[Tensor, " classes"]]:
    """Give every row a random place among the rows of its class, and count the classes."""
    labels = dataset.labels.cpu()
    counts = labels.bincount(minlength=len(dataset.classes))
    shuffled = torch.randperm(len(labels), generator=generator)
    # A stable sort by label after a shuffle lines each class up in random order.
    order = shuffled[labels[shuffled].argsort(stable=True)]
    starts = counts.cumsum(0) - counts
    ranks = torch.empty_like(labels)
    ranks[order] = torch.arange(len(labels)) - starts[labels[order]]
    return ranks.to(dataset.labels.device), counts.to(dataset.labels.device)
