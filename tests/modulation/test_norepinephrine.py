"""Novelty: its weights against the formula, its counts against an exact table."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError, State
from plasticish.modulation import Norepinephrine, NorepinephrineParameters

PATTERNS = st.lists(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8), min_size=1, max_size=15
)


def met(patterns, **options):
    norepinephrine = Norepinephrine(NorepinephrineParameters(**options))
    exact: Counter[int] = Counter()
    for pattern in patterns:
        norepinephrine.observe(np.array(pattern))
        exact.update(set(pattern))
    return norepinephrine, exact


@given(PATTERNS)
@settings(max_examples=60, deadline=None)
def test_counts_weights_and_novelty_are_those_of_the_formula(patterns):
    norepinephrine, exact = met(patterns)
    parts = np.array([*exact, 12345])
    df = np.array([exact[part] for part in parts.tolist()])
    assert norepinephrine.patterns == len(patterns)
    assert norepinephrine.frequency(parts).tolist() == df.tolist()
    n = np.arange(1, len(parts) + 1)
    expected = [
        (1 + math.log(times)) * math.log(1 + (len(patterns) + 1) / max(count, 1))
        for times, count in zip(n.tolist(), df.tolist(), strict=True)
    ]
    assert norepinephrine.weights(parts, n) == pytest.approx(expected)
    w = norepinephrine.weights(parts)
    assert norepinephrine.novelty(parts) == pytest.approx(float(w @ 0.5**df / w.sum()))


@given(PATTERNS, st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_in_a_crowded_table_nothing_seems_newer_than_it_is(patterns, columns):
    norepinephrine, exact = met(patterns, columns=columns)
    for part, count in exact.items():
        assert count <= norepinephrine.frequency(np.array([part]))[0] <= len(patterns)


def test_few_parts_are_overestimated_in_a_table_of_twice_their_number():
    parts = np.arange(20_000)
    norepinephrine, _ = met(parts.reshape(-1, 20).tolist(), columns=40_000)
    wrong = float((norepinephrine.frequency(parts) > 1).mean())
    # A part is wrong if both of its places were taken before: at most (1 - exp(-1/2))^2.
    assert 0.0 < wrong < (1 - math.exp(-0.5)) ** 2


def test_what_is_met_becomes_familiar_by_halves():
    norepinephrine = Norepinephrine(NorepinephrineParameters(depression=0.5))
    pattern = np.array([3, 14, 15])
    assert [norepinephrine.observe(pattern) for _ in range(5)] == [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16]
    assert norepinephrine.novelty(np.array([92, 65])) == 1.0


def test_repeats_within_a_pattern_count_once():
    one, _ = met([[5, 5, 5, 6], [5]])
    assert one.frequency(np.array([5, 6])).tolist() == [2, 1]
    assert one.novelty(np.array([5, 5, 6])) == one.novelty(np.array([6, 5]))


def test_rare_parts_weigh_more_and_novelty_raises_the_gain():
    norepinephrine, _ = met([[1, part] for part in range(2, 50)], gain=2.0)
    common, rare, unknown = norepinephrine.weights(np.array([1, 2, 999]))
    assert common < rare == unknown
    assert norepinephrine.gain(0.0) == 1.0
    assert norepinephrine.gain(norepinephrine.novelty(np.array([999]))) == 3.0


def test_switched_off_everything_weighs_the_same():
    norepinephrine = Norepinephrine(enabled=False)
    parts = np.array([1, 2])
    assert norepinephrine.observe(parts) == norepinephrine.novelty(parts) == 0.0
    assert norepinephrine.weights(parts, np.array([1, 9])).tolist() == [1.0, 1.0]
    assert norepinephrine.gain(1.0) == 1.0
    assert norepinephrine.patterns == 0


def test_looking_changes_nothing():
    norepinephrine, _ = met([[1, 2], [2, 3]])
    before = norepinephrine.export_state()
    norepinephrine.weights(np.array([1, 7]))
    norepinephrine.novelty(np.array([1, 7]))
    after = norepinephrine.export_state()
    assert after.values == before.values
    assert after.tensors["counts"].equal(before.tensors["counts"])


def test_a_checkpoint_goes_on(tmp_path):
    one = Norepinephrine(NorepinephrineParameters(columns=64, depression=0.3), seed=5)
    for part in range(30):
        one.observe(np.array([part, part // 3]))
    two = Norepinephrine.load(one.save(tmp_path / "norepinephrine"))
    assert two.config() == one.config()
    pattern = np.array([3, 4, 1000])
    assert two.observe(pattern) == one.observe(pattern)
    assert two.weights(pattern).tolist() == one.weights(pattern).tolist()


def test_bad_input_is_refused_with_nothing_changed():
    norepinephrine, _ = met([[1, 2]])
    for wrong, error in (
        (np.array([0.5]), DTypeError),
        (np.array([[1]]), ShapeError),
        (np.array([], dtype=int), DataError),
    ):
        for method in (norepinephrine.observe, norepinephrine.novelty, norepinephrine.weights):
            with pytest.raises(error):
                method(wrong)
    for wrong in (np.array([1, 1]), np.array([0])):
        with pytest.raises(ShapeError, match="occurrences"):
            norepinephrine.weights(np.array([4]), wrong)
    state = norepinephrine.export_state()
    counts = state.tensors["counts"]
    for broken, error in (
        (State(state.values, {"counts": counts[:, :5]}), ShapeError),
        (State(state.values, {"counts": counts + 2}), DataError),
        (State({"patterns": -1}, state.tensors), ConfigError),
    ):
        with pytest.raises(error):
            norepinephrine.import_state(broken)
    assert norepinephrine.patterns == 1
    assert norepinephrine.frequency(np.array([1, 3])).tolist() == [1, 0]


@pytest.mark.parametrize("wrong", [{"depression": 1.5}, {"gain": -1.0}, {"columns": 0}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match="out of range"):
        NorepinephrineParameters(**wrong)
