"""What the trainer measures and refuses; what it may not touch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from plasticish.core import ConfigError, DataError, DTypeError, NotReadyError, ShapeError
from plasticish.metrics import backward_transfer
from plasticish.training.continual import ContinualLearningTrainer
from plasticish.training.task_matrix import TaskMatrix
from plasticish.training.task_run import TaskRun

from .fake import batched, clusters
from .task_runs import EPOCHS, begin, make_model, make_optimizer, tasks, train
from .test_continual_resume import everything

CRITERION = nn.CrossEntropyLoss()


def scripted(values):
    """A score that returns numbers written down beforehand, whatever the model says."""
    left = iter(values)
    return lambda respond, loader: next(left)


def test_the_matrix_against_a_computation_by_hand():
    # Asked: untrained and just before each task, then of all tasks so far after each.
    script = [0.5, 0.5, 0.9, 0.5, 0.4, 0.7, 0.8, 0.3, 0.1, 0.6, 0.9, 1.0]
    trainer = begin(score=scripted(script), evaluate_every=None)
    train(trainer)
    nan = math.nan
    expected = [[0.9, 0.4, nan], [0.7, 0.8, 0.1], [0.6, 0.9, 1.0]]
    np.testing.assert_array_equal(trainer.matrix.R.numpy(), np.array(expected))
    assert trainer.matrix.untrained == (0.5, 0.5, 0.3)
    summary = trainer.matrix.summary()
    assert summary["average_accuracy"] == pytest.approx((0.6 + 0.9 + 1.0) / 3)
    assert summary["forgetting"] == pytest.approx(((0.9 - 0.6) + (0.8 - 0.9)) / 2)
    assert summary["backward_transfer"] == pytest.approx(((0.6 - 0.9) + (0.9 - 0.8)) / 2)
    assert summary["forward_transfer"] == pytest.approx(((0.4 - 0.5) + (0.1 - 0.3)) / 2)
    assert summary["average_incremental_accuracy"] == pytest.approx(
        (0.9 + (0.7 + 0.8) / 2 + (0.6 + 0.9 + 1.0) / 3) / 3
    )
    assert summary["retention"] == pytest.approx([0.6 / 0.9, 0.9 / 0.8, 1.0])


def share_right(model, exam, classes):
    """Accuracy among ``classes``, worked out without the trainer."""
    model.eval()
    x, y = exam.dataset.inputs, exam.dataset.labels
    outputs = model(x)[:, classes]
    answers = torch.tensor(classes)[outputs.argmax(1)]
    return sum(bool(a == b) for a, b in zip(answers, y, strict=True)) / len(y)


def test_every_entry_is_the_accuracy_of_the_model_of_that_time():
    trainer = begin(evaluate_every=None)
    optimizer, untouched = make_optimizer(trainer.model), make_model()
    rows, ahead = [], []
    for place, (name, loader, exam) in enumerate(tasks()):
        ahead.append(share_right(trainer.model, exam, list(range(6))))
        accuracy = trainer.train_on_task(name, loader, exam, EPOCHS, optimizer, CRITERION)
        seen = list(range(2 * place + 2))  # class-incremental: among all that were met
        rows.append([share_right(trainer.model, e, seen) for _, _, e in tasks()[: place + 1]])
        assert accuracy == pytest.approx(rows[-1][-1])
    R = trainer.matrix.R
    for place, row in enumerate(rows):
        assert R[place, : place + 1].tolist() == pytest.approx(row)
    assert [float(R[0, 1]), float(R[1, 2])] == pytest.approx(ahead[1:])
    untrained = [share_right(untouched, exam, list(range(6))) for _, _, exam in tasks()]
    assert trainer.matrix.untrained == pytest.approx(untrained)


def test_task_mode_asks_among_the_classes_of_the_task():
    trainer = begin(mode="task")
    train(trainer)
    for place, (_, _, exam) in enumerate(tasks()):
        own = share_right(trainer.model, exam, [2 * place, 2 * place + 1])
        assert float(trainer.matrix.R[-1, place]) == pytest.approx(own)


def test_it_forgets_without_help_and_keeps_with_it():
    naive = begin(consolidation_strength=0.0, use_experience_replay=False)
    helped = begin(replay_buffer_size=60)
    train(naive, epochs=8)
    train(helped, epochs=8)
    assert naive.matrix.summary()["forgetting"] > 0.6
    assert helped.matrix.summary()["forgetting"] < 0.3
    assert naive.matrix.summary()["average_accuracy"] < 0.5
    assert helped.matrix.summary()["average_accuracy"] > 0.75


def test_evaluate_all_tasks_agrees_with_the_matrix_and_changes_nothing():
    trainer = begin()
    train(trainer)
    R = trainer.matrix.R
    before, generator = everything(trainer), torch.get_rng_state()
    exams = {name: exam for name, _, exam in tasks()}
    results, average, forgetting = trainer.evaluate_all_tasks(exams, CRITERION)
    state, tensors = everything(trainer)
    assert state == before[0]
    assert all(torch.equal(t.nan_to_num(), before[1][k].nan_to_num()) for k, t in tensors.items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert average == pytest.approx(float(R[-1].mean()))
    assert [r["accuracy"] for r in results.values()] == pytest.approx(R[-1].tolist())
    assert [r["as_learned"] for r in results.values()] == pytest.approx(R.diagonal().tolist())
    lost = [float(max(R[0, 0], R[1, 0]) - R[2, 0]), float(R[1, 1] - R[2, 1])]
    assert [results[n]["forgetting"] for n in "AB"] == pytest.approx(lost)
    assert results["C"]["forgetting"] == 0.0
    assert forgetting == pytest.approx(sum(lost) / 2)
    exam = exams["A"].dataset
    with torch.no_grad():
        loss = CRITERION(trainer.model.eval()(exam.inputs), exam.labels)
    assert results["A"]["loss"] == pytest.approx(float(loss))


def test_training_leaves_the_randomness_of_the_program_alone():
    torch.manual_seed(11)
    before = torch.get_rng_state()
    train(begin())
    assert torch.equal(torch.get_rng_state(), before)


def test_looks_and_losses_are_in_the_history():
    trainer = begin()
    train(trainer)
    history = trainer.history
    assert history.phase_names == ["A", "B", "C"]
    assert [look.step for look in history.evaluations] == [4, 8, 12, 16, 20, 24]
    assert [look.phase_end for look in history.evaluations] == [False, True] * 3
    assert list(history.evaluations[2].accuracy) == ["A", "B"]
    assert all(math.isfinite(loss) for loss in history.column("loss"))
    R = history.accuracy_matrix
    assert torch.allclose(R[2].double(), trainer.matrix.R[2])
    assert backward_transfer(R) == pytest.approx(trainer.matrix.summary()["backward_transfer"])


def test_values_can_be_learned_and_scored_by_ones_own_score():
    """A regression: no classes anywhere, a score in [0, 1] that is one's own."""
    x = torch.rand(32, 8)
    loaders = [[(x[i : i + 8], f(x[i : i + 8])) for i in range(0, 32, 8)] for f in (torch.sin, abs)]
    model = nn.Linear(8, 8)

    def closeness(respond, loader):
        errors = [float((respond(a) - b).square().mean()) for a, b in loader]
        return math.exp(-sum(errors) / len(errors))

    trainer = ContinualLearningTrainer(
        model, 0.0, use_meta_plasticity=False, mode="domain", score=closeness
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for place, loader in enumerate(loaders):
        score = trainer.train_on_task(place, loader, loader, 10, optimizer, nn.MSELoss())
        assert score > trainer.matrix.untrained[place]


def test_sequences_are_asked_position_by_position():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.out = nn.Embedding(5, 8), nn.Linear(8, 5)

        def forward(self, x):
            return self.out(self.embed(x))

    tokens = torch.randint(5, (16, 6), generator=torch.Generator().manual_seed(0))
    loader = [(tokens, (tokens + 1) % 5)]
    trainer = ContinualLearningTrainer(Tagger(), 0.0, use_meta_plasticity=False)
    optimizer = torch.optim.Adam(trainer.model.parameters(), lr=0.1)
    assert trainer.train_on_task("next", loader, loader, 30, optimizer, CRITERION) == 1.0


# ---------------------------------------------------------------------- refusals

X, Y = clusters([0, 1], 16)
GOOD = [(X, Y)]


def vector(outputs, labels):
    return nn.functional.cross_entropy(outputs, labels, reduction="none")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"train_loader": []}, DataError, "train loader of task 'A' is empty: .* Give a loader"),
        ({"val_loader": []}, DataError, "validation loader of task 'A' is empty"),
        ({"train_loader": iter(GOOD)}, ConfigError, "cannot be gone through again: got list_iter"),
        ({"num_epochs": 0}, ConfigError, "epochs of phase 'A' is out of range: got 0"),
        ({"criterion": vector}, ShapeError, r"criterion returns a vector: .*reduction='mean'"),
        ({"criterion": lambda o, y: 1.0}, DTypeError, "criterion does not return a tensor"),
        ({"criterion": lambda o, y: o.sum() * math.nan}, DataError, "the loss is not finite"),
        ({"train_loader": [(X * math.nan, Y)]}, DataError, "inputs contain NaN or infinity"),
        ({"val_loader": [(X, Y), (X,)][1:]}, DataError, "a batch is not a pair"),
        ({"train_loader": [(X[:0], Y[:0])]}, DataError, "empty batch"),
        ({"task_id": ""}, ConfigError, "has no name"),
    ],
)
def test_refused_before_anything_changes(change, error, message):
    trainer = begin()
    before, generator = everything(trainer), torch.get_rng_state()
    given = {
        "task_id": "A",
        "train_loader": GOOD,
        "val_loader": GOOD,
        "num_epochs": 1,
        "optimizer": make_optimizer(trainer.model),
        "criterion": CRITERION,
        **change,
    }
    with pytest.raises(error, match=message):
        trainer.train_on_task(**given)
    state, tensors = everything(trainer)
    assert state == before[0]
    assert all(torch.equal(tensor, before[1][name]) for name, tensor in tensors.items())
    assert torch.equal(torch.get_rng_state(), generator)
    assert trainer.model.training


def test_names_of_things_are_not_the_things():
    with pytest.raises(DTypeError, match="this is no optimizer: got str"):
        TaskRun("A", GOOD, GOOD, 1, "adam", CRITERION)
    with pytest.raises(DTypeError, match="this is no criterion: got str"):
        TaskRun("A", GOOD, GOOD, 1, make_optimizer(make_model()), "cross_entropy")


def test_a_task_id_comes_once():
    trainer = begin()
    optimizer = make_optimizer(trainer.model)
    trainer.train_on_task(0, GOOD, GOOD, 1, optimizer, CRITERION)
    with pytest.raises(ConfigError, match="task '0' was learned already"):
        trainer.train_on_task(0, GOOD, GOOD, 1, optimizer, CRITERION)
    assert len(trainer.history) == 1


def test_an_optimizer_of_another_model_is_refused():
    trainer = begin()
    other = make_optimizer(make_model())
    with pytest.raises(ConfigError, match="holds no parameter of the model"):
        trainer.train_on_task("A", GOOD, GOOD, 1, other, CRITERION)


def test_unknown_tasks_are_not_evaluated():
    trainer = begin()
    with pytest.raises(NotReadyError, match="no task was learned yet"):
        _ = trainer.matrix
    with pytest.raises(ConfigError, match=r"there is no such task: got 'A', expected .*none was"):
        trainer.evaluate_all_tasks({"A": GOOD}, CRITERION)
    trainer.train_on_task("A", GOOD, GOOD, 1, make_optimizer(trainer.model), CRITERION)
    with pytest.raises(ConfigError, match="got 'B', expected some of: 'A'"):
        trainer.evaluate_all_tasks({"A": GOOD, "B": GOOD}, CRITERION)
    with pytest.raises(DataError, match="loader of task 'A' is empty"):
        trainer.evaluate_all_tasks({"A": []}, CRITERION)
    with pytest.raises(ConfigError, match="no task was asked about"):
        trainer.evaluate_all_tasks({}, CRITERION)


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="replay_buffer_size is out of range: got 0"):
        begin(replay_buffer_size=0)
    with pytest.raises(ConfigError, match="unknown mode: got 'always'"):
        begin(mode="always")
    with pytest.raises(ConfigError, match="eval_every is out of range"):
        begin(evaluate_every=0)
    convolution = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    with pytest.raises(ConfigError, match=r"no layer to work on: got Sequential without an nn\.L"):
        ContinualLearningTrainer(convolution)


@pytest.mark.parametrize("score", [1.5, -0.1, math.nan])
def test_a_score_outside_its_range_is_refused(score):
    trainer = begin(score=lambda respond, loader: score)
    with pytest.raises(DataError, match="score on task 'A' is out of range"):
        trainer.train_on_task("A", GOOD, GOOD, 1, make_optimizer(trainer.model), CRITERION)


def test_a_bad_batch_in_the_middle_is_not_learned_and_a_mended_loader_goes_on():
    bad = X.clone()
    bad[3, 2] = math.nan
    loader = [(X, Y), (bad, Y), (X, Y)]
    trainer, whole = begin(), begin()
    optimizer = make_optimizer(trainer.model)
    with pytest.raises(DataError, match="inputs contain NaN or infinity: got 1 bad row"):
        trainer.train_on_task("A", loader, GOOD, 2, optimizer, CRITERION)
    assert len(trainer.history) == 1
    mended = [(X, Y), (X, Y), (X, Y)]
    trainer.train_on_task("A", mended, GOOD, 2, optimizer, CRITERION)
    whole.train_on_task("A", mended, GOOD, 2, make_optimizer(whole.model), CRITERION)
    ours, theirs = trainer.model.state_dict(), whole.model.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_a_score_that_fails_after_the_task_can_be_mended():
    calls = []

    def flaky(respond, loader):
        calls.append(1)
        if len(calls) == 3:  # untrained, just before, then after the task
            raise OSError("the simulator is gone")
        return 0.5

    trainer = begin(score=flaky, evaluate_every=None)
    optimizer = make_optimizer(trainer.model)
    with pytest.raises(OSError, match="simulator is gone"):
        trainer.train_on_task("A", GOOD, GOOD, 1, optimizer, CRITERION)
    assert trainer.train_on_task("A", GOOD, GOOD, 1, optimizer, CRITERION) == 0.5
    assert len(trainer.history) == 1
    assert trainer.learner.stats()["consolidations"] == 1


def test_a_matrix_needs_a_task():
    with pytest.raises(NotReadyError, match="no task was learned yet"):
        TaskMatrix.of([], [], [])


def test_nothing_is_drawn_in_a_pipe_and_a_bar_in_a_terminal(capsys, monkeypatch):
    train(begin())
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("plasticish.training.display.progress_enabled", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    train(begin())
    shown = capsys.readouterr().err
    assert all(name in shown for name in "ABC")
    assert "loss" in shown
    assert "100 %" in shown


def test_loaders_are_left_as_they_were():
    trainer = begin()
    loader, exam = batched(X, Y, 4), batched(X, Y, 8)
    optimizer = make_optimizer(trainer.model)
    trainer.train_on_task("A", loader, exam, 2, optimizer, CRITERION)
    assert (loader.epoch, exam.epoch) == (0, 0)
