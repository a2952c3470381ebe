"""``plasticish train`` on the bundled digits: run, reported, stopped, resumed, refused."""

from __future__ import annotations

import json
import math
import os
import signal
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from plasticish.cli import train_course, train_report
from plasticish.cli.train_config import TrainConfig
from plasticish.core import make_generator
from plasticish.data import (
    CartPole,
    CartPolePhysics,
    LabelledSet,
    Source,
    few_shot,
    load_digits,
    robotics_tasks,
)
from plasticish.metrics import average_accuracy, backward_transfer, forgetting, forward_transfer
from plasticish.spiking.integration import enhanced_layers
from plasticish.spiking.network import LiquidSpikingNetwork
from plasticish.training.continual import ContinualLearningTrainer
from plasticish.training.task_stream import TaskStream

FILES = {"config.json", "metrics.json", "accuracy_matrix.png", "learning_curves.png", "checkpoint"}
EPOCHS = 5
PAIRS = ["0+1", "2+3", "4+5", "6+7", "8+9"]


@pytest.fixture(autouse=True, scope="module")
def small():
    """Some of the digits and a small network; everything else as people have it."""
    whole = load_digits()
    train, test = (few_shot(part, 30, make_generator(0)) for part in (whole.train, whole.test))
    network = {"units": 16, "backbone_units": 16, "steps": 4}
    patch = pytest.MonkeyPatch()
    patch.setattr(train_course, "load_digits", lambda seed: Source(train, test, "digits"))
    patch.setitem(train_course.NETWORKS, "digits", network)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def finished(plasticish, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    done = plasticish("train", "--epochs", EPOCHS, "--out", folder, "--json")
    assert done.code == 0, done.err
    return SimpleNamespace(folder=folder, report=json.loads(done.out), err=done.err)


def matrix(report, who):
    rows = report["learners"][who]["R"]
    return torch.tensor([[math.nan if v is None else v for v in row] for row in rows]).double()


def test_continual_learning_keeps_what_the_naive_network_forgets(finished):
    ours, naive = (matrix(finished.report, who)[-1, :-1].mean() for who in ("with", "without"))
    assert ours > naive + 0.25


def test_the_numbers_follow_from_the_matrices(finished):
    assert finished.report["tasks"] == PAIRS
    for who, learner in finished.report["learners"].items():
        R = matrix(finished.report, who)
        assert learner["average_accuracy"] == pytest.approx(average_accuracy(R))
        assert learner["forgetting"] == pytest.approx(forgetting(R))
        assert learner["backward_transfer"] == pytest.approx(backward_transfer(R))
        fwt = forward_transfer(R, learner["untrained"])
        assert learner["forward_transfer"] == pytest.approx(fwt)
        assert bool(R.tril().isfinite().all())


def test_json_is_alone_on_stdout_and_has_its_fields(finished):
    assert finished.err == ""
    report = finished.report
    assert report["run"] == str(finished.folder)
    assert report.keys() == {
        *("run", "format", "format_version", "title", "measure", "mode", "tasks", "epochs"),
        *("examples", "buffer", "seed", "learners"),
    }
    assert (report["mode"], report["examples"], report["buffer"]) == ("class", 300, 200)
    assert report["learners"].keys() == {"with", "without"}
    written = json.loads((finished.folder / "metrics.json").read_text())
    assert {**written, "run": str(finished.folder)} == report


def test_the_folder_holds_everything_and_nothing_else(finished):
    assert {p.name for p in finished.folder.iterdir() if p.name[0] != "."} == FILES
    for name in ("accuracy_matrix.png", "learning_curves.png"):
        with Image.open(finished.folder / name) as picture:
            assert picture.size > (1000, 500)
    config = json.loads((finished.folder / "config.json").read_text())
    assert (config["task"], config["epochs"], config["replay_buffer_size"]) == (
        "vision",
        EPOCHS,
        200,
    )


def test_the_checkpoint_is_the_network_that_was_reported(finished):
    config = TrainConfig.load(finished.folder)
    course = train_course.make_course(config)
    model = LiquidSpikingNetwork(course.network)
    trainer = ContinualLearningTrainer.resume(finished.folder, model)
    exams = {lesson.name: lesson.val for lesson in course.lessons}
    _, average, _ = trainer.evaluate_all_tasks(exams, torch.nn.CrossEntropyLoss())
    assert average == pytest.approx(finished.report["learners"]["with"]["average_accuracy"])


def test_a_finished_run_is_reported_again(plasticish, finished):
    done = plasticish("train", "--resume", finished.folder)
    assert done.code == 0
    assert "finished already" in done.err
    assert all(pair in done.out for pair in PAIRS)
    assert "With continual learning" in done.out
    assert "Without, the same network on the same batches: " in done.out
    for command in (("train", "--resume"), ("resume",)):
        again = plasticish(*command, finished.folder, "--json")
        assert json.loads(again.out) == finished.report


@pytest.mark.parametrize("step", [17, 70])
def test_ctrl_c_says_how_to_go_on_and_resume_ends_the_same(
    plasticish, finished, tmp_path, monkeypatch, step
):
    folder, taken, one_step = tmp_path / "my run", [], TaskStream._step

    def counted(self, *arguments):
        taken.append(1)
        if len(taken) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return one_step(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(TaskStream, "_step", counted)
        done = plasticish("train", "--epochs", EPOCHS, "--out", folder)
    assert done.code == 130
    assert done.out == ""
    assert f"plasticish: stopped; go on with: plasticish train --resume '{folder}'" in done.err
    assert len(taken) == step
    assert not (folder / "metrics.json").exists()
    resumed = plasticish("train", "--resume", folder, "--json")
    assert resumed.code == 0, resumed.err
    assert comparable(json.loads(resumed.out)) == comparable(finished.report)
    assert {p.name for p in folder.iterdir() if p.name[0] != "."} == FILES


def comparable(report):
    learners = {who: {**values, "seconds": 0} for who, values in report["learners"].items()}
    return {**report, "learners": learners, "run": ""}


def test_naive_trains_one_network_only(plasticish, finished, tmp_path):
    out = tmp_path / "naive"
    done = plasticish("train", "--naive", "--epochs", EPOCHS, "--out", out, "--json")
    report = json.loads(done.out)
    assert report["learners"].keys() == {"without"}
    assert report["learners"]["without"]["R"] == finished.report["learners"]["without"]["R"]
    assert report["buffer"] is None


def test_plasticity_is_switched_on_in_the_protected_network_alone(
    plasticish, tmp_path, monkeypatch
):
    seen, finish = [], train_report.make_report

    def spied(config, course, runs):
        seen.extend((who, run) for who, run in runs.items())
        return finish(config, course, runs)

    monkeypatch.setattr("plasticish.cli.training.make_report", spied)
    options = ("--use-stdp", "--stdp-type", "triplet", "--stdp-learning-rate", 0.001)
    meta = ("--use-meta-plasticity", "--meta-lr", 0.002)
    done = plasticish("train", "--epochs", 1, *options, *meta, "--out", tmp_path / "r", "--json")
    assert done.code == 0, done.err
    runs = dict(seen)
    assert enhanced_layers(runs["with"].model) == ["hybrid_blocks.0.synapse"]
    assert enhanced_layers(runs["without"].model) == []
    assert runs["with"].learner.meta.controller.meta_lr == 0.002
    assert runs["without"].learner.meta is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--epochs", 0), "epochs is out of range: got 0"),
        (("--replay-buffer-size", 0), "replay_buffer_size is out of range: got 0"),
        (("--consolidation-strength", -1), "consolidation_strength is out of range"),
        (("--use-stdp", "--stdp-learning-rate", -1), "stdp_learning_rate is out of range"),
        (("--meta-lr", 0), "meta_lr is out of range"),
        (("--seed", -1), "seed is not usable"),
    ],
)
def test_bad_options_leave_no_folder(plasticish, tmp_path, options, message):
    done = plasticish("train", *options, "--out", tmp_path / "run")
    assert done.code == 2
    assert done.err.startswith("plasticish: ")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_folders_of_something_else_are_refused(plasticish, finished, tmp_path):
    (tmp_path / "thesis.tex").write_text("all my work")
    done = plasticish("train", "--out", tmp_path)
    assert done.code == 2
    assert "holds something else: got thesis.tex" in done.err
    done = plasticish("train", "--out", tmp_path, "--force")
    assert done.code == 2
    assert (tmp_path / "thesis.tex").read_text() == "all my work"
    other = tmp_path / "learned"
    other.mkdir()
    (other / "config.json").write_text('{"format": "plasticish-run"}')  # of `plasticish learn`
    done = plasticish("train", "--out", other, "--force")
    assert "holds something else" in done.err
    done = plasticish("train", "--out", finished.folder)
    assert "holds a run already. Go on with it (plasticish train --resume" in done.err
    done = plasticish("train", "--out", tmp_path / "thesis.tex")
    assert "is a file" in done.err
    done = plasticish("train", "--resume", other)
    assert "foreign folder" in done.err
    done = plasticish("train", "--resume", tmp_path)
    assert "is not a run folder" in done.err


def test_resume_takes_no_option_that_says_something_else(plasticish, finished):
    done = plasticish("train", "--resume", finished.folder, "--epochs", 9)
    assert done.code == 2
    assert "goes on as it was begun: got epochs 9, expected 5" in done.err
    assert plasticish("train", "--resume", finished.folder, "--epochs", EPOCHS, "--json").code == 0


def test_a_damaged_run_is_named(plasticish, finished, tmp_path):
    (tmp_path / "config.json").write_bytes((finished.folder / "config.json").read_bytes())
    (tmp_path / "metrics.json").write_text("{")
    done = plasticish("train", "--resume", tmp_path)
    assert done.code == 2
    assert "metrics.json is no JSON" in done.err


SEEDS_COMMANDS = {
    "--task llm --epochs 50 --use-stdp --stdp-type homeostatic --stdp-learning-rate 0.01": {
        "task": "llm",
        "epochs": 50,
        "use_stdp": True,
        "stdp_type": "homeostatic",
        "stdp_learning_rate": 0.01,
        "replay_buffer_size": 1000,
    },
    "--task vision --epochs 30 --use-meta-plasticity --meta-lr 0.001": {
        "task": "vision",
        "epochs": 30,
        "use_meta_plasticity": True,
        "meta_lr": 0.001,
        "use_stdp": False,
    },
    "--task robotics --epochs 100 --continual-learning --use-stdp --stdp-type homeostatic "
    "--use-meta-plasticity --meta-lr 0.001 --consolidation-strength 1000 --use-replay "
    "--replay-buffer-size 2000": {
        "task": "robotics",
        "epochs": 100,
        "continual_learning": True,
        "use_meta_plasticity": True,
        "consolidation_strength": 1000.0,
        "use_replay": True,
        "replay_buffer_size": 2000,
    },
}


@pytest.mark.parametrize("command", SEEDS_COMMANDS)
def test_the_commands_of_the_guide_mean_what_they_say(plasticish, tmp_path, monkeypatch, command):
    begun = []
    monkeypatch.setattr("plasticish.cli.training.finish", lambda *given: begun.append(given))
    done = plasticish("train", *command.split(), "--out", tmp_path / "run")
    assert done.code == 0, done.err
    folder, config, _ = begun[0]
    assert TrainConfig.load(folder) == config
    wanted = SEEDS_COMMANDS[command]
    assert {name: getattr(config, name) for name in wanted} == wanted


def test_windows_ask_for_the_next_character_everywhere_and_are_scored_at_their_end():
    text = torch.arange(40).unfold(0, 5, 1)
    data = LabelledSet(text[:, :4], text[:, 4], tuple(map(str, range(40))), "count")
    loader = train_course.Windows(data, 16)
    x, y = next(iter(loader))
    assert torch.equal(y, x + 1)

    def knows_even_starts(inputs):
        right = torch.nn.functional.one_hot(inputs + 1, 40).float()
        right[inputs[:, 0] % 2 == 1, -1] = 0.0  # and says 0 at the end of the others
        return right

    assert train_course.next_character_score(knows_even_starts, loader) == 0.5


def test_a_body_is_scored_between_chance_and_the_expert(monkeypatch):
    monkeypatch.setattr(train_course, "TRIALS", 4)
    task = robotics_tasks("cartpole", episodes=1, test_episodes=1)[0]
    arena = train_course.Arena(task, seed=3)
    assert arena.share(arena.scale.expert) == 1.0
    assert arena.share(arena.scale.random - 5) == 0.0
    assert arena.share((arena.scale.expert + arena.scale.random) / 2) == pytest.approx(0.5)
    chasing = train_course.closed_loop_score(lambda x: (x[:, 2] > 0).long(), arena)
    assert 0.0 < chasing < 0.5


@pytest.mark.parametrize("task", ["llm", "robotics"])
def test_other_tasks_end_to_end(plasticish, tmp_path, monkeypatch, task):
    few = {"TOPICS": ("food", "greetings"), "WINDOWS": 40, "CONTEXT": 6, "EPISODES": 1, "TRIALS": 2}
    for name, value in few.items():
        monkeypatch.setattr(train_course, name, value)
    carts = {"standard": CartPole(), "crane": CartPole(CartPolePhysics(gravity=-9.8))}
    monkeypatch.setattr(
        train_course, "robotics_tasks", lambda _, **options: robotics_tasks(carts, **options)
    )
    monkeypatch.setitem(train_course.NETWORKS, task, {"units": 8, "backbone_units": 8})
    out = tmp_path / "run"
    done = plasticish("train", "--task", task, "--epochs", 1, "--out", out, "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    assert report["mode"] == "domain"
    R = matrix(report, "with")
    assert R.shape == (len(report["tasks"]), len(report["tasks"]))
    assert 0 <= float(R.tril().min()) <= float(R.tril().max()) <= 1
    if task == "robotics":
        ours = report["learners"]["with"]
        assert ours["returns_at_random"] < ours["returns_of_the_expert"]
        shown = plasticish("train", "--resume", out).out
        assert "100 % is the return of an expert" in shown
        assert all(f"{value:,.0f}" in shown for value in ours["returns"])


def test_inspect_shows_what_was_asked_and_what_it_came_to(plasticish, finished):
    done = plasticish("inspect", finished.folder)
    assert done.code == 0
    assert "a finished training" in done.out
    assert "as learned" in done.out
    found = json.loads(plasticish("inspect", finished.folder, "--json").out)
    assert found["config"]["epochs"] == EPOCHS
    assert found["report"]["tasks"] == PAIRS
    assert found["checkpoint"]["kind"] == "continual_run"
