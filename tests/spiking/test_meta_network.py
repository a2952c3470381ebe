"""The network of winners: its code, its competition, its learning, its refusals."""

import math

import pytest
import torch

from plasticish.core import ConfigError, DataError, NotReadyError, ShapeError, make_generator
from plasticish.data import batches, load_digits
from plasticish.spiking.meta_network import MetaPlasticNetwork
from plasticish.spiking.rate_code import RateCode
from plasticish.spiking.stdp_rules import ClassicalSTDP
from plasticish.spiking.winners import winner_spikes


class TestRateCode:
    def test_moments_are_those_of_everything_shown_in_any_parts(self):
        x = 3 + 2 * torch.randn(50, 4, generator=make_generator(0))
        code = RateCode(4, 20, 0)
        for part in x.split([1, 9, 40]):
            code.note(part)
        torch.testing.assert_close(code.mean, x.double().mean(0))
        torch.testing.assert_close(code.scatter / 50, x.double().var(0, correction=0))

    def test_counts_are_rates_to_one_spike_and_trains_are_regular(self):
        x = torch.randn(30, 4, generator=make_generator(0))
        code = RateCode(4, 40, 0)
        code.note(x)
        spikes = code.spikes(x)
        assert set(spikes.unique().tolist()) <= {0.0, 1.0}
        assert bool(((spikes.sum(1) - 40 * code.rates(x)).abs() < 1 + 1e-3).all())
        assert bool((spikes[:, :20].sum(1) - spikes[:, 20:].sum(1)).abs().max() <= 1)

    def test_rates_have_no_unit(self):
        x = torch.randn(30, 4, generator=make_generator(0))
        one, other = RateCode(4, 20, 0), RateCode(4, 20, 0)
        one.note(x), other.note(100 * x + 7)
        torch.testing.assert_close(one.rates(x), other.rates(100 * x + 7), rtol=1e-4, atol=1e-5)


class TestWinners:
    def test_against_a_loop_over_neurons(self):
        drive = torch.randn(2, 12, 7, generator=make_generator(0), dtype=torch.float64)
        thresholds = 0.3 * torch.rand(7, generator=make_generator(1), dtype=torch.float64)
        spikes = winner_spikes(drive, thresholds, 2, tau=5.0)
        for b in range(2):
            v = [0.0] * 7
            for t in range(12):
                mean = float(drive[b, t].mean())
                v = [math.exp(-0.2) * v[i] + float(drive[b, t, i]) - mean for i in range(7)]
                lead = [v[i] - float(thresholds[i]) for i in range(7)]
                best = sorted(range(7), key=lambda i: -lead[i])[:2]
                fired = [i for i in best if lead[i] > 0]
                assert spikes[b, t].nonzero().flatten().tolist() == sorted(fired)
                v = [0.0 if i in fired else v[i] for i in range(7)]


def network(**options):
    return MetaPlasticNetwork([64, 128, 10], hidden_dim=8, **options)


@pytest.fixture(scope="module")
def digits():
    return load_digits(seed=0)


@pytest.fixture(scope="module")
def taught(digits):
    learner = MetaPlasticNetwork([64, 256, 10], hidden_dim=8)
    for batch in batches(digits.train, 64, make_generator(0)):
        learner.learn(batch)
    learner.sleep()
    return learner


def test_one_pass_over_digits_is_enough_to_read_them(taught, digits):
    right = (taught.predict(digits.test.inputs) == digits.test.labels).float().mean()
    assert float(right) > 0.88


def test_hidden_weights_keep_their_mean_and_bounds(taught):
    weight = taught.layers[0].weight
    torch.testing.assert_close(weight.mean(1), torch.full((256,), 0.25), rtol=1e-3, atol=1e-3)
    assert bool(((weight >= 0) & (weight <= 1)).all())


def test_every_layer_learns_and_no_optimiser_sees_a_weight(digits):
    learner = network()
    before = [layer.weight.clone() for layer in learner.layers]
    learner.learn((digits.train.inputs[:32], digits.train.labels[:32]))
    for layer, old in zip(learner.layers, before, strict=True):
        assert not torch.equal(layer.weight, old)
    assert list(learner.parameters()) == []


def test_frozen_factors_make_the_readout_a_plain_delta_rule(digits):
    learner = network(bounds=(0.999999, 1.000001))
    x, y = digits.train.inputs[:8], digits.train.labels[:8]
    learner.code.note(x)
    counts = learner.spikes(x)[-1].sum(1)
    target = torch.nn.functional.one_hot(y, 10).float()
    expected = target.T @ counts / 8 / counts.square().sum(1).mean()
    fresh = network(bounds=(0.999999, 1.000001))
    fresh.learn((x, y))
    torch.testing.assert_close(fresh.readout.weight, expected, rtol=1e-4, atol=1e-7)


def test_the_way_in_of_the_prototype(digits):
    learner = MetaPlasticNetwork(layer_sizes=[12, 8, 6, 3], meta_lr=0.001, history_length=100)
    g = make_generator(0)

    def train(width):
        return (torch.rand(2, 9, width, generator=g) < 0.5).float()

    pairs = [(train(pre), train(post)) for pre, post in ((12, 8), (8, 6), (6, 3))]
    report = learner.update_meta_plasticity(layer_activities=pairs, performance=0.5, loss=1.0)
    assert len(report["layers"]) == len(report["learning_rate"]) == 3
    assert all(layer["changed"] > 0 for layer in report["layers"])
    assert learner.forward(torch.rand(4, 12)).shape == (4, 3)
    assert len(learner.controller.history.step) == 1


def state(learner):
    return {name: t.clone() for name, t in learner.export_state().tensors.items()}


@pytest.mark.parametrize(
    ("spoil", "error", "text"),
    [
        (lambda p: (p[:1], 0.5, 1.0), ShapeError, "got 1 pairs, expected 2"),
        (lambda p: (p, math.nan, 1.0), DataError, "performance is NaN"),
        (lambda p: (p, 0.5, math.inf), DataError, "loss is NaN or infinite"),
        (lambda p: ([p[0], p[0]], 0.5, 1.0), ShapeError, "do not fit layer 1"),
        (lambda p: ([p[0], (p[1][0] * math.nan, p[1][1])], 0.5, 1.0), DataError, "NaN"),
        (lambda p: ([p[0], (p[1][0][:1], p[1][1])], 0.5, 1.0), ShapeError, "batch or time"),
    ],
)
def test_bad_activities_change_nothing(spoil, error, text):
    learner = network()
    pairs = [
        (torch.ones(2, 5, 64), torch.ones(2, 5, 128)),
        (torch.ones(2, 5, 128), torch.ones(2, 5, 10)),
    ]
    learner.update_meta_plasticity(pairs, 0.5, 1.0)
    before = state(learner)
    with pytest.raises(error, match=text):
        learner.update_meta_plasticity(*spoil(pairs))
    assert all(torch.equal(tensor, before[name]) for name, tensor in state(learner).items())


def test_nothing_learned_is_said_so():
    with pytest.raises(NotReadyError, match="nothing was learned"):
        network().predict(torch.rand(1, 64))


def test_a_network_without_hidden_layers_is_a_plain_readout():
    learner = MetaPlasticNetwork([4, 2], hidden_dim=4)
    x, y = torch.eye(4), torch.tensor([0, 0, 1, 1])
    for _ in range(30):
        learner.learn((x, y))
    assert torch.equal(learner.predict(x), y)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"layer_sizes": [4]}, "layer_sizes are unusable"),
        ({"layer_sizes": [4, 0, 2]}, "layer_sizes are unusable"),
        ({"layer_sizes": [4, True, 2]}, "layer_sizes are unusable"),
        ({"layer_sizes": [4, 2], "learning_rate": 0.0}, "learning_rate is out of range"),
        ({"layer_sizes": [4, 2], "active": 1.5}, "active is out of range"),
        ({"layer_sizes": [4, 2], "steps": 0}, "steps is out of range"),
        ({"layer_sizes": [4, 2], "stdp_rule": {"kind": "magic"}}, "unknown plasticity rule"),
        ({"layer_sizes": [4, 2], "stdp_rule": ClassicalSTDP(w_min=-1.0)}, "layer of winners"),
        ({"layer_sizes": [4, 2], "stdp_rule": ClassicalSTDP(w_max=0.2)}, "layer of winners"),
    ],
)
def test_bad_settings_are_refused(options, text):
    with pytest.raises(ConfigError, match=text):
        MetaPlasticNetwork(**options)


def test_its_rule_survives_the_checkpoint(tmp_path):
    rule = ClassicalSTDP(learning_rate=0.02, tau_plus=5.0)
    learner = MetaPlasticNetwork([4, 8, 2], stdp_rule=rule)
    loaded = MetaPlasticNetwork.load(learner.save(tmp_path / "it"))
    assert loaded.layers[0].rule.base_rule == rule
