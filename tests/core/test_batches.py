"""One batch, or something that yields batches: told apart, and anything else refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from plasticish.core import DataError, DTypeError, as_batches, as_pair

X, Y = torch.eye(2), torch.tensor([0, 1])


def yields() -> Iterator[Any]:
    yield X, Y
    yield [X, Y]


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ((X, Y), 1),
        ([X, Y], 1),
        ((X.numpy(), Y.numpy()), 1),
        ((X.tolist(), Y.tolist()), 1),
        ([(X, Y)], 1),
        ([[X, Y]], 1),
        ([(X, Y), (X, Y)], 2),
        (((X, Y), (X, Y)), 2),
        ([[X, Y], [X, Y]], 2),
        (([X, Y], [X, Y]), 2),
        ([(X.tolist(), Y.tolist())] * 2, 2),
        ([(X, Y)] * 3, 3),
        ([], 0),
        (yields(), 2),
    ],
)
def test_batches_are_found_in_every_form(data: Any, count: int) -> None:
    pairs = list(as_batches(data))
    assert len(pairs) == count
    for x, y in pairs:
        assert np.array_equal(np.asarray(x), X.numpy())
        assert np.array_equal(np.asarray(y), Y.numpy())


@pytest.mark.parametrize("data", [None, 3, torch.nn.Identity()])
def test_what_yields_nothing_is_refused(data: Any) -> None:
    with pytest.raises(DTypeError, match=r"neither a batch nor a loader: got .*DataLoader"):
        list(as_batches(data))


@pytest.mark.parametrize(
    ("batch", "got"), [(X, "Tensor"), ((X, Y, Y), "tuple of 3"), ([X], "list of 1"), ("xy", "str"),
                       (None, "NoneType"), ({"x": X, "y": Y}, "dict"), (torch.tensor(3), "Tensor")]
)  # fmt: skip
def test_what_is_no_pair_is_refused(batch: Any, got: str) -> None:
    with pytest.raises(DataError, match=f"not a pair: got {got}, expected .*tuple"):
        as_pair(batch)
