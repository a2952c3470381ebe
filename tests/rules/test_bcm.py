"""BCM against its fixed points, its threshold in closed form, and any step length."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, ShapeError, make_generator
from plasticish.rules.bcm import BCMParameters, bcm_state, bcm_step, bcm_window, phi
from plasticish.rules.bounds import bounded
from plasticish.rules.protocols import spike_trains


def activity(batch=3, time=6, pre=4, post=2, seed=0, dtype=torch.float64):
    g = make_generator(seed)
    return (
        torch.randn(batch, time, pre, generator=g, dtype=dtype),
        torch.randn(batch, time, post, generator=g, dtype=dtype),
        torch.randn(post, pre, generator=g, dtype=dtype),
    )


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("dt", [1.0, 0.3])
@pytest.mark.parametrize(
    "parameters",
    [
        BCMParameters(tau_theta=7.0),
        BCMParameters(tau_theta=7.0, tau_rate=3.0, target_rate=0.2, reduction="sum"),
        BCMParameters(tau_theta=7.0, bounds="soft", w_min=-4.0, w_max=4.0, mu=0.5),
        BCMParameters(bounds="multiplicative", w_min=-4.0, w_max=4.0, amplitude=3.0),
    ],
)
def test_a_window_is_its_steps(parameters, dt, dtype, close):
    pre, post, weight = activity(dtype=dtype)
    change, state = bcm_window(pre, post, None, parameters, dt=dt, weight=weight)
    total, after = torch.zeros_like(weight), None
    for t in range(pre.shape[1]):
        moved, after = bcm_step(pre[:, t], post[:, t], after, parameters, dt=dt, weight=weight)
        total += moved
    torch.testing.assert_close(change, total, rtol=close, atol=close)
    for one, other in zip(state, after, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close)


def test_a_window_is_its_double_sum():
    pre, post, _ = activity()
    p = BCMParameters(tau_theta=7.0, target_rate=0.5, amplitude=2.0)
    change, state = bcm_window(pre, post, None, p, dt=0.5)
    x, y = pre.numpy(), post.numpy()
    theta, expected = np.zeros(2), np.zeros((2, 4))
    for t in range(6):
        for b in range(3):
            expected += 2.0 * 0.5 / 3 * np.outer(y[b, t] * (y[b, t] - theta), x[b, t])
        keep = math.exp(-0.5 / 7.0)
        theta = keep * theta + (1 - keep) * (y[:, t] ** 2).mean(0) / 0.5
    np.testing.assert_allclose(change.numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(state.threshold.numpy(), theta, atol=1e-12)


@pytest.mark.parametrize(("patterns", "target"), [(2, 1.0), (3, 0.5), (5, 1.0)])
def test_a_neuron_selects_one_of_k_orthonormal_patterns(patterns, target):
    g = make_generator(patterns)
    shown = torch.linalg.qr(torch.randn(8, patterns, generator=g, dtype=torch.float64)).Q.T
    rule = BCMParameters(learning_rate=0.1, tau_theta=1.0, target_rate=target)
    # All answers positive, and off the saddle between patterns, every neuron another way.
    answers = 0.1 + 0.3 * torch.rand(3, patterns, generator=g, dtype=torch.float64)
    answers[torch.arange(3), torch.arange(3) % patterns] += 0.2
    weight = answers @ shown
    state = None
    for _ in range(500):
        change, state = bcm_step(shown, shown @ weight.T, state, rule)
        weight = bounded(weight, change, rule)
    answers = (shown @ weight.T).T.sort(dim=1, descending=True).values
    expected = torch.zeros_like(answers)
    expected[:, 0] = patterns * target
    torch.testing.assert_close(answers, expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(state.threshold, answers[:, 0], rtol=1e-6, atol=0)


def test_one_pattern_at_a_time_selects_too():
    rule = BCMParameters(learning_rate=0.02, tau_theta=20.0)
    weight = torch.tensor([[0.6, 0.4, 0.5]], dtype=torch.float64)
    shown, state = torch.eye(3, dtype=torch.float64), None
    for now in range(900):
        x = shown[now % 3][None]
        change, state = bcm_step(x, x @ weight.T, state, rule)
        weight = bounded(weight, change, rule)
    # The threshold falls by 1 / tau_theta a step while the others are shown.
    assert weight[0].tolist() == pytest.approx([3.0, 0.0, 0.0], abs=0.2)


@given(st.floats(0.5, 5.0), st.lists(st.floats(0.01, 500.0), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_the_threshold_is_exact_at_any_step(level, lengths):
    p = BCMParameters(tau_theta=300.0, target_rate=2.0)
    x = torch.zeros(1, 1, dtype=torch.float64)
    y, state = x + level, None
    for length in lengths:
        _, state = bcm_step(x, y, state, p, dt=length)
    expected = level**2 / 2.0 * (1 - math.exp(-sum(lengths) / 300.0))
    assert state.threshold.item() == pytest.approx(expected, rel=1e-9)


def test_spikes_at_the_same_times_change_the_same_at_every_dt():
    g = np.random.default_rng(0)
    pre = [sorted({*(g.integers(0, 400, 12) * 1.0)}) for _ in range(3)]
    post = [sorted({*(g.integers(0, 400, 12) * 1.0)}) for _ in range(2)]
    p = BCMParameters.visual_cortex()
    changes = {}
    for dt in (1.0, 0.5, 0.1):
        steps = round(1000 / dt)
        trains = spike_trains(pre, dt, steps), spike_trains(post, dt, steps)
        changes[dt], _ = bcm_window(*trains, None, p, dt=dt)
    for dt in (1.0, 0.5):
        torch.testing.assert_close(changes[dt], changes[0.1], rtol=5e-3, atol=2e-6)


def test_on_spikes_the_rule_is_the_triplet_rule_on_average():
    # Pfister & Gerstner 2006: A3+ tau+ tau_y rho_x rho_y (rho_y - theta) per ms. Here theta is
    # held by a long time constant; the estimate of rho_y^2 has shot noise of rho_y / (2 tau_rate).
    g = make_generator(5)
    rho_x, rho_y, theta, tau = 0.03, 0.04, 0.01922, 400.0
    pre = (torch.rand(60, 4000, 10, generator=g) < rho_x).double()
    post = (torch.rand(60, 4000, 10, generator=g) < rho_y).double()
    p = BCMParameters.visual_cortex(tau_rate=tau, tau_theta=1e9)
    rest = bcm_state(60, 10, 10, dtype=torch.float64)
    started = rest._replace(
        pre_rate=rest.pre_rate + rho_x,
        post_rate=rest.post_rate + rho_y,
        threshold=rest.threshold + theta,
    )
    change, _ = bcm_window(pre, post, started, p)
    shot = rho_y * (1 - rho_y) / (2 * tau)
    expected = p.amplitude * rho_x * (rho_y * (rho_y - theta) + shot)
    assert float(change.mean()) / 4000 == pytest.approx(expected, rel=0.02)


def test_phi_weakens_below_the_threshold_and_strengthens_above():
    y = torch.linspace(0.01, 3.0, 50)
    value = phi(y, torch.tensor(1.5))
    assert bool(((value > 0) == (y > 1.5)).all())


def test_silence_changes_nothing_but_the_threshold():
    pre, post, _ = activity()
    state = bcm_state(3, 4, 2, dtype=torch.float64)._replace(
        threshold=torch.ones(2, dtype=torch.float64)
    )
    change, after = bcm_window(0 * pre, 0 * post, state, BCMParameters(tau_theta=10.0))
    assert not change.any()
    assert after.threshold.tolist() == pytest.approx([math.exp(-0.6)] * 2)


def test_bounds_hold():
    rule = BCMParameters(w_min=0.0, w_max=1.0, learning_rate=50.0)
    pre, post, _ = activity()
    weight, state = torch.full((2, 4), 0.5, dtype=torch.float64), None
    for _ in range(5):
        change, state = bcm_window(pre, post, state, rule)
        weight = bounded(weight, change, rule)
        assert bool(((weight >= 0) & (weight <= 1)).all())


def test_bad_input_is_refused():
    pre, post, _ = activity()
    for wrong in ({"tau_theta": 0.0}, {"target_rate": -1.0}, {"amplitude": 0.0}):
        with pytest.raises(ConfigError, match="out of range"):
            BCMParameters(**wrong)
    with pytest.raises(ConfigError, match="weight"):
        bcm_window(pre, post, None, BCMParameters(bounds="soft", w_min=0.0, w_max=1.0))
    with pytest.raises(DataError, match="NaN"):
        bcm_window(pre, post * math.inf, None, BCMParameters())
    with pytest.raises(ShapeError):
        bcm_window(pre[0], post[0], None, BCMParameters())
