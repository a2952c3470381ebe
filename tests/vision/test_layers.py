"""Blocks come and go while a brain is running."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from plasticish.core import ConfigError, ShapeError, make_generator
from plasticish.vision import NeuromodulatedBlock, PlasticBrain

WIDTH = 16


def data(count: int = 200, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = make_generator(seed)
    centres = 2 * torch.randn(4, WIDTH, generator=make_generator(99))
    shared = torch.randn(count, 2, generator=generator) @ (
        4 * torch.randn(2, WIDTH, generator=make_generator(98))
    )
    y = torch.arange(count) % 4
    return centres[y] + shared + 0.5 * torch.randn(count, WIDTH, generator=generator), y


@pytest.fixture
def brain() -> PlasticBrain:
    one = PlasticBrain(WIDTH, 64, 8, num_layers=2, expansion=16)
    one.learn(data())
    one.sleep()
    return one


def another(**options: Any) -> NeuromodulatedBlock:
    return NeuromodulatedBlock(WIDTH, **{"hidden_dim": 32, "sparsity_k": 4, "seed": 7, **options})


CHANGES: dict[str, Callable[[PlasticBrain], Any]] = {
    "add": lambda brain: brain.add_layer(),
    "add given": lambda brain: brain.add_layer(another(), 0),
    "remove": lambda brain: brain.remove_layer(),
    "replace": lambda brain: brain.replace_layer(0, another()),
}


@pytest.mark.parametrize("change", CHANGES)
def test_answers_change_at_the_next_sleep_only(brain: PlasticBrain, change: str) -> None:
    queries = data(40, seed=1)[0]
    before = brain.predict_proba(queries)
    CHANGES[change](brain)
    assert torch.equal(brain.predict_proba(queries), before)
    brain.learn(data(50, seed=2))
    brain.sleep()
    assert brain.evaluate(data(100, seed=3))["accuracy"] > 0.95


def test_layers_are_where_they_were_put(brain: PlasticBrain) -> None:
    first, second = brain.layers
    given = another()
    assert brain.add_layer(given, 1) is given
    assert brain.layers == [first, given, second]
    deepest = brain.add_layer()
    assert brain.layers == [first, given, second, deepest]
    assert brain.replace_layer(-1, fresh := another()) is deepest
    assert brain.remove_layer(0) is first
    assert brain.remove_layer() is fresh
    assert brain.layers == [given, second]


def test_every_new_layer_has_its_own_seed() -> None:
    brain = PlasticBrain(WIDTH, 64, 8, num_layers=2)
    units = [block.units for block in (*brain.layers, brain.add_layer())]
    assert not torch.equal(units[0], units[1])
    assert not torch.equal(units[1], units[2])


def test_a_frozen_layer_learns_neither_awake_nor_asleep(brain: PlasticBrain) -> None:
    brain.freeze_layer(0)
    frozen, free = brain.layers
    before = {name: tensor.clone() for name, tensor in frozen.export_state().tensors.items()}
    moving = free.units.clone()
    brain.learn(data(80, seed=2))
    brain.sleep()
    after = frozen.export_state().tensors
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert not torch.equal(free.units, moving)
    brain.unfreeze_layer(0)
    brain.learn(data(80, seed=3))
    brain.sleep()
    assert not torch.equal(frozen.units, before["units"])


def test_neurogenesis_is_switched_for_all_or_for_one(brain: PlasticBrain) -> None:
    brain.set_neurogenesis(False)
    assert [block.enable_neurogenesis for block in brain.layers] == [False, False]
    brain.set_neurogenesis(True, 1)
    assert [block.enable_neurogenesis for block in brain.layers] == [False, True]


def test_all_layers_together_are_one_matrix(brain: PlasticBrain) -> None:
    assert all(block.mature for block in brain.layers)
    transform = brain._explaining_transform()
    assert transform is not None
    x = data(30, seed=4)[0]
    passed = x
    for block in brain.layers:
        passed = block(passed)
    torch.testing.assert_close(x @ transform, passed, atol=1e-4, rtol=1e-4)
    assert PlasticBrain(WIDTH, 64, 8)._explaining_transform() is None


def test_changed_layers_survive(brain: PlasticBrain, tmp_path: Path) -> None:
    brain.add_layer(another(), 0)
    brain.freeze_layer(1)
    brain.set_neurogenesis(True, 2)
    loaded = PlasticBrain.load(brain.save(tmp_path / "brain"))
    assert [block.config() for block in loaded.layers] == [b.config() for b in brain.layers]
    assert [block.frozen for block in loaded.layers] == [False, True, False]
    for one in (brain, loaded):
        one.learn(data(60, seed=5))
        one.sleep()
    queries = data(40, seed=1)[0]
    assert torch.equal(brain.predict_proba(queries), loaded.predict_proba(queries))


REFUSALS: dict[str, tuple[Callable[[PlasticBrain], Any], type[Exception], str]] = {
    "width": (lambda b: b.add_layer(NeuromodulatedBlock(3)), ShapeError, "got 3, expected 16"),
    "replace": (lambda b: b.replace_layer(0, NeuromodulatedBlock(3)), ShapeError, "another width"),
    "position": (lambda b: b.add_layer(index=3), ConfigError, "no such position: got 3, .* 0 to 2"),
    "negative": (lambda b: b.add_layer(index=-1), ConfigError, "no such position"),
    "remove": (lambda b: b.remove_layer(2), ConfigError, "no such layer: got 2, .* 2 layers"),
    "freeze": (lambda b: b.freeze_layer(-3), ConfigError, "no such layer: got -3"),
    "growth": (lambda b: b.set_neurogenesis(False, 5), ConfigError, "no such layer"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_does_not_fit_is_refused(brain: PlasticBrain, refusal: str) -> None:
    act, error, text = REFUSALS[refusal]
    before = list(brain.layers)
    with pytest.raises(error, match=text):
        act(brain)
    assert brain.layers == before
    assert not any(block.enable_neurogenesis for block in brain.layers)


def test_one_block_has_one_place(brain: PlasticBrain) -> None:
    before = list(brain.layers)
    with pytest.raises(ConfigError, match="in the brain already"):
        brain.add_layer(brain.layers[0])
    with pytest.raises(ConfigError, match="in the brain already"):
        brain.replace_layer(1, brain.layers[0])
    assert brain.layers == before
