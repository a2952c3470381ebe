"""Figures of plain data: what is drawn is what was given, and nothing global is touched."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib._pylab_helpers import Gcf
from matplotlib.figure import Figure

from plasticish.core import CheckpointError, ConfigError, NotReadyError, ShapeError
from plasticish.visualization import (
    plot_accuracy_matrix,
    plot_comparison,
    plot_confusion,
    plot_history,
    plot_retention,
    save_figure,
)
from plasticish.visualization.histories import smoothed
from plasticish.visualization.style import class_colours, spread_labels

R = np.array([[0.9, 0.1, 0.0], [0.8, 0.7, 0.2], [0.76, 0.65, 0.6]])
NAMES = ["Vehicles", "Animals", "Storm"]


def history(steps=60, matrix=R, **series):
    third = steps // 3
    columns = {
        "phase": [float(i // third) for i in range(steps)],
        "accuracy": [float("nan"), *np.linspace(0.2, 0.9, steps - 1).tolist()],
        **series,
    }
    evaluations = [
        SimpleNamespace(step=third * (i + 1), phase_end=True, accuracy={"test": 0.5 + 0.1 * i})
        for i in range(3)
    ]

    class History:
        phase_names = NAMES
        series = columns
        boundaries = (third, 2 * third, 3 * third)

        @property
        def accuracy_matrix(self):
            if matrix is None:
                raise NotReadyError("nothing was measured")
            return matrix

    made = History()
    made.evaluations = evaluations
    return made


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


FIGURES = {
    "matrix": lambda: plot_accuracy_matrix(R, NAMES),
    "confusion": lambda: plot_confusion([[8, 2], [1, 9]], ["cat", "dog"]),
    "history": lambda: plot_history(history(memory_fill=[0.5] * 60, context_energy=[2.0] * 60)),
    "retention": lambda: plot_retention(R, NAMES, baseline=R.T),
    "comparison": lambda: plot_comparison({"a": [1, 2], "b": 3}, reference=("probe", 2.5)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_drawn_headless_and_touch_nothing_global(name, tmp_path):
    before = dict(mpl.rcParams)
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert save_figure(figure, tmp_path / "deep" / "a.png").read_bytes().startswith(b"\x89PNG")
    for name in ("a.xyz", "a", "a."):
        with pytest.raises(ConfigError, match=r"such an ending: got 'a.*\.png"):
            save_figure(figure, tmp_path / "none" / name)
    assert not (tmp_path / "none").exists()
    assert b"<svg" in save_figure(figure, tmp_path / "a.svg").read_bytes()[:2000]
    assert dict(mpl.rcParams) == before
    assert Gcf.get_all_fig_managers() == []


@pytest.mark.parametrize("name", FIGURES)
def test_the_users_style_does_not_leak_in(name):
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30}):
        figure = FIGURES[name]()
    assert mpl.colors.to_hex(figure.axes[0].get_facecolor()) == "#ffffff"


def test_the_matrix_shows_its_numbers():
    assert texts(plot_accuracy_matrix(R, NAMES)) == [f"{100 * v:.0f}" for v in R.flatten()]
    gaps = R.copy()
    gaps[0, 1] = np.nan
    assert len(texts(plot_accuracy_matrix(gaps))) == 8


def test_confusion_shows_shares_of_the_true_class_and_says_the_worst():
    figure = plot_confusion([[6, 2, 0], [0, 5, 0], [1, 0, 9]], ["cat", "dog", "cow"])
    assert texts(figure) == ["75", "25", "100", "10", "90"]
    assert figure.axes[0].get_title("left") == "87.0 % right; most often, cat is called dog"
    assert plot_confusion(np.eye(2)).axes[0].get_title("left") == "100.0 % right"


def test_retention_says_what_is_kept():
    figure = plot_retention(R, NAMES)
    kept = 100 * (0.76 + 0.65) / (0.9 + 0.7)
    assert figure.axes[0].get_title("left") == f"Earlier tasks keep {kept:.0f} % of their accuracy"
    lines = figure.axes[0].lines
    for task, line in enumerate(lines):
        np.testing.assert_array_equal(line.get_ydata(), R[task:, task])
        np.testing.assert_array_equal(line.get_xdata(), np.arange(task, 3))


def test_a_task_that_was_hardly_learned_does_not_rule_the_finding():
    figure = plot_retention([[0.9, 0.0, 0.0], [0.9, 0.01, 0.0], [0.8, 0.05, 0.5]])
    assert figure.axes[0].get_title("left") == "Earlier tasks keep 93 % of their accuracy"
    better = plot_retention([[0.5, 0.0], [0.6, 0.9]])
    assert better.axes[0].get_title("left") == "Earlier tasks grew to 120 % of their accuracy"


def test_comparison_orders_and_measures():
    runs = {"brain": [80.0, 82.0], "naive": [20.0, 22.0], "probe": 79.0}
    figure = plot_comparison(runs)
    axis = figure.axes[0]
    assert [t.get_text() for t in axis.get_yticklabels()] == ["brain", "probe", "naive"]
    assert [bar.get_width() for bar in axis.patches] == [81.0, 79.0, 21.0]
    assert texts(figure)[0] == f"81.0 ± {np.std([80, 82], ddof=1):.1f}"
    assert axis.get_title("left") == "brain: 81.0 %, 2.0 ahead of probe"
    fine = plot_comparison({"brain": [1.8421, 1.8402], "naive": 2.5}, digits=3)
    assert {text.get_text() for text in fine.axes[0].texts} == {"1.841 ± 0.001", "2.500"}
    slow = plot_comparison({"brain": 3.0, "naive": 2.0}, lower_is_better=True, unit="s")
    assert slow.axes[0].get_title("left") == "brain: 3.0 s, 1.0 behind naive"


def test_history_says_what_is_kept_or_how_good_it_is():
    matrix = plot_history(history()).axes[0].get_title("left")
    assert matrix == "Earlier tasks keep 88 % of their accuracy"
    alone = plot_history(history(matrix=None)).axes
    assert alone[0].get_title("left") == "70.0 % right on 'test' at the end"
    assert len(alone) == 2


def test_history_of_an_interrupted_run_is_drawn():
    half = history(matrix=None)
    half.boundaries, half.evaluations = (20,), half.evaluations[:1]
    shown = texts(plot_history(half))
    assert NAMES[0] in shown
    assert NAMES[1] in shown
    assert NAMES[2] not in shown


def test_what_cannot_be_drawn_is_refused(tmp_path):
    with pytest.raises(ShapeError, match="not square"):
        plot_accuracy_matrix([[1.0, 0.5]])
    with pytest.raises(ShapeError, match="names do not match"):
        plot_confusion(np.eye(2), ["one"])
    with pytest.raises(ShapeError, match="nothing came after"):
        plot_retention([[1.0]])
    with pytest.raises(ShapeError, match="nothing to compare"):
        plot_comparison({})
    empty = history()
    empty.series = {}
    with pytest.raises(NotReadyError, match="0 steps"):
        plot_history(empty)
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="figure could not be written"):
        save_figure(plot_confusion(np.eye(2)), tmp_path / "file" / "a.png")


@given(
    st.lists(st.one_of(st.floats(0, 1), st.just(float("nan"))), min_size=1, max_size=30),
    st.integers(1, 10),
)
@settings(max_examples=40, deadline=None)
def test_smoothing_is_the_mean_of_what_is_known(values, window):
    got = smoothed(values, window)
    for i in range(len(values)):
        known = [v for v in values[max(0, i - window + 1) : i + 1] if v == v]
        if known:
            assert got[i] == pytest.approx(np.mean(known), abs=1e-9)
        else:
            assert np.isnan(got[i])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_labels_are_apart_and_in_order(values):
    placed = spread_labels(values, gap=0.05, low=0.0, high=1.0)
    order = np.argsort(values, kind="stable")
    heights = np.array(placed)[order]
    assert (np.diff(heights) > 0.04).all()
    assert ((heights >= 0) & (heights <= 1)).all()


@pytest.mark.parametrize("count", [1, 8, 10, 30])
def test_class_colours_differ(count):
    colours = {mpl.colors.to_hex(c) for c in class_colours(count)}
    assert len(colours) == count
