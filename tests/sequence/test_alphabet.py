"""Codes of symbols: every kind of sequence, growth, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import DataError, DTypeError
from plasticish.sequence import Alphabet
from plasticish.sequence.alphabet import MAX_LENGTH

KINDS = {
    "text": st.text(min_size=1, max_size=8),
    "bytes": st.binary(min_size=1, max_size=8),
    "integers": st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=8).map(tuple),
    "words": st.lists(st.text(max_size=3), min_size=1, max_size=8).map(tuple),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_kind_is_read_back_exactly(kind: str, data: Any) -> None:
    alphabet = Alphabet()
    for _ in range(2):
        batch = data.draw(st.lists(KINDS[kind], min_size=1, max_size=6))
        encoded = alphabet.encode(batch)
        known = len(alphabet)
        alphabet.grow(encoded)
        assert len(alphabet) == known + len(encoded.new)
        pieces = pairwise(encoded.starts)
        assert [alphabet.decode(encoded.codes[a:b]) for a, b in pieces] == batch
        assert (encoded.codes[encoded.starts[1:] - 1] == 0).all()
    assert alphabet.kind == kind
    seen = [s for piece in batch for s in piece]
    assert len(set(alphabet.symbols)) == len(alphabet) >= len(set(seen))


def test_codes_follow_the_first_appearance_and_encoding_alone_changes_nothing() -> None:
    alphabet = Alphabet()
    batch = alphabet.encode(["ba", "cab"])
    assert batch.codes.tolist() == [1, 2, 0, 3, 2, 1, 0]
    assert batch.new == ("b", "a", "c")
    assert len(alphabet) == 0
    assert alphabet.kind is None
    alphabet.grow(batch)
    assert alphabet.encode_prefix("abx").tolist() == [2, 1, -1]
    assert alphabet.encode_prefix("").tolist() == []


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "none": ([], DataError, "no sequence"),
    "empty": (["ab", ""], DataError, "sequence 1 is empty"),
    "empty tokens": ([()], DataError, "sequence 0 is empty"),
    "number": ([1, 2], DTypeError, r"sequence 0 is of no usable type: got int.*\[sequence\]"),
    "other kind": (["ab", b"ab"], DTypeError, "another kind.*got bytes, expected text"),
    "float": ([[1.5]], DTypeError, "symbol of sequence 0"),
    "boolean": ([[True]], DTypeError, "symbol of sequence 0"),
    "mixed": ([[1, 2], [1, "a"]], DTypeError, "symbol 1 of sequence 1 .* got str, expected int"),
    "one line": (["a" * (MAX_LENGTH + 1)], DataError, "too long: got 1,000,001 symbols"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_sequences_are_refused(bad: str) -> None:
    sequences, error, text = BAD[bad]
    with pytest.raises(error, match=text):
        Alphabet().encode(sequences)


def test_a_kind_once_fixed_stays() -> None:
    alphabet = Alphabet()
    alphabet.grow(alphabet.encode(["ab"]))
    with pytest.raises(DTypeError, match="got words, expected text"):
        alphabet.encode([["ab"]])
    with pytest.raises(DTypeError, match="got bytes, expected text"):
        alphabet.encode_prefix(b"ab")
