"""Local learning on any model: what is enhanced, what it does, and that nothing of it stays."""

from __future__ import annotations

import copy
from collections.abc import Callable
from math import exp
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from plasticish.core import (
    ConfigError,
    DataError,
    DTypeError,
    NotReadyError,
)
from plasticish.spiking.integration import (
    enhanced_layers,
    integrate_meta_plasticity,
    integrate_stdp_into_model,
    plasticity_factors,
    remove_plasticity,
    update_plasticity,
)
from plasticish.spiking.local_learning import LocalLearning, relative_bound
from plasticish.spiking.network import LiquidSpikingNetwork
from plasticish.spiking.plasticity_rule import RULES
from plasticish.spiking.plasticity_state import export_plasticity
from plasticish.spiking.recording import STILL_TICKS, event_rates
from plasticish.spiking.stdp_rules import HomeostaticSTDP

TYPES = ["classical", "triplet", "homeostatic", "bcm"]


def mlp(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


class Custom(nn.Module):
    """Layers in lists, dicts and attributes; one shared; one whose weight is not its own."""

    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Linear(6, 8)
        self.many = nn.ModuleList([nn.Linear(8, 8), nn.Sequential(nn.Linear(8, 8), nn.Tanh())])
        self.named = nn.ModuleDict({"front": self.front, "back": nn.Linear(8, 6)})
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(6, 6))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.front(x))
        for layer in self.many:
            h = torch.relu(layer(h))
        h = torch.relu(self.front(self.normed(self.named["back"](h))))
        return self.named["back"](h)


class Looping(nn.Module):
    """A spiking network as most people write one: a loop over time."""

    postsynaptic = {"hidden": "fire"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.fire, self.out = nn.Linear(4, 5), nn.Hardtanh(0, 1), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return sum(self.out((self.fire(self.hidden(x[:, t])) > 0.3).float()) for t in range(7))


def transformer() -> nn.Module:
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(8, 2, dim_feedforward=12, dropout=0.1, batch_first=True)


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "sequential": (mlp, (5, 6)),
    "custom": (Custom, (5, 6)),
    "looping": (Looping, (5, 7, 4)),
    "transformer": (transformer, (5, 7, 8)),
    "liquid": (lambda: LiquidSpikingNetwork({"inputs": 4, "outputs": 2, "units": 8}), (5, 4)),
    "one layer": (lambda: nn.Linear(4, 2), (5, 4)),
}


def inputs(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def hooks(model: nn.Module) -> list[int]:
    kinds = [kind for kind in vars(model) if "hook" in kind]
    return [len(getattr(module, kind) or ()) for module in model.modules() for kind in kinds]


# ------------------------------------------------------------------ what is enhanced


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("sequential", ["0", "2"]),
        ("custom", ["front", "many.0", "many.1.0", "named.back"]),
        ("looping", ["hidden"]),
        ("transformer", ["self_attn.out_proj", "linear1", "linear2"]),
        ("liquid", ["hybrid_blocks.0.synapse"]),
        ("one layer", [""]),
    ],
)
def test_exactly_these_layers_are_enhanced_and_every_one_learns(
    model: str, names: list[str]
) -> None:
    make, shape = MODELS[model]
    net = make()
    assert integrate_stdp_into_model(net, "classical", 0.5) is net
    assert enhanced_layers(net) == names
    before = {name: net.get_submodule(name).weight.clone() for name in names}
    net(3 * inputs(shape))
    report = update_plasticity(net)
    assert report["updated"] == len(names)
    for name in names:
        assert not torch.equal(net.get_submodule(name).weight, before[name]), name
        assert report["layers"][name]["relative_change"] > 0


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (["front"], ["front"]),  # a name is that layer, and no part of another
        (["many"], ["many.0", "many.1.0"]),
        (["many.1", "back"], ["many.1.0", "named.back"]),
        (["an"], ["many.0", "many.1.0"]),
        (["front", "front"], ["front"]),
    ],
)
def test_names_prefixes_and_parts_of_names(wanted: list[str], names: list[str]) -> None:
    assert enhanced_layers(integrate_stdp_into_model(Custom(), "bcm", 0.01, wanted)) == names


def test_the_seeds_example_finds_the_hybrid_blocks() -> None:
    net = LiquidSpikingNetwork({"inputs": 4, "outputs": 2, "blocks": 2})
    integrate_stdp_into_model(net, stdp_type="classical", layers_to_enhance=["hybrid_block"])
    layers = ("liquid.inputs", "liquid.recurrent", "liquid.gates", "synapse")
    assert enhanced_layers(net) == [f"hybrid_blocks.{b}.{name}" for b in (0, 1) for name in layers]
    net(torch.rand(3, 4))
    assert update_plasticity(net)["updated"] == 8


# ------------------------------------------------------------------ reversibility


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize("meta", [False, True])
def test_nothing_shows_from_outside_and_nothing_stays(model: str, meta: bool) -> None:
    make, shape = MODELS[model]
    net = make()
    x = inputs(shape)
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    types = [type(module) for module in net.modules()]
    attributes = [set(vars(module)) for module in net.modules()]
    listening = hooks(net)
    torch.manual_seed(1)
    answer = net(x)
    integrate_stdp_into_model(net, "classical")
    if meta:
        integrate_meta_plasticity(net)
    torch.manual_seed(1)
    assert torch.equal(net(x), answer)  # dropout included
    assert [type(module) for module in net.modules()] == types
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    assert net.state_dict().keys() == state.keys()
    assert remove_plasticity(net) is net
    assert hooks(net) == listening
    assert [set(vars(module)) for module in net.modules()] == attributes
    assert enhanced_layers(net) == []
    torch.manual_seed(1)
    assert torch.equal(net(x), answer)
    integrate_stdp_into_model(net, "classical")  # and again


def test_training_is_what_it_was_until_there_is_an_update() -> None:
    plain, enhanced = mlp(), integrate_stdp_into_model(mlp(), "classical")
    x, y = inputs((32, 6)), torch.randint(0, 3, (32,))
    for model in (plain, enhanced):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        for _ in range(5):
            optimizer.zero_grad()
            functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    for ours, theirs in zip(plain.parameters(), enhanced.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    update_plasticity(enhanced)
    optimizer.zero_grad()
    functional.cross_entropy(enhanced(x), y).backward()
    optimizer.step()


def test_a_graph_that_waits_for_the_old_weights_is_not_given_new_ones() -> None:
    model = integrate_stdp_into_model(mlp(), "classical", 0.5)
    loss = model(inputs((4, 6))).sum()
    update_plasticity(model)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_deep_copy_learns_by_itself() -> None:
    model = integrate_meta_plasticity(integrate_stdp_into_model(mlp(), "classical", 0.5))
    x = inputs((4, 6))
    twin = copy.deepcopy(model)
    twin(x)
    with pytest.raises(NotReadyError):
        update_plasticity(model, loss=1.0)
    update_plasticity(twin, loss=1.0)
    assert torch.equal(model[0].weight, mlp()[0].weight)
    assert not torch.equal(twin[0].weight, model[0].weight)
    remove_plasticity(twin)
    assert hooks(twin) == hooks(mlp())
    assert enhanced_layers(model) == ["0", "2"]


# ------------------------------------------------------------------ what a step does


@pytest.mark.parametrize("kind", TYPES)
def test_a_step_is_the_rule_on_weights_as_shares_of_their_bound(kind: str) -> None:
    model = integrate_stdp_into_model(mlp(), kind, 0.3, ["0"])
    x = 5 * inputs((4, 6))
    before = model[0].weight.detach().clone()
    activity = model[0](x).detach()
    model(x)
    update_plasticity(model, dt=2.0)
    bound = relative_bound(before)
    target = {"target_rate": 0.1} if kind in ("homeostatic", "bcm") else {}
    rule: Any = RULES[kind](learning_rate=0.3, w_min=-1.0, w_max=1.0, **target)
    pre = (1 - torch.exp(-0.1 * x.clamp(min=0)))[:, None].expand(-1, STILL_TICKS, -1)
    post = (1 - torch.exp(-0.1 * activity.clamp(min=0)))[:, None].expand(-1, STILL_TICKS, -1)
    change, _ = rule.window(pre, post, None, before / bound, 2.0)
    expected = bound * (before / bound + 0.3 * change).clamp(-1, 1)
    torch.testing.assert_close(model[0].weight.detach(), expected)
    assert not torch.equal(expected, before)


@pytest.mark.parametrize("kind", TYPES)
def test_a_violent_rule_keeps_to_the_bounds_and_clips_nothing_beyond_them(kind: str) -> None:
    model = mlp()
    integrate_stdp_into_model(model, kind, 1e6)
    bound = LocalLearning.of(model).layers["0"].bound
    far = 3 * bound
    with torch.no_grad():
        model[0].weight[0, 0], model[0].weight[1, 0] = far, -far
    before = model[0].weight.detach().clone()
    for _ in range(5):
        model(5 * inputs((8, 6)))
        update_plasticity(model)
    weight = model[0].weight.detach()
    assert torch.isfinite(weight).all()
    beyond = before.abs() > bound
    assert (weight[~beyond].abs() <= bound * (1 + 1e-6)).all()
    assert (weight[beyond].abs() <= far).all()
    assert (weight != before).any()


def test_repeating_the_batch_changes_nothing() -> None:
    x = inputs((4, 6))
    weights = []
    for repeated in (x, x.repeat(3, 1)):
        model = integrate_stdp_into_model(mlp(), "classical", 0.5)
        model(repeated)
        update_plasticity(model)
        weights.append(model[0].weight.detach())
    torch.testing.assert_close(*weights)


def test_silence_is_reported_with_its_reason() -> None:
    model = integrate_stdp_into_model(mlp(), "classical")
    model(torch.zeros(4, 6))
    report = update_plasticity(model)["layers"]["0"]
    assert report["silent"]
    assert report["reason"] == "there are no presynaptic spikes"
    assert report["changed"] == report["relative_change"] == 0
    model[0](inputs((4, 6)))
    assert "not called" in update_plasticity(model)["layers"]["2"]["reason"]


def test_estimates_of_neurons_go_on_over_batches_of_any_size() -> None:
    model = integrate_stdp_into_model(mlp(), "bcm", layers_to_enhance=["0"])
    thresholds = []
    for batch in (4, 9, 1):
        model(5 * inputs((batch, 6)))
        update_plasticity(model)
        thresholds.append(LocalLearning.of(model).layers["0"].slow["threshold"].clone())
    assert thresholds[0].shape == (8,)
    assert (thresholds[1] >= thresholds[0]).all()
    assert (thresholds[1] > thresholds[0]).any()


@pytest.mark.parametrize("kind", TYPES)
def test_local_learning_goes_along_when_a_model_changes_its_type(kind: str) -> None:
    model = integrate_stdp_into_model(mlp(), kind, 0.3)
    for dtype in (torch.float32, torch.float64, torch.float32):
        model.to(dtype)
        before = model[0].weight.detach().clone()
        model(5 * inputs((4, 6)).to(dtype))
        assert update_plasticity(model)["updated"] == 2
        assert model[0].weight.dtype == dtype
        assert not torch.equal(model[0].weight, before)


def test_homeostasis_follows_the_mean_rate_of_each_neuron() -> None:
    """The estimate relaxes to rate / target with the rule's time constant, whatever the batch."""
    rule = HomeostaticSTDP(learning_rate=0.0, homeostatic_rate=0.01, target_rate=0.05)
    model = integrate_stdp_into_model(mlp(), rule, layers_to_enhance=["0"])
    x = 5 * inputs((16, 6))
    rate = event_rates(model[0](x).detach()).double().mean(0)
    updates = 39
    for _ in range(updates):
        model(x[torch.randperm(16)])
        update_plasticity(model)
    share = LocalLearning.of(model).layers["0"].slow["share"]
    # Events at ticks 1..n, each decayed until the end: a geometric sum.
    q, n = exp(-0.01), STILL_TICKS * updates
    expected = q**n + (0.01 / 0.05) * rate * (1 - q**n) / (1 - q)
    torch.testing.assert_close(share, expected, rtol=1e-4, atol=1e-5)
    assert float(share.max() - share.min()) > 0.5


# ------------------------------------------------------------------ refusals


def refused(error: type[Exception], text: str, call: Callable[[], object]) -> None:
    with pytest.raises(error, match=text):
        call()


def test_integrations_that_mean_nothing_are_refused_with_nothing_changed() -> None:
    model = mlp()
    before = hooks(model)
    add = integrate_stdp_into_model
    refused(
        ConfigError,
        "no layer matches: got 'conv', expected a part of one of: '0', '2'",
        lambda: add(model, "classical", 0.01, ["0", "conv"]),
    )
    refused(ConfigError, "layers_to_enhance is empty", lambda: add(model, "classical", 0.01, []))
    refused(ConfigError, "no layer matches: got ''", lambda: add(model, "classical", 0.01, [""]))
    refused(DTypeError, "a single text", lambda: add(model, "classical", 0.01, "0"))
    refused(
        ConfigError, "unknown plasticity rule: got 'magic'.*classical", lambda: add(model, "magic")
    )
    refused(ConfigError, "'adaptive' is not complete by its name", lambda: add(model, "adaptive"))
    refused(ConfigError, "learning_rate is out of range", lambda: add(model, "classical", -1.0))
    refused(ConfigError, "no Linear layer", lambda: add(nn.Conv2d(1, 1, 1), "classical"))
    refused(ConfigError, "no Linear layer", lambda: integrate_meta_plasticity(nn.ReLU()))
    refused(NotReadyError, "is lazy", lambda: add(nn.LazyLinear(3), "classical"))
    refused(ConfigError, "has no local learning", lambda: update_plasticity(model))
    refused(ConfigError, "has no local learning", lambda: remove_plasticity(model))
    refused(ConfigError, "has no local learning", lambda: export_plasticity(model))
    refused(ConfigError, "has no local learning", lambda: plasticity_factors(model))
    assert hooks(model) == before
    assert enhanced_layers(model) == []


def test_integrating_twice_is_refused_from_inside_and_outside() -> None:
    model = nn.Sequential(mlp(), nn.Linear(3, 2))
    integrate_stdp_into_model(model[0], "classical")
    refused(ConfigError, "already", lambda: integrate_stdp_into_model(model[0], "bcm"))
    refused(
        ConfigError, "a part of the model.*got '0'", lambda: integrate_stdp_into_model(model, "bcm")
    )
    remove_plasticity(model[0])
    integrate_stdp_into_model(model, "classical")
    refused(ConfigError, "a part of the model", lambda: integrate_stdp_into_model(model[0], "bcm"))
    integrate_meta_plasticity(model)
    refused(ConfigError, "meta-plasticity already", lambda: integrate_meta_plasticity(model))


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"dt": -1.0, "loss": 1.0}, ConfigError, "dt"),
        ({"dt": float("nan"), "loss": 1.0}, ConfigError, "dt"),
        ({}, ConfigError, "nothing to judge by"),
        ({"loss": float("nan")}, DataError, "NaN"),
        ({"performance": float("inf"), "loss": 0.0}, DataError, "infinite"),
    ],
)
def test_updates_that_mean_nothing_change_nothing(
    arguments: dict[str, float], error: type[Exception], text: str
) -> None:
    model = integrate_meta_plasticity(integrate_stdp_into_model(mlp(), "bcm", 0.5))
    model(inputs((4, 6)))
    before = export_plasticity(model)
    refused(error, text, lambda: update_plasticity(model, **arguments))
    after = export_plasticity(model)
    assert after.values == before.values
    assert torch.equal(model[0].weight, mlp()[0].weight)
    update_plasticity(model, loss=1.0)  # what was recorded is still there
    assert not torch.equal(model[0].weight, mlp()[0].weight)


def test_broken_activity_and_weights_are_refused() -> None:
    model = integrate_stdp_into_model(mlp(), "classical", 0.5)
    model(torch.full((4, 6), torch.nan))
    refused(DataError, "NaN", lambda: update_plasticity(model))
    assert torch.equal(model[0].weight, mlp()[0].weight)
    with torch.no_grad():
        model[2].weight[0, 0] = torch.nan
    model(inputs((4, 6)))
    refused(DataError, "weights of an enhanced layer contain NaN", lambda: update_plasticity(model))
    assert torch.equal(model[0].weight, mlp()[0].weight)


def test_a_rule_by_reward_needs_performance() -> None:
    model = integrate_stdp_into_model(mlp(), "reward_modulated", 0.5)
    model(5 * inputs((4, 6)))
    refused(ConfigError, "learns by reward", lambda: update_plasticity(model))
    assert update_plasticity(model, performance=1.0)["updated"] == 2
