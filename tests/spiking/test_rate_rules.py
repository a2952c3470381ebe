"""The rules of activity as objects: registry, JSON, modulation, and a layer that learns by them."""

from __future__ import annotations

import json

import pytest
import torch

from plasticish.core import make_generator
from plasticish.rules.bcm import bcm_step, bcm_window
from plasticish.rules.triplet import TripletParameters
from plasticish.spiking.layer import STDPLayer
from plasticish.spiking.plasticity_rule import RULES, PlasticityRule, rule_from_dict
from plasticish.spiking.rate_rules import BCMRule, HebbRule, OjaRule

KINDS = {"bcm": BCMRule, "hebb": HebbRule, "oja": OjaRule}


def trains(seed=0, time=200, share=0.05):
    g = make_generator(seed)
    pre = (torch.rand(3, time, 8, generator=g) < share).float()
    return pre, (torch.rand(3, time, 4, generator=g) < share).float()


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_rule_is_registered_written_and_read(name, kind):
    rule = kind(learning_rate=0.3, tau_rate=50.0, reduction="sum")
    assert RULES[name] is kind
    assert isinstance(rule, PlasticityRule)
    assert rule_from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_layer_learns_by_it_as_by_the_pure_function(kind):
    pre, post = trains()
    rule = kind(learning_rate=0.5)
    layer = STDPLayer(8, 4, rule)
    before = layer.weight.detach().clone()
    change, _ = rule.window(pre, post, None, before)
    report = layer.update_weights_stdp(pre, post)
    assert report["changed"] > 0
    torch.testing.assert_close(layer.weight.detach(), rule.applied(before, change))
    assert bool((layer.weight >= rule.w_min).all() & (layer.weight <= rule.w_max).all())


def test_the_constructor_arguments_of_the_prototype():
    rule = BCMRule(learning_rate=0.01, target_rate=0.1, w_min=0.0, w_max=1.0)
    assert (rule.learning_rate, rule.target_rate, rule.w_min, rule.w_max) == (0.01, 0.1, 0.0, 1.0)
    # It has no windows of timing: an argument that would do nothing is an error, not a silence.
    with pytest.raises(TypeError, match="tau_plus"):
        BCMRule(tau_plus=20.0)


def test_the_defaults_change_as_much_as_the_triplet_rule():
    triplet = TripletParameters.visual_cortex_minimal()
    expected = triplet.a3_plus * triplet.tau_plus * triplet.tau_y
    assert BCMRule().amplitude == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS.values())
def test_modulation_scales_rate_and_time_constants(kind):
    rule = kind(learning_rate=0.2)
    other = rule.modulated(learning_rate=3.0, time_constant=2.0)
    assert other.learning_rate == pytest.approx(0.6)
    assert other.tau_rate == 2 * rule.tau_rate
    if kind is BCMRule:
        assert other.tau_theta == 2 * rule.tau_theta
    else:
        assert other.tau_mean == 0.0  # what is switched off stays so


def test_a_busy_neuron_loses_and_a_lazy_one_gains():
    rule = BCMRule(target_rate=0.05, tau_theta=200.0)
    pre, _ = trains(time=2000)
    for rate, gains in ((0.02, True), (0.15, False)):
        _, post = trains(seed=1, time=2000, share=rate)
        _, settled = bcm_window(pre[:, :1000], post[:, :1000], None, rule)
        change, _ = bcm_window(pre[:, 1000:], post[:, 1000:], settled, rule)
        assert (change.mean() > 0) == gains


def test_step_and_window_agree_through_the_object():
    pre, post = trains(time=20)
    rule, weight = BCMRule(), torch.rand(4, 8)
    change, after = rule.window(pre, post, rule.initial_state(3, 8, 4), weight)
    total, state = torch.zeros(4, 8), None
    for now in range(20):
        moved, state = rule.step(pre[:, now], post[:, now], state, weight)
        total += moved
    torch.testing.assert_close(change, total, rtol=1e-4, atol=1e-9)
    torch.testing.assert_close(after, state)
    assert bcm_step(pre[:, 0], post[:, 0], None, rule)[0].shape == (4, 8)
