"""The shrinkage that is chosen from the sums is the one that cross-validation would choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.memory.coactivity import Moments
from plasticish.memory.shrinkage import FEW, GRID, choose_shrinkage

Array = np.ndarray[Any, Any]


def problem(n: int, width: int, classes: int, apart: float, seed: int) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    scale = np.linspace(2.0, 0.2, width)  # as features are: few directions carry most variance
    y = np.arange(n) % classes
    return generator.normal(size=(classes, width))[y] * apart * scale + generator.normal(
        size=(n, width)
    ) * scale, y


def moments_of(phi: Array, y: Array) -> Moments:
    counts = np.bincount(y).astype(float)
    means = np.eye(len(counts))[y].T @ phi / np.maximum(counts, 1)[:, None]
    off = phi - means[y]
    within = off.T @ off / len(phi)
    return Moments(*(torch.from_numpy(part) for part in (means, within, counts)))


def generalised_error(phi: Array, y: Array, e: float) -> tuple[float, float]:
    """GCV by its definition: hat matrix, residuals and exact trace, from the examples."""
    n = len(phi)
    off = phi - np.stack([phi[y == c].mean(axis=0) for c in range(y.max() + 1)])[y]
    ridge = e * (off**2).sum() / n / phi.shape[1]
    centred = phi - phi.mean(axis=0)
    hat = centred @ np.linalg.solve(
        centred.T @ centred + n * ridge * np.eye(phi.shape[1]), centred.T
    )
    hat += 1 / n  # the intercept
    target = np.eye(y.max() + 1)[y]
    residual = ((target - hat @ target) ** 2).sum() / n
    freedom = np.trace(hat) / n
    return residual / (1 - freedom) ** 2, freedom


@settings(max_examples=40, deadline=None)
@given(
    n=st.sampled_from([12, 30, 80, 300]),
    width=st.sampled_from([3, 20, 60]),
    classes=st.sampled_from([2, 5]),
    apart=st.sampled_from([0.0, 0.3, 1.0, 3.0]),
    seed=st.integers(0, 10_000),
)
def test_the_choice_has_the_least_generalised_error(
    n: int, width: int, classes: int, apart: float, seed: int
) -> None:
    phi, y = problem(n, width, classes, apart, seed)
    chosen = choose_shrinkage(moments_of(phi, y))
    assert chosen in GRID
    errors = {e: generalised_error(phi, y, e) for e in GRID}
    # Beyond 95 % of freedom spent the estimate is no more than rounding by rounding.
    usable = [error for error, freedom in errors.values() if freedom < 0.949]
    if usable:
        assert errors[chosen][0] <= min(usable) * (1 + 1e-4)


def test_the_choice_serves_unseen_examples() -> None:
    # Not the same as the test above: is what GCV picks near what held-out examples would pick?
    gaps = []
    for seed in range(10):
        phi, y = problem(480, 60, 5, 0.5, seed)
        seen, unseen = slice(0, 80), slice(80, None)

        def unseen_error(e: float, phi: Array = phi, y: Array = y) -> float:
            moments = moments_of(phi[:80], y[:80])
            ridge = e * float(moments.within.diagonal().mean())
            centred = phi[:80] - phi[:80].mean(axis=0)
            target = np.eye(5)[y]
            weights = np.linalg.solve(
                centred.T @ centred + 80 * ridge * np.eye(60), centred.T @ target[:80]
            )
            guess = (phi[80:] - phi[:80].mean(axis=0)) @ weights + target[:80].mean(axis=0)
            return float(((guess - target[80:]) ** 2).mean())

        chosen = choose_shrinkage(moments_of(phi[seen], y[seen]))
        assert len(phi[unseen]) == 400
        gaps.append(unseen_error(chosen) / min(unseen_error(e) for e in GRID))
    assert np.mean(gaps) < 1.05


@pytest.mark.parametrize("n", [1, 2, 3])
def test_with_one_example_a_class_it_is_the_nearest_mean(n: int) -> None:
    phi, _ = problem(n, 8, 1, 1.0, 0)
    assert choose_shrinkage(moments_of(phi, np.arange(n))) == GRID[-1]


def test_a_single_class_or_no_variance_is_no_failure() -> None:
    phi, y = problem(20, 8, 1, 1.0, 0)
    assert choose_shrinkage(moments_of(phi, y)) == GRID[-1]
    assert choose_shrinkage(moments_of(np.ones((20, 8)), np.arange(20) % 2)) == GRID[-1]


def test_more_examples_never_ask_for_much_more_shrinkage() -> None:
    phi, y = problem(4000, 30, 4, 0.6, 1)
    chosen = [choose_shrinkage(moments_of(phi[:n], y[:n])) for n in (16, 100, 4000)]
    assert chosen[0] >= chosen[1] >= chosen[2]


def test_the_choice_draws_nothing_from_the_global_generator() -> None:
    phi, y = problem(60, 20, 3, 0.5, 0)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    once = choose_shrinkage(moments_of(phi, y))
    assert torch.equal(torch.get_rng_state(), before)
    assert choose_shrinkage(moments_of(phi, y)) == once


def test_labels_without_examples_are_passed_over() -> None:
    phi, y = problem(60, 12, 3, 0.5, 0)
    assert choose_shrinkage(moments_of(phi, 5 * y)) == choose_shrinkage(moments_of(phi, y))


@pytest.mark.parametrize("seed", range(4))
def test_with_many_examples_the_trace_is_estimated_well_enough(seed: int) -> None:
    phi, y = problem(FEW + 1, 120, 4, 0.1 * seed, seed)
    errors = {e: generalised_error(phi, y, e)[0] for e in GRID}
    assert errors[choose_shrinkage(moments_of(phi, y))] <= min(errors.values()) * 1.005
