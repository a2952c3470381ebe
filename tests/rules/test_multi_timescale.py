"""The chain of Benna & Fusi against SciPy's matrix exponential, and its power law."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from plasticish.core import ConfigError, DataError, ShapeError, make_generator
from plasticish.rules.multi_timescale import (
    MultiTimescaleParameters,
    chain,
    memory_trace,
    multi_timescale_state,
    multi_timescale_step,
    multi_timescale_window,
)


def by_hand(m, g, leak):
    """The equation of the module's head, term by term."""
    A = np.zeros((m, m))
    for k in range(m):
        C = 2.0**k
        if k > 0:
            flow = g * 2.0 ** -(k - 1) / C
            A[k, k - 1] += flow
            A[k, k] -= flow
        if k < m - 1 or leak:
            A[k, k] -= g * 2.0**-k / C
        if k < m - 1:
            A[k, k + 1] += g * 2.0**-k / C
    return A


CASES = [(1, 0.25, True), (2, 1.0, True), (5, 0.25, False), (8, 0.25, True), (10, 0.5, True)]


@pytest.mark.parametrize(("m", "g", "leak"), CASES)
@pytest.mark.parametrize("dt", [0.1, 1.0, 50.0])
def test_the_step_is_the_matrix_exponential(m, g, leak, dt):
    p = MultiTimescaleParameters(variables=m, coupling=g, leak=leak)
    np.testing.assert_allclose(chain(p).numpy(), by_hand(m, g, leak), atol=1e-15)
    u = torch.randn(3, m, generator=make_generator(m), dtype=torch.float64)
    change = torch.randn(3, generator=make_generator(m + 1), dtype=torch.float64)
    after = multi_timescale_step(change, u, p, dt=dt)
    expected = u.numpy() @ expm(by_hand(m, g, leak) * dt).T
    expected[:, 0] += change.numpy()
    np.testing.assert_allclose(after.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("dt", [1.0, 0.3])
def test_a_window_is_its_steps(dt, dtype, close):
    p = MultiTimescaleParameters(variables=6)
    g = make_generator(0)
    changes = torch.randn(40, 2, 3, generator=g, dtype=dtype)
    state = torch.randn(2, 3, 6, generator=g, dtype=dtype)
    after = state
    for change in changes:
        after = multi_timescale_step(change, after, p, dt=dt)
    window = multi_timescale_window(changes, state, p, dt=dt)
    torch.testing.assert_close(window, after, rtol=close, atol=close)


@given(st.lists(st.floats(0.01, 200.0), min_size=1, max_size=5), st.integers(1, 10))
@settings(max_examples=40, deadline=None)
def test_time_is_one_step_however_it_is_cut(lengths, m):
    p = MultiTimescaleParameters(variables=m)
    none = torch.zeros(2, dtype=torch.float64)
    state = torch.randn(2, m, generator=make_generator(m), dtype=torch.float64)
    once = multi_timescale_step(none, state, p, dt=sum(lengths))
    for length in lengths:
        state = multi_timescale_step(none, state, p, dt=length)
    torch.testing.assert_close(once, state, rtol=1e-9, atol=1e-9)


@given(st.integers(1, 12), st.floats(0.1, 1e6))
@settings(max_examples=40, deadline=None)
def test_what_is_poured_is_kept_without_a_leak(m, dt):
    p = MultiTimescaleParameters(variables=m, leak=False)
    state = multi_timescale_step(
        torch.ones(1, dtype=torch.float64),
        multi_timescale_state(1, parameters=p, dtype=torch.float64),
        p,
    )
    after = multi_timescale_step(torch.zeros(1, dtype=torch.float64), state, p, dt=dt)
    capacity = 2.0 ** torch.arange(m, dtype=torch.float64)
    assert float((after * capacity).sum()) == pytest.approx(1.0, rel=1e-9)
    leaky = multi_timescale_step(
        torch.zeros(1, dtype=torch.float64), state, MultiTimescaleParameters(variables=m), dt=dt
    )
    left = float((leaky * capacity).sum())
    assert left < 1.0 - 1e-3 if dt > p.slowest else left <= 1.0 + 1e-9


@pytest.mark.parametrize("m", [4, 6, 8, 10])
def test_the_trace_is_what_the_steps_leave_and_falls_as_a_root(m):
    p = MultiTimescaleParameters(variables=m)
    times = torch.logspace(1, math.log10(p.slowest / 2), 30, dtype=torch.float64)
    trace = memory_trace(p, times)
    state = multi_timescale_state(1, parameters=p, dtype=torch.float64)
    state = multi_timescale_step(torch.ones(1, dtype=torch.float64), state, p)
    none = torch.zeros(1, dtype=torch.float64)
    stepped = [multi_timescale_step(none, state, p, dt=float(t))[0, 0].item() for t in times]
    assert trace.tolist() == pytest.approx(stepped, rel=1e-9)
    slope = np.polyfit(times.log().numpy(), trace.log().numpy(), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.02)
    # One variable alone forgets exponentially: no power law without the chain.
    alone = memory_trace(MultiTimescaleParameters(variables=1), torch.tensor([4.0, 8.0]))
    assert alone.tolist() == pytest.approx([math.exp(-1), math.exp(-2)])


def test_variance_is_bounded_by_the_leak_alone():
    # Endless independent changes: the variance of the weight is the sum of squared traces, which
    # the leak makes finite; without it the slowest mode never forgets.
    ages = torch.arange(400_000, dtype=torch.float64)
    bounded = memory_trace(MultiTimescaleParameters(variables=5), ages).square().cumsum(0)
    assert float(bounded[-1] - bounded[200_000]) < 1e-9
    endless = memory_trace(MultiTimescaleParameters(variables=5, leak=False), ages).square()
    assert float(endless[200_000:].sum()) > 1.0


def test_bad_input_is_refused():
    p = MultiTimescaleParameters(variables=3)
    state = multi_timescale_state(2, parameters=p)
    with pytest.raises(ConfigError, match="variables"):
        MultiTimescaleParameters(variables=0)
    with pytest.raises(ConfigError, match="coupling"):
        MultiTimescaleParameters(coupling=0.0)
    with pytest.raises(ConfigError, match="dt"):
        multi_timescale_step(torch.zeros(2), state, p, dt=-1.0)
    with pytest.raises(ShapeError, match="does not fit"):
        multi_timescale_step(torch.zeros(3), state, p)
    with pytest.raises(ShapeError, match="does not fit"):
        multi_timescale_step(torch.zeros(2), state[:, :2], p)
    with pytest.raises(DataError, match="NaN"):
        multi_timescale_step(torch.full((2,), math.nan), state, p)
    with pytest.raises(DataError, match="empty"):
        multi_timescale_window(torch.zeros(0, 2), state, p)
