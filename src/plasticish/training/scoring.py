"""Accuracy over a loader, whole and by class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from ..core import DataError, as_pair, check_labels

__all__ = ["score"]


def score(predict: Callable[[Any], Tensor], loader: Iterable[Any]) -> dict[str, Any]:
    """Return the share that ``predict`` gets right.

    Parameters
    ----------
    predict : callable
        Inputs to labels, int64 ``[batch]``.
    loader : iterable of (x, y)
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
    for batch in loader:
        x, y = as_pair(batch)
        answers = predict(x).cpu()
        labels = check_labels(y, len(answers))
        hits.append(answers == labels)
        truths.append(labels)
    if not truths:
        raise DataError("the evaluation loader is empty", got="0 batches", expected="at least one")
    hit, truth = torch.cat(hits).double(), torch.cat(truths)
    asked = torch.bincount(truth)
    right = torch.bincount(truth, weights=hit)
    present = asked.nonzero().flatten().tolist()
    return {
        "accuracy": float(hit.mean()),
        "per_class": {label: float(right[label] / asked[label]) for label in present},
        "count": len(truth),
    }
