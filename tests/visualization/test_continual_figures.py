"""Figures of a stream of tasks, with and without protection."""

import numpy as np
import pytest

from plasticish.core import NotReadyError, ShapeError
from plasticish.training import Evaluation, TrainingHistory
from plasticish.visualization.continual import plot_accuracy_matrices, plot_learning_curves

NAN = np.nan


def history(losses, names=("A", "B")):
    run = TrainingHistory(list(names))
    for step, loss in enumerate(losses):
        run.add_step(step * len(names) // len(losses), 0, [0], {"loss": loss})
    half = len(losses) // 2
    run.evaluations = [
        Evaluation(half, 0, True, {names[0]: 0.9}),
        Evaluation(len(losses), 1, True, {names[0]: 0.4, names[1]: 0.8}),
    ]
    run.boundaries = [half, len(losses)]
    return run


def test_a_matrix_a_learner_with_what_each_keeps_in_its_title():
    matrices = {"with": [[0.8, NAN], [0.6, 1.0]], "without": [[0.8, 0.1], [0.0, 1.0]]}
    figure = plot_accuracy_matrices(matrices, ["cats", "dogs"], measure="hits", title="Both")
    left, right = figure.axes
    assert [a.get_title("left") for a in (left, right)] == ["With keeps 75 %", "Without keeps 0 %"]
    assert sorted(text.get_text() for text in left.texts) == ["100", "60", "80"]
    assert sorted(text.get_text() for text in right.texts) == ["0", "10", "100", "80"]
    assert left.get_xlabel() == "hits (%) on"
    assert figure.get_suptitle() == "Both"


def test_long_names_stand_at_the_side_and_numbers_below():
    names = ["a very long name indeed", "another that is long"]
    axis = plot_accuracy_matrices({"one": np.eye(2)}, names).axes[0]
    assert [t.get_text() for t in axis.get_xticklabels()] == ["1", "2"]
    assert axis.get_yticklabels()[1].get_text() == "2 another that is long"


def test_each_task_has_a_curve_from_when_it_was_first_asked():
    axis = plot_learning_curves({"with": history([1.0] * 8)}).axes[0]
    curves = [(line.get_xdata().tolist(), line.get_ydata().tolist()) for line in axis.lines]
    assert curves == [([4, 8], [0.9, 0.4]), ([8], [0.8])]
    labels = {text.get_text() for text in axis.texts}
    assert {"A  40 %", "B  80 %"} <= labels


def test_the_losses_of_all_are_on_one_scale_that_holds_them_all():
    low, high = history([0.1] * 10), history([5.0] * 10)
    for runs in ({"a": low, "b": high}, {"a": high, "b": low}):
        *_, first, second = plot_learning_curves(runs).axes
        assert first.get_ylim() == second.get_ylim()
        assert first.get_ylim()[0] == 0.0
        assert first.get_ylim()[1] >= 5.0


def test_nothing_to_draw_is_refused():
    with pytest.raises(NotReadyError, match="a run of 0 steps"):
        plot_learning_curves({"with": TrainingHistory(["A"])})
    with pytest.raises(ShapeError, match="no matrix to draw"):
        plot_accuracy_matrices({})
    with pytest.raises(ShapeError, match="R is not square"):
        plot_accuracy_matrices({"with": np.ones((2, 3))})
