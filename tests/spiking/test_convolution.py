"""STDPConv2d against a loop over places, each a small dense layer."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from plasticish.core import ConfigError, DTypeError, ShapeError
from plasticish.rules.stdp import stdp_window
from plasticish.spiking.convolution import STDPConv2d
from plasticish.spiking.stdp_rules import ClassicalSTDP, RewardModulatedSTDP, TripletSTDP

F64 = torch.float64
FREE = {"w_min": -10.0, "w_max": 10.0}
SHAPES = [
    {},
    {"padding": 1},
    {"stride": 2, "padding": (1, 0)},
    {"dilation": 2, "padding": "same"},
    {"padding": 1, "padding_mode": "circular", "bias": False},
]


def spikes(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(shape, generator=generator) < 0.3).to(F64)


def layer_and_spikes(rule, options, **more):
    layer = STDPConv2d(2, 3, 3, rule, **options, dtype=F64, **more)
    pre = spikes(2, 12, 2, 6, 5)
    maps = layer(pre[:, 0]).shape[1:]
    return layer, pre, spikes(2, 12, *maps, seed=1)


def by_places(layer, pre, post, rule):
    """Cut every patch out of the padded input by hand, and sum the rule over places."""
    conv = nn.Conv2d(2, 3, 3, layer.stride, layer.padding, layer.dilation)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = functional.pad(pre.flatten(0, 1), conv._reversed_padding_repeated_twice, mode=mode)
    padded = padded.view(2, 12, *padded.shape[1:])
    total, places = 0.0, 0
    for y in range(post.shape[3]):
        for x in range(post.shape[4]):
            rows = [y * layer.stride[0] + k * layer.dilation[0] for k in range(3)]
            columns = [x * layer.stride[1] + k * layer.dilation[1] for k in range(3)]
            patch = padded[:, :, :, rows][..., columns]
            total = total + stdp_window(patch.flatten(2), post[..., y, x], None, rule)[0]
            places += 1
    return total.view(3, 2, 3, 3), places


@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("locations", ["mean", "sum"])
def test_an_update_is_the_rule_at_every_place(options, reduction, locations):
    rule = ClassicalSTDP(reduction=reduction, **FREE)
    layer, pre, post = layer_and_spikes(rule, options, locations=locations)
    before = layer.weight.clone()
    expected, places = by_places(layer, pre, post, rule)
    layer.update_weights_stdp(pre, post)
    expected = expected / places if locations == "mean" else expected
    torch.testing.assert_close(layer.weight - before, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("options", SHAPES)
def test_it_is_a_convolution(options):
    layer = STDPConv2d(2, 3, 3, ClassicalSTDP(**FREE), **options)
    conv, x = nn.Conv2d(2, 3, 3, **options), torch.randn(2, 2, 6, 5)
    assert set(layer.state_dict()) == set(conv.state_dict())
    layer.load_state_dict(conv.state_dict())
    assert torch.equal(layer(x), conv(x))
    conv.load_state_dict(layer.state_dict())
    assert all(name == "bias" for name, _ in layer.named_parameters())


def test_windows_can_be_carried_and_missing_connections_stay_zero():
    rule = TripletSTDP(**FREE)
    mask = torch.rand(3, 2, 3, 3, generator=torch.Generator().manual_seed(0)) < 0.5
    whole, pre, post = layer_and_spikes(rule, {"padding": 1}, mask=mask)
    parts, _, _ = layer_and_spikes(rule, {"padding": 1}, mask=mask)
    whole.update_weights_stdp(pre, post)
    for cut in (slice(0, 5), slice(5, 12)):
        parts.update_weights_stdp(pre[:, cut], post[:, cut], carry=True)
    torch.testing.assert_close(parts.weight, whole.weight)
    assert not whole.weight[~mask].any()
    assert whole.weight[mask].all()


def test_every_place_of_an_example_has_its_reward():
    rule = RewardModulatedSTDP(**FREE)
    layer, pre, post = layer_and_spikes(rule, {})
    start, rewards = layer.weight.clone(), torch.zeros(2, 12, dtype=F64)
    rewards[1] = 1.0
    layer.update_weights_stdp(pre, post, reward=rewards)
    alone, _, _ = layer_and_spikes(rule, {})
    alone.update_weights_stdp(pre[1:], post[1:], reward=1.0)
    torch.testing.assert_close(2 * (layer.weight - start), alone.weight - start)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (lambda pre, post: (pre[:, :, :1], post), ShapeError, "pre_spikes do not fit"),
        (lambda pre, post: (pre[0], post[0]), ShapeError, "batch axis"),
        (lambda pre, post: (pre, post[..., :2]), ShapeError, "post_spikes do not fit"),
        (lambda pre, post: (pre[:, :7], post), ShapeError, "post_spikes do not fit"),
        (lambda pre, post: (pre[..., :2, :], post), ShapeError, "smaller than the kernel"),
        (lambda pre, post: (pre.float(), post.float()), DTypeError, "differ in type"),
    ],
)
def test_spikes_that_do_not_fit_change_nothing(change, error, text):
    layer, pre, post = layer_and_spikes(ClassicalSTDP(**FREE), {})
    before = layer.weight.clone()
    with pytest.raises(error, match=text):
        layer.update_weights_stdp(*change(pre, post))
    assert torch.equal(layer.weight, before)


def test_what_places_make_together_is_one_of_two_things():
    with pytest.raises(ConfigError, match="unknown locations"):
        STDPConv2d(1, 1, 3, ClassicalSTDP(), locations="median")
