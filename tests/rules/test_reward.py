"""Reward-modulated STDP against the explicit integral over eligibility and reward."""

import math

import pytest
import torch
from scipy.integrate import quad

from plasticish.core import DataError, DTypeError, ShapeError
from plasticish.rules.reward import (
    RewardParameters,
    RewardTraces,
    dopamine,
    reward_step,
    reward_window,
)
from plasticish.rules.stdp import stdp_step

F64 = torch.float64


def train(*shape, density=0.2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < density).to(F64)


def modulator(*shape, seed=9):
    return torch.randn(*shape, dtype=F64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dt", [0.5, 3.0])
def test_a_window_is_the_integral_of_reward_times_eligibility(shared, reduction, dt):
    rule = RewardParameters(tau_e=40.0, reduction=reduction)
    pre, post = train(2, 25, 3), train(2, 25, 3, seed=1)
    reward = modulator(25) if shared else modulator(2, 25)
    expected = torch.zeros(3, 3, dtype=F64)
    for b in range(2):
        # What each step of one example completes, from the pair rule alone.
        state, completed = None, []
        for t in range(25):
            change, state = stdp_step(pre[b : b + 1, t], post[b : b + 1, t], state, rule, dt=dt)
            completed.append(change)
        signal = reward if shared else reward[b]
        for t in range(25):
            eligibility = sum(completed[s] * math.exp(-(t - s) * dt / 40.0) for s in range(t + 1))
            decaying, _ = quad(lambda u: math.exp(-u / 40.0), 0.0, dt)
            expected += signal[t] * eligibility * decaying
    expected = expected / 2 if reduction == "mean" else expected
    change, _ = reward_window(pre, post, reward, None, rule, dt=dt)
    torch.testing.assert_close(change, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("interaction", ["all_to_all", "nearest"])
@pytest.mark.parametrize("coincidence", ["none", "potentiation", "depression", "both"])
@pytest.mark.parametrize("bounds", ["hard", "soft", "multiplicative"])
def test_steps_and_window_agree(shared, interaction, coincidence, bounds):
    rule = RewardParameters(
        tau_e=30.0, interaction=interaction, coincidence=coincidence, bounds=bounds
    )
    pre, post = train(3, 30, 5), train(3, 30, 4, seed=1)
    reward = modulator(30) if shared else modulator(3, 30)
    weight = torch.rand(4, 5, dtype=F64)
    shapes = ((3, 5), (3, 4), (1 if shared else 3, 4, 5))
    start = RewardTraces(*(torch.rand(shape, dtype=F64) for shape in shapes))
    state, total = start, torch.zeros(4, 5, dtype=F64)
    for t in range(30):
        change, state = reward_step(
            pre[:, t], post[:, t], reward[..., t], state, rule, dt=0.7, weight=weight
        )
        total += change
    change, end = reward_window(pre, post, reward, start, rule, dt=0.7, weight=weight)
    torch.testing.assert_close(change, total, rtol=1e-12, atol=1e-12)
    for one, other in zip(end, state, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shared", [True, False])
def test_a_reward_reaches_back_over_windows(shared):
    rule = RewardParameters(tau_e=200.0)
    pre, post = train(2, 40, 5), train(2, 40, 4, seed=1)
    reward = modulator(40) if shared else modulator(2, 40)
    whole, end = reward_window(pre, post, reward, None, rule)
    state, total = None, torch.zeros(4, 5, dtype=F64)
    for cut in (slice(0, 11), slice(11, 30), slice(30, 40)):
        change, state = reward_window(pre[:, cut], post[:, cut], reward[..., cut], state, rule)
        total += change
    torch.testing.assert_close(total, whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(state.eligibility, end.eligibility, rtol=1e-12, atol=1e-14)


def test_a_shared_reward_is_the_same_reward_for_each():
    rule = RewardParameters()
    pre, post, reward = train(3, 30, 5), train(3, 30, 4, seed=1), modulator(30)
    together, one = reward_window(pre, post, reward, None, rule)
    apart, each = reward_window(pre, post, reward.expand(3, 30), None, rule)
    torch.testing.assert_close(together, apart)
    torch.testing.assert_close(one.eligibility[0], each.eligibility.sum(0))


def test_one_pair_one_reward():
    pre, post, reward = (torch.zeros(1, 60, 1, dtype=F64) for _ in range(3))
    pre[0, 5], post[0, 15], reward[0, 50] = 1.0, 1.0, 2.0
    rule = RewardParameters.izhikevich_2007()
    change, _ = reward_window(pre, post, reward[..., 0], None, rule)
    kept = 1000 * (1 - math.exp(-1 / 1000))  # the reward lasts for a step
    expected = 0.1 * math.exp(-10 / 20) * math.exp(-35 / 1000) * 2.0 * kept
    assert change.item() == pytest.approx(expected, rel=1e-10)


def test_without_reward_nothing_changes_and_its_sign_turns_the_change():
    rule = RewardParameters()
    pre, post, reward = train(2, 30, 5), train(2, 30, 4, seed=1), modulator(2, 30)
    assert not reward_window(pre, post, torch.zeros(2, 30, dtype=F64), None, rule)[0].any()
    change, _ = reward_window(pre, post, reward, None, rule)
    torch.testing.assert_close(reward_window(pre, post, -reward, None, rule)[0], -change)


def test_dopamine_decays_and_is_compared_with_its_mean():
    delivered = torch.zeros(3, 50, dtype=F64)
    delivered[1, 10] = 0.5
    found = dopamine(delivered, tau=200.0, mean=0.1, dt=4.0)
    assert found[0].tolist() == pytest.approx([-0.1] * 50)
    after = [0.5 * math.exp(-(t - 10) * 4 / 200) if t >= 10 else 0.0 for t in range(50)]
    assert (found[1] + 0.1).tolist() == pytest.approx(after)


@pytest.mark.parametrize(
    ("reward", "error", "text"),
    [
        (torch.zeros(2, 29, dtype=F64), ShapeError, "the reward does not fit"),
        (torch.zeros(3, 30, dtype=F64), ShapeError, "the reward does not fit"),
        (torch.zeros(2, 30, 1, dtype=F64), ShapeError, "the reward does not fit"),
        (torch.zeros(2, 30), DTypeError, "the reward does not fit"),
        (torch.full((2, 30), torch.nan, dtype=F64), DataError, "rewards contain NaN"),
    ],
)
def test_rewards_that_do_not_fit_are_refused(reward, error, text):
    with pytest.raises(error, match=text):
        reward_window(train(2, 30, 5), train(2, 30, 4), reward, None, RewardParameters())


def test_an_eligibility_for_another_kind_of_reward_is_refused():
    pre, post = train(2, 30, 5), train(2, 30, 4, seed=1)
    _, state = reward_window(pre, post, modulator(30), None, RewardParameters())
    with pytest.raises(ShapeError, match="carried state"):
        reward_window(pre, post, modulator(2, 30), state, RewardParameters())
