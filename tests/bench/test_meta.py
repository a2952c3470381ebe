"""The parts of continual/meta that can be held against brute force, and a quick run."""

import itertools
import math

import pytest
import torch

from plasticish.bench.continual import _drift, meta
from plasticish.bench.continual._drift import BAND, SETTLED, Stream, World, live, recovery
from plasticish.bench.continual._meta_policy import drawn_world
from plasticish.core import make_generator

CLASSES, VECTORS = World(length=40.0), World(False, 12, 3, 4, 0.5, length=40.0)


@pytest.mark.parametrize("world", [CLASSES, VECTORS])
def test_streams_are_what_they_are_called(world):
    stream = Stream.draw(world, [1, 2], 150, probes=50)
    again = Stream.draw(world, [2], 150, probes=50)
    assert torch.equal(stream.inputs[1], again.inputs[0])
    for seed in range(2):
        regimes = stream.regimes[seed].tolist()
        lengths = [len(list(run)) for _, run in itertools.groupby(regimes)]
        assert all(20 <= length < 60 for length in lengths[:-1])
        assert sorted(set(regimes)) == list(range(len(lengths)))
        since = [t - regimes.index(regime) for t, regime in enumerate(regimes)]
        assert stream.since_jump[seed].tolist() == since
        for level in stream.levels[seed].tolist():
            assert 0.8 < level <= 1 + 1e-4
    if world.classes:
        assert torch.equal(stream.targets.sum(-1), torch.ones_like(stream.targets[..., 0]))


def test_performance_is_accuracy_where_a_tie_is_wrong():
    outputs = torch.tensor([[0.9, 0.1, 0.0, 0.5], [0.1, 0.9, 0.0, 0.5]])
    truths = torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    assert float(_drift.performance(CLASSES, outputs, truths)) == 0.25
    assert float(_drift.performance(VECTORS, truths, truths)) == 1.0


def test_a_life_is_the_delta_rule_step_by_step():
    stream = Stream.draw(VECTORS, [3], 30, probes=20)
    told = []

    def steer(activity, performance, loss):
        told.append((float(activity), float(performance), float(loss)))
        return torch.tensor([1.0 + 0.1 * len(told)])

    life = live(stream, steer, torch.tensor([0.4]))
    w = torch.zeros(3, 12)
    for t in range(30):
        x, y = stream.inputs[0, t], stream.targets[0, t]
        truth = stream.truths[0][stream.regimes[0, t]]
        expected = 1 - (w @ stream.probes[0] - truth).square().mean()
        torch.testing.assert_close(life.performance[0, t], expected, rtol=1e-3, atol=1e-4)
        error = y - x @ w.T
        assert told[t][2] == pytest.approx(float(error.square().mean()), rel=1e-3)
        rate = 0.4 * (1.0 + 0.1 * t) if t else 0.4
        assert float(life.rates[0, t]) == pytest.approx(rate)
        w = (w + rate * error.T @ x / 4 / x.square().sum(1).mean()).clamp(-1, 1)


def test_recovery_counts_the_steps_until_the_band_is_held():
    stream = Stream.draw(CLASSES, [5], 200, probes=20)
    regimes, levels = stream.regimes[0], stream.levels[0]
    last = int(regimes[-1])
    row = torch.zeros(1, 200)
    for regime in range(last + 1):
        where = (regimes == regime).nonzero().flatten()
        row[0, where[7:]] = levels[regime] * (BAND + 0.001)
    assert float(recovery(stream, row)) == pytest.approx(7.0)
    row[0] = 0.0
    row[0, ::3] = 1.0  # lucky moments are no recovery
    lengths = [int((regimes == regime).sum()) for regime in range(1, last)]
    assert float(recovery(stream, row)) == pytest.approx(sum(lengths) / len(lengths))
    assert SETTLED > 3


def test_sign_flip_is_exact():
    values = torch.tensor([3.0, 1.0, -0.5, 2.0])
    signs = itertools.product((1, -1), repeat=4)
    as_large = sum(
        sum(s * v for s, v in zip(flip, values.tolist(), strict=True)) >= 5.5 for flip in signs
    )
    assert meta.sign_flip(values) == as_large / 16
    assert meta.sign_flip(torch.ones(10)) == 1 / 1024
    assert meta.sign_flip(-torch.ones(4)) == 1.0


def test_schedules_restart_where_they_say():
    stream = Stream.draw(CLASSES, [1, 2], 60, probes=10)
    life = meta.scheduled(stream, [(2.0, 5.0), (1.0, 10.0)], stream.since_jump)
    since = stream.since_jump.float()
    torch.testing.assert_close(life.rates[:2], 2.0 / (1 + since / 5.0))
    torch.testing.assert_close(life.rates[2:], 1.0 / (1 + since / 10.0))


def test_worlds_to_learn_on_are_many():
    worlds = [drawn_world(make_generator(seed)) for seed in range(40)]
    assert {world.classes for world in worlds} == {True, False}
    assert len({(w.inputs, w.outputs, w.batch) for w in worlds}) > 15
    assert all(math.isfinite(world.noise) for world in worlds)
