"""Numbers that arithmetic dislikes: learners stay finite and right, and nothing warns."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from .learners import CASES, WIDTH, Case, answers, examples, snapshot

X, Y = examples(48, 3)
QUERIES, TRUTH = examples(24, 4)


def denormal(x: Tensor) -> Tensor:
    """Smaller than the smallest normal float32, 1.2e-38, all of them."""
    return x * 1e-40


def partly_denormal(x: Tensor) -> Tensor:
    return torch.cat([x[:, :-2], 1e-40 * x[:, -2:]], dim=1)


def partly_constant(x: Tensor) -> Tensor:
    return torch.cat([x[:, :-2], torch.full((len(x), 2), 0.1)], dim=1)


def duplicated(x: Tensor) -> Tensor:
    half = x[:, : WIDTH // 2]
    return torch.cat([half, half], dim=1)


def zeros(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


def alike(x: Tensor) -> Tensor:
    """All rows the same."""
    return torch.ones_like(x)


def some_zero(x: Tensor) -> Tensor:
    return x * (torch.arange(len(x)) % 4 > 0)[:, None]


TELLING: dict[str, Callable[[Tensor], Tensor]] = {
    "two features denormal": partly_denormal,
    "two features constant": partly_constant,
    "every feature twice": duplicated,
    "one row in four zero": some_zero,
}
SILENT: dict[str, Callable[[Tensor], Tensor]] = {
    "all denormal": denormal,
    "all zero": zeros,
    "all rows alike": alike,
}


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def taught(case: Case, x: Tensor, y: Tensor) -> Any:
    """Learn in batches, sleep in between and at the end; a warning is an error."""
    learner = case.make(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(4):
            for rows, labels in zip(torch.split(x, 8), torch.split(y, 8), strict=True):
                learner.learn((rows, labels))
            learner.sleep()
    return learner


def check_finite(learner: Any, x: Tensor) -> np.ndarray[Any, Any]:
    """Return its labels, after a look at everything it holds and says."""
    said = answers(learner, x)
    assert np.isfinite(said).all()
    for name, tensor in snapshot(learner)[1].items():
        if tensor.is_floating_point():
            assert bool(torch.isfinite(tensor).all()), name
    return said[:, 0]


@pytest.mark.parametrize("way", TELLING)
def test_what_is_left_to_tell_classes_by_is_used(case: Case, way: str) -> None:
    strange = TELLING[way]
    learner = taught(case, strange(X), Y)
    x = strange(QUERIES)
    told = x.abs().amax(dim=1) > 0
    said = check_finite(learner, x)
    assert (said == TRUTH.numpy())[told.numpy()].mean() > 0.8


@pytest.mark.parametrize("way", SILENT)
def test_where_nothing_tells_classes_apart_an_answer_is_one_of_them(case: Case, way: str) -> None:
    strange = SILENT[way]
    said = check_finite(taught(case, strange(X), Y), strange(QUERIES))
    assert set(said) <= set(range(4 if not case.grows else 3))


def test_of_a_single_class_that_class_is_the_answer(case: Case) -> None:
    learner = taught(case, X, torch.full_like(Y, 2))
    assert set(check_finite(learner, QUERIES)) == {2}
