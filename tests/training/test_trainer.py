"""Curricula run as written: phases, modes, transforms, evaluations, summary, figure."""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from plasticish.core import ConfigError, DataError
from plasticish.training import (
    Callback,
    PhaseConfig,
    PlasticTrainer,
    TrainingHistory,
    TransformedLoader,
    TriarchicTrainer,
    invert_colors,
)

from .fake import FakeBrain, batched, clusters


def loader(classes, seed=0, rows=48, batch=8):
    return DataLoader(TensorDataset(*clusters(classes, rows, seed=seed)), batch, shuffle=True)


def curriculum():
    return [
        PhaseConfig("Vehicles", 3, loader([0, 1]), mode="plastic", consolidate_after=True),
        PhaseConfig("Animals", 2, loader([2, 3], 1), mode="plastic", consolidate_after=True),
        PhaseConfig("Storm", 1, loader([0, 1], 2), mode="panic"),
    ]


def test_a_curriculum_runs_as_written():
    brain = FakeBrain()
    trainer = PlasticTrainer(
        brain, curriculum(), eval_loaders={"test": loader([0, 1, 2, 3], 9)}, device="cpu"
    )
    history = trainer.train()
    assert history.boundaries == [18, 30, 36]
    assert history.steps == list(range(1, 37))
    assert brain.modes == ["plastic"] * 30 + ["panic"] * 6
    assert (brain.consolidated, brain.slept) == (2, 3)
    assert int(brain.counts.sum()) == 36 * 8
    assert math.isnan(history.accuracy[0])
    assert not history.interrupted
    assert history.mature[-1] == 0.5


def test_the_matrix_follows_loaders_named_like_the_phases():
    evals = {"test_storm": loader([2], 3), "vehicles": loader([0, 1], 4), "Animals": loader([2], 5)}
    brain = FakeBrain()
    history = PlasticTrainer(brain, curriculum(), evals).train()
    matrix = history.accuracy_matrix
    assert matrix.shape == (3, 3)
    assert matrix[0, 1] == 0.0  # animals cannot be known before they are met
    expected = [history.eval_accuracy[n] for n in ("vehicles", "Animals", "test_storm")]
    assert torch.equal(matrix, torch.tensor(expected).T)


def test_the_matrix_falls_back_to_the_classes_of_each_phase():
    x, y = clusters([0, 1, 2, 3], 80, seed=9)
    test = [(x, y)]
    brain = FakeBrain()
    history = PlasticTrainer(brain, curriculum(), {"test": test}).train()
    hits = (brain.predict(x) == y).double()
    by_class = [float(hits[y == c].mean()) for c in range(4)]
    now = history.accuracy_matrix[-1].tolist()
    assert now == pytest.approx(
        [(by_class[0] + by_class[1]) / 2, (by_class[2] + by_class[3]) / 2, now[0]]
    )


def test_summary_states_as_learned_and_now():
    evals = {"Vehicles": loader([0, 1], 4), "Animals": loader([2, 3], 5), "Storm": loader([0], 5)}
    trainer = PlasticTrainer(FakeBrain(), curriculum(), evals)
    matrix = trainer.train().accuracy_matrix
    summary = trainer.get_summary()
    first = summary["phases"][0]
    assert first["as_learned"] == pytest.approx(float(matrix[0, 0]))
    assert first["now"] == pytest.approx(float(matrix[2, 0]))
    assert first["retention"] == pytest.approx(float(matrix[2, 0] / matrix[0, 0]))
    assert summary["average_accuracy"] == pytest.approx(float(matrix[2].mean()))
    assert summary["examples"] == 36 * 8
    assert summary["steps"] == 36


def test_without_evaluation_the_summary_has_the_online_accuracy_only():
    trainer = PlasticTrainer(FakeBrain(), curriculum())
    trainer.train()
    summary = trainer.get_summary()
    assert summary["average_accuracy"] is None
    assert summary["phases"][0]["as_learned"] is None
    assert 0.5 < summary["phases"][0]["online"] <= 1.0


def test_one_task_has_no_forgetting():
    trainer = PlasticTrainer(FakeBrain(), curriculum()[:1], loader([0, 1], 4))
    trainer.train()
    assert trainer.get_summary()["forgetting"] is None
    assert trainer.get_summary()["average_accuracy"] > 0.5


def test_transforms_see_images_as_floats_whatever_came():
    images = torch.zeros(6, 3, 4, 4, dtype=torch.uint8)
    images[:, 0, 0, :2] = 255
    seen = []

    class Looker(FakeBrain):
        def train_step(self, x, y, mode="plastic", memorize=True):
            seen.append(x)
            return super().train_step(x, y, mode, memorize)

    batches = [(images, torch.tensor([0, 1, 0, 1, 0, 1]))]
    phase = PhaseConfig("Storm", 1, batches, transform_fn=invert_colors)
    PlasticTrainer(Looker(), [phase]).train()
    assert torch.equal(seen[0], 1 - images.float() / 255)


def test_inference_phases_learn_nothing():
    brain = FakeBrain()
    phases = [curriculum()[0], PhaseConfig("Look", 1, loader([2, 3], 1), mode="inference")]
    PlasticTrainer(brain, phases).train()
    assert brain.counts[2:].sum() == 0


def test_the_order_depends_on_the_seed_alone():
    def run(seed, noise):
        torch.manual_seed(noise)
        brain = FakeBrain()
        history = PlasticTrainer(brain, curriculum(), loader([0], 3), seed=seed).train()
        return history, brain.sums

    (one, a), (two, b), (other, c) = run(0, 1), run(0, 2), run(1, 1)
    assert one == two
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert one != other


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    PlasticTrainer(FakeBrain(), curriculum(), loader([0], 3)).train()
    assert torch.equal(before, torch.random.get_rng_state())


def test_eval_every_adds_looks_within_a_phase():
    history = PlasticTrainer(FakeBrain(), curriculum(), loader([0, 1], 4), eval_every=5).train()
    within = [e.step for e in history.evaluations if not e.phase_end]
    assert within == list(range(5, 37, 5))
    assert len(history.eval_accuracy["test"]) == 3


def test_callbacks_are_told_in_order():
    told = []

    class Spy(Callback):
        def on_train_start(self, trainer):
            told.append("start")

        def on_step(self, trainer, report):
            assert "accuracy" in report

        def on_phase_end(self, trainer, phase, evaluation):
            told.append((phase.name, evaluation.step))

        def on_train_end(self, trainer, history):
            told.append("end")

    PlasticTrainer(FakeBrain(), curriculum(), callbacks=[Spy()]).train()
    assert told == ["start", ("Vehicles", 18), ("Animals", 30), ("Storm", 36), "end"]


def test_a_finished_trainer_has_nothing_left_to_do():
    brain = FakeBrain()
    trainer = PlasticTrainer(brain, curriculum())
    first = len(trainer.train())
    assert len(trainer.train()) == first


def test_triarchic_sees_through_the_eyes_it_is_given():
    looked = []

    def eyes(images):
        looked.append(tuple(images.shape))
        return images.flatten(1)[:, :8]

    images, y = torch.rand(12, 3, 4, 4), torch.arange(12) % 2
    batches = batched(images, y, 4)
    phases = [
        PhaseConfig("Animals", 2, batches),
        PhaseConfig("Storm", 1, batches, transform_fn=invert_colors),
    ]
    brain = FakeBrain()
    trainer = TriarchicTrainer(brain, eyes, phases, batched(images, y, 6), device="cpu")
    history = trainer.train()
    assert list(history.eval_accuracy) == ["memory"]
    assert looked.count((4, 3, 4, 4)) == 9
    assert looked.count((6, 3, 4, 4)) == 4
    assert brain.slept == 0
    storm = TransformedLoader(batches, invert_colors)
    assert torch.allclose(next(iter(storm))[0].mean(), torch.tensor(0.5), atol=0.2)


def test_triarchic_learns_features_without_eyes_and_refuses_images():
    phases = [PhaseConfig("A", 1, loader([0, 1]))]
    assert len(TriarchicTrainer(FakeBrain(), None, phases, None).train()) == 6
    images = [(torch.rand(2, 3, 4, 4), torch.tensor([0, 1]))]
    with pytest.raises(ConfigError, match="no eyes"):
        TriarchicTrainer(FakeBrain(), None, [PhaseConfig("A", 1, images)], None).train()
    with pytest.raises(ConfigError, match="no panic mode"):
        TriarchicTrainer(FakeBrain(), None, [PhaseConfig("A", 1, images, mode="panic")], None)


def test_results_are_drawn_and_written(tmp_path):
    trainer = PlasticTrainer(FakeBrain(), curriculum(), loader([0, 1, 2, 3], 9))
    trainer.train()
    figure = trainer.plot_results(tmp_path / "deep" / "results.png")
    assert (tmp_path / "deep" / "results.png").read_bytes().startswith(b"\x89PNG")
    assert type(figure).__name__ == "Figure"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "no name"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"mode": "calm"}, "unknown mode.*plastic, panic, inference"),
        ({"loader": iter([])}, "spent after one pass"),
    ],
)
def test_bad_phases_are_refused(arguments, message):
    good = {"name": "A", "epochs": 1, "loader": []}
    with pytest.raises(ConfigError, match=message):
        PhaseConfig(**{**good, **arguments})


def test_bad_curricula_and_loaders_are_refused():
    one = curriculum()[0]
    with pytest.raises(ConfigError, match="empty"):
        PlasticTrainer(FakeBrain(), [])
    with pytest.raises(ConfigError, match="one name"):
        PlasticTrainer(FakeBrain(), [one, one])
    with pytest.raises(ConfigError, match="gone through again"):
        PlasticTrainer(FakeBrain(), [one], {"test": iter([])})
    with pytest.raises(ConfigError, match="eval_every"):
        PlasticTrainer(FakeBrain(), [one], eval_every=0)
    with pytest.raises(DataError, match="no batches"):
        PlasticTrainer(FakeBrain(), [PhaseConfig("A", 1, [])]).train()
    with pytest.raises(DataError, match="not a pair"):
        PlasticTrainer(FakeBrain(), [PhaseConfig("A", 1, [torch.zeros(3)])]).train()


def test_history_survives_json(tmp_path):
    history = PlasticTrainer(FakeBrain(), curriculum(), loader([0, 1], 4)).train()
    again = TrainingHistory.load(history.save(tmp_path / "history.json"))
    assert again == history
    assert again.elapsed_s == history.elapsed_s
    assert math.isnan(again.accuracy[0])
    again.series["accuracy"][3] += 1e-9
    assert again != history
