"""Short-term plasticity against brute force over spike times and its closed steady state."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError, make_generator
from plasticish.rules.protocols import spike_trains
from plasticish.rules.short_term import (
    ShortTermParameters,
    short_term_state,
    short_term_step,
    short_term_window,
    steady_state,
)

KINDS = {
    "depressing": ShortTermParameters.depressing(),
    "facilitating": ShortTermParameters.facilitating(),
    "both": ShortTermParameters(U=0.2, tau_rec=300.0, tau_fac=200.0),
    "neither": ShortTermParameters(U=0.4, tau_rec=0.0, tau_fac=0.0),
}


def brute_force(times, p):
    """Release at every spike time, by Markram, Wang & Tsodyks (1998, eqs 1-2), in floats."""
    released, u, x, before = [], 0.0, 1.0, -math.inf
    for time in times:
        gap = time - before
        u = u * math.exp(-gap / p.tau_fac) if p.tau_fac else 0.0
        x = 1 - (1 - x) * math.exp(-gap / p.tau_rec) if p.tau_rec else 1.0
        u += p.U * (1 - u)
        released.append(u * x)
        x -= u * x
        before = time
    return released


@pytest.mark.parametrize("dt", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("p", KINDS.values(), ids=KINDS)
def test_a_train_against_its_spike_times(p, dt):
    times = [0.0, 4.0, 5.0, 60.0, 61.5, 300.0]
    if dt == 1.0:
        times.remove(61.5)
    train = spike_trains([times], dt, round(400 / dt))
    release, _ = short_term_window(train, None, p, dt=dt)
    at = [round(time / dt) for time in times]
    assert release[0, at, 0].tolist() == pytest.approx(brute_force(times, p), abs=1e-12)
    assert int((release != 0).sum()) == len(times)


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
@pytest.mark.parametrize("p", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_a_window_is_its_steps(p, share, dtype, close):
    g = make_generator(1)
    pre = (torch.rand(3, 50, 4, generator=g) < share).to(dtype)
    pre[1] *= 0.5  # half a spike is the expectation of one in two
    start = short_term_state(3, 4, dtype=dtype)._replace(u=torch.full((3, 4), 0.3, dtype=dtype))
    release, state = short_term_window(pre, start, p, dt=0.7)
    after = start
    for now in range(50):
        one, after = short_term_step(pre[:, now], after, p, dt=0.7)
        torch.testing.assert_close(release[:, now], one, rtol=close, atol=close)
    for one, other in zip(state, after, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close)


@pytest.mark.parametrize("p", KINDS.values(), ids=KINDS)
def test_a_regular_train_settles_on_the_closed_form(p):
    rate = 20.0
    spike, state = torch.ones(1, 1, dtype=torch.float64), None
    for _ in range(250):
        release, state = short_term_step(spike, state, p, dt=1000.0 / rate)
    steady = steady_state(p, rate)
    assert release.item() == pytest.approx(steady.release, rel=1e-9)
    assert state.u.item() == pytest.approx(steady.u, rel=1e-9)
    assert state.x.item() == pytest.approx(steady.x - steady.release, rel=1e-9)


@given(
    st.lists(st.floats(0.01, 500.0), min_size=1, max_size=12),
    st.floats(0.01, 1.0),
    st.floats(0.0, 1000.0),
    st.floats(0.0, 1000.0),
)
@settings(max_examples=60, deadline=None)
def test_utilisation_and_resources_stay_shares(gaps, U, tau_rec, tau_fac):
    p = ShortTermParameters(U=U, tau_rec=tau_rec, tau_fac=tau_fac)
    spike, state = torch.ones(1, 1, dtype=torch.float64), None
    for gap in gaps:
        release, state = short_term_step(spike, state, p, dt=gap)
        assert 0.0 <= release.item() <= 1.0
        assert 0.0 <= state.u.item() <= 1.0
        assert -1e-12 <= state.x.item() <= 1.0


@given(st.lists(st.floats(0.01, 300.0), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_silence_is_one_step_however_it_is_cut(lengths):
    p, spike = KINDS["both"], torch.ones(1, 1, dtype=torch.float64)
    _, state = short_term_step(spike, None, p)
    once = short_term_step(0 * spike, state, p, dt=sum(lengths))[1]
    for length in lengths:
        release, state = short_term_step(0 * spike, state, p, dt=length)
        assert release.item() == 0.0
    torch.testing.assert_close(once, state)


def test_depression_tires_and_facilitation_warms_up():
    spike = torch.ones(1, 1)
    for p, falls in ((KINDS["depressing"], True), (KINDS["facilitating"], False)):
        first, state = short_term_step(spike, None, p)
        second, _ = short_term_step(spike, state, p, dt=20.0)
        assert (second < first) == falls
        assert first.item() == pytest.approx(p.U)  # u jumps before the release


def test_bad_input_is_refused():
    p, spike = KINDS["both"], torch.ones(1, 2)
    for wrong in ({"U": 0.0}, {"U": 1.1}, {"tau_rec": -1.0}, {"tau_fac": math.nan}):
        with pytest.raises(ConfigError, match="out of range"):
            ShortTermParameters(**wrong)
    with pytest.raises(ConfigError, match="dt is out of range"):
        short_term_step(spike, None, p, dt=0.0)
    with pytest.raises(DataError, match=r"expected values in \[0, 1\]"):
        short_term_step(2 * spike, None, p)
    with pytest.raises(DataError, match="NaN"):
        short_term_step(math.nan * spike, None, p)
    with pytest.raises(ShapeError, match="does not fit"):
        short_term_step(spike, short_term_state(1, 3), p)
    with pytest.raises(DTypeError):
        short_term_step(spike.double(), short_term_state(1, 2), p)
    with pytest.raises(ConfigError, match="rate_hz"):
        steady_state(p, 0.0)
