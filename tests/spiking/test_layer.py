"""STDPLayer: nn.Linear in every way but one."""

import copy
import warnings

import pytest
import torch
from torch import nn

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError
from plasticish.rules.stdp import stdp_window
from plasticish.spiking.layer import STDPLayer
from plasticish.spiking.stdp_rules import (
    ClassicalSTDP,
    HomeostaticSTDP,
    RewardModulatedSTDP,
    TripletSTDP,
)

WIDE = ClassicalSTDP(learning_rate=0.1, w_min=-1.0, w_max=1.0)


def spikes(*shape, density=0.3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < density).float()


def pair(seed=0, time=20):
    return spikes(3, time, 6, seed=seed), spikes(3, time, 4, seed=seed + 1)


def mask(seed=0):
    return torch.rand(4, 6, generator=torch.Generator().manual_seed(seed)) < 0.5


# ------------------------------------------------------------------ as nn.Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("trainable", [True, False])
def test_state_is_exchanged_with_linear_both_ways(bias, trainable):
    layer = STDPLayer(6, 4, WIDE, bias, trainable=trainable)
    linear, x = nn.Linear(6, 4, bias), torch.randn(5, 3, 6)
    assert set(layer.state_dict()) == set(linear.state_dict())
    layer.load_state_dict(linear.state_dict())
    assert torch.equal(layer(x), linear(x))
    layer.update_weights_stdp(*pair())
    other = nn.Linear(6, 4, bias)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), other(x))
    assert not torch.equal(layer(x), linear(x))
    assert torch.equal(layer.to_linear()(x), layer(x))


def test_it_is_made_from_a_linear_layer_without_touching_it():
    linear, x = nn.Linear(6, 4).eval(), torch.randn(5, 6)
    before = linear.weight.clone()
    layer = STDPLayer.from_linear(linear, WIDE)
    assert torch.equal(layer(x), linear(x))
    assert not layer.training
    layer.update_weights_stdp(*pair())
    assert torch.equal(linear.weight, before)
    with pytest.raises(DataError, match="outside the bounds of the rule"):
        STDPLayer.from_linear(linear, ClassicalSTDP(w_min=0.0))
    with pytest.raises(DTypeError, match="no linear layer"):
        STDPLayer.from_linear(nn.ReLU(), WIDE)


def test_no_optimiser_sees_the_weight_unless_asked():
    assert [name for name, _ in STDPLayer(6, 4, WIDE).named_parameters()] == ["bias"]
    names = [name for name, _ in STDPLayer(6, 4, WIDE, trainable=True).named_parameters()]
    assert sorted(names) == ["bias", "weight"]


def test_gradients_pass_through_a_fixed_weight():
    layer, x = STDPLayer(6, 4, WIDE), torch.randn(5, 6, requires_grad=True)
    weight = layer.weight
    loss = layer(x).square().sum()
    layer.update_weights_stdp(*pair())  # between forward and backward
    loss.backward()
    expected = 2 * (x @ weight.T + layer.bias) @ weight
    torch.testing.assert_close(x.grad, expected)
    assert layer.bias.grad is not None
    assert layer.weight.grad is None


def test_a_trainable_weight_is_trained_and_plastic():
    layer, x = STDPLayer(6, 4, WIDE, trainable=True), torch.randn(5, 6)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
    start, same = layer.weight.clone(), layer.weight
    layer(x).square().sum().backward()
    optimiser.step()
    trained = layer.weight.clone()
    assert not torch.equal(trained, start)
    with torch.no_grad():
        layer.weight.clamp_(-1, 1)
    layer.update_weights_stdp(*pair())
    assert layer.weight is same  # the optimiser still holds it
    assert not torch.equal(layer.weight, trained)


def test_copies_live_apart():
    layer = STDPLayer(6, 4, WIDE, mask=mask())
    layer.update_weights_stdp(*pair(), carry=True)
    twin = copy.deepcopy(layer)
    assert torch.equal(twin.weight, layer.weight)
    assert torch.equal(twin.traces.x, layer.traces.x)
    before = twin.weight.clone()
    layer.update_weights_stdp(*pair(), carry=True)
    assert torch.equal(twin.weight, before)
    twin.update_weights_stdp(*pair(), carry=True)
    assert torch.equal(twin.weight, layer.weight)


def test_types_and_devices_move_with_it():
    layer = STDPLayer(6, 4, WIDE, mask=mask())
    layer.update_weights_stdp(*pair(), carry=True)
    layer.double()
    assert layer.weight.dtype == layer.traces.x.dtype == torch.float64
    assert layer.mask.dtype == torch.bool
    layer.update_weights_stdp(*(s.double() for s in pair()), carry=True)
    layer.to("meta")
    assert layer.weight.device.type == layer.mask.device.type == "meta"
    assert layer.traces.x.device.type == "meta"


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (-0.01, 0.02), (0.5, 0.6), (-2.0, -1.0)]
)
def test_weights_start_within_bounds_by_the_seed(low, high):
    rule = ClassicalSTDP(w_min=low, w_max=high)
    first, second, other = (STDPLayer(6, 4, rule, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.weight, second.weight)
    assert not torch.equal(first.weight, other.weight)
    assert bool(((first.weight >= low) & (first.weight <= high)).all())
    assert not first.bias.any()


def test_nobody_else_is_shuffled():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    STDPLayer(6, 4, WIDE)
    assert torch.equal(torch.rand(3), expected)


# ------------------------------------------------------------------ learning


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_update_is_the_rule(dtype):
    layer = STDPLayer(6, 4, WIDE, dtype=dtype)
    before, (pre, post) = layer.weight.clone(), (s.to(dtype) for s in pair())
    change, _ = stdp_window(pre, post, None, WIDE, dt=2.0)
    report = layer.update_weights_stdp(pre, post, dt=2.0)
    torch.testing.assert_close(layer.weight, (before + 0.1 * change).clamp(-1, 1))
    moved = layer.weight - before
    assert report["changed"] == float((moved != 0).double().mean())
    assert report["mean_change"] == pytest.approx(float(moved.abs().mean()), rel=1e-5)
    assert report["silent"] is False


@pytest.mark.parametrize(
    "rule",
    [
        cls(learning_rate=0.1, w_min=-9.0, w_max=9.0)
        for cls in (ClassicalSTDP, TripletSTDP, HomeostaticSTDP)
    ],
)
def test_windows_are_apart_unless_carried(rule):
    pre, post = pair(time=40)
    halves = [(pre[:, :20], post[:, :20]), (pre[:, 20:], post[:, 20:])]
    whole, carried, apart, alone = (STDPLayer(6, 4, rule) for _ in range(4))
    whole.update_weights_stdp(pre, post)
    for half in halves:
        carried.update_weights_stdp(*half, carry=True)
        apart.update_weights_stdp(*half)
    torch.testing.assert_close(carried.weight, whole.weight)
    assert not torch.allclose(apart.weight, whole.weight)
    assert apart.traces is None
    alone.update_weights_stdp(*halves[1])
    carried.traces = None
    before = carried.weight.clone()
    carried.update_weights_stdp(*halves[1], carry=True)
    start = STDPLayer(6, 4, rule).weight
    torch.testing.assert_close(carried.weight - before, alone.weight - start)


@pytest.mark.parametrize("trainable", [True, False])
def test_missing_connections_stay_zero_for_good(trainable):
    rule = ClassicalSTDP(learning_rate=5.0, w_min=0.1, w_max=2.0)  # clipping alone would lift them
    layer = STDPLayer(6, 4, rule, mask=mask(), trainable=trainable)
    before = layer.weight.clone()
    assert 0.0 < layer.update_weights_stdp(*pair())["changed"] <= 1.0
    assert not layer.weight[~mask()].any()
    assert not torch.equal(layer.weight, before)
    if trainable:
        optimiser = torch.optim.Adam(layer.parameters(), weight_decay=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            layer(torch.randn(5, 6)).square().sum().backward()
            optimiser.step()
        assert not layer.weight[~mask()].any()
    layer.reset_parameters()
    assert not layer.weight[~mask()].any()


def test_gradients_of_single_examples_respect_the_mask():
    layer, x = STDPLayer(6, 4, WIDE, mask=mask(), trainable=True), torch.randn(5, 6)

    def loss(weight, row):
        parameters = {"weight": weight, "bias": layer.bias}
        return torch.func.functional_call(layer, parameters, (row,)).square().sum()

    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(layer.weight.detach(), x)
    expected = torch.einsum("bo,bi->boi", 2 * layer(x), x) * mask()
    torch.testing.assert_close(found, expected)


def test_weights_that_a_mask_excludes_are_refused():
    layer = STDPLayer(6, 4, WIDE, mask=mask())
    before = layer.weight.clone()
    with pytest.raises(DataError, match="the mask of this layer excludes"):
        layer.load_state_dict(nn.Linear(6, 4).state_dict())
    assert torch.equal(layer.weight, before)
    layer.load_state_dict(STDPLayer(6, 4, WIDE, mask=mask(), seed=5).state_dict())


def test_a_reward_is_for_rules_that_learn_by_it():
    rewarded = STDPLayer(6, 4, RewardModulatedSTDP())
    assert rewarded.update_weights_stdp(*pair(), reward=torch.ones(3, 20))["changed"] > 0
    with pytest.raises(ConfigError, match="learns by reward"):
        rewarded.update_weights_stdp(*pair())
    with pytest.raises(ConfigError, match="takes no reward"):
        STDPLayer(6, 4, WIDE).update_weights_stdp(*pair(), reward=1.0)


# ------------------------------------------------------------------ silence


def silent(layer, pre, post, **more):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = layer.update_weights_stdp(pre, post, **more)
    assert report["silent"] is True
    assert report["changed"] == report["mean_change"] == 0
    return report["reason"], len(caught)


def test_an_update_that_changes_nothing_says_why_once():
    pre, post = pair()
    none = torch.zeros
    layer = STDPLayer(6, 4, WIDE)
    assert silent(layer, none(3, 20, 6), post) == ("there are no presynaptic spikes", 1)
    assert silent(layer, none(3, 20, 6), post) == ("there are no presynaptic spikes", 0)
    assert silent(layer, pre, none(3, 20, 4)) == ("there are no postsynaptic spikes", 1)
    layer.stdp_rule = WIDE.but(learning_rate=0.0)
    assert silent(layer, pre, post) == ("the learning rate is 0", 1)
    layer.stdp_rule = WIDE
    with pytest.warns(UserWarning, match=r"STDPLayer changed no weight: there are no presynaptic"):
        STDPLayer(6, 4, WIDE).update_weights_stdp(none(3, 20, 6), post)


def test_frozen_bounds_are_told_from_other_silences():
    pre, post = pair()
    rule = ClassicalSTDP(a_plus=0.0, a_minus=1.0)
    layer = STDPLayer(6, 4, rule)
    layer.weight.zero_()
    assert silent(layer, pre, post)[0] == "every weight is at the bound that its change would cross"
    layer.stdp_rule = rule.but(bounds="soft")
    reason, _ = silent(layer, pre, post)
    assert reason == "every weight is at a bound, where this rule does not move it"
    layer.stdp_rule = ClassicalSTDP(learning_rate=1e-30)
    layer.weight.fill_(0.5)
    assert silent(layer, pre, post)[0] == "every change is below the rounding of torch.float32"
    layer = STDPLayer(6, 4, WIDE, mask=torch.zeros(4, 6, dtype=torch.bool))
    assert silent(layer, pre, post)[0] == "its mask lets no connection exist"
    layer = STDPLayer(6, 4, RewardModulatedSTDP())
    assert silent(layer, pre, post, reward=0.0)[0].startswith("no two spikes met")


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda pre, post: (pre[..., :5], post), ShapeError, "pre_spikes do not fit the layer"),
        (lambda pre, post: (pre, post[..., :3]), ShapeError, "post_spikes do not fit the layer"),
        (lambda pre, post: (pre[0], post[0]), ShapeError, "batch axis"),
        (lambda pre, post: (pre[:, :9], post), ShapeError, "differ in batch or time"),
        (lambda pre, post: (pre[:2], post), ShapeError, "differ in batch or time"),
        (lambda pre, post: (pre[:, :0], post[:, :0]), DataError, "empty"),
        (lambda pre, post: (pre * torch.nan, post), DataError, "NaN"),
        (lambda pre, post: (pre.double(), post.double()), DTypeError, "differ in type or device"),
        (lambda pre, post: (pre.bool(), post.bool()), DTypeError, "differ in type or device"),
        (lambda pre, post: (pre.to("meta"), post.to("meta")), DTypeError, "type or device"),
    ],
)
@pytest.mark.parametrize("carry", [True, False])
def test_spikes_that_do_not_fit_change_nothing(change, error, text, carry):
    layer = STDPLayer(6, 4, WIDE)
    layer.update_weights_stdp(*pair(), carry=True)
    before, traces = layer.weight.clone(), layer.traces
    with pytest.raises(error, match=text):
        layer.update_weights_stdp(*change(*pair()), carry=carry)
    assert torch.equal(layer.weight, before)
    assert layer.traces is traces


@pytest.mark.parametrize("dt", [0.0, -1.0, float("nan"), float("inf")])
def test_time_has_to_pass(dt):
    layer = STDPLayer(6, 4, WIDE)
    with pytest.raises(ConfigError, match="dt is out of range"):
        layer.update_weights_stdp(*pair(), dt=dt)


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_weights_outside_the_bounds_are_refused_not_repaired(value):
    layer = STDPLayer(6, 4, WIDE)
    layer.weight[1, 2] = value
    with pytest.raises(DataError, match="outside the bounds of the rule"):
        layer.update_weights_stdp(*pair())
    assert layer.weight[1, 2] != 1.0


def test_a_layer_that_cannot_be_is_refused():
    with pytest.raises(DTypeError, match="mask is not boolean"):
        STDPLayer(6, 4, WIDE, mask=torch.ones(4, 6))
    with pytest.raises(ShapeError, match="mask does not fit"):
        STDPLayer(6, 4, WIDE, mask=mask().T)


def test_traces_of_another_batch_are_refused():
    layer = STDPLayer(6, 4, WIDE)
    layer.update_weights_stdp(*pair(), carry=True)
    with pytest.raises(ShapeError, match="carried state"):
        layer.update_weights_stdp(*(s[:2] for s in pair()), carry=True)
