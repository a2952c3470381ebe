"""Rules as objects: they bind the functions, survive JSON, and take every keyword of old."""

import json
from dataclasses import FrozenInstanceError

import pytest
import torch

from plasticish.core import ConfigError
from plasticish.rules.homeostatic import homeostatic_window
from plasticish.rules.reward import reward_window
from plasticish.rules.stdp import stdp_window
from plasticish.rules.triplet import triplet_window
from plasticish.spiking.plasticity_rule import RULES, PlasticityRule, rule_from_dict
from plasticish.spiking.stdp_rules import (
    ClassicalSTDP,
    HomeostaticSTDP,
    RewardModulatedSTDP,
    TripletSTDP,
)

RULE_CLASSES = [ClassicalSTDP, TripletSTDP, HomeostaticSTDP, RewardModulatedSTDP]
COMMON = {
    "learning_rate": 0.015,
    "tau_plus": 25.0,
    "tau_minus": 26.0,
    "a_plus": 0.008,
    "a_minus": 0.0084,
    "w_min": -0.5,
    "w_max": 0.5,
}


def spikes(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [(torch.rand(2, 20, n, generator=generator) < 0.3).float() for n in (5, 4)]


def reward_of(rule):
    return {"reward": torch.ones(20)} if rule.takes_reward else {}


@pytest.mark.parametrize("cls", RULE_CLASSES)
def test_a_rule_is_registered_and_satisfies_the_protocol(cls):
    assert RULES[cls.kind] is cls
    assert isinstance(cls(), PlasticityRule)


@pytest.mark.parametrize("cls", RULE_CLASSES)
def test_the_keywords_of_the_prototype_are_fields(cls):
    extra = {"target_rate": 0.15, "homeostatic_rate": 0.002} if cls is HomeostaticSTDP else {}
    rule = cls(**COMMON, **extra)
    for name, value in (COMMON | extra).items():
        assert getattr(rule, name) == value


@pytest.mark.parametrize("cls", RULE_CLASSES)
@pytest.mark.parametrize("options", [{}, COMMON, {"w_min": -float("inf"), "w_max": float("inf")}])
def test_json_brings_a_rule_back(cls, options):
    rule = cls(**options)
    written = json.dumps(rule.to_dict(), allow_nan=False)
    again = rule_from_dict(json.loads(written))
    assert again == rule
    assert type(again) is cls


def test_what_is_no_rule_is_refused():
    with pytest.raises(ConfigError, match="unknown plasticity rule"):
        rule_from_dict({"kind": "magic"})
    with pytest.raises(ConfigError, match="no such field: got tau_magic"):
        rule_from_dict({"kind": "classical", "tau_magic": 1.0})
    with pytest.raises(ConfigError, match="tau_plus"):
        rule_from_dict({"kind": "classical", "tau_plus": -1.0})


@pytest.mark.parametrize("cls", RULE_CLASSES)
def test_a_modulated_rule_differs_in_rate_and_time_constants_alone(cls):
    rule = cls(learning_rate=0.5)
    changed = rule.modulated(learning_rate=0.1, time_constant=2.0)
    assert type(changed) is cls
    assert changed.learning_rate == pytest.approx(0.05)
    for name, value in rule.to_dict().items():
        if name.startswith("tau_"):
            assert getattr(changed, name) == 2 * value
        elif name not in ("kind", "learning_rate"):
            assert getattr(changed, name) == value
    assert rule.learning_rate == 0.5
    with pytest.raises(ConfigError):
        rule.modulated(time_constant=0.0)


@pytest.mark.parametrize("cls", RULE_CLASSES)
def test_a_rule_binds_its_functions(cls):
    rule, (pre, post), weight = cls(bounds="soft"), spikes(), torch.rand(4, 5)
    functions = {
        ClassicalSTDP: stdp_window,
        TripletSTDP: triplet_window,
        HomeostaticSTDP: homeostatic_window,
        RewardModulatedSTDP: reward_window,
    }
    extra = (torch.ones(20),) if rule.takes_reward else ()
    expected, _ = functions[cls](pre, post, *extra, None, rule, dt=2.0, weight=weight)
    change, end = rule.window(pre, post, None, weight, 2.0, **reward_of(rule))
    assert torch.equal(change, expected)
    state, total = None, torch.zeros(4, 5)
    for t in range(20):
        one = {"reward": torch.tensor(1.0)} if rule.takes_reward else {}
        step, state = rule.step(pre[:, t], post[:, t], state, weight, 2.0, **one)
        total += step
    torch.testing.assert_close(total, change, rtol=1e-5, atol=1e-6)
    for one, other in zip(state, end, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cls", RULE_CLASSES)
def test_the_state_at_rest_is_what_none_stands_for(cls):
    rule, (pre, post) = cls(), spikes()
    shared = {"shared": True} if rule.takes_reward else {}
    rest = rule.initial_state(2, 5, 4, dtype=torch.float32, **shared)
    for state in (None, rest):
        change, _ = rule.window(pre, post, state, torch.rand(4, 5), **reward_of(rule))
        assert torch.equal(
            change, rule.window(pre, post, None, torch.rand(4, 5), **reward_of(rule))[0]
        )


def test_a_number_is_a_reward_for_every_step():
    rule, (pre, post) = RewardModulatedSTDP(), spikes()
    by_number, _ = rule.window(pre, post, None, reward=0.5)
    by_series, _ = rule.window(pre, post, None, reward=torch.full((20,), 0.5))
    assert torch.equal(by_number, by_series)
    with pytest.raises(ConfigError, match="learns by reward"):
        rule.window(pre, post, None)


def test_a_rule_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        ClassicalSTDP().learning_rate = 2.0
