"""A run that was stopped anywhere goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from plasticish.core import LEARNERS, CheckpointError, ConfigError
from plasticish.training import (
    Callback,
    PhaseConfig,
    PlasticTrainer,
    TrainingHistory,
    TriarchicTrainer,
    inspect_run,
    resume,
)

from .fake import FakeBrain, batched, clusters
from .killed import EVAL, again, begin, curriculum

TESTS = Path(__file__).parents[1]


def assert_same(one, other):
    assert one.history == other.history
    assert one.brain.export_state().values == other.brain.export_state().values
    for name, tensor in one.brain.export_state().tensors.items():
        assert torch.equal(tensor, other.brain.export_state().tensors[name])


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    trainer = begin(tmp_path_factory.mktemp("whole") / "run")
    trainer.train()
    return trainer


class StopAt(Callback):
    """Press Ctrl-C after a step, as a terminal would."""

    def __init__(self, step):
        self.step = step

    def on_step(self, trainer, report):
        if len(trainer.history) == self.step:
            os.kill(os.getpid(), signal.SIGINT)


def test_kill_9_at_any_moment_changes_nothing(tmp_path, uninterrupted):
    folder, rng, finished = tmp_path / "run", random.Random(0), False
    with subprocess.Popen(
        [sys.executable, "-m", "training.killed", str(folder)],
        cwd=TESTS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as launcher:
        for kills in range(5):
            finished = kill_one(launcher, "resume" if kills else "begin", rng)
            assert (folder / "checkpoint" / "checkpoint.json").exists()
            assert not finished
        launcher.stdin.close()
    trainer = again(folder)
    assert 0 < len(trainer.history) < 48
    trainer.train()
    assert_same(trainer, uninterrupted)
    left = [p.name for p in (folder / "checkpoint").iterdir() if p.name != ".lock"]
    assert len(left) == 2, left  # what the dead left half written is gone


def kill_one(launcher, command, rng):
    """Let a run take some steps, kill it at any moment of the next; whether it came to its end."""
    launcher.stdin.write(command + "\n")
    launcher.stdin.flush()
    said, steps, child, wanted = [], 0, None, rng.randint(2, 8)
    for line in launcher.stdout:
        said.append(line.strip())
        child = int(line.split()[1]) if line.startswith("child") else child
        steps += line.strip().isdigit()
        if child and steps >= wanted:
            time.sleep(0.01 * rng.random())
            os.kill(child, signal.SIGKILL)
            break
    for line in launcher.stdout:
        said.append(line.strip())
        if line.startswith("ended"):
            break
    return "done" in said


@pytest.mark.parametrize("step", [1, 7, 8, 16, 17, 40, 48])
def test_ctrl_c_saves_the_last_finished_step(tmp_path, uninterrupted, step):
    history = begin(tmp_path / "run", [StopAt(step)]).train()
    assert history.interrupted
    assert len(history) == step
    trainer = again(tmp_path / "run")
    assert len(trainer.history) == step
    assert not trainer.train().interrupted
    assert_same(trainer, uninterrupted)


def test_an_interrupted_trainer_goes_on_in_its_own_process(tmp_path, uninterrupted):
    trainer = begin(None, [StopAt(20)])
    assert trainer.train().interrupted
    trainer.train()
    assert_same(trainer, uninterrupted)


def test_a_second_ctrl_c_raises_at_once_and_keeps_the_checkpoint(tmp_path, uninterrupted):
    class Impatient(Callback):
        def on_step(self, trainer, report):
            if len(trainer.history) == 11:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path / "run", [Impatient()], 0).train()
    assert signal.getsignal(signal.SIGINT) is before
    trainer = again(tmp_path / "run")
    assert len(trainer.history) == 10
    trainer.train()
    assert_same(trainer, uninterrupted)


def test_a_crash_within_a_step_leaves_the_step_before(tmp_path, uninterrupted):
    class Torn(FakeBrain):
        def train_step(self, x, y, mode="plastic", memorize=True):
            report = super().train_step(x, y, mode, memorize)
            if len(self.modes) == 21:
                raise RuntimeError("half changed")
            return report

    trainer = PlasticTrainer(
        Torn(),
        curriculum(),
        EVAL,
        run_folder=tmp_path / "run",
        checkpoint_every_s=0,
        eval_every=7,
        seed=3,
    )
    with pytest.raises(RuntimeError, match="half changed"):
        trainer.train()
    restored = again(tmp_path / "run")
    assert len(restored.history) == 20
    restored.train()
    assert_same(restored, uninterrupted)


def test_a_finished_run_leaves_the_brain_and_the_history(uninterrupted):
    folder = uninterrupted.run.folder
    brain = FakeBrain.load(folder / "brain")
    assert torch.equal(brain.sums, uninterrupted.brain.sums)
    assert TrainingHistory.load(folder / "history.json") == uninterrupted.history
    assert inspect_run(folder)["finished"]
    done = again(folder)
    done.train()
    assert_same(done, uninterrupted)


def test_a_new_run_does_not_overwrite_an_old_one(uninterrupted):
    trainer = begin(uninterrupted.run.folder)
    with pytest.raises(CheckpointError, match="holds a run already"):
        trainer.train()
    assert len(trainer.history) == 0


def test_two_processes_do_not_work_on_one_run(tmp_path):
    hold = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    (tmp_path / "run").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "run" / ".running")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(CheckpointError, match="another process is at work"):
            begin(tmp_path / "run").train()
        other.kill()
    assert not begin(tmp_path / "run").train().interrupted


def test_checkpoints_wait_for_their_interval_and_cost_a_tenth_at_most(tmp_path):
    now = [0.0]
    saves = []

    class Ticking(FakeBrain):
        def export_state(self):
            saves.append(len(self.modes))
            now[0] += 2.0  # a slow disk
            return super().export_state()

    class Tick(Callback):
        def on_step(self, trainer, report):
            now[0] += 1.0

    phases = [PhaseConfig("A", 1, batched(*clusters([0, 1], 100), 1))]
    PlasticTrainer(
        Ticking(),
        phases,
        run_folder=tmp_path / "run",
        checkpoint_every_s=10.0,
        callbacks=[Tick()],
        clock=lambda: now[0],
    ).train()
    within = [s for s in saves if 0 < s < 100]
    # Two seconds a save: not each 10 seconds, but each 20.
    assert within == [20, 40, 60, 80] or within == [20, 40, 60, 80, 99], within


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:2], "curriculum differs"),
        (lambda p: [PhaseConfig("X", 2, p[0].loader, consolidate_after=True), *p[1:]], "'name'"),
        (lambda p: [PhaseConfig("A", 3, p[0].loader, consolidate_after=True), *p[1:]], "'epochs'"),
        (lambda p: [*p[:2], PhaseConfig("C", 2, p[0].loader, mode="panic")], "'transform'"),
    ],
)
def test_another_curriculum_is_refused(uninterrupted, change, message):
    with pytest.raises(CheckpointError, match=message):
        resume(uninterrupted.run.folder, change(curriculum()), EVAL, brain=FakeBrain())


def test_other_evaluation_or_trainer_or_brain_is_refused(uninterrupted):
    folder = uninterrupted.run.folder
    with pytest.raises(CheckpointError, match="evaluated on"):
        resume(folder, curriculum(), None, brain=FakeBrain())
    with pytest.raises(CheckpointError, match="another trainer"):
        TriarchicTrainer.resume(folder, None, curriculum(), EVAL)

    class Other(FakeBrain):
        kind = "other"

    with pytest.raises(CheckpointError, match="another kind of brain"):
        resume(folder, curriculum(), EVAL, brain=Other())


def test_other_data_are_noticed(tmp_path):
    begin(tmp_path / "run", [StopAt(4)]).train()
    other = batched(*clusters([0, 1], 64, seed=99), 8)
    phases = [PhaseConfig("A", 2, other, consolidate_after=True), *curriculum()[1:]]
    trainer = resume(tmp_path / "run", phases, EVAL, brain=FakeBrain())
    with pytest.raises(CheckpointError, match="same batches again"):
        trainer.train()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        resume(tmp_path, curriculum(), EVAL)
    FakeBrain().save(tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match="not a training run"):
        resume(tmp_path, curriculum(), EVAL)


def test_a_brain_that_cannot_be_saved_has_no_run_folder(tmp_path):
    with pytest.raises(ConfigError, match="can be saved"):
        PlasticTrainer(object(), curriculum(), run_folder=tmp_path / "run")


def test_triarchic_runs_resume_too(tmp_path):
    def make(**options):
        return TriarchicTrainer(FakeBrain(), None, phases, EVAL, seed=1, **options)

    phases = [PhaseConfig(p.name, p.epochs, p.loader) for p in curriculum()]
    whole = make()
    whole.train()
    make(run_folder=tmp_path / "run", callbacks=[StopAt(19)]).train()
    trainer = resume(tmp_path / "run", phases, EVAL, brain=FakeBrain())
    assert isinstance(trainer, TriarchicTrainer)
    trainer.train()
    assert_same(trainer, whole)


def test_a_registered_brain_is_built_from_its_checkpoint(monkeypatch, uninterrupted):
    folder = uninterrupted.run.folder
    with pytest.raises(CheckpointError, match="not a registered learner"):
        resume(folder, curriculum(), EVAL)
    monkeypatch.setitem(LEARNERS._entries, FakeBrain.kind, FakeBrain)
    assert_same(resume(folder, curriculum(), EVAL), uninterrupted)


def test_notes_stay_with_the_run(tmp_path):
    notes = {"source": "digits", "order": [3, 1]}
    PlasticTrainer(
        FakeBrain(),
        curriculum(),
        EVAL,
        run_folder=tmp_path / "run",
        notes=notes,
        callbacks=[StopAt(3)],
    ).train()
    report = inspect_run(tmp_path / "run")
    assert report["settings"]["notes"] == notes
    assert not report["finished"]
    json.dumps(report)
    assert resume(tmp_path / "run", curriculum(), EVAL, brain=FakeBrain()).notes == notes


def test_a_full_disk_stops_training_and_loses_nothing(tmp_path, monkeypatch, uninterrupted):
    from plasticish.training import run_folder

    calls, save = [], run_folder.save_checkpoint

    def full(path, checkpoint):
        calls.append(path)
        if len(calls) == 6:
            raise CheckpointError("checkpoint.json could not be written", got="No space left")
        return save(path, checkpoint)

    monkeypatch.setattr(run_folder, "save_checkpoint", full)
    trainer = begin(tmp_path / "run", every_s=0)
    with pytest.raises(CheckpointError, match="No space left"):
        trainer.train()
    assert len(trainer.history) == 5
    assert len(again(tmp_path / "run").history) == 4  # what the disk still holds
    trainer.train()  # space was made: the same trainer goes on
    assert_same(trainer, uninterrupted)
