"""The parts of the scenarios of seeing that can be held against brute force, and quick runs."""

import pytest
import torch

from plasticish.bench import resident, run_scenario, select
from plasticish.bench.features import narrowed
from plasticish.bench.peers import avalanche
from plasticish.bench.peers.sklearn import mlp, sgd
from plasticish.bench.scenario import Context, UnavailableError
from plasticish.bench.see import _common, ablation, curriculum, few_shot, novelty, speed, triarchic
from plasticish.core import make_generator
from plasticish.data import LabelledSet, Source
from plasticish.evaluation import NCM, NaiveSoftmax, signed_sqrt
from plasticish.vision import PlasticBrain, TriarchicBrain


def features(seed=0, n=60, classes=10, width=12):
    g = make_generator(seed)
    y = torch.arange(classes).repeat(n // classes)
    means = 3 * torch.rand(classes, width, generator=make_generator(99))
    x = (means[y] + 0.5 * torch.randn(n, width, generator=g)).relu()
    return LabelledSet(x, y, tuple(f"c{i}" for i in range(classes)), "toy")


def source():
    return Source(features(0), features(1), "toy")


def test_narrowed_keeps_the_last_stages():
    narrow = narrowed(source(), 5)
    assert torch.equal(narrow.train.inputs, source().train.inputs[:, -5:])
    assert narrow.test.labels.tolist() == source().test.labels.tolist()


def test_neighbour_distance_is_one_less_the_mean_cosine_of_the_nearest():
    stored, queries = features(0).inputs, features(1).inputs
    cosines = torch.cosine_similarity(
        signed_sqrt(queries)[:, None], signed_sqrt(stored)[None], dim=2
    )
    expected = 1 - cosines.sort(dim=1, descending=True).values[:, :10].mean(1)
    torch.testing.assert_close(novelty.neighbour_distance(stored, queries), expected)


def test_mahalanobis_is_the_smallest_quadratic_form():
    known = source()
    x, y = signed_sqrt(known.train.inputs).double(), known.train.labels
    means = torch.stack([x[y == c].mean(0) for c in range(10)])
    centred = x - means[y]
    S = centred.T @ centred / len(x)
    S += 0.1 * S.diagonal().mean() * torch.eye(len(S))
    gaps = signed_sqrt(known.test.inputs).double()[:, None] - means[None]
    expected = torch.einsum("ncd,de,nce->nc", gaps, torch.linalg.inv(S), gaps).amin(1)
    torch.testing.assert_close(novelty.mahalanobis(known), expected)


def test_taught_is_one_shuffled_pass_and_a_sleep():
    class Log:
        def __init__(self):
            self.rows, self.slept = [], 0

        def learn(self, batch):
            assert not self.slept
            self.rows.append(batch[0])
            return {}

        def sleep(self):
            self.slept += 1
            return {}

        def predict(self, x):
            return torch.zeros(len(x))

    train = features()
    log = _common.taught(Log(), train, seed=1)
    shown = torch.cat(log.rows)
    assert log.slept == 1
    assert not torch.equal(shown, train.inputs)
    assert sorted(shown.sum(1).tolist()) == sorted(train.inputs.sum(1).tolist())


def test_a_storm_is_the_vehicles_inverted(monkeypatch):
    g = make_generator(0)
    pixels = torch.randint(0, 256, (40, 3, 2, 2), generator=g, dtype=torch.uint8)
    names = tuple(f"c{i}" for i in range(10))
    images = LabelledSet(pixels, torch.arange(10).repeat(4), names, "toy")
    monkeypatch.setattr(curriculum, "cifar10_images", lambda c: Source(images, images, "toy"))
    monkeypatch.setattr(
        curriculum, "seen", lambda c, s: s.map_inputs(lambda x: x.flatten(1).float())
    )
    vehicles, animals, storm = curriculum.storm_phases(Context((0,)))
    assert set(vehicles.train.labels.tolist()) == {0, 1, 8, 9}
    assert set(animals.train.labels.tolist()) == {2, 3, 4, 5, 6, 7}
    assert torch.equal(storm.train.inputs, 255 - vehicles.train.inputs)
    assert torch.equal(storm.test.labels, vehicles.test.labels)
    life = curriculum._live(NaiveSoftmax("zscore"), [vehicles, animals, storm], 1, 0)
    assert set(life) == {metric.name for metric in select(["see/curriculum"])[0].metrics}


class TestTriarchic:
    def sources(self):
        storm = Source(*(features(s).of_classes((2, 3, 4, 5, 6, 7)) for s in (2, 3)), "storm")
        return Source(features(0, n=200), features(1), "toy"), storm

    def test_every_figure_of_the_table(self):
        brain = TriarchicBrain(12, hidden_size=64, sparsity_k=4)
        found = triarchic.Life(brain, *self.sources(), seed=0).live()
        assert set(found) == {metric.name for metric in select(["see/triarchic"])[0].metrics}
        assert found[triarchic.ACTIVE] <= 100 * 4 / 64

    def test_the_figures_are_what_they_are_called(self):
        clear, storm = self.sources()
        life = triarchic.Life(NaiveSoftmax("zscore"), clear, storm, seed=0)
        found = life.live()
        assert set(found) == {
            triarchic.RETENTION,
            triarchic.AFTER_STORM,
            triarchic.ADAPTED,
            triarchic.STORM,
        }
        steps = [-(-rows // 64) for rows in (120, 80, 36)]
        assert len(life.energies) == 3 * steps[0] + 2 * steps[1] + 3 * steps[2]

    def test_energy_is_compared_across_the_edge_of_the_storm(self):
        life = triarchic.Life(TriarchicBrain(12, hidden_size=64, sparsity_k=4), *self.sources(), 0)
        core = life.learner.w_core + 1.0
        life._note_layers(life.learner, core, [9.0] * 5 + [1.0] * 20, [3.0] * 20 + [1.0] * 20)
        assert life.found[triarchic.ENERGY] == 3.0
        assert life.found[triarchic.ENERGY_ALL] == 2.0
        assert life.found[triarchic.CORE] == pytest.approx(100.0)


def test_random_units_keep_number_and_gates():
    rows = features(n=400)
    brain = _common.taught(PlasticBrain(12, 64, 6, num_layers=2), rows, seed=0)
    before = [(block.gate, block.mature, block.units) for block in brain.layers]
    assert before[0][1] > 0
    ablation.randomise(brain, seed=0)
    for (gate, mature, units), block in zip(before, brain.layers, strict=True):
        torch.testing.assert_close(block.gate, gate)
        assert block.mature == mature
        assert not torch.allclose(block.units, units)
        torch.testing.assert_close(block.units @ block.units.T, torch.eye(len(units)))


def test_voters_are_plain_and_power_transformed():
    plain, power = few_shot.VOTERS["NCM"](0), few_shot.VOTERS["NCM, power-transformed"](0)
    assert isinstance(plain, NCM)
    assert isinstance(power.inner, NCM)


def test_gaussian_classes_are_repeatable_and_not_negative():
    rows = speed.gaussian_classes(50, 3)
    assert torch.equal(rows.inputs, speed.gaussian_classes(50, 3).inputs)
    assert float(rows.inputs.amin()) == 0.0
    assert rows.inputs.shape == (50, 1280)


def test_resident_memory_counts_what_is_allocated():
    before, _ = resident.resident_bytes()
    block = torch.ones(30_000_000)
    after, peak = resident.resident_bytes()
    assert 100e6 < after - before < 160e6
    assert peak >= after
    del block


def test_a_failing_measured_process_says_why(monkeypatch):
    with pytest.raises(RuntimeError, match="in_dim"):
        resident.measure(0, 1)


class TestPeers:
    @pytest.mark.parametrize("make", [sgd, mlp])
    def test_partial_fit(self, make):
        train = features(n=400)
        peer = make(10)
        for _ in range(20):
            peer.learn((train.inputs, train.labels))
        assert (peer.predict(train.inputs) == train.labels).float().mean() > 0.5
        assert peer.sleep() == {}

    @pytest.mark.skipif(avalanche.available() is not None, reason="avalanche-lib is not installed")
    def test_avalanche_slda_learns(self):
        train = features(n=400)
        strategy = avalanche.streaming_lda(12, 10, 50)
        avalanche.train(strategy, avalanche.experience(train.inputs, train.labels))
        right = avalanche.predictions(strategy, train.inputs) == train.labels
        assert right.float().mean() > 0.8

    def test_a_missing_peer_is_a_reason(self, monkeypatch):
        monkeypatch.setattr(avalanche, "find_spec", lambda name: None)
        assert avalanche.available() == "avalanche-lib is not installed"


def test_scenarios_without_their_data_say_so(monkeypatch, tmp_path):
    (chosen,) = select(["see/few-shot"])
    with pytest.raises(UnavailableError, match="CIFAR-10 files are not here"):
        run_scenario(chosen, data_root=tmp_path)
