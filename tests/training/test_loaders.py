"""The order of batches is a function of the seed, and nobody else's randomness is touched."""

# ruff: noqa: NPY002 - that other people's code draws from these generators is what is tested

from __future__ import annotations

import functools
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

from plasticish.core import DataError, quiet
from plasticish.metrics import score
from plasticish.training import PhaseConfig
from plasticish.training.display import TrainingDisplay
from plasticish.training.generators import isolated_rng, reachable_generators
from plasticish.training.loaders import fingerprint, replayed

from .fake import FakeBrain, batched, clusters


def order(batches):
    return [int(v) for batch in batches for v in batch[0].flatten()]


def own(seed):
    return torch.Generator().manual_seed(seed)


DATA = TensorDataset(torch.arange(20), torch.zeros(20, dtype=torch.long))
LOADERS = {
    "global generator": lambda: DataLoader(DATA, 3, shuffle=True),
    "own generator": lambda: DataLoader(DATA, 3, shuffle=True, generator=own(1)),
    "own sampler": lambda: DataLoader(DATA, 3, sampler=RandomSampler(DATA, generator=own(2))),
    "batch loader": lambda: batched(
        torch.arange(20.0)[:, None], torch.zeros(20, dtype=torch.long), 3
    ),
}


@pytest.mark.parametrize("name", LOADERS)
def test_a_seed_stands_for_an_order(name):
    loader = LOADERS[name]()
    torch.manual_seed(1)
    first = order(replayed(loader, 5))
    torch.manual_seed(2)
    list(loader)  # whatever happened in between
    assert order(replayed(loader, 5)) == first
    assert order(replayed(LOADERS[name](), 5)) == first
    assert order(replayed(loader, 6, 1)) != first
    assert sorted(first) == list(range(20))


def test_own_generators_are_handed_back():
    generator = own(3)
    loader = DataLoader(DATA, 3, shuffle=True, generator=generator)
    before = generator.get_state()
    batches = replayed(loader, 5)
    next(batches)
    batches.close()
    assert torch.equal(before, generator.get_state())


class Augmented(torch.utils.data.Dataset):
    """Draws from all three global generators, as augmentations do."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        noise = torch.rand(()) + random.random() + np.random.rand()
        return torch.tensor([float(noise)]), index


def test_skipping_batches_does_not_shift_the_augmentation_of_the_rest():
    loader = DataLoader(Augmented(), 2, shuffle=True)
    whole = list(replayed(loader, 3))
    rest = replayed(loader, 3)
    for _ in range(2):
        next(rest)
        torch.rand(7)  # the process that resumes draws differently
    for (x, y), (u, v) in zip(whole[2:], rest, strict=True):
        assert torch.equal(x, u)
        assert torch.equal(y, v)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**63 - 1))
def test_isolation_repeats_and_restores(seed):
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.random.get_rng_state()
    draws = []
    for _ in range(2):
        with isolated_rng(seed):
            draws.append((random.random(), np.random.rand(), float(torch.rand(()))))
    assert draws[0] == draws[1]
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.random.get_rng_state(), states[2])


def test_generators_are_found_wherever_a_transform_keeps_them():
    a, b, c, d = (own(i) for i in range(4))

    def closed(x, *, default=b):
        return x + torch.rand(1, generator=a)

    class Callable:
        def __init__(self):
            self.steps = [closed, functools.partial(closed, generator=c)]

        def __call__(self, x):
            return x

    class Images(torch.utils.data.Dataset):
        transform = None

        def __len__(self):
            return 4

    images = Images()
    images.transform = Callable().__call__
    loader = DataLoader(images, generator=d)
    assert {id(g) for g in reachable_generators(loader)} == {id(g) for g in (a, b, c, d)}
    assert reachable_generators(functools.partial(closed, generator=c)) == [a, b, c]
    assert reachable_generators(torch.rand) == []
    assert reachable_generators(None) == []


def test_isolation_restores_after_an_error():
    before = torch.random.get_rng_state()
    with pytest.raises(ZeroDivisionError), isolated_rng(1):
        torch.rand(3) / (1 // 0)
    assert torch.equal(torch.random.get_rng_state(), before)


@given(st.permutations(range(6)))
@settings(max_examples=25, deadline=None)
def test_the_fingerprint_tells_orders_apart(permutation):
    y = torch.arange(6)
    x = torch.eye(6)
    rows = torch.tensor(permutation)
    same = fingerprint(x, y, 9) == fingerprint(x[rows], y[rows], 9)
    assert same == (permutation == list(range(6)))
    assert fingerprint(x, y, 9) != fingerprint(x, y, 8)


def test_epochs_of_a_loader_that_counts_them_differ_and_come_again():
    loader = LOADERS["batch loader"]()
    list(loader)
    assert order(replayed(loader, 5, 3)) == order(replayed(LOADERS["batch loader"](), 5, 3))
    assert order(replayed(loader, 5, 3)) != order(replayed(loader, 5, 4))
    assert loader.epoch == 1


def test_score_is_the_share_that_is_right():
    y = clusters([0, 1, 2], 60)[1]
    answers = torch.arange(60) % 2
    batches = [(torch.arange(0, 30), y[:30]), (torch.arange(30, 60), y[30:])]
    report = score(lambda rows: answers[rows], batches)
    assert report["accuracy"] == pytest.approx(float((answers == y).double().mean()))
    for label in range(3):
        expected = float((answers[y == label] == label).double().mean())
        assert report["per_class"][label] == pytest.approx(expected)
    assert report["count"] == 60
    with pytest.raises(DataError, match="nothing to evaluate on"):
        score(FakeBrain().predict, [])


def test_nothing_is_shown_in_a_pipe(capfd):
    with quiet(), TrainingDisplay() as display:
        display.start_phase(PhaseConfig("A", 1, []), 0)
        display.step({"accuracy": 0.5})
    assert capfd.readouterr() == ("", "")


def test_a_terminal_sees_accuracy_memory_and_maturity(capfd):
    with TrainingDisplay(enabled=True) as display:
        display.start_phase(PhaseConfig("Vehicles", 1, [1, 2]), 0)
        for accuracy in (0.5, 1.0):
            report = {"accuracy": accuracy, "memory_fill": 0.25, "mature": float("nan")}
            display.step(report)
        assert display.numbers(report) == "accuracy 75.0 %  memory 25.0 %"
    assert "Vehicles" in capfd.readouterr().err
