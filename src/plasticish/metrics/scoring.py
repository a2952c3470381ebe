"""Accuracy over a loader, whole and by class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from plasticish.core import DataError, as_batches, check_labels

__all__ = ["score"]


def score(predict: Callable[[Any], Tensor], loader: Iterable[Any]) -> dict[str, Any]:
    """Return the share that ``predict`` gets right.

    Parameters
    ----------
    predict : callable
        Inputs to labels, int64 ``[batch]``.
    loader : iterable of (x, y), or one such pair
        What is asked.

    Returns
    -------
    dict
        ``accuracy`` in [0, 1], ``per_class`` (label to accuracy) and ``count``.

    Raises
    ------
    DataError
        If the loader is empty.

    Examples
    --------
    >>> score(lambda x: x.argmax(1), [(torch.eye(2), torch.tensor([0, 0]))])
    {'accuracy': 0.5, 'per_class': {0: 0.5}, 'count': 2}
    """
    hits: list[Tensor] = []
    truths: list[Tensor] = []
    for x, y in as_batches(loader):
        answers = predict(x).cpu()
        labels = check_labels(y, len(answers))
        hits.append(answers == labels)
        truths.append(labels)
    if not truths:
        raise DataError(
            "there is nothing to evaluate on",
            got="0 batches",
            expected="at least one",
            cure="give a loader with data in it; an iterator that was used up has none",
        )
    hit, truth = torch.cat(hits).double(), torch.cat(truths)
    asked = torch.bincount(truth)
    right = torch.bincount(truth, weights=hit)
    present = asked.nonzero().flatten().tolist()
    return {
        "accuracy": float(hit.mean()),
        "per_class": {label: float(right[label] / asked[label]) for label in present},
        "count": len(truth),
    }
