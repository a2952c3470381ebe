"""A stream of tasks that was stopped anywhere goes on as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from plasticish.core import CheckpointError, ConfigError
from plasticish.spiking.optimizer_state import pack_optimizer
from plasticish.training.continual import ContinualLearningTrainer

from . import test_resume
from .fake import batched, clusters
from .task_runs import EPOCHS, STEPS, again, begin, make_model, make_optimizer, tasks, train

TESTS = Path(__file__).parents[1]
CRITERION = nn.CrossEntropyLoss()


def everything(trainer):
    """All that a run came to, as comparable values."""
    checkpoint = trainer.stream.pack()
    state = {**checkpoint.state, "history": {**checkpoint.state["history"], "elapsed_s": 0}}
    return state, checkpoint.tensors


def assert_same(one, other):
    (state, tensors), (other_state, other_tensors) = everything(one), everything(other)
    assert state == other_state
    assert tensors.keys() == other_tensors.keys()
    for name, tensor in tensors.items():
        same = (tensor == other_tensors[name]) | (tensor != tensor)  # NaN is not measured
        assert bool(same.all()), name
    assert torch.equal(one.matrix.R.nan_to_num(-1), other.matrix.R.nan_to_num(-1))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    trainer = begin(tmp_path_factory.mktemp("whole") / "run", every_s=60.0)
    train(trainer)
    assert len(trainer.history) == 3 * STEPS
    return trainer


@pytest.mark.parametrize("step", [1, 8, 15, 24])
def test_ctrl_c_finishes_the_step_and_resume_ends_the_same(tmp_path, uninterrupted, step):
    stopped = begin(tmp_path / "run", every_s=60.0)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match=f"step {step}; all is saved in .*run"):
        train(stopped, stop_at=step)
    assert signal.getsignal(signal.SIGINT) is before
    assert len(stopped.history) == step
    resumed = again(tmp_path / "run")
    assert len(resumed.history) == step
    train(resumed)
    assert_same(resumed, uninterrupted)


def test_kill_9_at_any_moment_changes_nothing(tmp_path, uninterrupted):
    folder, rng = tmp_path / "run", random.Random(1)
    with subprocess.Popen(
        [sys.executable, "-m", "training.task_runs", str(folder)],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as launcher:
        for kills in range(3):
            finished = test_resume.kill_one(launcher, "resume" if kills else "begin", rng)
            assert (folder / "checkpoint" / "checkpoint.json").exists()
            assert not finished
        launcher.stdin.close()
    resumed = again(folder, every_s=60.0)
    assert 0 < len(resumed.history) < 3 * STEPS
    train(resumed)
    assert_same(resumed, uninterrupted)


def test_an_interrupted_trainer_goes_on_in_its_own_process(uninterrupted):
    trainer = begin()
    optimizer = make_optimizer(trainer.model)
    with pytest.raises(KeyboardInterrupt):
        train(trainer, optimizer, stop_at=11)
    (_, _, _), (name, loader, exam), (other, *_) = tasks()
    with pytest.raises(ConfigError, match="task 'B' is not finished"):
        trainer.train_on_task(other, loader, exam, EPOCHS, optimizer, CRITERION)
    trainer.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)
    name, loader, exam = tasks()[2]
    trainer.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)
    assert_same(trainer, uninterrupted)


def test_a_finished_run_is_recalled_task_by_task(uninterrupted):
    folder = uninterrupted.stream.run.folder
    trainer = again(folder)
    optimizer = make_optimizer(trainer.model)
    for place, (name, loader, exam) in enumerate(tasks()):
        accuracy = trainer.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)
        assert accuracy == float(uninterrupted.matrix.R[place, place])
    assert len(trainer.history) == 3 * STEPS
    assert_same(trainer, uninterrupted)


def test_optimizers_of_their_own_start_anew_after_a_resume(tmp_path):
    def through(trainer, upto):
        for name, loader, exam in tasks()[:upto]:
            optimizer = make_optimizer(trainer.model, "sgd")
            trainer.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)

    whole, half = begin(), begin(tmp_path / "run")
    through(whole, 3)
    through(half, 2)
    resumed = again(tmp_path / "run")
    through(resumed, 3)
    assert_same(resumed, whole)


def test_a_shared_optimizer_goes_on_at_the_border_of_tasks(tmp_path, uninterrupted):
    half = begin(tmp_path / "run")
    optimizer = make_optimizer(half.model)
    for name, loader, exam in tasks()[:2]:
        half.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)
    resumed = again(tmp_path / "run")
    fresh = make_optimizer(resumed.model)
    for name, loader, exam in tasks()[:2]:
        resumed.train_on_task(name, loader, exam, EPOCHS, fresh, CRITERION)
    ours, theirs = pack_optimizer(fresh), pack_optimizer(optimizer)
    assert ours.values == theirs.values
    assert all(torch.equal(t, theirs.tensors[k]) for k, t in ours.tensors.items())
    name, loader, exam = tasks()[2]
    resumed.train_on_task(name, loader, exam, EPOCHS, fresh, CRITERION)
    assert_same(resumed, uninterrupted)


@pytest.fixture
def stopped(tmp_path):
    trainer = begin(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        train(trainer, stop_at=10)
    return tmp_path / "run"


def test_other_tasks_are_refused(stopped):
    trainer = again(stopped)
    (name, loader, exam), *_ = tasks()
    optimizer = make_optimizer(trainer.model)
    with pytest.raises(CheckpointError, match="task 1 differs from that of the run in 'name'"):
        trainer.train_on_task("B", loader, exam, EPOCHS, optimizer, CRITERION)
    with pytest.raises(CheckpointError, match="'epochs': got 5, expected 2"):
        trainer.train_on_task(name, loader, exam, 5, optimizer, CRITERION)
    trainer.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)


def test_another_optimizer_is_refused_and_the_right_one_goes_on(stopped, uninterrupted):
    trainer = again(stopped)
    (name, loader, exam), (other, loader_b, exam_b), _ = tasks()
    trainer.train_on_task(name, loader, exam, EPOCHS, make_optimizer(trainer.model), CRITERION)
    sgd = make_optimizer(trainer.model, "sgd")
    with pytest.raises(CheckpointError, match=r"optimizer differs .* got SGD, expected Adam"):
        trainer.train_on_task(other, loader_b, exam_b, EPOCHS, sgd, CRITERION)
    part = torch.optim.Adam(trainer.model[0].parameters())
    with pytest.raises(CheckpointError, match="optimizer differs"):
        trainer.train_on_task(other, loader_b, exam_b, EPOCHS, part, CRITERION)
    trainer = again(stopped)
    train(trainer)
    assert_same(trainer, uninterrupted)


def test_other_data_are_noticed(stopped):
    trainer = again(stopped)
    optimizer = make_optimizer(trainer.model)
    (name, loader, exam), (other, _, exam_b), _ = tasks()
    trainer.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)
    swapped = batched(*clusters([2, 3], 32, seed=77), 8)
    with pytest.raises(CheckpointError, match="'B' does not give the same batches again"):
        trainer.train_on_task(other, swapped, exam_b, EPOCHS, optimizer, CRITERION)


def test_another_model_is_refused(stopped):
    with pytest.raises(CheckpointError, match="model does not fit the run"):
        ContinualLearningTrainer.resume(stopped, nn.Sequential(nn.Linear(8, 6)))


def test_a_new_run_does_not_overwrite_an_old_one(uninterrupted):
    folder = uninterrupted.stream.run.folder
    trainer = begin(folder)
    kept = (folder / "checkpoint" / "checkpoint.json").read_bytes()
    with pytest.raises(CheckpointError, match="holds a run already"):
        train(trainer)
    assert len(trainer.history) == 0
    assert (folder / "checkpoint" / "checkpoint.json").read_bytes() == kept


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        ContinualLearningTrainer.resume(tmp_path, make_model())
