"""A layer whose plasticity is turned up and down, and that protects what it uses most."""

import math

import pytest
import torch

from plasticish.core import ConfigError, DataError, make_generator
from plasticish.spiking.layer import STDPLayer
from plasticish.spiking.meta_layer import MetaPlasticLayer
from plasticish.spiking.stdp_rules import ClassicalSTDP

RULE = ClassicalSTDP(learning_rate=0.01)


def trains(seed=0, batch=3, time=12):
    g = make_generator(seed)
    return tuple((torch.rand(batch, time, n, generator=g) < 0.4).float() for n in (6, 4))


def test_unadapted_and_unprotected_it_is_a_plain_layer():
    ours = MetaPlasticLayer(6, 4, RULE, importance_rate=0.0, seed=1)
    plain = STDPLayer(6, 4, RULE, seed=1)
    ours.update_weights_stdp(*trains()), plain.update_weights_stdp(*trains())
    assert torch.equal(ours.weight, plain.weight)
    x = torch.rand(2, 6)
    assert torch.equal(ours(x), plain(x))


def test_the_change_is_proportional_to_the_rate_factor():
    moved = []
    for factor in (1.0, 3.0):
        layer = MetaPlasticLayer(6, 4, RULE, seed=1)
        before = layer.weight.clone()
        layer.adapt(factor, 1.0, 1.0)
        layer.update_weights_stdp(*trains())
        moved.append(layer.weight - before)
    inside = moved[1].abs() > 0
    torch.testing.assert_close(3 * moved[0][inside], moved[1][inside], rtol=1e-3, atol=1e-6)


def test_stability_shrinks_the_change_of_used_synapses_most():
    def second_change(stability):
        layer = MetaPlasticLayer(6, 4, RULE, importance_rate=1.0, seed=1)
        layer.update_weights_stdp(*trains(0))
        before = layer.weight.clone()
        layer.adapt(1.0, 1.0, stability)
        layer.update_weights_stdp(*trains(1))
        return layer.weight - before

    free, held = second_change(0.0), second_change(5.0)
    pre, post = trains(0)
    use = post.mean(1).T @ pre.mean(1)
    expected = free / (1 + 5.0 * use / use.mean())
    torch.testing.assert_close(held, expected, rtol=1e-3, atol=1e-6)


def test_importance_is_the_running_share_of_use():
    layer = MetaPlasticLayer(6, 4, RULE, importance_rate=0.5)
    uses = []
    for seed in (0, 1):
        pre, post = trains(seed)
        layer.update_weights_stdp(pre, post)
        use = torch.einsum("bi,bj->ji", pre.mean(1), post.mean(1))
        uses.append(use / use.mean())
    torch.testing.assert_close(layer.importance, 0.25 * uses[0] + 0.5 * uses[1])
    assert "importance" in layer.state_dict()


def test_bad_spikes_and_factors_change_nothing():
    layer = MetaPlasticLayer(6, 4, RULE)
    layer.update_weights_stdp(*trains())
    before = {name: t.clone() for name, t in layer.state_dict().items()}
    pre, post = trains()
    with pytest.raises(DataError, match="NaN"):
        layer.update_weights_stdp(pre * math.nan, post)
    rule = layer.rule
    with pytest.raises(ConfigError, match="time_constant_factor"):
        layer.adapt(2.0, -1.0, 1.0)
    assert layer.rule is rule
    for name, tensor in layer.state_dict().items():
        assert torch.equal(tensor, before[name])
    with pytest.raises(ConfigError, match="importance_rate"):
        MetaPlasticLayer(6, 4, importance_rate=1.5)
