"""Pair STDP against closed forms and a sum over spike times."""

import math

import pytest
import torch

from plasticish.core import ConfigError, DTypeError, ShapeError
from plasticish.rules import products, stdp
from plasticish.rules.bounds import scaled_change
from plasticish.rules.stdp import PairTraces, STDPParameters, stdp_step, stdp_window

F64 = torch.float64
INTERACTIONS = ["all_to_all", "nearest"]
COINCIDENCES = ["none", "potentiation", "depression", "both"]
BOUNDS = ["hard", "soft", "multiplicative"]


def train(*shape, density=0.2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < density).to(F64)


def at(times, length, dt=1.0):
    spikes = torch.zeros(1, length, 1, dtype=F64)
    for time in times:
        spikes[0, round(time / dt)] = 1.0
    return spikes


def over_spike_times(pre_times, post_times, rule):
    """The rule as it is written: a sum over spike times in ms, without a trace."""
    change = 0.0
    early = rule.coincidence in ("potentiation", "both")
    late = rule.coincidence in ("depression", "both")
    for post in post_times:
        before = [t for t in pre_times if t < post or (early and t == post)]
        if rule.interaction == "nearest":
            before = before[-1:]
        change += sum(rule.a_plus * math.exp(-(post - t) / rule.tau_plus) for t in before)
    for pre in pre_times:
        before = [t for t in post_times if t < pre or (late and t == pre)]
        if rule.interaction == "nearest":
            before = before[-1:]
        change -= sum(rule.a_minus * math.exp(-(pre - t) / rule.tau_minus) for t in before)
    return change


@pytest.mark.parametrize("dt", [0.1, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("gap", [10.0, 40.0, -10.0, -40.0])
def test_a_pair_has_its_closed_form_at_every_dt(dt, gap):
    rule = STDPParameters.hippocampal_culture()
    length = round(100 / dt) + 1
    pre, post = at([50.0], length, dt), at([50.0 + gap], length, dt)
    change, _ = stdp_window(pre, post, None, rule, dt=dt)
    potentiated, depressed = 0.777 / 60 * math.exp(-gap / 16.8), -0.273 / 60 * math.exp(gap / 33.7)
    expected = potentiated if gap > 0 else depressed
    assert change.item() == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("coincidence", COINCIDENCES)
@pytest.mark.parametrize("seed", range(3))
def test_trains_are_a_sum_over_spike_times(interaction, coincidence, seed):
    rule = STDPParameters(interaction=interaction, coincidence=coincidence)
    pre, post = train(1, 80, 4, seed=2 * seed), train(1, 80, 3, seed=2 * seed + 1)
    change, _ = stdp_window(pre, post, None, rule, dt=0.7)
    for i in range(4):
        for j in range(3):
            times = [
                (0.7 * spikes.nonzero().flatten().double()).tolist()
                for spikes in (pre[0, :, i], post[0, :, j])
            ]
            assert change[j, i].item() == pytest.approx(over_spike_times(*times, rule), rel=1e-10)


def test_spikes_of_one_step_do_what_coincidence_says():
    spike = torch.ones(1, 1, dtype=F64)
    found = {
        name: stdp_step(spike, spike, None, STDPParameters(coincidence=name, a_plus=3, a_minus=1))
        for name in COINCIDENCES
    }
    assert {name: change.item() for name, (change, _) in found.items()} == {
        "none": 0.0,
        "potentiation": 3.0,
        "depression": -1.0,
        "both": 2.0,
    }


@pytest.mark.parametrize("interaction", INTERACTIONS)
@pytest.mark.parametrize("coincidence", COINCIDENCES)
@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_steps_and_window_agree(interaction, coincidence, bounds, reduction):
    rule = STDPParameters(
        interaction=interaction, coincidence=coincidence, bounds=bounds, reduction=reduction, mu=0.5
    )
    pre, post = train(3, 30, 5), train(3, 30, 4, seed=1)
    weight = torch.rand(4, 5, dtype=F64)
    start = PairTraces(torch.rand(3, 5, dtype=F64), torch.rand(3, 4, dtype=F64))
    state, total = start, torch.zeros(4, 5, dtype=F64)
    for t in range(30):
        change, state = stdp_step(pre[:, t], post[:, t], state, rule, dt=0.7, weight=weight)
        total += change
    change, end = stdp_window(pre, post, start, rule, dt=0.7, weight=weight)
    torch.testing.assert_close(change, total, rtol=1e-12, atol=1e-12)
    for one, other in zip(end, state, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_float32_agrees_to_one_in_a_million():
    rule = STDPParameters()
    pre, post = train(8, 200, 40), train(8, 200, 30, seed=1)
    exact, _ = stdp_window(pre, post, None, rule)
    rough, _ = stdp_window(pre.float(), post.float(), None, rule)
    assert (rough - exact).abs().max() < 1e-6 * exact.abs().max() * 4


def test_a_window_cut_anywhere_is_the_same_window():
    rule = STDPParameters()
    pre, post = train(2, 50, 5), train(2, 50, 4, seed=1)
    whole, end = stdp_window(pre, post, None, rule)
    first, state = stdp_window(pre[:, :17], post[:, :17], None, rule)
    second, state = stdp_window(pre[:, 17:], post[:, 17:], state, rule)
    torch.testing.assert_close(first + second, whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(state.x, end.x, rtol=1e-12, atol=1e-12)


def test_a_very_long_window_stays_exact():
    # exp(T / tau) would overflow here; nothing may divide by a decayed power.
    rule = STDPParameters(a_plus=1.0, a_minus=1.0)
    pre, post = torch.zeros(1, 4_000, 1, dtype=F64), torch.zeros(1, 4_000, 1, dtype=F64)
    pre[0, 3_980], post[0, 3_990], pre[0, 5], post[0, 0] = 1.0, 1.0, 1.0, 1.0
    change, _ = stdp_window(pre, post, None, rule)
    expected = math.exp(-10 / 16.8) - math.exp(-5 / 33.7)
    assert change.item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_when_it_happens_does_not_matter(interaction):
    rule = STDPParameters(interaction=interaction)
    pre, post = train(2, 30, 5), train(2, 30, 4, seed=1)
    quiet = torch.zeros(2, 13, 1, dtype=F64)
    shifted = [torch.cat([quiet.expand(-1, -1, s.shape[2]), s], dim=1) for s in (pre, post)]
    torch.testing.assert_close(
        stdp_window(*shifted, None, rule)[0], stdp_window(pre, post, None, rule)[0]
    )


def test_silence_changes_nothing_and_lets_traces_decay():
    rule, quiet = STDPParameters(), torch.zeros(2, 30, 3, dtype=F64)
    start = PairTraces(torch.rand(2, 3, dtype=F64), torch.rand(2, 3, dtype=F64))
    change, end = stdp_window(quiet, quiet, start, rule, dt=2.0)
    assert not change.any()
    torch.testing.assert_close(end.x, start.x * math.exp(-60 / 16.8))
    torch.testing.assert_close(end.y, start.y * math.exp(-60 / 33.7))


def test_the_mean_does_not_mind_a_repeated_batch_and_the_sum_adds_it():
    pre, post = train(3, 30, 5), train(3, 30, 4, seed=1)
    for reduction, factor in (("mean", 1.0), ("sum", 2.0)):
        rule = STDPParameters(reduction=reduction)
        once, _ = stdp_window(pre, post, None, rule)
        twice, _ = stdp_window(pre.repeat(2, 1, 1), post.repeat(2, 1, 1), None, rule)
        torch.testing.assert_close(twice, factor * once)


def test_graded_events_count_by_their_size_negative_ones_too():
    rule = STDPParameters()
    generator = torch.Generator().manual_seed(0)
    pre = torch.randn(2, 20, 5, dtype=F64, generator=generator)
    post = torch.randn(2, 20, 4, dtype=F64, generator=generator)
    base, _ = stdp_window(pre, post, None, rule)
    torch.testing.assert_close(stdp_window(-2 * pre, post, None, rule)[0], -2 * base)
    torch.testing.assert_close(stdp_window(pre, 3 * post, None, rule)[0], 3 * base)
    halves = (
        stdp_window(pre.relu(), post, None, rule)[0]
        - stdp_window((-pre).relu(), post, None, rule)[0]
    )
    torch.testing.assert_close(halves, base)


@pytest.mark.parametrize("bounds", BOUNDS)
def test_bounds_scale_what_was_won_and_what_was_lost(bounds):
    rule = STDPParameters(bounds=bounds, w_min=-1.0, w_max=2.0, mu=0.7)
    pre, post, weight = (
        train(2, 30, 5),
        train(2, 30, 4, seed=1),
        3 * torch.rand(4, 5, dtype=F64) - 1,
    )
    free = rule.but(bounds="hard")
    won, _ = stdp_window(pre, post, None, free.but(a_minus=0.0))
    lost, _ = stdp_window(pre, post, None, free.but(a_plus=0.0))
    change, _ = stdp_window(pre, post, None, rule, weight=weight)
    torch.testing.assert_close(change, scaled_change(won, -lost, weight, rule))


@pytest.mark.parametrize("coincidence", COINCIDENCES)
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_the_way_by_events_is_the_same_rule(monkeypatch, coincidence, dtype):
    rule = STDPParameters(coincidence=coincidence, a_plus=1.0, a_minus=0.7)
    pre, post = (  # graded and negative events, several blocks of neurons
        (train(3, 50, n, density=0.05, seed=n) * torch.linspace(-2, 3, n)).to(dtype)
        for n in (20, 150)
    )
    state = PairTraces(torch.rand(3, 20, dtype=dtype), torch.rand(3, 150, dtype=dtype))
    before = [tensor.clone() for tensor in state]
    calls = []
    monkeypatch.setattr(
        stdp, "_by_events", lambda *a, way=stdp._by_events: calls.append(a) or way(*a)
    )
    for start in (None, state):
        dense, dense_end = stdp_window(pre, post, start, rule)
        assert not calls
        with monkeypatch.context() as patch:
            patch.setattr(products, "WORTHWHILE", 0)
            change, end = stdp_window(pre, post, start, rule)
        assert len(calls) == 1
        calls.clear()
        near = {"rtol": 1e-12, "atol": 1e-12} if dtype == F64 else {"rtol": 1e-5, "atol": 1e-5}
        torch.testing.assert_close(change, dense, **near)
        torch.testing.assert_close(end, dense_end, **near)
    assert all(torch.equal(*pair) for pair in zip(before, state, strict=True))


def test_the_way_by_events_keeps_gradients(monkeypatch):
    monkeypatch.setattr(products, "WORTHWHILE", 0)
    pre, post = train(2, 50, 6, density=0.02), train(2, 50, 5, seed=1)
    trace = torch.rand(2, 5, dtype=F64, requires_grad=True)
    state = PairTraces(torch.zeros(2, 6, dtype=F64), trace)
    stdp_window(pre, post, state, STDPParameters())[0].sum().backward()
    assert trace.grad.abs().min() > 0


def test_inputs_are_left_alone():
    pre, post = train(2, 20, 5), train(2, 20, 4, seed=1)
    state = PairTraces(torch.rand(2, 5, dtype=F64), torch.rand(2, 4, dtype=F64))
    before = [tensor.clone() for tensor in (pre, post, *state)]
    for interaction in INTERACTIONS:
        stdp_window(pre, post, state, STDPParameters(interaction=interaction))
        stdp_step(pre[:, 0], post[:, 0], state, STDPParameters(interaction=interaction))
    for was, now in zip(before, (pre, post, *state), strict=True):
        assert torch.equal(was, now)


def test_what_does_not_fit_is_refused():
    pre, post = train(2, 20, 5), train(2, 20, 4, seed=1)
    soft = STDPParameters(bounds="soft")
    with pytest.raises(ConfigError, match="scale a change by the weight"):
        stdp_window(pre, post, None, soft)
    with pytest.raises(ShapeError, match="the weight does not fit"):
        stdp_window(pre, post, None, soft, weight=torch.rand(5, 4, dtype=F64))
    with pytest.raises(DTypeError, match="the weight does not fit"):
        stdp_window(pre, post, None, soft, weight=torch.rand(4, 5))
    _, state = stdp_window(pre[:1], post[:1], None, STDPParameters())
    with pytest.raises(ShapeError, match="carried state"):
        stdp_window(pre, post, state, STDPParameters())
