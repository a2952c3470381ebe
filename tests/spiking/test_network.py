"""The liquid spiking network as a torch model: states, gradients, refusals, and that it learns."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError
from plasticish.data import load_digits
from plasticish.spiking.network import LiquidSpikingNetwork
from plasticish.spiking.network_config import LiquidSpikingConfig
from plasticish.spiking.neurons import LIFParameters

SMALL: dict[str, Any] = {"units": 12, "backbone_units": 9, "steps": 5}


def network(task: str = "vision", **changes: Any) -> LiquidSpikingNetwork:
    sizes = {"vision": (6, 3), "language": (5,), "control": (4, 2)}
    make = getattr(LiquidSpikingConfig, task)
    return LiquidSpikingNetwork(make(*sizes[task], **{**SMALL, **changes})).double()


def sequence(width: int, batch: int = 3, time: int = 11) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, time, width, generator=generator, dtype=torch.float64)


def train(model: nn.Module, x: Tensor, y: Tensor, loss: Any, *, epochs: int, lr: float) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(32):
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()


# ------------------------------------------------------------------ configuration


@pytest.mark.parametrize(
    "config",
    [
        LiquidSpikingConfig.vision(64, 10, encoder="latency", blocks=2),
        LiquidSpikingConfig.language(27, neurons=LIFParameters(refractory=2.0)),
        LiquidSpikingConfig.control(3, 2, low=(-1.0, -2.0), high=3.0),
        LiquidSpikingConfig.control(4, 2, discrete=True, mode="pure"),
    ],
)
def test_configuration_survives_json_and_builds_the_same_network(
    config: LiquidSpikingConfig,
) -> None:
    again = LiquidSpikingConfig.from_json(config.to_json())
    assert again == config
    ours, theirs = LiquidSpikingNetwork(config), LiquidSpikingNetwork(again.to_dict())
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, theirs.state_dict()[name]), name


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"units": 0}, "units is out of range: got 0"),
        ({"steps": 0}, "steps is out of range"),
        ({"dt": 0.0}, "dt is out of range"),
        ({"task": "regression"}, "unknown task: got 'regression'"),
        ({"encoder": "phase"}, "unknown encoder: got 'phase', expected one of: direct"),
        ({"pooling": "max"}, "unknown pooling"),
        ({"seed": -1}, "seed is not usable"),
        ({"depth": 3}, "unknown field of the network's configuration: got 'depth'"),
        ({"neurons": {"tau_membrane": -1.0}}, "tau_membrane is out of range"),
        ({"neurons": {"tau": 1.0}}, "unknown field of the neurons' constants: got 'tau'"),
        ({"task": "control", "low": 1.0, "high": 0.0}, "bounds of an action are empty"),
    ],
)
def test_bad_configurations_are_refused(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        LiquidSpikingNetwork({"inputs": 3, "outputs": 2, **change})


def test_what_is_no_configuration_is_refused() -> None:
    with pytest.raises(ConfigError, match="lacks outputs"):
        LiquidSpikingNetwork({"inputs": 3})
    with pytest.raises(ConfigError, match="is not JSON"):
        LiquidSpikingConfig.from_json("{")


# ------------------------------------------------------------------ forward


@pytest.mark.parametrize("mode", ["default", "no_gate", "pure"])
@pytest.mark.parametrize("task", ["vision", "language", "control"])
@pytest.mark.parametrize("pooling", ["rate", "membrane"])
def test_step_by_step_is_the_whole_sequence(task: str, mode: str, pooling: str) -> None:
    net = network(task, mode=mode, pooling=pooling, blocks=2)
    x = sequence(net.config.inputs)
    x = x.argmax(-1) if task == "language" else 3 * x
    spans = torch.rand(3, 11, dtype=torch.float64) * 2 + 0.1
    whole = net(x, timespans=spans)
    state, answers = None, []
    for t in range(11):
        answer, state = net.step(x[:, t], state, spans[:, t])
        answers.append(answer)
    steps = answers[-1] if task == "vision" else torch.stack(answers, 1)
    torch.testing.assert_close(steps, whole, atol=1e-12, rtol=0)


@pytest.mark.parametrize("encoder", ["direct", "even", "latency"])
def test_a_still_input_is_its_encoded_sequence(encoder: str) -> None:
    net = network(encoder=encoder)
    x = torch.rand(4, 6, dtype=torch.float64)
    torch.testing.assert_close(net(x), net(net.encoder(x)))


def test_examples_do_not_see_each_other_or_the_past() -> None:
    net = network()
    x = torch.rand(5, 6, dtype=torch.float64)
    whole = net(x)
    torch.testing.assert_close(net(x), whole, atol=0, rtol=0)
    for row in range(5):
        torch.testing.assert_close(net(x[row : row + 1])[0], whole[row], atol=1e-12, rtol=0)


def test_the_seed_decides_the_weights_and_the_global_generator_does_not() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first = network(seed=3)
    assert torch.equal(torch.rand(1), expected)
    torch.manual_seed(2)
    assert torch.equal(first.embed.weight, network(seed=3).embed.weight)
    assert not torch.equal(first.embed.weight, network(seed=4).embed.weight)


def test_neurons_fire_at_birth() -> None:
    rates: list[float] = []
    net = network(units=64, steps=20)
    net.hybrid_blocks[0].neurons.register_forward_hook(
        lambda module, inputs, output: rates.append(float(output[0].detach().mean()))
    )
    net(torch.rand(64, 6, dtype=torch.float64))
    assert 0.01 < rates[0] < 0.5


# ------------------------------------------------------------------ a torch model


def test_it_copies_saves_and_moves_like_any_model() -> None:
    net = network(encoder="rate")
    x = torch.rand(2, 6, dtype=torch.float64)
    twin = copy.deepcopy(net)
    assert torch.equal(net(x), twin(x))
    fresh = network(encoder="rate", seed=9)
    fresh.load_state_dict(net.state_dict())
    assert torch.equal(fresh(x), net(x))
    assert net.float()(x.float()).dtype == torch.float32
    moved = net.to("meta")
    assert moved(x.float().to("meta")).is_meta


@pytest.mark.parametrize("task", ["vision", "language", "control"])
def test_every_parameter_gets_a_finite_gradient(task: str) -> None:
    net = network(task, blocks=2)
    x = sequence(net.config.inputs)
    x = x.argmax(-1) if task == "language" else x
    net(x).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("encoder", ["direct", "latency"])
def test_per_example_gradients_by_vmap_are_those_of_a_loop(encoder: str, reset: str) -> None:
    net = network(encoder=encoder, neurons=LIFParameters(reset=reset, refractory=1.0))
    x, y = torch.rand(4, 6, dtype=torch.float64), torch.tensor([0, 2, 1, 1])
    weights = {name: p.detach() for name, p in net.named_parameters()}

    def loss(weights: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(functional_call(net, weights, (x[None],)), y[None])

    batched = vmap(grad(loss), in_dims=(None, 0, 0))(weights, x, y)
    for row in range(4):
        net.zero_grad()
        functional.cross_entropy(net(x[row : row + 1]), y[row : row + 1]).backward()
        for name, parameter in net.named_parameters():
            torch.testing.assert_close(batched[name][row], parameter.grad, msg=name)


# ------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("task", "x", "error", "text"),
    [
        ("vision", torch.rand(3, 7).double(), ShapeError, r"got \(3, 7\), expected \(batch, 6\)"),
        ("vision", torch.rand(3, 1, 8, 8).double(), ShapeError, "Flatten images"),
        ("vision", torch.rand(0, 6).double(), ShapeError, "wrong shape"),
        ("vision", torch.rand(3, 6), DTypeError, "not of the network's type: got torch.float32"),
        ("vision", torch.full((3, 6), torch.nan).double(), DataError, "NaN or infinity"),
        ("vision", torch.rand(3, 6, device="meta").double(), DTypeError, "another device"),
        ("language", torch.rand(3, 4), DTypeError, "symbols are not whole numbers"),
        ("language", torch.tensor([[0, 5]]), DataError, "a symbol is unknown: got symbols from 0"),
        ("language", torch.tensor([0, 1]), ShapeError, r"expected \(batch, time\)"),
    ],
)
def test_inputs_that_mean_nothing_are_refused(
    task: str, x: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        network(task)(x)


def test_values_that_a_code_cannot_hold_are_refused() -> None:
    with pytest.raises(DataError, match=r"encoder 'rate' codes values in \[0, 1\]"):
        network(encoder="rate")(torch.full((2, 6), 1.5).double())


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_time_that_does_not_pass_is_refused(bad: float) -> None:
    spans = torch.ones(3, 11, dtype=torch.float64)
    spans[1, 4] = bad
    with pytest.raises(DataError, match="a timespan does not pass"):
        network("control")(sequence(4), timespans=spans)
    with pytest.raises(ShapeError, match="timespans do not belong to the input"):
        network("control")(sequence(4), timespans=spans[:, :5])
    with pytest.raises(ShapeError, match="timespans do not belong"):
        network("control")(torch.rand(3, 4).double(), timespans=spans)


# ------------------------------------------------------------------ learning


def test_it_learns_the_digits() -> None:
    digits = load_digits()
    net = LiquidSpikingNetwork(LiquidSpikingConfig.vision(64, 10, units=48, steps=6))
    train(
        net, digits.train.inputs, digits.train.labels, functional.cross_entropy, epochs=3, lr=5e-3
    )
    with torch.no_grad():
        right = net.eval()(digits.test.inputs).argmax(1) == digits.test.labels
    assert float(right.float().mean()) > 0.92


def test_it_remembers_a_symbol_through_a_sequence() -> None:
    """The first symbol comes back after five others: no memoryless model can beat chance."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 4, (512, 7), generator=generator)
    net = LiquidSpikingNetwork(LiquidSpikingConfig.language(4, units=32, backbone_units=48))

    def loss(logits: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(logits[:, -1], y)

    train(net, x, x[:, 0], loss, epochs=10, lr=5e-3)
    new = torch.randint(0, 4, (512, 7), generator=generator)
    with torch.no_grad():
        right = net(new)[:, -1].argmax(1) == new[:, 0]
    assert float(right.float().mean()) > 0.9


def test_it_learns_a_controller_from_demonstrations() -> None:
    """A saturating linear feedback, as of a pendulum near the top, from observations alone."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1024, 3, generator=generator)
    gain = torch.tensor([[1.5], [-0.8], [0.4]])
    y = 2.0 * torch.tanh(x @ gain)
    config = LiquidSpikingConfig.control(3, 1, low=-2.0, high=2.0, units=32, backbone_units=32)
    net = LiquidSpikingNetwork(config)
    train(net, x[:768], y[:768], functional.mse_loss, epochs=10, lr=5e-3)
    with torch.no_grad():
        error = functional.mse_loss(net(x[768:]), y[768:]) / y[768:].var()
    assert float(error) < 0.05
