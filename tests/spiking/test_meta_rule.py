"""The delta rule and the adaptive rule: closed forms, and factors that do what they are called."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError, make_generator
from plasticish.spiking.adaptive_rule import AdaptiveSTDPRule
from plasticish.spiking.delta_rule import DeltaRule, delta_change, normalised_error
from plasticish.spiking.plasticity_rule import PlasticityRule, rule_from_dict
from plasticish.spiking.stdp_rules import ClassicalSTDP

BASE = ClassicalSTDP(learning_rate=0.1, tau_plus=20.0, tau_minus=30.0)


def trains(seed=0, time=15, pre=5, post=3, batch=4):
    g = make_generator(seed)
    shape = (batch, time)
    return (
        (torch.rand(*shape, pre, generator=g) < 0.3).double(),
        (torch.rand(*shape, post, generator=g) < 0.3).double(),
    )


# --------------------------------------------------------------------------- the delta rule


def test_delta_is_the_gradient_of_the_squared_error():
    g = make_generator(0)
    x = torch.randn(6, 4, generator=g, dtype=torch.float64)
    target = torch.randn(6, 3, generator=g, dtype=torch.float64)
    w = torch.randn(3, 4, generator=g, dtype=torch.float64, requires_grad=True)
    (0.5 * (target - x @ w.T).square().sum(1).mean()).backward()
    torch.testing.assert_close(delta_change(x, (target - x @ w.T).detach()), -w.grad)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-3, 1e3), rate=st.floats(0.1, 1.9))
def test_normalised_the_error_of_one_example_shrinks_alike_at_every_scale(scale, rate):
    x = scale * torch.rand(1, 7, generator=make_generator(1), dtype=torch.float64) + scale
    target = torch.ones(1, 2, dtype=torch.float64)
    w = rate * delta_change(x, normalised_error(x, target))
    torch.testing.assert_close(target - x @ w.T, (1 - rate) * target)


def test_no_input_no_change_and_no_error_no_change():
    x = torch.rand(3, 4)
    assert not delta_change(torch.zeros(3, 4), normalised_error(torch.zeros(3, 4), x[:, :2])).any()
    assert not delta_change(x, normalised_error(x, torch.zeros(3, 2))).any()


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_delta_window_is_the_sum_of_its_steps(reduction):
    rule = DeltaRule(reduction=reduction)
    pre, post = trains()
    window, _ = rule.window(pre, post - 0.5, None)
    steps = sum(rule.step(pre[:, t], post[:, t] - 0.5, None)[0] for t in range(pre.shape[1]))
    torch.testing.assert_close(window, steps, rtol=1e-12, atol=1e-12)
    expected = torch.einsum("bti,btj->ji", pre, post - 0.5)
    torch.testing.assert_close(window, expected / (4 if reduction == "mean" else 1))


# --------------------------------------------------------------------------- the adaptive rule


def test_factors_of_one_change_nothing():
    pre, post = trains()
    rule = AdaptiveSTDPRule(BASE)
    assert isinstance(rule, PlasticityRule)
    change, _ = rule.window(pre, post, None)
    expected, _ = BASE.window(pre, post, None)
    assert torch.equal(change, expected)
    weight = torch.full((3, 5), 0.5, dtype=torch.float64)
    assert torch.equal(rule.applied(weight, change), BASE.applied(weight, change))


def test_each_factor_does_what_it_is_called():
    pre, post = trains()
    rule = AdaptiveSTDPRule(BASE).with_factors(learning_rate=3.0, time_constant=0.5, stability=2.0)
    assert rule.learning_rate == pytest.approx(0.3)
    slow = ClassicalSTDP(learning_rate=0.3, tau_plus=10.0, tau_minus=15.0)
    expected, _ = slow.window(pre, post, None)
    importance = torch.rand(3, 5, generator=make_generator(3), dtype=torch.float64)
    protected, _ = rule.protecting(importance).window(pre, post, None)
    torch.testing.assert_close(rule.window(pre, post, None)[0], expected)
    torch.testing.assert_close(protected, expected / (1 + 2.0 * importance))
    # Factors are relative to the base, not to what was in force before.
    assert rule.with_factors(learning_rate=2.0).learning_rate == pytest.approx(0.2)
    assert rule.modulated(learning_rate=2.0).learning_rate == pytest.approx(0.6)


@pytest.mark.parametrize("importance", [None, torch.rand(3, 5).double()])
def test_adaptive_window_is_the_loop_of_its_steps(importance):
    rule = AdaptiveSTDPRule(BASE, 1.0, 0.7, 1.5, importance)
    pre, post = trains()
    window, _ = rule.window(pre, post, None)
    state, total = None, 0.0
    for t in range(pre.shape[1]):
        change, state = rule.step(pre[:, t], post[:, t], state)
        total = total + change
    torch.testing.assert_close(window, total, rtol=1e-12, atol=1e-12)


def test_it_is_written_and_read():
    rule = AdaptiveSTDPRule(BASE, 2.0, 0.5, 3.0)
    again = rule_from_dict(rule.to_dict())
    assert again.to_dict() == rule.to_dict()
    assert again.effective == rule.effective


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: AdaptiveSTDPRule(None), DTypeError, "no rule that factors could modulate"),
        (lambda: AdaptiveSTDPRule(AdaptiveSTDPRule(BASE)), DTypeError, "got AdaptiveSTDPRule"),
        (lambda: AdaptiveSTDPRule(BASE, -1.0), ConfigError, "learning_rate_factor"),
        (lambda: AdaptiveSTDPRule(BASE, 1.0, 0.0), ConfigError, "time_constant_factor"),
        (lambda: AdaptiveSTDPRule(BASE, 1.0, 1.0, math.nan), ConfigError, "stability_factor"),
        (lambda: AdaptiveSTDPRule(BASE).protecting(-torch.ones(3, 5)), DataError, "importance"),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_importance_of_another_shape_is_refused():
    pre, post = trains()
    with pytest.raises(ShapeError, match="importance does not fit"):
        AdaptiveSTDPRule(BASE).protecting(torch.ones(2, 2)).window(pre, post, None)
