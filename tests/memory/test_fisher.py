"""The Fisher diagonal against closed forms, finite differences and itself cut differently."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from plasticish.core import ConfigError, DataError, make_generator
from plasticish.memory import fisher_diagonal

F64 = torch.float64


def rows(count: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(count, width, generator=make_generator(seed), dtype=F64)


def unit(width: int, classes: int, seed: int = 0) -> nn.Linear:
    layer = nn.Linear(width, classes, dtype=F64)
    with torch.no_grad():
        layer.weight.copy_(rows(classes, width, seed + 1))
        layer.bias.copy_(rows(classes, 1, seed + 2).flatten())
    return layer


def network(seed: int = 0) -> nn.Sequential:
    return nn.Sequential(unit(3, 5, seed), nn.Tanh(), unit(5, 4, seed + 9))


def loader(x: Tensor, y: Tensor, batch: int) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(x, y), batch_size=batch)


@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_softmax_unit_has_the_closed_form(width: int, classes: int, seed: int) -> None:
    """d log p_y / dW_ck = (1[c = y] - p_c) x_k, and the variance of the indicator is p(1 - p)."""
    layer, x = unit(width, classes, seed), rows(7, width, seed + 5)
    p = layer(x).softmax(1).detach()
    variance = p * (1 - p)
    fisher = fisher_diagonal(layer, (x, torch.zeros(7, dtype=torch.int64)))
    torch.testing.assert_close(fisher["weight"], variance.T @ x**2 / 7, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(fisher["bias"], variance.mean(0), rtol=1e-10, atol=1e-12)


def test_the_empirical_one_has_the_closed_form() -> None:
    layer, x = unit(3, 4), rows(9, 3)
    y = torch.arange(9) % 4
    error = nn.functional.one_hot(y, 4) - layer(x).softmax(1).detach()
    fisher = fisher_diagonal(layer, (x, y), mode="empirical")
    torch.testing.assert_close(fisher["weight"], (error**2).T @ x**2 / 9)


@pytest.mark.parametrize("mode", ["exact", "sampled", "empirical"])
@pytest.mark.parametrize("num_samples", [20, 13])
def test_how_the_loader_cuts_makes_no_difference(mode: str, num_samples: int) -> None:
    x, y = rows(20, 3), torch.arange(20) % 4
    one, eight, all_at_once = (
        fisher_diagonal(network(), loader(x, y, batch), num_samples, mode=mode)
        for batch in (1, 8, 64)
    )
    for name in one:
        assert torch.equal(one[name], eight[name])
        assert torch.equal(one[name], all_at_once[name])


def test_it_is_not_the_square_of_a_batch_mean() -> None:
    """Two examples with opposite gradients: their mean is zero, their importance is not."""
    layer = nn.Linear(1, 2, bias=False, dtype=F64)
    nn.init.zeros_(layer.weight)
    x = torch.tensor([[1.0], [-1.0]], dtype=F64)
    fisher = fisher_diagonal(layer, (x, torch.tensor([0, 0])), mode="empirical")
    assert fisher["weight"].tolist() == [[0.25], [0.25]]


def test_the_exact_mode_is_the_curvature_of_the_divergence() -> None:
    """KL(p_θ || p_θ+he) = h² F / 2 + O(h³), for every single weight."""
    model, x = network(), rows(6, 3)
    fisher = fisher_diagonal(model, (x, torch.zeros(6, dtype=torch.int64)))
    before, h = model(x).log_softmax(1).detach(), 1e-4
    for name, parameter in model.named_parameters():
        flat = parameter.data.view(-1)
        for i in range(0, len(flat), 3):
            both = []
            for step in (h, -h):
                flat[i] += step
                both.append((before.exp() * (before - model(x).log_softmax(1).detach())).sum(1))
                flat[i] -= step
            # The mean over both sides cancels the third order.
            curvature = float(torch.stack(both).mean()) * 2 / h**2
            assert math.isclose(curvature, float(fisher[name].view(-1)[i]), rel_tol=1e-3)


def test_the_sampled_mode_tends_to_the_exact_one() -> None:
    model, x = unit(2, 3), rows(1, 2).expand(40_000, 2)
    y = torch.zeros(40_000, dtype=torch.int64)
    exact = fisher_diagonal(model, (x[:1], y[:1]))["weight"]
    drawn = fisher_diagonal(model, (x, y), 40_000, mode="sampled", generator=make_generator(3))
    torch.testing.assert_close(drawn["weight"], exact, rtol=0.03, atol=1e-3)
    again = fisher_diagonal(model, (x, y), 40_000, mode="sampled", generator=make_generator(3))
    assert torch.equal(drawn["weight"], again["weight"])


def test_gaussian_outputs_have_the_squared_jacobian() -> None:
    layer, x = unit(3, 2), rows(5, 3)
    y = rows(5, 2, seed=8)
    exact = fisher_diagonal(layer, (x, y), likelihood="gaussian")
    torch.testing.assert_close(exact["weight"], (x**2).mean(0).expand(2, 3))
    error = (y - layer(x)).detach()
    given_labels = fisher_diagonal(layer, (x, y), likelihood="gaussian", mode="empirical")
    torch.testing.assert_close(given_labels["weight"], (error**2).T @ x**2 / 5)


class Sequence(nn.Module):
    """The same unit at every time: outputs [batch, time, classes]."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = unit(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.unit(x)
        return out


def test_the_times_of_a_sequence_add_up() -> None:
    model, x = Sequence(), rows(8, 2).reshape(2, 4, 2)
    fisher = fisher_diagonal(model, (x, torch.zeros(2, 4, dtype=torch.int64)))
    flat = fisher_diagonal(model.unit, (x.reshape(8, 2), torch.zeros(8, dtype=torch.int64)))
    torch.testing.assert_close(fisher["unit.weight"], 4 * flat["weight"])


def test_only_the_classes_of_a_task_take_part() -> None:
    layer, x = unit(3, 5), rows(6, 3)
    some = torch.tensor([1, 4])
    fisher = fisher_diagonal(layer, (x, torch.ones(6, dtype=torch.int64)), classes=some)
    p = layer(x)[:, some].softmax(1).detach()
    assert fisher["weight"][[0, 2, 3]].abs().sum() == 0
    torch.testing.assert_close(fisher["weight"][some], (p * (1 - p)).T @ x**2 / 6)


class Untraceable(nn.Module):
    """Looks at a value, which vmap cannot do."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.inner(x)
        return out if float(x.sum()) < 1e9 else out * 2


@pytest.mark.parametrize("mode", ["exact", "sampled", "empirical"])
def test_a_model_that_vmap_cannot_trace_goes_one_by_one(mode: str) -> None:
    x, y = rows(6, 3), torch.arange(6) % 4
    fast, slow = fisher_diagonal(network(), (x, y), mode=mode), Untraceable()
    for name, value in fisher_diagonal(slow, (x, y), mode=mode).items():
        torch.testing.assert_close(value, fast[name.removeprefix("inner.")])


def test_batch_norm_and_dropout_are_looked_at_in_eval_mode_and_left_alone() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    model[2].eval()  # a part that its owner froze stays frozen
    before = {name: t.clone() for name, t in model.state_dict().items()}
    x, y = rows(12, 3).float(), torch.arange(12) % 2
    one, other = (fisher_diagonal(model, loader(x, y, batch)) for batch in (1, 12))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert set(one) == {name for name, _ in model.named_parameters()}
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert [m.training for m in model] == [True, True, False, True]
    assert all(p.grad is None for p in model.parameters())


def test_frozen_parameters_have_no_importance() -> None:
    model = network()
    model[0].requires_grad_(False)
    assert set(fisher_diagonal(model, (rows(2, 3), torch.tensor([0, 1])))) == {"2.weight", "2.bias"}


def test_the_loader_is_read_no_further_than_needed() -> None:
    def endless() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield rows(4, 3), torch.zeros(4, dtype=torch.int64)

    fisher_diagonal(network(), endless(), num_samples=10)


def test_what_is_no_data_or_setting_is_refused() -> None:
    model, pair = network(), (rows(2, 3), torch.tensor([0, 1]))
    with pytest.raises(DataError, match="nothing to compute the importance on: got an empty load"):
        fisher_diagonal(model, [])
    for wrong, text in (
        ({"num_samples": 0}, "num_samples is out of range"),
        ({"mode": "batch"}, "unknown mode: got 'batch', expected one of: exact"),
        ({"likelihood": "poisson"}, "unknown likelihood"),
    ):
        with pytest.raises(ConfigError, match=text):
            fisher_diagonal(model, pair, **wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"importance of 0\.weight is not finite"):
        fisher_diagonal(model, (pair[0] * float("nan"), pair[1]))
    with pytest.raises(ConfigError, match="no trainable parameter"):
        fisher_diagonal(model.requires_grad_(False), pair)
