"""The reward-prediction error: the four findings of Schultz et al., and values in closed form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import CheckpointError, ConfigError, DataError, ShapeError
from plasticish.modulation.dopamine import Dopamine, delay_line

LINE = delay_line("light", 8)
STATES = [None, *LINE, None]
REWARDED = [0.0] * 9 + [1.0]
OMITTED = [0.0] * 10


def trained(trials=400, **options):
    dopamine = Dopamine(learning_rate=0.3, **options)
    first = dopamine.trial(STATES, REWARDED)
    for _ in range(trials):
        errors = dopamine.trial(STATES, REWARDED)
    return dopamine, first, errors


@pytest.mark.parametrize("trace_decay", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("discount", [1.0, 0.9])
def test_the_error_moves_from_the_reward_to_the_cue(discount, trace_decay):
    dopamine, first, errors = trained(discount=discount, trace_decay=trace_decay)
    assert first == (*OMITTED[:-1], 1.0)
    # The light is 8 steps before the reward, and its value that of a reward so far away.
    promised = discount**7
    expected = [0.0, discount * promised, *[0.0] * 8]
    assert errors == pytest.approx(expected, abs=1e-9)
    assert dopamine.value(LINE[0]) == pytest.approx(promised)
    omitted = dopamine.trial(STATES, OMITTED)
    assert omitted[-1] == pytest.approx(-1.0)  # a dip when the reward should have come
    assert omitted[:-1] == pytest.approx(expected[:-1], abs=1e-9)


def test_eligibility_teaches_the_cue_in_one_trial():
    quick = Dopamine(learning_rate=0.5, trace_decay=1.0)
    quick.trial(STATES, REWARDED)
    assert [quick.value(state) for state in LINE] == [0.5] * 8
    slow = Dopamine(learning_rate=0.5)
    slow.trial(STATES, REWARDED)
    assert [slow.value(state) for state in LINE] == [0.0] * 7 + [0.5]


@given(st.lists(st.floats(-5.0, 5.0), min_size=1, max_size=20), st.floats(0.01, 1.0))
@settings(max_examples=60, deadline=None)
def test_one_step_values_are_running_means(rewards, rate):
    dopamine, mean = Dopamine(learning_rate=rate), 0.0
    for reward in rewards:
        assert dopamine.outcome("cue", reward) == pytest.approx(reward - mean)
        mean += rate * (reward - mean)
    assert dopamine.value("cue") == pytest.approx(mean)
    assert dopamine.value("another") == dopamine.value(None) == 0.0


def test_switched_off_nothing_is_expected_or_learned():
    dopamine, _, _ = trained()
    before = dopamine.values
    dopamine.enabled = False
    assert dopamine.value(LINE[0]) == 0.0
    assert dopamine.trial(STATES, REWARDED) == tuple(REWARDED)
    assert dopamine.outcome(LINE[0], 0.7) == 0.7
    assert dopamine.values == before
    dopamine.enabled = True
    assert dopamine.value(LINE[0]) == pytest.approx(1.0)


def test_episodes_do_not_credit_each_other():
    dopamine = Dopamine(learning_rate=0.5, trace_decay=1.0)
    dopamine.step("before")
    dopamine.begin()
    dopamine.outcome("after", 1.0)
    assert dopamine.value("before") == 0.0


def test_the_table_is_bounded_and_forgets_the_least_recent():
    dopamine = Dopamine(learning_rate=1.0, capacity=3)
    for cue in ("a", "b", "c", "a", "d"):
        dopamine.outcome(cue, 1.0)
    assert list(dopamine.values) == ["c", "a", "d"]


@pytest.mark.parametrize("trials", [0, 5])
def test_a_checkpoint_goes_on_in_mid_trial(tmp_path, trials):
    one = Dopamine(learning_rate=0.3, trace_decay=0.7, discount=0.95, capacity=50)
    for _ in range(trials):
        one.trial(STATES, REWARDED)
        one.step(LINE[0])
        one.step(LINE[1], 0.2)
    two = Dopamine.load(one.save(tmp_path / "dopamine"))
    assert two.config() == one.config()
    for dopamine in (one, two):
        dopamine.step(LINE[2], 0.4)
    assert two.values == one.values
    assert two.trial(STATES, REWARDED) == one.trial(STATES, REWARDED)


def test_a_checkpoint_whose_parts_disagree_is_refused(tmp_path):
    dopamine, _, _ = trained(trials=3)
    state = dopamine.export_state()
    broken = type(state)({**state.values, "cues": ["light+0"]}, state.tensors)
    with pytest.raises(ShapeError, match="do not match"):
        Dopamine().import_state(broken)
    with pytest.raises(CheckpointError):
        Dopamine.load(tmp_path / "nothing")


def test_bad_input_is_refused_and_nothing_learned():
    for wrong in ({"learning_rate": 0.0}, {"discount": 1.1}, {"trace_decay": -0.1}):
        with pytest.raises(ConfigError, match="out of range"):
            Dopamine(**wrong)
    with pytest.raises(ConfigError, match="capacity"):
        Dopamine(capacity=0)
    with pytest.raises(ConfigError, match="delay line"):
        delay_line("light", 0)
    dopamine = Dopamine()
    with pytest.raises(DataError, match="not finite"):
        dopamine.outcome("cue", math.nan)
    with pytest.raises(DataError, match="not finite"):
        dopamine.trial(["a", "b"], [1.0, math.inf])
    with pytest.raises(ShapeError, match="differ in number"):
        dopamine.trial(["a", "b"], [1.0])
    assert not dopamine.values
