"""Whatever comes, a weight stays within its bounds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError
from plasticish.rules.bounds import bounded, scaled_change
from plasticish.rules.parameters import RuleParameters
from plasticish.spiking.stdp_rules import (
    ClassicalSTDP,
    HomeostaticSTDP,
    RewardModulatedSTDP,
    TripletSTDP,
)

F64 = torch.float64
TIMING = [ClassicalSTDP, TripletSTDP, HomeostaticSTDP, RewardModulatedSTDP]
KINDS = ["hard", "soft", "multiplicative"]


def reward_for(rule, time):
    return {"reward": torch.ones(time, dtype=F64)} if rule.takes_reward else {}


@given(
    kind=st.sampled_from(TIMING),
    bounds=st.sampled_from(KINDS),
    rate=st.sampled_from([0.01, 1.0, 1e4]),
    low=st.floats(-2, 0.5),
    width=st.floats(0.1, 3),
    mu=st.sampled_from([0.1, 1.0, 2.5]),
    seed=st.integers(0, 2**20),
)
@settings(max_examples=60, deadline=None)
def test_weights_stay_within_their_bounds(kind, bounds, rate, low, width, mu, seed):
    rule = kind(learning_rate=rate, bounds=bounds, w_min=low, w_max=low + width, mu=mu)
    generator = torch.Generator().manual_seed(seed)
    weight = low + width * torch.rand(3, 4, dtype=F64, generator=generator)
    for _ in range(3):
        pre, post = (
            (torch.rand(2, 12, n, dtype=F64, generator=generator) < 0.4).double() for n in (4, 3)
        )
        change, _ = rule.window(pre, post, None, weight, **reward_for(rule, 12))
        weight = rule.applied(weight, change)
        assert bool((weight >= low).all())
        assert bool((weight <= low + width).all())
        assert bool(torch.isfinite(weight).all())


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 3), st.sampled_from(KINDS))
def test_scaled_changes_are_the_formulas(up, down, mu, kind):
    rule = RuleParameters(bounds=kind, w_min=-1.0, w_max=3.0, mu=mu)
    for w in (-1.0, 0.0, 2.0, 3.0):
        share = (w + 1) / 4
        plus, minus = {
            "hard": (1, 1),
            "soft": ((1 - share) ** mu, share**mu),
            "multiplicative": (1, share),
        }[kind]
        found = scaled_change(*(torch.tensor([[v]], dtype=F64) for v in (up, down, w)), rule)
        assert found.item() == pytest.approx(plus * up - minus * down, abs=1e-12)


def test_soft_bounds_are_not_crossed_from_within():
    rule = RuleParameters(bounds="soft")
    one, ends = torch.ones(1, 2, dtype=F64), torch.tensor([[0.0, 1.0]], dtype=F64)
    assert scaled_change(one, 0 * one, ends, rule).tolist() == [[1.0, 0.0]]
    assert scaled_change(0 * one, one, ends, rule).tolist() == [[0.0, -1.0]]


def test_without_bounds_nothing_is_clipped():
    rule = RuleParameters(w_min=-float("inf"), w_max=float("inf"), learning_rate=2.0)
    assert bounded(torch.tensor(5.0), torch.tensor(-100.0), rule).item() == -195.0


def test_soft_bounds_need_both_ends():
    with pytest.raises(ConfigError, match="soft bounds need both ends"):
        RuleParameters(bounds="soft", w_max=float("inf"))
