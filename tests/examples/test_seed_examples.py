"""Every example of the four prototypes' documents runs, with the imports of this package.

Their calls stand here argument for argument, on data small enough for a test. The two samples of
the brain's overview are in ``test_samples.py`` as they were printed, its two scripts in
``test_examples.py``, its equations in ``tests/vision/test_triarchic.py``; what became of each name
is in MIGRATION.md.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from plasticish import (
    BCMRule,
    ClassicalSTDP,
    ContinualLearningSTDP,
    ContinualLearningTrainer,
    ConversationalLearner,
    HomeostaticSTDP,
    LiquidSpikingConfig,
    LiquidSpikingNetwork,
    MetaPlasticityController,
    MetaPlasticNetwork,
    PlasticLearnerConfig,
    PlasticMemory,
    ScriptedTeacher,
    STDPLayer,
    TripletSTDP,
    enhanced_layers,
    integrate_meta_plasticity,
    integrate_stdp_into_model,
    update_plasticity,
)
from plasticish.cli import train_course
from plasticish.cli.main import app
from plasticish.core import make_generator
from plasticish.data import (
    BatchLoader,
    CartPole,
    CartPolePhysics,
    Source,
    class_splits,
    few_shot,
    load_digits,
    robotics_tasks,
)

CONFIG = LiquidSpikingConfig.vision(64, 10, units=16, backbone_units=16, steps=4)


@pytest.fixture(autouse=True)
def same_weights() -> Iterator[None]:
    """Modules of torch draw their first weights from the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def digits(per_class: int = 10) -> Source:
    """Some of the digits."""
    whole = load_digits()
    train, test = (
        few_shot(part, per_class, make_generator(0)) for part in (whole.train, whole.test)
    )
    return Source(train, test, "digits")


def loaders(tasks: int = 2) -> tuple[dict[int, BatchLoader], dict[int, BatchLoader]]:
    """Training and validation loaders of pairs of digits."""
    chosen = dict(enumerate(class_splits(digits())[:tasks]))
    train = {i: BatchLoader(task.train, 5, seed=0) for i, task in chosen.items()}
    return train, {i: BatchLoader(task.test, 64) for i, task in chosen.items()}


def spikes(*shape: int, rate: float = 0.1) -> Tensor:
    """Spikes, 0 or 1."""
    return (torch.rand(*shape, generator=make_generator(0)) < rate).float()


# ------------------------------------------------------- the brain's overview


def test_overview_imports() -> None:
    command = "from plasticish import PlasticBrain, PlasticTrainer; print('Library works!')"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "Library works!\n"), done.stderr


# ----------------------------------------------------- the memory constructor


def test_memory_learns_the_first_names_and_goes_on() -> None:
    """The demo: forty names with marks of start and end, asked for the rest of a prefix."""
    from plasticish.data import load_first_names

    memory = PlasticMemory()
    for name in load_first_names()[:40]:
        memory.learn(f">{name}_")
    answer = memory.infer(">r", stop_token="_")
    assert answer.startswith(">r")
    assert "<svg" in memory.visualize(with_counts=True, with_r_levels=True).svg
    assert "<svg" in memory.visualize_activation(">mary_").svg


# --------------------------------------------------- the guide: three steps


def test_guide_step_2_plasticity_in_a_model() -> None:
    model = LiquidSpikingNetwork(CONFIG)
    model = integrate_stdp_into_model(model, stdp_type="homeostatic", learning_rate=0.01)
    model = integrate_meta_plasticity(model, meta_lr=0.001)
    assert enhanced_layers(model)
    model(torch.rand(4, 64))
    assert update_plasticity(model, performance=0.5, loss=1.0)


def test_guide_steps_2_and_3_continual_learning() -> None:
    task_loaders, val_loaders = loaders()
    model = LiquidSpikingNetwork(CONFIG)
    optimizer, criterion = torch.optim.Adam(model.parameters(), lr=5e-3), nn.CrossEntropyLoss()
    trainer = ContinualLearningTrainer(
        model=model,
        consolidation_strength=1000.0,
        use_experience_replay=True,
        use_meta_plasticity=True,
    )
    for task_id in range(2):
        trainer.train_on_task(
            task_id=task_id,
            train_loader=task_loaders[task_id],
            val_loader=val_loaders[task_id],
            num_epochs=5,
            optimizer=optimizer,
            criterion=criterion,
        )
    results, avg_acc, avg_forgetting = trainer.evaluate_all_tasks(
        task_dataloaders=val_loaders, criterion=criterion
    )
    assert results.keys() == {0, 1}
    assert avg_acc > 0.5  # chance is a quarter
    assert -1 <= avg_forgetting < 0.5


# ------------------------------------------------- the guide: three examples


def test_guide_example_1_layer() -> None:
    stdp_rule = HomeostaticSTDP(learning_rate=0.01, target_rate=0.1)
    layer = STDPLayer(in_features=256, out_features=128, stdp_rule=stdp_rule)
    before = layer.weight.clone()
    report = layer.update_weights_stdp(spikes(32, 100, 256), spikes(32, 100, 128), dt=1.0)
    assert report["changed"] > 0
    assert not torch.equal(layer.weight, before)


def test_guide_example_1_as_printed_with_noise_for_spikes() -> None:
    """The guide feeds ``torch.randn``: graded events of both signs. It runs, and means nothing."""
    layer = STDPLayer(in_features=256, out_features=128, stdp_rule=HomeostaticSTDP())
    pre_spikes = torch.randn(32, 100, 256, generator=make_generator(0))
    post_spikes = torch.randn(32, 100, 128, generator=make_generator(1))
    layer.update_weights_stdp(pre_spikes, post_spikes, dt=1.0)
    assert bool(layer.weight.isfinite().all())


def test_guide_example_2_meta_plastic_network() -> None:
    sizes = [784, 512, 256, 128, 10]
    network = MetaPlasticNetwork(layer_sizes=sizes, meta_lr=0.001, history_length=100)
    layer_activities = [(spikes(4, 10, pre), spikes(4, 10, post)) for pre, post in pairwise(sizes)]
    for current_accuracy, current_loss in ((0.1, 2.3), (0.2, 2.0), (0.4, 1.5)):
        report = network.update_meta_plasticity(
            layer_activities=layer_activities, performance=current_accuracy, loss=current_loss
        )
    assert len(report["layers"]) == 4
    assert all(layer["changed"] > 0 for layer in report["layers"])


def test_guide_example_3_several_tasks() -> None:
    your_model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer, criterion = torch.optim.Adam(your_model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    trainer = ContinualLearningTrainer(
        model=your_model,
        consolidation_strength=1000.0,
        use_experience_replay=True,
        replay_buffer_size=1000,
        use_meta_plasticity=True,
    )
    train, val = loaders(3)
    tasks = [(train[i], val[i]) for i in range(3)]
    for task_id, (train_loader, val_loader) in enumerate(tasks):
        accuracy = trainer.train_on_task(
            task_id=task_id,
            train_loader=train_loader,
            val_loader=val_loader,
            num_epochs=10,
            optimizer=optimizer,
            criterion=criterion,
        )
        assert accuracy > 0.5
    all_val_loaders = {i: val for i, (_, val) in enumerate(tasks)}
    _results, avg_acc, forgetting = trainer.evaluate_all_tasks(all_val_loaders, criterion)
    assert avg_acc > 0.6
    assert forgetting < 0.4


# -------------------------------------------------- the guide: configurations


def test_guide_custom_rule() -> None:
    stdp = HomeostaticSTDP(
        learning_rate=0.015,
        tau_plus=25.0,
        tau_minus=25.0,
        a_plus=0.008,
        a_minus=0.0084,
        target_rate=0.15,
        homeostatic_rate=0.002,
        w_min=0.0,
        w_max=1.0,
    )
    layer = STDPLayer(8, 4, stdp)
    layer.update_weights_stdp(spikes(2, 50, 8), spikes(2, 50, 4))
    assert 0 <= float(layer.weight.min()) <= float(layer.weight.max()) <= 1


@pytest.mark.parametrize(
    "settings",
    [
        {"num_layers": 6, "hidden_dim": 256, "history_length": 200, "meta_lr": 0.0005},
        {"hidden_dim": 64, "history_length": 50},  # one layer, as none are named
    ],
)
def test_guide_custom_controller(settings: dict[str, Any]) -> None:
    meta_controller = MetaPlasticityController(**settings)
    layers = settings.get("num_layers", 1)
    factors = meta_controller.observe(torch.ones(layers), performance=0.5, loss=1.0)
    assert factors.learning_rate.shape == (layers,)


def test_guide_custom_consolidation() -> None:
    model, (task_loader, *_) = nn.Linear(64, 10), loaders()[0].values()
    continual_system = ContinualLearningSTDP(
        model=model,
        consolidation_strength=5000.0,
        plasticity_decay=0.95,
        importance_update_rate=0.05,
        use_meta_plasticity=True,
    )
    for batch in task_loader:
        continual_system.learn(batch)
    for num_samples in (2000, 5000, 500):  # also of "better estimate" and "less memory"
        importance = continual_system.compute_parameter_importance(
            dataloader=task_loader, num_samples=num_samples
        )
        assert importance["weight"].shape == (10, 64)
        assert float(importance["weight"].sum()) > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"consolidation_strength": 10000.0, "replay_buffer_size": 5000},  # stronger protection
        {"consolidation_strength": 500.0, "use_meta_plasticity": True},  # more plastic
        {"replay_buffer_size": 500, "use_experience_replay": False},  # less memory
    ],
    ids=["still forgetting", "cannot learn", "out of memory"],
)
def test_guide_troubleshooting_trainers(settings: dict[str, Any]) -> None:
    model = nn.Linear(64, 10)
    trainer = ContinualLearningTrainer(model=model, **settings)
    optimizer, criterion = torch.optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss()
    train, val = loaders()
    assert trainer.train_on_task(0, train[0], val[0], 5, optimizer, criterion) > 0.8
    kept = len(trainer.learner.buffer)
    assert kept == (0 if settings.get("use_experience_replay") is False else 20)


def test_guide_troubleshooting_too_slow() -> None:
    model = LiquidSpikingNetwork(CONFIG)
    integrate_stdp_into_model(model, stdp_type="classical", layers_to_enhance=["hybrid_block"])
    assert all(name.startswith("hybrid_block") for name in enhanced_layers(model))


@pytest.mark.parametrize("rule", [ClassicalSTDP, TripletSTDP, HomeostaticSTDP, BCMRule])
def test_guide_every_rule_changes_a_layer(rule: Any) -> None:
    layer = STDPLayer(8, 4, stdp_rule=rule(learning_rate=0.05))
    report = layer.update_weights_stdp(spikes(4, 100, 8), spikes(4, 100, 4))
    assert report["changed"] > 0


# ------------------------------------------------------- the guide: commands

COMMANDS = {
    "STDP only": "train --task llm --epochs 50 --use-stdp --stdp-type homeostatic "
    "--stdp-learning-rate 0.01",
    "meta-plasticity only": "train --task vision --epochs 30 --use-meta-plasticity --meta-lr 0.001",
    "everything": "train --task robotics --epochs 100 --continual-learning --use-stdp "
    "--stdp-type homeostatic --use-meta-plasticity --meta-lr 0.001 --consolidation-strength 1000 "
    "--use-replay --replay-buffer-size 2000",
    "best for language": "train --task llm --epochs 100 --continual-learning --use-stdp "
    "--stdp-type triplet --use-meta-plasticity --consolidation-strength 2000",
    "best for vision": "train --task vision --epochs 50 --continual-learning --use-stdp "
    "--stdp-type homeostatic --consolidation-strength 5000 --use-replay",
    "best for robots": "train --task robotics --epochs 80 --continual-learning "
    "--use-meta-plasticity --use-replay --replay-buffer-size 2000",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_guide_command(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all its flags; one epoch of little data in a small network."""
    if "robotics" in command:
        pytest.importorskip("gymnasium", reason="the extra `robotics` is not installed")
    sizes = {"units": 8, "backbone_units": 8}
    for name, network in train_course.NETWORKS.items():
        small = sizes | ({"steps": 2} if "steps" in network else {})
        monkeypatch.setitem(train_course.NETWORKS, name, small)
    monkeypatch.setattr(train_course, "load_digits", lambda seed: digits(5))
    few = {"WINDOWS": 40, "EPISODES": 1, "TRIALS": 2, "TOPICS": ("ai", "coding")}
    for name, value in few.items():
        monkeypatch.setattr(train_course, name, value)
    carts = {"standard": CartPole(), "crane": CartPole(CartPolePhysics(gravity=-9.8))}
    monkeypatch.setattr(  # seconds instead of the pendulum's minute
        train_course, "robotics_tasks", lambda _, **options: robotics_tasks(carts, **options)
    )
    # The pictures are looked at elsewhere, and take most of the time.
    monkeypatch.setattr("plasticish.cli.training.draw", lambda *given: None)
    words = shlex.split(re.sub(r"--epochs \d+", "--epochs 1", command))
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run"), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["learners"].keys() == {"with", "without"}


# --------------------------------------------------------------- the talker


def test_talker_configuration_and_session(tmp_path: Path) -> None:
    """The example session: a teacher speaks, the learner answers, signals are told, it sleeps."""
    config = PlasticLearnerConfig(
        n_neurons=14173,
        vocab_size=800,
        initial_connectivity=0.08,
        plasticity_rate=0.01,
        teacher_api_url="http://localhost:1234/v1/chat/completions",
    )
    teacher = ScriptedTeacher(
        [("hi there", "hi"), ("how are you?", "good"), ("what is your name?", "my name is baby")]
    )
    learner = ConversationalLearner(config)
    patterns = []
    with learner.start_conversation(teacher, tmp_path / "memory"):
        for said in ("hi there", "how are you?", "what is your name?"):
            response = learner.process_input_and_respond(said)
            patterns.append(response.patterns)
            assert response.signals.novelty > 0.5
            assert 0 <= response.signals.attention <= 1
            assert 0 <= response.signals.fatigue < 1
        learner.provide_feedback(reward=1.0)
        learner.sleep()
        assert learner.process_input_and_respond("how are you?").reply == "good"
    assert patterns == sorted(patterns)
    assert patterns[0] > 0
    stats = learner.get_learning_stats()
    assert all(isinstance(value, int | float | str | bool) for value in stats.values())
