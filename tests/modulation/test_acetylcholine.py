"""Expected uncertainty: running means in closed form, and where they come from and go to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, ShapeError, State
from plasticish.modulation import Acetylcholine, AcetylcholineParameters

ERRORS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


@given(ERRORS, st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_at_first_it_is_the_mean_of_prior_and_errors(errors, prior):
    parameters = AcetylcholineParameters(prior=prior, learning_rate=1e-6)
    acetylcholine = Acetylcholine(parameters)
    for error in errors:
        level = acetylcholine.observe(error, "context")
    expected = (prior + sum(errors)) / (len(errors) + 1)
    assert level == acetylcholine.level("context") == pytest.approx(expected)
    assert acetylcholine.level() == pytest.approx(expected)


def test_later_it_forgets_exponentially():
    acetylcholine = Acetylcholine(AcetylcholineParameters(learning_rate=0.1))
    for _ in range(400):
        acetylcholine.observe(1.0, "context")
    assert acetylcholine.level("context") == pytest.approx(1.0, abs=1e-3)
    before = acetylcholine.level("context")
    for _ in range(7):
        acetylcholine.observe(0.0, "context")
    assert acetylcholine.level("context") == pytest.approx(before * 0.9**7)


def test_it_tells_the_reliable_context_from_the_other():
    # The cue invalidity of Yu & Dayan: errors come with 20 % and with 70 %.
    acetylcholine = Acetylcholine(AcetylcholineParameters(learning_rate=0.01))
    chance = np.random.default_rng(3)
    for _ in range(1500):
        acetylcholine.observe(float(chance.random() < 0.2), "sure")
        acetylcholine.observe(float(chance.random() < 0.7), "unsure")
    assert acetylcholine.level("sure") == pytest.approx(0.2, abs=0.12)
    assert acetylcholine.level("unsure") == pytest.approx(0.7, abs=0.12)
    assert acetylcholine.level() == pytest.approx(0.45, abs=0.12)
    assert acetylcholine.level("unknown") == acetylcholine.level()


def test_uncertainty_opens_encoding_and_holds_back_recurrence():
    acetylcholine = Acetylcholine(
        AcetylcholineParameters(prior=1.0, encoding=3.0, suppression=0.25, learning_rate=1.0)
    )
    assert acetylcholine.encoding_gain("new") == 4.0
    assert acetylcholine.recurrent_gain("new") == 0.75
    acetylcholine.observe(0.0, "new")
    assert acetylcholine.encoding_gain("new") == acetylcholine.recurrent_gain("new") == 1.0


def test_errors_outside_a_context_count_for_all_together():
    acetylcholine = Acetylcholine(AcetylcholineParameters(prior=0.0))
    acetylcholine.observe(0.0, "one")
    acetylcholine.observe(1.0)
    assert acetylcholine.level("one") == 0.0
    assert acetylcholine.level() == pytest.approx(1 / 3)


def test_switched_off_every_gain_is_one():
    acetylcholine = Acetylcholine(enabled=False)
    assert acetylcholine.observe(1.0, "context") == acetylcholine.level("context") == 0.0
    assert acetylcholine.encoding_gain() == acetylcholine.recurrent_gain("context") == 1.0
    acetylcholine.enabled = True
    assert acetylcholine.level("context") == 0.5


def test_contexts_are_bounded_and_the_least_recent_forgotten():
    acetylcholine = Acetylcholine(AcetylcholineParameters(capacity=2))
    for context in ("a", 7, "a", "b"):
        acetylcholine.observe(1.0, context)
    assert acetylcholine.export_state().values["contexts"] == ["a", "b"]


def test_a_checkpoint_goes_on(tmp_path):
    one = Acetylcholine(AcetylcholineParameters(capacity=3, encoding=0.5))
    for step, context in enumerate(["a", 7, "a", None, "b", "c"]):
        one.observe(step / 10, context)
    two = Acetylcholine.load(one.save(tmp_path / "acetylcholine"))
    assert two.config() == one.config()
    for context in ("a", 7, "b", "c", "d", None):
        assert two.level(context) == one.level(context)
        assert two.observe(0.3, context) == one.observe(0.3, context)


def test_bad_input_is_refused_with_nothing_changed():
    acetylcholine = Acetylcholine()
    acetylcholine.observe(0.2, "context")
    before = acetylcholine.level("context"), acetylcholine.level()
    for error in (-0.1, 1.1, math.nan):
        with pytest.raises(DataError):
            acetylcholine.observe(error, "context")
    state = acetylcholine.export_state()
    broken = [
        (State({"contexts": []}, state.tensors), ShapeError),
        (
            State(state.values, {**state.tensors, "levels": state.tensors["levels"] + 1}),
            ConfigError,
        ),
        (State(state.values, {**state.tensors, "seen": state.tensors["seen"] * 0}), ConfigError),
    ]
    for one, error in broken:
        with pytest.raises(error):
            acetylcholine.import_state(one)
    assert before == (acetylcholine.level("context"), acetylcholine.level())


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 0.0},
        {"learning_rate": 1.5},
        {"prior": -0.1},
        {"encoding": math.nan},
        {"suppression": 2.0},
        {"capacity": 0},
    ],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match="out of range"):
        AcetylcholineParameters(**wrong)
