"""Figures of plasticity: what is drawn is what the rules do, held against closed forms."""

from __future__ import annotations

import math

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib._pylab_helpers import Gcf

from plasticish.core import ConfigError, ShapeError, make_generator
from plasticish.rules.short_term import ShortTermParameters
from plasticish.spiking.stdp_rules import ClassicalSTDP, RewardModulatedSTDP, TripletSTDP
from plasticish.visualization.activity import plot_meta_plasticity, plot_raster
from plasticish.visualization.plasticity import (
    SJOSTROM_2001,
    plot_pairing_frequency,
    plot_stdp_window,
)
from plasticish.visualization.style import save_figure
from plasticish.visualization.synapses import plot_bcm, plot_short_term


def curves(axis):
    """Lines with points of their own: no zero lines, no entries of the legend."""
    return [line for line in axis.lines if len(line.get_xdata()) > 2]


def texts(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


@pytest.mark.parametrize("learning_rate", [1.0, 0.1])
def test_the_window_is_that_of_the_equation(learning_rate):
    rule = ClassicalSTDP(learning_rate=learning_rate)
    figure = plot_stdp_window(rule, pairs=3, reach=60.0)
    drawn = [line.get_xydata() for line in curves(figure.axes[0])]
    assert [len(side) for side in drawn] == [40, 40]
    for lag, change in np.concatenate(drawn):
        one = (
            rule.a_plus * math.exp(-lag / rule.tau_plus)
            if lag > 0
            else -rule.a_minus * math.exp(lag / rule.tau_minus)
        )
        assert change == pytest.approx(3 * learning_rate * one, rel=1e-9)


def test_rules_of_several_kinds_share_a_window():
    rules = {"pair": ClassicalSTDP(), "triplet": TripletSTDP()}
    figure = plot_stdp_window(rules, pairs=2)
    assert texts(figure.axes[0]) == ["pair", "triplet"]
    assert figure.axes[0].get_title("left").startswith("2 pairs change the weight by −")


def test_soft_bounds_are_drawn_at_the_weight_given():
    rule = ClassicalSTDP(bounds="soft")
    low, high = (plot_stdp_window(rule, pairs=1, weight=w).axes[0] for w in (0.1, 0.9))
    depression, potentiation = (
        [line.get_ydata()[k] for axis in (low, high) for line in [curves(axis)[side]]]
        for side, k in ((0, -1), (1, 0))
    )
    assert depression[1] / depression[0] == pytest.approx(9.0)
    assert potentiation[0] / potentiation[1] == pytest.approx(9.0)


def test_the_frequency_curve_passes_through_the_model_and_shows_the_data():
    data = {10.0: ((10.0, 50.0), (0.14, 0.56), (0.1, 0.26))}
    figure = plot_pairing_frequency(TripletSTDP(), data=data)
    axis = figure.axes[0]
    curve = curves(axis)[0].get_xydata()
    # The minimal rule for visual cortex, at 10 and 50 Hz (Pfister & Gerstner 2006, eqs 3-4).
    assert curve[0].tolist() == pytest.approx([10.0, 0.1186], abs=5e-5)
    assert curve[-1].tolist() == pytest.approx([50.0, 0.7627], abs=5e-5)
    bars = axis.containers[0]
    assert bars.lines[0].get_ydata().tolist() == [0.14, 0.56]
    off = math.sqrt(((0.1186 - 0.14) ** 2 + (0.7627 - 0.56) ** 2) / 2)
    title = axis.get_title("left")
    assert title == f"Off the data (root mean square): the rule {off:.2f}"
    assert texts(axis) == ["post 10 ms after pre"]


def test_the_measured_frequencies_are_those_of_the_paper():
    for rates, means, errors in SJOSTROM_2001.values():
        assert len(rates) == len(means) == len(errors) == 5
    assert SJOSTROM_2001[-10.0][1][-1] > 0 > SJOSTROM_2001[-10.0][1][0]


def test_bcm_draws_the_answers_the_threshold_and_phi():
    answers = np.stack([np.linspace(0.5, 3.0, 9), np.linspace(0.5, 0.0, 9)], axis=1)
    theta = np.linspace(0.1, 3.0, 9)
    figure = plot_bcm(answers, theta, dt=10.0)
    left, right = figure.axes
    drawn = [line.get_ydata() for line in curves(right)]
    np.testing.assert_array_equal(drawn, [*answers.T, theta])
    assert right.lines[0].get_xdata()[-1] == 80.0
    for line, threshold in zip(curves(left), theta[[0, 4, 8]], strict=True):
        y, change = line.get_data()
        np.testing.assert_allclose(change, y * (y - threshold), atol=1e-12)


def test_short_term_draws_the_published_train():
    figure = plot_short_term(spikes=4)
    released = [axis.lines[0].get_ydata() for axis in figure.axes]
    assert released[0][:4] == pytest.approx([0.5, 0.2651, 0.1548, 0.1030], abs=5e-5)
    assert released[1][:4] == pytest.approx([0.03, 0.0553, 0.0757, 0.0918], abs=5e-5)
    assert figure.axes[0].lines[1].get_ydata()[0] == pytest.approx(0.0571, abs=5e-5)
    own = plot_short_term({"mine": ShortTermParameters(U=0.2)}, title="given")
    assert [axis.get_title("left") for axis in own.axes] == ["given"]


def test_a_raster_marks_every_spike_at_its_time():
    spikes = (torch.rand(90, 12, generator=make_generator(0)) < 0.1).float()
    figure = plot_raster(spikes, dt=0.5, groups={"in": 8, "out": 4})
    upper, lower = figure.axes
    marks = np.concatenate([line.get_xydata() for line in upper.lines])
    expected = spikes.nonzero().numpy() * [0.5, 1.0]
    assert sorted(map(tuple, marks)) == sorted(map(tuple, expected))
    rates = [1000 / 0.5 * float(part.mean()) for part in (spikes[:, :8], spikes[:, 8:])]
    assert upper.get_title("left") == f"in {rates[0]:.1f} Hz, out {rates[1]:.1f} Hz"
    assert np.mean(lower.lines[0].get_ydata()) == pytest.approx(2000 * float(spikes.mean()))


def test_a_crowd_is_thinned_and_silence_is_empty():
    figure = plot_raster(torch.ones(1000, 100))
    assert sum(len(line.get_xdata()) for line in figure.axes[0].lines) == 50_000
    assert not len(plot_raster(torch.zeros(5, 3)).axes[0].lines[0].get_xdata())


def test_meta_plasticity_draws_each_factor_of_each_layer():
    factors = torch.rand(20, 3, generator=make_generator(1)) + 0.5
    performance = torch.linspace(0, 1, 20)
    performance[5] = math.nan
    figure = plot_meta_plasticity(
        factors, 2 * factors, 3 * factors, performance, names=["a", "b", "c"], changes=(10,)
    )
    for axis, scale in zip(figure.axes, (1, 2, 3), strict=False):
        drawn = np.stack([line.get_ydata() for line in curves(axis)], axis=1)
        np.testing.assert_allclose(drawn, scale * factors.numpy(), rtol=1e-6)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "c"]
    shown = figure.axes[3].lines[0]
    assert 5 not in shown.get_xdata()
    assert len(shown.get_xdata()) == 19
    assert len(plot_meta_plasticity(factors, factors, factors).axes) == 3
    # A factor of 0 has no logarithm.
    assert plot_meta_plasticity(0 * factors, factors, factors).axes[0].get_yscale() == "linear"


def test_figures_are_written_and_nothing_global_is_touched(tmp_path):
    before, windows = dict(mpl.rcParams), len(Gcf.figs)
    one = torch.ones(10, 2)
    for number, figure in enumerate(
        (
            plot_stdp_window(ClassicalSTDP(), pairs=1),
            plot_bcm([1.0, 2.0], [0.5, 1.0]),
            plot_short_term(),
            plot_raster(one),
            plot_meta_plasticity(one, one, one),
        )
    ):
        assert save_figure(figure, tmp_path / f"{number}.png", dpi=40).stat().st_size > 1000
    assert dict(mpl.rcParams) == before
    assert len(Gcf.figs) == windows


def test_bad_input_is_refused():
    one = torch.ones(10, 2)
    with pytest.raises(ConfigError, match="overlap"):
        plot_stdp_window(ClassicalSTDP(), rate_hz=10.0)
    with pytest.raises(ConfigError, match="without a reward"):
        plot_stdp_window(RewardModulatedSTDP())
    with pytest.raises(ConfigError, match="no rule"):
        plot_stdp_window({})
    with pytest.raises(ShapeError, match="no data"):
        plot_pairing_frequency(TripletSTDP(), data={})
    with pytest.raises(ShapeError, match="do not belong together"):
        plot_bcm([1.0, 2.0], [1.0])
    with pytest.raises(ConfigError, match="nothing to draw"):
        plot_short_term(spikes=0)
    with pytest.raises(ShapeError, match="wrong shape"):
        plot_raster(torch.ones(2, 3, 4))
    with pytest.raises(ShapeError, match="do not add up"):
        plot_raster(one, groups={"in": 1})
    with pytest.raises(ConfigError, match="dt"):
        plot_raster(one, dt=0.0)
    with pytest.raises(ShapeError, match="factors do not belong"):
        plot_meta_plasticity(one, one[:5], one)
    with pytest.raises(ShapeError, match="do not fit the factors"):
        plot_meta_plasticity(one, one, one, names=["only one"])
