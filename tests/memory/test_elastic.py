"""The springs against the sum of quadratics that they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from plasticish.core import ConfigError, DataError, ShapeError, make_generator
from plasticish.memory import ElasticWeights

Task = tuple[dict[str, Tensor], dict[str, Tensor]]


def model() -> nn.Linear:
    return nn.Linear(3, 2, dtype=torch.float64)


def put(layer: nn.Linear, weights: dict[str, Tensor]) -> None:
    layer.load_state_dict(weights)


def energy(springs: ElasticWeights, layer: nn.Linear) -> float:
    return float(springs.penalty(layer).detach())


def lives(count: int, seed: int) -> list[Task]:
    """Weights after each task, and their importance, zeros among it."""
    draw = make_generator(seed)
    tasks = []
    for _ in range(count):
        pair = []
        for positive in (False, True):
            values = {
                name: torch.randn(p.shape, generator=draw, dtype=torch.float64)
                for name, p in model().named_parameters()
            }
            pair.append({n: v.clamp_min(0) if positive else v for n, v in values.items()})
        tasks.append((pair[0], pair[1]))
    return tasks


def lived(springs: ElasticWeights, tasks: list[Task]) -> nn.Linear:
    layer = model()
    for weights, importance in tasks:
        put(layer, weights)
        springs.consolidate(layer, importance)
    return layer


@given(st.integers(1, 6), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_offline_is_the_sum_of_every_task(count: int, seed: int) -> None:
    tasks, springs = lives(count, seed), ElasticWeights(3.0, online=False, rate=0.5)
    layer = lived(springs, tasks)
    put(layer, lives(1, seed + 1)[0][0])
    expected = sum(
        0.5 * 3.0 * 0.5 * float((F[name] * (p.detach() - theta[name]) ** 2).sum())
        for theta, F in tasks
        for name, p in layer.named_parameters()
    )
    assert energy(springs, layer) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_online_fades_and_follows() -> None:
    tasks, springs = lives(3, 1), ElasticWeights(2.0, decay=0.5, rate=0.1)
    layer = lived(springs, tasks)
    put(layer, lives(1, 2)[0][0])
    importances = [importance for _, importance in tasks]
    F = {
        n: 0.1 * (0.25 * a + 0.5 * importances[1][n] + importances[2][n])
        for n, a in importances[0].items()
    }
    expected = sum(
        float((F[name] * (p.detach() - tasks[2][0][name]) ** 2).sum())
        for name, p in layer.named_parameters()
    )
    assert energy(springs, layer) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("online", [True, False])
def test_the_gradient_by_finite_differences(online: bool) -> None:
    springs = ElasticWeights(7.0, online=online)
    layer = lived(springs, lives(3, 4))
    put(layer, lives(1, 5)[0][0])
    springs.penalty(layer).backward()  # type: ignore[no-untyped-call]
    for parameter in layer.parameters():
        flat, h = parameter.data.view(-1), 1e-5
        for i in range(len(flat)):
            sides = []
            for step in (h, -2 * h, h):
                flat[i] += step
                sides.append(energy(springs, layer))
            slope = (sides[0] - sides[1]) / (2 * h)
            assert parameter.grad is not None
            assert float(parameter.grad.view(-1)[i]) == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("strength", [0.0, 1.0, 1e9])
def test_a_pull_is_the_proximal_step(strength: float) -> None:
    """The gradient of E(u) + |u - θ|²/2η vanishes where the pull ends, however stiff."""
    springs, eta = ElasticWeights(strength), 0.1
    layer = lived(springs, lives(2, 6))
    put(layer, lives(1, 7)[0][0])
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    springs.pull(layer, eta)
    springs.penalty(layer).backward()  # type: ignore[no-untyped-call]
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None
        total = parameter.grad + (parameter.detach() - before[name]) / eta
        scale = 1 + strength * float(springs.importance[name].max())
        assert float(total.abs().max()) < 1e-9 * scale


def test_a_pull_may_differ_by_parameter() -> None:
    springs = ElasticWeights(10.0)
    layer = lived(springs, lives(1, 8))
    put(layer, lives(1, 9)[0][0])
    before = {name: p.detach().clone() for name, p in layer.named_parameters()}
    springs.pull(layer, {"weight": 0.0, "bias": 0.3})
    assert torch.equal(layer.weight, before["weight"])
    assert not torch.equal(layer.bias, before["bias"])


def test_what_does_not_fit_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    springs = ElasticWeights()
    layer = lived(springs, lives(1, 1))
    good = lives(1, 2)[0][1]
    before = springs.export_state()
    wrong: list[tuple[dict[str, Tensor], type[Exception], str]] = [
        ({**good, "bias": torch.ones(3)}, ShapeError, r"importance of bias.*got \(3,\).*\(2,\)"),
        ({**good, "bias": -torch.ones(2)}, DataError, "bias is not usable"),
        ({**good, "bias": torch.full((2,), float("nan"))}, DataError, "bias is not usable"),
        ({**good, "other": torch.ones(2)}, ConfigError, "another model: got no parameter 'other'"),
    ]
    for importance, error, text in wrong:
        with pytest.raises(error, match=text):
            springs.consolidate(layer, importance)
    after = springs.export_state()
    assert after.values == before.values
    assert all(torch.equal(after.tensors[name], t) for name, t in before.tensors.items())
    settings_: list[dict[str, Any]] = [
        {"strength": -1.0}, {"strength": float("nan")}, {"decay": 1.5}, {"rate": float("inf")},
    ]  # fmt: skip
    for bad in settings_:
        with pytest.raises(ConfigError, match=f"{next(iter(bad))} is out of range"):
            ElasticWeights(**bad)


@pytest.mark.parametrize("online", [True, False])
def test_it_survives_a_checkpoint(online: bool, tmp_path: Path) -> None:
    springs = ElasticWeights(5.0, online=online, decay=0.7, rate=0.2)
    layer = lived(springs, lives(3, 3))
    put(layer, lives(1, 4)[0][0])
    loaded = ElasticWeights.load(springs.save(tmp_path / "springs"))
    assert torch.equal(loaded.penalty(layer), springs.penalty(layer))
    for each in (springs, loaded):
        each.consolidate(layer, lives(1, 5)[0][1])
    assert loaded.tasks == springs.tasks == 4
    assert all(torch.equal(loaded.anchor[n], t) for n, t in springs.anchor.items())
