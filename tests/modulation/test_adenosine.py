"""Sleep pressure: the two-process model in closed form, whatever the size of its steps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import CheckpointError, ConfigError, DataError
from plasticish.modulation import Adenosine, AdenosineParameters

AMOUNTS = st.lists(st.floats(0.0, 50.0), min_size=1, max_size=12)


@given(AMOUNTS, AMOUNTS)
@settings(max_examples=60, deadline=None)
def test_many_small_steps_are_one_large_one(work, sleep):
    parameters = AdenosineParameters(tau_wake=30.0, tau_sleep=7.0)
    adenosine = Adenosine(parameters)
    for amount in work:
        adenosine.work(amount)
    assert adenosine.pressure == pytest.approx(1 - math.exp(-sum(work) / 30.0), abs=1e-12)
    tired = adenosine.pressure
    for amount in sleep:
        adenosine.sleep(amount)
    assert adenosine.pressure == pytest.approx(tired * math.exp(-sum(sleep) / 7.0), abs=1e-12)
    assert 0.0 <= adenosine.pressure <= 1.0


def test_people_sleep_a_third_of_the_day():
    # With the constants of Daan, Beersma & Borbély a cycle between the bounds, without a clock:
    # awake 18.2 h * ln((1 - 0.17) / (1 - 0.67)), asleep 4.2 h * ln(0.67 / 0.17).
    adenosine, minute = Adenosine(AdenosineParameters.human()), 1 / 60
    durations = []
    for _ in range(3):
        awake = asleep = 0.0
        while not adenosine.sleep_is_due:
            adenosine.work(minute)
            awake += minute
        while not adenosine.rested:
            adenosine.sleep(minute)
            asleep += minute
        durations.append((awake, asleep))
    awake, asleep = durations[-1]
    assert awake == pytest.approx(18.2 * math.log(0.83 / 0.33), abs=0.15)
    assert asleep == pytest.approx(4.2 * math.log(0.67 / 0.17), abs=0.05)


@given(st.floats(0.0, 500.0))
def test_the_sleep_that_is_needed_is_enough_and_no_less(activity):
    adenosine = Adenosine(AdenosineParameters(tau_wake=40.0, tau_sleep=3.0))
    adenosine.work(activity)
    needed = adenosine.sleep_needed
    if adenosine.rested:
        assert needed == 0.0
        return
    adenosine.sleep(needed * 0.99)
    assert not adenosine.rested or needed < 1e-3
    adenosine.sleep(needed * 0.01)
    assert adenosine.rested


def test_fatigue_raises_thresholds():
    adenosine = Adenosine(AdenosineParameters(tau_wake=1.0, inhibition=0.2))
    assert adenosine.threshold_factor == 1.0
    adenosine.work(1.0)
    assert adenosine.threshold_factor == pytest.approx(1 + 0.2 * (1 - math.exp(-1)))


def test_switched_off_nothing_tires():
    adenosine = Adenosine(AdenosineParameters(tau_wake=1.0), enabled=False)
    assert adenosine.work(100.0) == adenosine.sleep(1.0) == adenosine.pressure == 0.0
    assert adenosine.threshold_factor == 1.0
    assert adenosine.rested
    assert not adenosine.sleep_is_due
    assert adenosine.sleep_needed == 0.0
    adenosine.enabled = True
    assert adenosine.pressure == 0.0  # what went by meanwhile left no trace


def test_a_checkpoint_goes_on(tmp_path):
    one = Adenosine(AdenosineParameters(tau_wake=9.0, lower=0.05))
    one.work(3.3)
    two = Adenosine.load(one.save(tmp_path / "adenosine"))
    assert two.config() == one.config()
    assert two.work(0.7) == one.work(0.7)
    with pytest.raises(CheckpointError):
        Adenosine.load(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tau_wake": 0.0},
        {"tau_sleep": -1.0},
        {"tau_wake": math.nan},
        {"lower": 0.0},
        {"lower": 0.8},
        {"upper": 1.0},
        {"inhibition": -0.1},
        {"inhibition": math.inf},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"out of range|out of order"):
        AdenosineParameters(**wrong)


def test_bad_input_is_refused_with_nothing_changed():
    adenosine = Adenosine()
    before = adenosine.work(1000.0)
    for amount in (-1.0, math.nan, math.inf):
        for method in (adenosine.work, adenosine.sleep):
            with pytest.raises(DataError, match=r"negative|NaN"):
                method(amount)
    with pytest.raises(ConfigError, match="pressure"):
        adenosine.import_state(type(adenosine.export_state())({"pressure": 1.5}))
    assert adenosine.pressure == before
    with pytest.raises(ConfigError, match="no such field: got 'tau'"):
        Adenosine({"tau": 1.0})
