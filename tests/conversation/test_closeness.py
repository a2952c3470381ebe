"""chrF against values of sacrebleu 2 (nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plasticish.conversation import chrf


@pytest.mark.parametrize(
    ("reply", "wanted", "expected"),
    [
        ("hello", "hello", 1.0),
        ("I am fin", "I am fine.", 0.6465405545478103),
        ("the cat sat", "a cat is sitting", 0.14174438917760462),
        ("hi", "hello there", 0.059523809523809514),
        ("What is your name?", "what's your name", 0.6198609728673429),
        ("a", "b", 0.0),
    ],
)
def test_it_is_that_of_sacrebleu(reply, wanted, expected):
    assert chrf(reply, wanted) == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    # Orders 1 and 2: P = (2/2 + 1/1)/2 = 1, R = (2/3 + 1/2)/2 = 7/12; F2 = 5 P R / (4 P + R).
    assert chrf("ab", "abc") == pytest.approx(5 * (7 / 12) / (4 + 7 / 12))
    assert chrf("ab", "abc", beta=1.0) == pytest.approx(2 * (7 / 12) / (1 + 7 / 12))


@given(st.text(max_size=40), st.text(max_size=40))
def test_it_is_a_share_and_full_for_equal_texts(one, other):
    assert 0.0 <= chrf(one, other) <= 1.0 + 1e-12
    assert chrf(one, one) == pytest.approx(1.0)
    assert chrf(one, f" {one}\n") == pytest.approx(1.0)  # white space does not count
    assert chrf(one, other, beta=1.0) == pytest.approx(chrf(other, one, beta=1.0))


def test_silence_is_close_to_silence_only():
    assert chrf("", " ") == 1.0
    assert chrf("", "a") == chrf("a", "\n") == 0.0
