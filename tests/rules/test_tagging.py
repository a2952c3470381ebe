"""Tagging and capture against a fine Euler integration of its equations, and its closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, ShapeError
from plasticish.rules.tagging import (
    TaggingParameters,
    efficacy,
    induce,
    protein_window_s,
    tag_lifetime_s,
    tagging_state,
    tagging_step,
    tags,
)

P = TaggingParameters()
HOUR = 3600.0


def neuron(*h):
    h = torch.tensor(h, dtype=torch.float64)
    return tagging_state(*h.shape, dtype=torch.float64)._replace(h=h)


def euler(h, z, p, seconds, dt=2.0):
    """The equations of the module's head, one neuron, in small steps."""
    h, z = np.array(h), np.array(z)
    for _ in range(round(seconds / dt)):
        away = h - P.h0
        making = np.abs(away).sum() > P.theta_protein * P.h0
        dz = p * (1 - z) * (away > P.theta_tag * P.h0)
        dz = dz - p * (z - P.z_min) * (-away > P.theta_tag * P.h0)
        h = h + dt * P.relaxation * (P.h0 - h) / P.tau_h_s
        p = p + dt * (-p + making) / P.tau_p_s
        z = z + dt * dz / P.tau_z_s
    return h, z, p


@pytest.mark.parametrize(
    "start",
    [(10.0,), (6.0,), (P.h0,), (6.2, 10.0), (1.0, 2.0, 9.0, 5.2), (0.0,), (5.5, 5.5, 5.5, 3.0)],
)
@pytest.mark.parametrize("seconds", [600.0, 6 * HOUR])
def test_a_step_against_small_ones(start, seconds):
    state = neuron(*start)._replace(
        z=torch.linspace(-0.3, 0.6, len(start), dtype=torch.float64),
        protein=torch.tensor(0.2, dtype=torch.float64),
    )
    after = tagging_step(state, P, dt_s=seconds)
    h, z, p = euler(start, state.z.numpy(), 0.2, seconds)
    np.testing.assert_allclose(after.h.numpy(), h, atol=2e-3)
    np.testing.assert_allclose(after.z.numpy(), z, atol=5e-4)
    assert after.protein.item() == pytest.approx(p, abs=5e-4)


@given(st.lists(st.floats(1.0, 4 * HOUR), min_size=1, max_size=6), st.floats(0.0, 10.0))
@settings(max_examples=60, deadline=None)
def test_a_night_is_one_step_however_it_is_cut(lengths, h):
    state = neuron(h, 9.0, 4.0)
    once = tagging_step(state, P, dt_s=sum(lengths))
    for length in lengths:
        state = tagging_step(state, P, dt_s=length)
    for one, other in zip(once, state, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@given(st.lists(st.floats(0.0, 10.0), min_size=1, max_size=5), st.floats(0.1, 100 * HOUR))
@settings(max_examples=60, deadline=None)
def test_everything_stays_in_its_range(h, seconds):
    after = tagging_step(neuron(*h), P, dt_s=seconds)
    assert bool(((after.h >= 0) & (after.h <= P.h_max)).all())
    assert bool(((after.z >= P.z_min) & (after.z <= 1)).all())
    assert 0.0 <= after.protein.item() <= 1.0


def test_rest_stays_at_rest():
    state = tagging_state(2, 3, dtype=torch.float64)
    after = tagging_step(state, P, dt_s=HOUR)
    assert all(map(torch.equal, state, after))
    assert not tags(state, P).any()


def test_protein_is_shared_within_a_neuron_and_not_beyond():
    # A weak change is caught beside a strong one, and forgotten on another neuron.
    weak, strong, rest = P.h0 + 0.45 * P.h0, 10.0, P.h0
    state = tagging_step(neuron((weak, strong), (weak, rest)), P, dt_s=8 * HOUR)
    assert state.z[0, 0] > 0.5
    assert state.z[1].tolist() == [0.0, 0.0]


def test_a_tag_for_depression_is_captured_downwards():
    state = neuron(0.0, 10.0)
    assert tags(state, P).tolist() == [-1.0, 1.0]
    after = tagging_step(state, P, dt_s=12 * HOUR)
    assert P.z_min < after.z[0] < -0.2
    assert efficacy(after, P)[0] < P.h0 < efficacy(after, P)[1]


@pytest.mark.parametrize("dt_s", [60.0, 600.0])
def test_lifetimes_are_when_the_tag_goes(dt_s):
    state, steps = neuron(10.0), 0
    while tags(state, P).any():
        state, steps = tagging_step(state, P, dt_s=dt_s), steps + 1
    assert (steps - 1) * dt_s <= tag_lifetime_s(10.0, P) <= steps * dt_s
    assert tag_lifetime_s(P.h0, P) == 0.0
    assert protein_window_s(10.0, P) < tag_lifetime_s(10.0, P)


def test_induction_against_small_steps_and_its_ends():
    h, dt = P.h0, 1e-4
    for now in range(15_000):
        high = now * dt < 0.5
        dh = P.relaxation * (P.h0 - h) - P.gamma_d * h
        h += dt * (dh + high * P.gamma_p * (P.h_max - h)) / P.tau_h_s
    half = torch.tensor([0.5], dtype=torch.float64)
    moved = induce(neuron(P.h0), P, potentiation_s=half, depression_s=2 * half)
    assert moved.h.item() == pytest.approx(h, abs=2e-3)
    long = torch.full((1,), 1e3, dtype=torch.float64)
    rate = P.relaxation + P.gamma_p + P.gamma_d
    top = (P.relaxation * P.h0 + P.gamma_p * P.h_max) / rate
    assert induce(neuron(P.h0), P, potentiation_s=long).h.item() == pytest.approx(top)
    assert induce(neuron(P.h0), P, depression_s=long).h.item() < 0.01
    assert torch.equal(induce(neuron(P.h0), P, potentiation_s=0 * long).h, neuron(P.h0).h)


def test_bad_input_is_refused():
    with pytest.raises(ConfigError, match="no room above rest"):
        TaggingParameters(h0=11.0)
    with pytest.raises(ConfigError, match="z_min"):
        TaggingParameters(z_min=0.5)
    with pytest.raises(ConfigError, match="tau_p_s"):
        TaggingParameters(tau_p_s=-1.0)
    with pytest.raises(ConfigError, match="dt_s"):
        tagging_step(neuron(10.0), P, dt_s=0.0)
    with pytest.raises(DataError, match="out of range"):
        induce(neuron(10.0), P, potentiation_s=torch.tensor([-1.0], dtype=torch.float64))
    with pytest.raises(DataError, match="NaN"):
        induce(neuron(10.0), P, depression_s=torch.tensor([math.nan], dtype=torch.float64))
    with pytest.raises(ShapeError, match="does not fit"):
        induce(neuron(10.0, 5.0), P, depression_s=torch.zeros(3, dtype=torch.float64))
