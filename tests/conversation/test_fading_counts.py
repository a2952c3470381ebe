"""Counts that fade: the sum of what is left of every hearing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.conversation.fading_counts import FadingCounts

HEARD = st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.0, 500.0)), max_size=40)


@given(HEARD, st.floats(0.1, 200.0))
@settings(max_examples=100, deadline=None)
def test_a_count_is_what_is_left_of_every_hearing(heard, half_life):
    counts = FadingCounts[str](half_life)
    now, times = 0.0, {}
    for key, pause in heard:
        now += pause
        counts.fade(pause)
        counts.add(key)
        times.setdefault(key, []).append(now)
    for key in "abc":
        left = sum(2.0 ** (-(now - time) / half_life) for time in times.get(key, []))
        assert counts[key] == pytest.approx(left, rel=1e-9, abs=1e-180)
    again = FadingCounts[str].from_lists(half_life, counts.to_lists())
    assert again.to_lists() == counts.to_lists()


def test_the_largest_are_kept_and_of_equal_ones_the_newer():
    counts = FadingCounts[str](10.0)
    for key in "abcdb":
        counts.add(key)
    counts.keep_largest(2)
    assert list(counts) == ["b", "d"]
    assert counts.pop("b") == 2.0
    assert counts.pop("b") == counts["b"] == 0.0
    assert "d" in counts
    assert len(counts) == 1


def test_an_age_of_silence_is_survived():
    counts = FadingCounts[str](1e-3)
    counts.add("a")
    for _ in range(5):
        counts.fade(1e9)
    counts.add("b")
    assert (counts["a"], counts["b"]) == (0.0, 1.0)
