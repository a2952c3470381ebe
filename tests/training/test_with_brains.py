"""The real brains through the trainers: the scripts of the documentation, stopped and resumed."""

from __future__ import annotations

import os
import signal

import pytest
import torch

from plasticish.data import BatchLoader, class_splits, load_digits
from plasticish.training import (
    Callback,
    PhaseConfig,
    PlasticTrainer,
    TriarchicTrainer,
    invert_tensor,
    resume,
)
from plasticish.vision import PlasticBrain, TriarchicBrain


class StopAt(Callback):
    def __init__(self, step):
        self.step = step

    def on_step(self, trainer, report):
        if len(trainer.history) == self.step:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(scope="module")
def digits():
    return load_digits()


def loaders(source):
    first, second = class_splits(source, classes_per_task=5)
    return {
        "train_vehicles": BatchLoader(first.train, 64, seed=0),
        "train_animals": BatchLoader(second.train, 64, seed=0),
        "test_mixed": BatchLoader(source.test, 128),
    }


def plastic_brain():
    return PlasticBrain(
        in_dim=64, hidden_dim=128, sparsity_k=16, num_layers=2, memory_size=2000, expansion=128
    )


def plastic_phases(loaders):
    return [
        PhaseConfig(
            "Vehicles", 2, loaders["train_vehicles"], mode="plastic", consolidate_after=True
        ),
        PhaseConfig("Animals", 1, loaders["train_animals"], mode="plastic", consolidate_after=True),
        PhaseConfig(
            "Storm", 1, loaders["train_vehicles"], mode="panic", transform_fn=invert_tensor
        ),
    ]


def assert_same(one, other):
    assert one.history == other.history
    was, now = one.brain.export_state(), other.brain.export_state()
    assert was.values == now.values
    assert was.tensors.keys() == now.tensors.keys()
    for name, tensor in was.tensors.items():
        assert torch.equal(tensor, now.tensors[name]), name


def test_a_plastic_brain_learns_keeps_and_resumes(digits, tmp_path):
    data = loaders(digits)

    def make(**options):
        return PlasticTrainer(
            plastic_brain(),
            plastic_phases(data),
            eval_loaders={"test": data["test_mixed"]},
            device="cpu",
            **options,
        )

    whole = make()
    history = whole.train()
    assert history.eval_accuracy["test"][-1] > 0.9
    assert 0 < history.memory_fill[-1] <= 1
    assert whole.get_summary()["phases"][0]["retention"] > 0.9
    for step in (4, 25):
        folder = tmp_path / str(step)
        assert make(run_folder=folder, callbacks=[StopAt(step)]).train().interrupted
        trainer = resume(folder, plastic_phases(data), {"test": data["test_mixed"]})
        trainer.train()
        assert_same(trainer, whole)
    again = PlasticBrain.load(tmp_path / "4" / "brain")
    assert torch.equal(again.predict(digits.test.inputs), whole.brain.predict(digits.test.inputs))
    whole.plot_results(tmp_path / "results.png")


def test_a_triarchic_brain_learns_and_resumes(digits, tmp_path):
    data = loaders(digits)
    phases = [
        PhaseConfig("Animals", 3, data["train_animals"]),
        PhaseConfig("Vehicles", 2, data["train_vehicles"]),
        PhaseConfig("Storm", 3, data["train_animals"], transform_fn=invert_tensor),
    ]

    def make(**options):
        brain = TriarchicBrain(64, 512, 10, 16, device="cpu")
        return TriarchicTrainer(brain, None, phases, data["test_mixed"], device="cpu", **options)

    whole = make(eval_every=20)
    history = whole.train()
    assert max(history.context_energy) > 0
    make(eval_every=20, run_folder=tmp_path / "run", callbacks=[StopAt(33)]).train()
    trainer = resume(tmp_path / "run", phases, {"memory": data["test_mixed"]})
    trainer.train()
    assert_same(trainer, whole)
    whole.plot_results(tmp_path / "results.png")
