"""The triplet rule against its definition over spike times, published tables and its drift."""

import math

import pytest
import torch

from plasticish.core import ConfigError, ShapeError
from plasticish.rules.stdp import STDPParameters, stdp_window
from plasticish.rules.triplet import (
    TRIPLET_ROWS,
    TripletParameters,
    TripletTraces,
    triplet_step,
    triplet_window,
)

F64 = torch.float64
FULL = TripletParameters(a_plus=0.02, a_minus=0.03, a3_plus=0.05, a3_minus=0.04, tau_x=60.0)


def train(*shape, density=0.2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < density).to(F64)


def trace_at(times, now, tau, interaction, *, included):
    """A trace just before ``now``, or just after, from spike times."""
    before = [t for t in times if t < now or (included and t == now)]
    if interaction == "nearest":
        before = before[-1:]
    return sum(math.exp(-(now - t) / tau) for t in before)


def over_spike_times(pre_times, post_times, rule):
    kind, change = rule.interaction, 0.0
    early = rule.coincidence in ("potentiation", "both")
    late = rule.coincidence in ("depression", "both")
    for now in post_times:
        r1 = trace_at(pre_times, now, rule.tau_plus, kind, included=early)
        o2 = trace_at(post_times, now, rule.tau_y, kind, included=False)
        change += r1 * (rule.a_plus + rule.a3_plus * o2)
    for now in pre_times:
        o1 = trace_at(post_times, now, rule.tau_minus, kind, included=late)
        r2 = trace_at(pre_times, now, rule.tau_x, kind, included=False)
        change -= o1 * (rule.a_minus + rule.a3_minus * r2)
    return change


@pytest.mark.parametrize("interaction", ["all_to_all", "nearest"])
@pytest.mark.parametrize("coincidence", ["none", "potentiation", "depression", "both"])
@pytest.mark.parametrize("seed", range(2))
def test_trains_are_a_sum_over_spike_times(interaction, coincidence, seed):
    rule = FULL.but(interaction=interaction, coincidence=coincidence)
    pre, post = train(1, 70, 3, seed=2 * seed), train(1, 70, 3, seed=2 * seed + 1)
    change, _ = triplet_window(pre, post, None, rule, dt=1.3)
    for i in range(3):
        for j in range(3):
            times = [
                (1.3 * s.nonzero().flatten().double()).tolist()
                for s in (pre[0, :, i], post[0, :, j])
            ]
            assert change[j, i].item() == pytest.approx(over_spike_times(*times, rule), rel=1e-10)


@pytest.mark.parametrize("interaction", ["all_to_all", "nearest"])
@pytest.mark.parametrize("coincidence", ["none", "potentiation", "depression", "both"])
@pytest.mark.parametrize("bounds", ["hard", "soft", "multiplicative"])
def test_steps_and_window_agree(interaction, coincidence, bounds):
    rule = FULL.but(interaction=interaction, coincidence=coincidence, bounds=bounds)
    pre, post = train(3, 30, 5), train(3, 30, 4, seed=1)
    weight = torch.rand(4, 5, dtype=F64)
    start = TripletTraces(*(torch.rand(3, n, dtype=F64) for n in (5, 5, 4, 4)))
    state, total = start, torch.zeros(4, 5, dtype=F64)
    for t in range(30):
        change, state = triplet_step(pre[:, t], post[:, t], state, rule, dt=0.7, weight=weight)
        total += change
    change, end = triplet_window(pre, post, start, rule, dt=0.7, weight=weight)
    torch.testing.assert_close(change, total, rtol=1e-12, atol=1e-12)
    for one, other in zip(end, state, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_without_triplets_it_is_the_pair_rule():
    pairs = STDPParameters(a_plus=0.3, a_minus=0.2)
    rule = TripletParameters(a_plus=0.3, a_minus=0.2, a3_plus=0.0, a3_minus=0.0)
    pre, post = train(2, 60, 5), train(2, 60, 4, seed=1)
    torch.testing.assert_close(
        triplet_window(pre, post, None, rule)[0], stdp_window(pre, post, None, pairs)[0]
    )


def pairings(rule, gap, frequency, pairs=60):
    """Pairs at a frequency, stepped from spike to spike: a second may pass in one step."""
    period = 1000.0 / frequency
    events = sorted(
        [(k * period, 1.0, 0.0) for k in range(pairs)]
        + [(k * period + gap, 0.0, 1.0) for k in range(pairs)]
    )
    state, total, before = None, 0.0, events[0][0] - 1.0
    for time, pre, post in events:
        change, state = triplet_step(
            torch.full((1, 1), pre, dtype=F64),
            torch.full((1, 1), post, dtype=F64),
            state,
            rule,
            dt=time - before,
        )
        total, before = total + change.item(), time
    return total


# Relative changes at 0.1, 10, 20, 40 and 50 Hz, from the equations and tables of the paper.
PAIRINGS = {
    ("visual_cortex_all_to_all_full", 10): [0.0000, 0.1321, 0.2470, 0.5337, 0.7409],
    ("visual_cortex_all_to_all_full", -10): [-0.3122, -0.3336, -0.3516, 0.1548, 0.7272],
    ("visual_cortex_all_to_all_minimal", 10): [0.0000, 0.1186, 0.2278, 0.5321, 0.7627],
    ("visual_cortex_all_to_all_minimal", -10): [-0.3166, -0.3322, -0.3417, 0.1737, 0.7492],
    ("visual_cortex_nearest_full", 10): [0.0000, 0.1036, 0.3232, 0.5603, 0.6243],
    ("visual_cortex_nearest_full", -10): [-0.2943, -0.4113, -0.3382, 0.2598, 0.6193],
}


@pytest.mark.parametrize(("row", "gap"), PAIRINGS)
def test_the_pairing_protocol_has_its_published_outcome(row, gap):
    rule = getattr(TripletParameters, row)()
    found = [pairings(rule, gap, frequency) for frequency in (0.1, 10, 20, 40, 50)]
    assert found == pytest.approx(PAIRINGS[row, gap], abs=5.1e-5)


def test_every_published_row_has_a_constructor():
    for row in TRIPLET_ROWS:
        rule = getattr(TripletParameters, row)(learning_rate=0.5)
        assert rule == TripletParameters.published(row, learning_rate=0.5)
        assert rule.interaction == ("nearest" if "nearest" in row else "all_to_all")
        if row.endswith("minimal"):
            assert rule.a3_minus == 0
    assert TripletParameters.visual_cortex_minimal() == TripletParameters()


def drift(rate, rule):
    """Mean change a second under Poisson trains of 10 Hz and ``rate``, and its standard error.

    Neuron i of one side and neuron i of the other are a pair of independent trains; traces start
    where Poisson trains hold them in the mean.
    """
    seconds, pairs = 16.0, 150
    generator = torch.Generator().manual_seed(round(rate))
    pre, post = (
        (torch.rand(8, 2000, pairs, generator=generator) < hertz / 1000).float()
        for hertz in (10.0, rate)
    )
    start = TripletTraces(
        *(
            torch.full((8, pairs), hertz / 1000 / (1 - math.exp(-1 / tau)))
            for hertz, tau in (
                (10.0, rule.tau_plus),
                (10.0, rule.tau_x),
                (rate, rule.tau_minus),
                (rate, rule.tau_y),
            )
        )
    )
    change, _ = triplet_window(pre, post, start, rule.but(reduction="sum"))
    found = change.diagonal().double() / seconds
    return found.mean().item(), found.std().item() / pairs**0.5


def in_steps(tau):
    """What the traces of all earlier steps of 1 ms sum to; tau - 1/2 but for terms of 1/tau."""
    return 1 / math.expm1(1 / tau)


def test_poisson_trains_drift_as_bienenstock_cooper_and_munro_say():
    rule = TripletParameters.visual_cortex_minimal()
    threshold = rule.a_minus * rule.tau_minus / (rule.a3_plus * rule.tau_plus * rule.tau_y)
    assert 1000 * threshold == pytest.approx(19.22, abs=0.005)
    for rate, published in ((5.0, -8.85e-3), (40.0, 0.1035)):
        x, y = 0.010, rate / 1e3
        plus, minus, slow = (in_steps(t) for t in (rule.tau_plus, rule.tau_minus, rule.tau_y))
        expected = 1e3 * x * y * (rule.a3_plus * plus * slow * y - rule.a_minus * minus)
        assert expected == pytest.approx(published, rel=0.06)  # steps of 1 ms are not continuous
        found, error = drift(rate, rule)
        assert error < 0.06 * abs(published)
        assert abs(found - expected) < 4 * error
    assert drift(26.0, rule)[0] > 0 > drift(12.0, rule)[0]


def test_a_state_of_another_batch_is_refused():
    pre, post = train(2, 5, 3), train(2, 5, 3, seed=1)
    _, state = triplet_window(pre, post, None, FULL)
    with pytest.raises(ShapeError, match="carried state"):
        triplet_step(pre[:1, 0], post[:1, 0], state, FULL)


def test_an_unknown_row_is_refused_with_the_names_of_the_rows():
    with pytest.raises(ConfigError, match="got 'cerebellum', expected one of: visual_cortex_all"):
        TripletParameters.published("cerebellum")
