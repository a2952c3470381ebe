"""Hebb, covariance and Oja against their sums, principal components, and any step length."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError, make_generator
from plasticish.rules.bounds import bounded
from plasticish.rules.hebbian import HebbParameters, hebb_step, hebb_window
from plasticish.rules.oja import OjaParameters, oja_step, oja_window
from plasticish.rules.protocols import spike_trains
from plasticish.rules.rates import mean_rates, sliding_mean

PRE, POST = 3, 2


def activity(batch=4, time=7, seed=0, dtype=torch.float64):
    g = make_generator(seed)
    pre = torch.randn(batch, time, PRE, generator=g, dtype=dtype)
    post = torch.randn(batch, time, POST, generator=g, dtype=dtype)
    return pre, post, torch.randn(POST, PRE, generator=g, dtype=dtype)


def by_steps(step, pre, post, parameters, weight, dt):
    total, state = torch.zeros_like(weight), None
    for now in range(pre.shape[1]):
        change, state = step(pre[:, now], post[:, now], state, parameters, dt=dt, weight=weight)
        total += change
    return total, state


HEBB = {
    "plain": HebbParameters(),
    "covariance, decay": HebbParameters(tau_mean=5.0, decay=0.1),
    "spikes, sum": HebbParameters(tau_rate=4.0, tau_mean=9.0, reduction="sum"),
    "soft": HebbParameters(w_min=-4.0, w_max=4.0, bounds="soft", mu=0.5),
    "multiplicative": HebbParameters(w_min=-4.0, w_max=4.0, bounds="multiplicative"),
}
OJA = {
    "plain": OjaParameters(),
    "sanger": OjaParameters(units="sanger", alpha=2.0, tau_mean=5.0),
    "subspace, sum": OjaParameters(units="subspace", reduction="sum", tau_rate=3.0),
}


@pytest.mark.parametrize(("dtype", "close"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("dt", [1.0, 0.3])
@pytest.mark.parametrize(
    ("step", "window", "parameters"),
    [(hebb_step, hebb_window, p) for p in HEBB.values()]
    + [(oja_step, oja_window, p) for p in OJA.values()],
    ids=[*HEBB, *(f"oja {name}" for name in OJA)],
)
def test_a_window_is_its_steps(step, window, parameters, dt, dtype, close):
    pre, post, weight = activity(dtype=dtype)
    change, state = window(pre, post, None, parameters, dt=dt, weight=weight)
    total, after = by_steps(step, pre, post, parameters, weight, dt)
    torch.testing.assert_close(change, total, rtol=close, atol=close)
    for one, other in zip(state, after, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close)


def test_hebb_is_the_sum_of_products():
    pre, post, weight = activity()
    parameters = HebbParameters(decay=0.2)
    change, _ = hebb_window(pre, post, None, parameters, dt=0.5, weight=weight)
    expected = np.zeros((POST, PRE))
    for b in range(4):
        for t in range(7):
            expected += 0.5 * np.outer(post[b, t], pre[b, t]) / 4
    expected -= 0.2 * weight.numpy() * 7 * 0.5
    np.testing.assert_allclose(change.numpy(), expected, atol=1e-12)


def test_signed_products_are_bounded_by_what_they_do():
    # Two inactive partners strengthen, one active and one inactive weaken: signs, not sides.
    weight = torch.full((1, 1), 0.25, dtype=torch.float64)
    soft = HebbParameters(w_min=0.0, w_max=1.0, bounds="soft")
    for x, y, expected in ((-2.0, -3.0, 6 * 0.75), (2.0, -3.0, -6 * 0.25), (-2.0, 3.0, -6 * 0.25)):
        one = torch.tensor([[x]], dtype=torch.float64)
        other = torch.tensor([[y]], dtype=torch.float64)
        change, _ = hebb_step(one, other, None, soft, weight=weight)
        assert change.item() == pytest.approx(expected)


def test_covariance_converges_to_the_covariance():
    # Two inputs that share a signal, far from zero mean: what is learned per ms is their
    # covariance with the output, not their product.
    g = make_generator(3)
    shared = torch.randn(40, 1000, 1, generator=g, dtype=torch.float64)
    noise = torch.randn(40, 1000, 2, generator=g, dtype=torch.float64)
    pre = 5.0 + shared * torch.tensor([1.0, 0.0], dtype=torch.float64) + noise
    post = 3.0 + shared
    covariance = HebbParameters(tau_mean=100.0)
    _, state = hebb_window(pre, post, None, covariance)
    change, _ = hebb_window(pre, post, state, covariance)
    # Five standard errors of a sum of 40,000 products are some 0.04.
    found = change[0] / 1000
    torch.testing.assert_close(found, found.new_tensor([1.0, 0.0]), rtol=0, atol=0.04)
    plain, _ = hebb_window(pre, post, None, HebbParameters())
    assert plain[0, 1] / 1000 == pytest.approx(15.0, rel=0.02)


@pytest.mark.parametrize("dt", [1.0, 0.5, 0.1])
def test_one_pair_of_spikes_against_its_integral(dt):
    # Two unit-area traces, 10 ms apart: the integral of their product from the later one on.
    tau, gap = 20.0, 10.0
    parameters = HebbParameters(tau_rate=tau)
    steps = round(600 / dt)
    pre = spike_trains([[0.0]], dt, steps)
    post = spike_trains([[gap]], dt, steps)
    change, _ = hebb_window(pre, post, None, parameters, dt=dt)
    exact = math.exp(-gap / tau) / (2 * tau)
    # The product of two step means misses (dt / tau)^2 / 12 of the mean product.
    assert change.item() == pytest.approx(exact, rel=1.01 * (dt / tau) ** 2 / 12)


@given(st.floats(0.5, 50.0), st.floats(0.05, 10.0))
@settings(max_examples=20, deadline=None)
def test_a_rate_counts_every_spike_once(tau, share):
    dt = share * tau
    steps = math.ceil(25 * tau / dt) + 1
    spike = torch.zeros(1, steps, 1, dtype=torch.float64)
    spike[0, 0] = 1.0
    rates, _ = mean_rates(spike, torch.zeros(1, 1, dtype=torch.float64), tau, dt)
    assert float(rates.sum() * dt) == pytest.approx(1.0, rel=1e-9)
    assert float(rates[0, 0, 0]) == 0.0  # not before it is over


@given(st.floats(0.1, 100.0), st.lists(st.floats(0.05, 30.0), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_sliding_mean_does_not_know_the_step(tau, lengths):
    total = sum(lengths)
    _, once = sliding_mean(
        torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64), tau, total
    )
    mean = torch.zeros(1, dtype=torch.float64)
    for length in lengths:
        _, mean = sliding_mean(torch.ones(1, 1, dtype=torch.float64), mean, tau, length)
    torch.testing.assert_close(mean, once)


# ------------------------------------------------------------------ principal components


def coloured(count=500, seed=1):
    """Centred samples of known components, and these."""
    g = make_generator(seed)
    basis = torch.linalg.qr(torch.randn(5, 5, generator=g, dtype=torch.float64)).Q
    scale = torch.tensor([3.0, 2.0, 1.2, 0.6, 0.3], dtype=torch.float64)
    x = torch.randn(count, 5, generator=g, dtype=torch.float64) * scale @ basis.T
    x = x - x.mean(0)
    _, vectors = torch.linalg.eigh(x.T @ x / count)
    return x, vectors.flip(1).T


def trained(x, units, parameters, sweeps, seed=0):
    weight = 0.1 * torch.randn(units, x.shape[1], generator=make_generator(seed)).double()
    state = None
    for _ in range(sweeps):
        change, _ = oja_step(x, x @ weight.T, state, parameters, weight=weight)
        weight = bounded(weight, change, parameters)
    return weight


@pytest.mark.parametrize("alpha", [1.0, 4.0])
def test_oja_finds_the_first_component(alpha):
    x, components = coloured()
    weight = trained(x, 1, OjaParameters(learning_rate=0.05, alpha=alpha), 150)
    assert float(weight.norm()) == pytest.approx(alpha**-0.5, rel=1e-6)
    cosine = float((weight @ components[0]).abs() / weight.norm())
    assert cosine == pytest.approx(1.0, abs=1e-9)


def test_sanger_orders_the_components_and_the_subspace_rule_spans_them():
    x, components = coloured()
    sanger = trained(x, 3, OjaParameters(learning_rate=0.06, units="sanger"), 300)
    torch.testing.assert_close(
        (sanger @ components.T).abs(), torch.eye(3, 5, dtype=torch.float64), rtol=0, atol=1e-6
    )
    subspace = trained(x, 3, OjaParameters(learning_rate=0.06, units="subspace"), 300)
    projector = components[:3].T @ components[:3]
    torch.testing.assert_close(subspace.T @ subspace, projector, rtol=0, atol=1e-6)
    apart = trained(x, 3, OjaParameters(learning_rate=0.05), 100)
    torch.testing.assert_close(
        (apart @ components[0]).abs(), torch.ones(3, dtype=torch.float64), rtol=0, atol=1e-6
    )


def test_running_means_centre_the_inputs_of_oja():
    # Inputs far off the origin: without means the unit points there, with them at the component.
    x, components = coloured()
    shifted = x + 10.0
    rule = OjaParameters(learning_rate=0.02, tau_mean=5.0)
    weight = torch.full((1, 5), 0.1, dtype=torch.float64)
    # The means have to be found first: a unit that learns before is drawn to the offset.
    _, state = oja_step(shifted, shifted @ weight.T, None, rule, dt=1000.0, weight=weight)
    for _ in range(400):
        change, state = oja_step(shifted, shifted @ weight.T, state, rule, weight=weight)
        weight = bounded(weight, change, rule)
    assert float((weight @ components[0]).abs()) == pytest.approx(1.0, abs=1e-3)


def test_oja_online_one_example_at_a_time():
    x, components = coloured()
    rule = OjaParameters(learning_rate=5e-3)
    weight = torch.full((1, 5), 0.2, dtype=torch.float64)
    for row in x:
        change, _ = oja_step(row[None], row[None] @ weight.T, None, rule, weight=weight)
        weight = bounded(weight, change, rule)
    assert float((weight @ components[0]).abs() / weight.norm()) > 0.995


# ------------------------------------------------------------------ invariances


@given(st.integers(1, 4), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_a_repeated_batch_changes_the_mean_nothing(times, seed):
    pre, post, weight = activity(seed=seed)
    for window, parameters in (
        (hebb_window, HEBB["covariance, decay"]),
        (oja_window, OJA["plain"]),
    ):
        once, _ = window(pre, post, None, parameters, weight=weight)
        again, _ = window(
            pre.repeat(times, 1, 1), post.repeat(times, 1, 1), None, parameters, weight=weight
        )
        torch.testing.assert_close(again, once, rtol=1e-12, atol=1e-12)
        summed, _ = window(pre, post, None, parameters.but(reduction="sum"), weight=weight)
        torch.testing.assert_close(summed, 4 * once, rtol=1e-12, atol=1e-12)


def test_silence_changes_nothing():
    pre, post, weight = activity()
    for parameters in HEBB.values():
        if parameters.decay == 0:
            still, _ = hebb_window(0 * pre, 0 * post, None, parameters, weight=weight)
            assert not still.any()
    for parameters in OJA.values():
        assert not oja_window(0 * pre, 0 * post, None, parameters, weight=weight)[0].any()


def test_arguments_are_left_alone():
    pre, post, weight = activity()
    copies = [t.clone() for t in (pre, post, weight)]
    rule = HEBB["covariance, decay"]
    _, state = hebb_window(pre, post, None, rule, weight=weight)
    before = [t.clone() for t in state]
    hebb_window(pre, post, state, rule, weight=weight)
    assert all(map(torch.equal, (pre, post, weight, *state), (*copies, *before)))


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: HebbParameters(decay=-1.0), "decay is out of range"),
        (lambda: HebbParameters(tau_mean=-1.0), "tau_mean is out of range"),
        (lambda: HebbParameters(tau_rate=math.inf), "tau_rate is out of range"),
        (lambda: OjaParameters(alpha=0.0), "alpha is out of range"),
        (lambda: OjaParameters(units="other"), "unknown units"),
        (lambda: OjaParameters(bounds="soft", w_min=0.0, w_max=1.0), "bounds the weight itself"),
    ],
)
def test_parameters_out_of_range_are_refused(build, text):
    with pytest.raises(ConfigError, match=text):
        build()


def test_bad_input_is_refused():
    pre, post, weight = activity()
    with pytest.raises(ShapeError, match="differ in batch or time"):
        hebb_window(pre[:, 1:], post, None, HebbParameters())
    with pytest.raises(DataError, match="NaN"):
        hebb_window(pre * math.nan, post, None, HebbParameters())
    with pytest.raises(ConfigError, match="dt is out of range"):
        hebb_window(pre, post, None, HebbParameters(), dt=-1.0)
    with pytest.raises(ConfigError, match="the decay takes a share of the weight"):
        hebb_window(pre, post, None, HebbParameters(decay=0.1))
    with pytest.raises(ConfigError, match="Oja's rule decays the weight: got weight=None"):
        oja_window(pre, post, None, OjaParameters())
    with pytest.raises(ShapeError, match="weight"):
        oja_window(pre, post, None, OjaParameters(), weight=weight.T)
    with pytest.raises(DTypeError):
        oja_window(pre, post, None, OjaParameters(), weight=weight.float())
    _, state = hebb_window(pre, post, None, HebbParameters())
    with pytest.raises(ShapeError, match="state"):
        hebb_window(pre[:2], post[:2], state, HebbParameters())
