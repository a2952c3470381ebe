"""Meta-plasticity over a model's layers, and the plastic part as a state."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from plasticish.core import (
    CheckpointError,
    State,
    load_checkpoint,
    save_checkpoint,
)
from plasticish.core.checkpoint import Checkpoint
from plasticish.spiking.adaptive_rule import AdaptiveSTDPRule
from plasticish.spiking.integration import (
    enhanced_layers,
    integrate_meta_plasticity,
    integrate_stdp_into_model,
    plasticity_factors,
    update_plasticity,
)
from plasticish.spiking.plasticity_state import export_plasticity, import_plasticity
from plasticish.spiking.recording import STILL_TICKS, event_rates
from plasticish.spiking.stdp_rules import ClassicalSTDP


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


def inputs(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def refused(error: type[Exception], text: str, call: Callable[[], object]) -> None:
    with pytest.raises(error, match=text):
        call()


def test_a_controller_alone_watches_every_linear_layer() -> None:
    model = integrate_meta_plasticity(Custom())
    assert enhanced_layers(model) == []
    assert list(plasticity_factors(model)) == ["front", "many.0", "many.1.0", "named.back"]
    before = copy.deepcopy(model.state_dict())
    model(inputs((5, 6)))
    assert update_plasticity(model, performance=0.5, loss=1.0)["layers"] == {}
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize("meta_first", [True, False])
def test_rule_and_controller_in_either_order(meta_first: bool) -> None:
    model = mlp()
    if meta_first:
        integrate_meta_plasticity(model)
    integrate_stdp_into_model(model, "classical", 0.5, ["2"])
    if not meta_first:
        integrate_meta_plasticity(model)
    assert enhanced_layers(model) == ["2"]
    assert list(plasticity_factors(model)) == (["0", "2"] if meta_first else ["2"])
    model(inputs((5, 6)))
    assert update_plasticity(model, loss=1.0)["updated"] == 1


def test_factors_scale_the_next_step_of_the_rule() -> None:
    """With hard bounds a step is linear in the learning rate, so the ratio is the factor."""
    x = inputs((5, 6))
    changes = []
    for meta in (False, True):
        model = integrate_stdp_into_model(mlp(), ClassicalSTDP(learning_rate=1e-3), 0.0, ["0"])
        if meta:
            integrate_meta_plasticity(model, seed=3)
            model(x)
            update_plasticity(model, performance=0.5, loss=1.0)
            model.load_state_dict(mlp().state_dict())
            factors = plasticity_factors(model)["0"]
        before = model[0].weight.detach().clone()
        model(x)
        update_plasticity(model, performance=0.5, loss=1.0)
        changes.append(model[0].weight.detach() - before)
    modulated = ClassicalSTDP().modulated(1.0, factors.time_constant)
    assert factors.learning_rate != 1
    pre, post = event_rates(x), event_rates(mlp()[0](x).detach())
    shown = [side[:, None].expand(-1, STILL_TICKS, -1) for side in (pre, post)]
    ratio = modulated.window(*shown, None)[0] / ClassicalSTDP().window(*shown, None)[0]
    ratio = torch.where(changes[0] == 0, 0.0, ratio) * factors.learning_rate
    torch.testing.assert_close(changes[1], changes[0] * ratio, atol=1e-7, rtol=1e-2)


def test_going_on_from_a_saved_state_is_going_on(tmp_path: Any) -> None:
    def build() -> nn.Module:
        model = integrate_stdp_into_model(mlp(), "bcm", 0.1)
        return integrate_meta_plasticity(model, seed=5)

    def live(model: nn.Module, steps: range) -> None:
        for step in steps:
            model(inputs((step + 1, 6)))
            update_plasticity(model, performance=0.1 * step, loss=1.0 / (step + 1))

    whole, first = build(), build()
    live(whole, range(30))
    live(first, range(17))
    state = export_plasticity(first)
    save_checkpoint(tmp_path / "s", Checkpoint("test", {}, state.values, state.tensors))
    saved = load_checkpoint(tmp_path / "s")
    second = build()
    with torch.no_grad():
        second[0].weight.mul_(7.0)
    second.load_state_dict(first.state_dict())
    assert import_plasticity(second, State(saved.state, saved.tensors)) is second
    live(second, range(17, 30))
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
    assert plasticity_factors(whole) == plasticity_factors(second)


def test_a_state_of_another_model_is_refused() -> None:
    ours = integrate_stdp_into_model(mlp(), "bcm")
    other = export_plasticity(integrate_stdp_into_model(mlp(), "bcm", 0.01, ["0"]))
    refused(
        CheckpointError, "another model: its layers differ", lambda: import_plasticity(ours, other)
    )
    steered = export_plasticity(integrate_meta_plasticity(integrate_stdp_into_model(mlp(), "bcm")))
    refused(CheckpointError, "meta-plasticity differ", lambda: import_plasticity(ours, steered))
    good = export_plasticity(ours)
    torn = {"0": {"rule": {"kind": "none"}}, "2": {"rule": {"kind": "none"}}}
    refused(
        CheckpointError,
        "damaged",
        lambda: import_plasticity(ours, State({**good.values, "layers": torn}, good.tensors)),
    )


def test_an_adaptive_rule_is_steered_and_keeps_its_importance() -> None:
    importance = torch.full((8, 6), 3.0)
    rule = AdaptiveSTDPRule(ClassicalSTDP(learning_rate=0.5), importance=importance)
    plain = integrate_stdp_into_model(mlp(), ClassicalSTDP(learning_rate=0.5), 0.0, ["0"])
    model = integrate_stdp_into_model(mlp(), rule, 0.0, ["0"])
    import_plasticity(model, export_plasticity(model))
    for either in (plain, model):
        either(inputs((5, 6)))
        update_plasticity(either)
    start = mlp()[0].weight
    torch.testing.assert_close(4 * (model[0].weight - start), plain[0].weight - start)
    integrate_meta_plasticity(model)
    model(inputs((5, 6)))
    assert update_plasticity(model, loss=1.0)["updated"] == 1
