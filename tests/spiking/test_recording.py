"""What layers did, as events: whose activity, how long it is held, and what rates stand for."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from plasticish.core import (
    NotReadyError,
)
from plasticish.spiking.integration import (
    integrate_stdp_into_model,
    remove_plasticity,
    update_plasticity,
)
from plasticish.spiking.local_learning import LocalLearning
from plasticish.spiking.network import LiquidSpikingNetwork
from plasticish.spiking.recording import RATE_GAIN, STILL_TICKS, LayerRecord, event_rates
from plasticish.spiking.stdp_rules import ClassicalSTDP


def mlp(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


class Looping(nn.Module):
    """A spiking network as most people write one: a loop over time."""

    postsynaptic = {"hidden": "fire"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.fire, self.out = nn.Linear(4, 5), nn.Hardtanh(0, 1), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return sum(self.out((self.fire(self.hidden(x[:, t])) > 0.3).float()) for t in range(7))


def inputs(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_only_the_last_training_forward_is_held_and_nothing_after_an_update() -> None:
    model = integrate_stdp_into_model(mlp(), "classical")
    learning = LocalLearning.of(model)
    for batch in (3, 9, 4):
        model(inputs((batch, 6)))
    record = learning.recorder.records["0"]
    assert [side[0].shape[0] for side in (record.pre, record.post)] == [4, 4]
    assert len(record.pre) == 1
    held = weakref.ref(record.pre[0])
    update_plasticity(model)
    gc.collect()
    assert held() is None
    model(inputs((4, 6)))
    held = weakref.ref(record.pre[0])
    recorder = weakref.ref(learning.recorder)
    remove_plasticity(model)
    del learning
    gc.collect()
    assert held() is None
    assert recorder() is None


def test_layers_driven_from_outside_keep_one_call() -> None:
    net = LiquidSpikingNetwork({"inputs": 4, "outputs": 2, "units": 8})
    integrate_stdp_into_model(net, "classical", layers_to_enhance=["hybrid_blocks", "head"])
    state = None
    for _ in range(20):
        _, state = net.step(torch.rand(3, 4), state)
    for record in LocalLearning.of(net).recorder.records.values():
        assert len(record.pre) == len(record.post) == 1


def test_nothing_is_recorded_in_evaluation_or_inside_transforms() -> None:
    model = integrate_stdp_into_model(mlp(), "classical")
    x = inputs((4, 6))
    model.eval()(x)
    with pytest.raises(NotReadyError, match="nothing was recorded"):
        update_plasticity(model)
    model.train()
    weights = dict(model.named_parameters())

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(model, weights, (x[None],)).sum()

    gradients = vmap(grad(loss), in_dims=(None, 0))(weights, x)
    assert gradients["0.weight"].shape == (4, 8, 6)
    with pytest.raises(NotReadyError):
        update_plasticity(model)


def test_a_failed_forward_leaves_the_recorder_ready() -> None:
    model = integrate_stdp_into_model(mlp(), "classical")
    with pytest.raises(RuntimeError):
        model(torch.zeros(2, 5))
    model[0](inputs((2, 6)))
    model[0](inputs((2, 6)))
    assert len(LocalLearning.of(model).recorder.records["0"].pre) == 1


def test_both_sides_of_a_spiking_block_are_what_flows_there() -> None:
    net = LiquidSpikingNetwork({"inputs": 4, "outputs": 2, "units": 8, "steps": 30})
    integrate_stdp_into_model(net, "classical")
    seen: dict[str, Tensor] = {}
    block = net.hybrid_blocks[0]
    block.liquid.register_forward_hook(lambda m, i, o: seen.update(pre=o[0].detach()))
    block.neurons.register_forward_hook(lambda m, i, o: seen.update(post=o[0].detach()))
    net(3 * torch.rand(5, 4))
    ((pre, post),) = LocalLearning.of(net).recorder.records["hybrid_blocks.0.synapse"].windows()
    torch.testing.assert_close(pre, 1 - torch.exp(-RATE_GAIN * seen["pre"].clamp(min=0)))
    assert post.any()
    assert torch.equal(post, seen["post"])


def test_calls_in_a_loop_are_steps_in_time() -> None:
    net = integrate_stdp_into_model(Looping(), "classical", 0.1, ["hidden", "out"])
    x = (torch.rand(3, 7, 4) > 0.5).float()
    net(x)
    records = LocalLearning.of(net).recorder.records
    ((pre, post),) = records["hidden"].windows()
    assert torch.equal(pre, x)
    assert post.shape == (3, 7, 5)
    ((spikes, _),) = records["out"].windows()
    assert set(spikes.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("batch_first", [True, False])
def test_what_enters_an_output_projection_is_found(batch_first: bool) -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, dropout=0.0, batch_first=batch_first)
    integrate_stdp_into_model(attention, "classical")
    x = inputs((5, 3, 8))
    out = attention(x, x, x, need_weights=False)[0]
    record = LocalLearning.of(attention).recorder.records["out_proj"]
    # With its true (signed) value the input of the projection would give its output exactly; the
    # rectified one is checked against attention written out.
    q, k, v = (
        part.unflatten(-1, (2, 4)).transpose(-3, -2)
        for part in functional.linear(
            x if batch_first else x.transpose(0, 1),
            attention.in_proj_weight,
            attention.in_proj_bias,
        ).chunk(3, -1)
    )
    entered = torch.softmax(q @ k.transpose(-1, -2) / 2, -1) @ v
    entered = entered.transpose(-3, -2).flatten(-2)
    projected = attention.out_proj(entered)
    torch.testing.assert_close(projected if batch_first else projected.transpose(0, 1), out)
    torch.testing.assert_close(record.pre[0], entered.clamp(min=0).detach())
    torch.testing.assert_close(record.post[0], projected.clamp(min=0).detach())


def test_rates_stand_for_the_average_over_spike_trains() -> None:
    """What the rule makes of rates is its mean over Bernoulli trains with those rates."""
    generator = torch.Generator().manual_seed(0)
    pre, post = (
        20 * torch.rand(1, 3, generator=generator),
        20 * torch.rand(1, 2, generator=generator),
    )
    rule = ClassicalSTDP()
    ((shown, answered),) = LayerRecord([pre], [post]).windows()
    assert shown.shape == (1, STILL_TICKS, 3)
    expected, _ = rule.window(shown, answered, None)
    trials = 20_000
    trains = [
        (torch.rand(trials, *side.shape[1:], generator=generator) < side).float()
        for side in (shown, answered)
    ]
    each = torch.stack(
        [
            rule.window(trains[0][rows], trains[1][rows], None)[0]
            for rows in torch.arange(trials).split(200)
        ]
    )
    error = each.std(0) / len(each) ** 0.5
    assert ((each.mean(0) - expected).abs() < 4 * error).all()
    assert (error < 0.1 * expected.abs()).all()  # or the test could not fail


def test_event_rates_are_chances() -> None:
    rates = event_rates(torch.linspace(-5, 500, 100))
    assert ((rates >= 0) & (rates <= 1)).all()
    assert (rates.diff() >= 0).all()
    torch.testing.assert_close(
        event_rates(torch.tensor(1e-3)) / 1e-3, torch.tensor(0.1), rtol=1e-3, atol=0
    )
