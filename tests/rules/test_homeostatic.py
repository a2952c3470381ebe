"""The homeostatic rule: its balance, its rate detector, and its two forms."""

import math

import pytest
import torch

from plasticish.core import ConfigError
from plasticish.rules.homeostatic import (
    HomeostaticParameters,
    HomeostaticTraces,
    homeostatic_step,
    homeostatic_traces,
    homeostatic_window,
)
from plasticish.rules.triplet import TripletParameters, triplet_window

F64 = torch.float64


def train(*shape, density=0.2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < density).to(F64)


@pytest.mark.parametrize("interaction", ["all_to_all", "nearest"])
@pytest.mark.parametrize("coincidence", ["none", "potentiation", "depression", "both"])
@pytest.mark.parametrize("bounds", ["hard", "soft", "multiplicative"])
def test_steps_and_window_agree(interaction, coincidence, bounds):
    rule = HomeostaticParameters(
        interaction=interaction,
        coincidence=coincidence,
        bounds=bounds,
        a_plus=0.01,
        homeostatic_rate=0.02,
    )
    pre, post = train(3, 30, 5), train(3, 30, 4, seed=1)
    weight = torch.rand(4, 5, dtype=F64)
    start = HomeostaticTraces(*(torch.rand(3, n, dtype=F64) for n in (5, 4, 4, 4)))
    state, total = start, torch.zeros(4, 5, dtype=F64)
    for t in range(30):
        change, state = homeostatic_step(pre[:, t], post[:, t], state, rule, dt=0.7, weight=weight)
        total += change
    change, end = homeostatic_window(pre, post, start, rule, dt=0.7, weight=weight)
    torch.testing.assert_close(change, total, rtol=1e-12, atol=1e-12)
    for one, other in zip(end, state, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_depression_at_the_target_is_the_published_one():
    assert HomeostaticParameters.zenke_2013().depression_at_target == pytest.approx(
        1.108e-3, abs=5e-7
    )
    assert HomeostaticParameters() == HomeostaticParameters.zenke_2013()


@pytest.mark.parametrize("share", [0.5, 1.0, 2.0])
def test_it_is_a_triplet_rule_whose_depression_goes_with_the_square_of_the_rate(share):
    # A detector so slow that it stands still in the window.
    rule = HomeostaticParameters.zenke_2013(homeostatic_rate=1e-12)
    start = homeostatic_traces(2, 5, 4, dtype=F64)
    start = start._replace(share=torch.full_like(start.share, share))
    pre, post = train(2, 60, 5), train(2, 60, 4, seed=1)
    triplet = TripletParameters(a_minus=1.1081e-3 * share**2)
    torch.testing.assert_close(
        homeostatic_window(pre, post, start, rule)[0],
        triplet_window(pre, post, None, triplet)[0],
        rtol=1e-4,  # of the printed digits of the amplitude
        atol=1e-6,
    )


@pytest.mark.parametrize("dt", [0.5, 1.0, 10.0])
def test_the_detector_converges_to_the_rate(dt):
    rule = HomeostaticParameters(target_rate=0.02, homeostatic_rate=0.005)
    steps, every = round(2000 / dt), round(20 / dt)
    post = torch.zeros(1, steps, 1, dtype=F64)
    post[0, ::every] = 1.0  # 0.05 spikes a ms: two and a half times the target
    _, end = homeostatic_window(torch.zeros_like(post), post, None, rule, dt=dt)
    # Of a regular train it is a sawtooth, known exactly between two spikes.
    since = (steps - 1 - (steps - 1) // every * every) * dt
    peak = 0.005 / 0.02 / (1 - math.exp(-0.005 * 20))
    assert end.share.item() == pytest.approx(peak * math.exp(-0.005 * since), rel=1e-4)
    assert end.share.item() == pytest.approx(2.5, rel=0.06)


def drift(rate, rule):
    """Mean change a second under Poisson trains of 10 Hz and ``rate``, and its standard error.

    Neuron i of one side and neuron i of the other are a pair of independent trains; traces and the
    estimate of the rate start where Poisson trains hold them in the mean.
    """
    pairs = 120
    generator = torch.Generator().manual_seed(7)
    pre, post = (
        (torch.rand(8, 2000, pairs, generator=generator) < hertz / 1000).float()
        for hertz in (10.0, rate)
    )
    level = {10.0: rule.tau_plus, rate: rule.tau_minus}
    r1, o1, o2 = (
        torch.full((8, pairs), hertz / 1000 / (1 - math.exp(-1 / tau)))
        for hertz, tau in (*level.items(), (rate, rule.tau_y))
    )
    start = HomeostaticTraces(r1, o1, o2, torch.full_like(o1, rate / 1e3 / rule.target_rate))
    change, _ = homeostatic_window(pre, post, start, rule.but(reduction="sum"))
    found = change.diagonal().double() / 16.0
    return found.mean().item(), found.std().item() / pairs**0.5


def test_the_drift_is_zero_at_the_target_and_pulls_back_to_it():
    rule = HomeostaticParameters.zenke_2013(homeostatic_rate=1e-9)
    for rate in (1.5, 3.0, 6.0):
        found, error = drift(rate, rule)
        # rho_x rho_y A3 tau_plus tau_y (rho_y - nu^2 / kappa), in 1/s; rates in 1/ms
        scale = 1e3 * 0.010 * rate / 1e3 * 6.5e-3 * 16.8 * 114 * rate / 1e3
        expected = scale * (1 - rate / 3)
        # Steps of 1 ms lack half a step of each time constant: 4 % of either term at most.
        assert abs(found - expected) < 4 * error + 0.04 * scale
        if rate != 3.0:
            assert (found > 0) == (rate < 3.0)
            assert abs(found) > 3 * error


def test_a_neuron_above_its_target_loses_and_one_below_gains():
    rule = HomeostaticParameters(target_rate=0.1, homeostatic_rate=0.01, a_plus=0.008)
    pre = train(8, 1500, 20, density=0.1)
    for density, sign in ((0.03, 1), (0.3, -1)):
        change, _ = homeostatic_window(pre, train(8, 1500, 20, density=density, seed=3), None, rule)
        assert sign * change.mean() > 0


def test_an_amplitude_of_ones_own_moves_the_balance():
    assert HomeostaticParameters(a_minus=0.0084).depression_at_target == 0.0084
    balanced = HomeostaticParameters(a_plus=0.008, target_rate=0.1)
    assert balanced.depression_at_target * 33.7 == pytest.approx(
        16.8 * (0.008 + 6.5e-3 * 114 * 0.1)
    )


@pytest.mark.parametrize("field", ["target_rate", "homeostatic_rate", "tau_y"])
def test_rates_and_times_are_positive(field):
    with pytest.raises(ConfigError, match=field):
        HomeostaticParameters(**{field: 0.0})
