"""Labels of any kind, numbered in the order in which they arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from plasticish.core import LabelError

__all__ = ["LabelBook"]

Labels = npt.NDArray[Any]


class LabelBook:
    """Gives every label a permanent number; new ones may come at any time.

    Attributes
    ----------
    arrived : array [classes]
        Labels by number.

    Examples
    --------
    >>> book = LabelBook().extended(np.array(["dog", "cat"]))
    >>> book.extended(np.array(["ant", "dog"])).arrived.tolist()
    ['cat', 'dog', 'ant']
    """

    def __init__(self, arrived: Labels | None = None) -> None:
        self.arrived: Labels = np.zeros(0, dtype=np.int64) if arrived is None else arrived

    def __len__(self) -> int:
        return len(self.arrived)

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Numbers of the labels, in ascending order of the labels."""
        return np.argsort(self.arrived)

    def extended(self, labels: Labels) -> LabelBook:
        """Return a book that knows these labels too.

        Raises
        ------
        LabelError
            If they are neither all numbers nor all strings, or not of the kind known so far.
        """
        labels = np.unique(plain(labels))
        if not len(self):
            return LabelBook(labels)
        if (labels.dtype.kind == "U") != (self.arrived.dtype.kind == "U"):
            raise LabelError(
                "labels are of another kind than before",
                got=f"{labels[0]!r}",
                expected=f"something like {self.arrived[0]!r}",
            )
        fresh = labels[~np.isin(labels, self.arrived)]
        return LabelBook(np.concatenate([self.arrived, fresh])) if len(fresh) else self

    def numbers(self, labels: Labels) -> npt.NDArray[np.int64]:
        """Return the number of each label, all of which are known."""
        order = self.order
        return order[np.searchsorted(self.arrived[order], plain(labels))]


def plain(labels: Labels) -> Labels:
    """Return labels as an array of numbers or of strings; objects are looked into.

    Raises
    ------
    LabelError
        If they are of mixed or other kinds.
    """
    if labels.dtype.kind == "O":
        texts = {isinstance(label, str) for label in labels.tolist()}
        labels = np.array(labels.tolist()) if len(texts) == 1 else labels
    if labels.dtype.kind not in "biufU":
        raise LabelError(
            "labels are of an unusable kind",
            got=str(labels.dtype),
            expected="all numbers or all strings",
        )
    whole = labels.dtype.kind in "iu" and np.can_cast(labels.dtype, np.int64)
    return labels.astype(np.int64) if whole else labels
