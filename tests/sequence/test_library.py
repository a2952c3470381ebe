"""The library: every sequence is read back, counts and levels are those of a recount."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError
from plasticish.sequence import Alphabet, ConceptLibrary, PlasticMemory

WORDS = st.lists(st.text("ab", min_size=1, max_size=12), min_size=1, max_size=20, unique=True)


def filled(words: list[Any], threshold: int = 2, batch: int = 100) -> tuple[ConceptLibrary, Any]:
    alphabet, library = Alphabet(), ConceptLibrary(threshold)
    for i in range(0, len(words), batch):
        part = alphabet.encode(words[i : i + batch])
        alphabet.grow(part)
        library.add(part, np.arange(i, i + len(part)))
    return library, alphabet


@given(WORDS, st.integers(2, 4), st.integers(1, 5))
def test_every_sequence_is_read_back(words: list[str], threshold: int, batch: int) -> None:
    library, alphabet = filled(words, threshold, batch)
    assert [alphabet.decode(library.read(i)) for i in range(len(words))] == words
    for word in words:
        codes = alphabet.encode_prefix(word)
        assert library.expand(library.parse(codes)).tolist() == codes.tolist()


def occurrences(library: ConceptLibrary, rows: int) -> dict[int, int]:
    """Count every concept by unfolding every stored parse, symbol by symbol."""
    found: dict[int, int] = {}
    stack = [int(s) for row in range(rows) for s in library.stored(row)]
    while stack:
        symbol = stack.pop()
        if symbol < 0:
            found[-1 - symbol] = found.get(-1 - symbol, 0) + 1
            stack.extend(library.parts(-1 - symbol))
    return found


@given(WORDS)
def test_counts_levels_and_expansions_are_those_of_an_unfolding(words: list[str]) -> None:
    library, _ = filled(words)
    concepts = {c.id: c for c in library.concepts()}
    assert {i: c.count for i, c in concepts.items()} == occurrences(library, len(words))
    for concept in concepts.values():
        halves = [[p] if p > 0 else concepts[-1 - p].expansion.tolist() for p in concept.parts]
        assert concept.expansion.tolist() == halves[0] + halves[1]
        below = [concepts[-1 - p].level for p in concept.parts if p < 0]
        assert concept.level == 1 + max(below, default=0)
        assert library.concepts(concept.level)[0].level == concept.level
    assert library.symbols_stored() == sum(len(library.stored(i)) for i in range(len(words)))


@given(WORDS, st.integers(2, 4))
def test_no_pair_is_left_that_should_be_a_concept(words: list[str], threshold: int) -> None:
    library, _ = filled(words, threshold)
    places: dict[tuple[int, int], int] = {}
    made = {library.parts(i) for i in range(len(library))}
    for row in range(len(words)):
        parse = library.stored(row).tolist()
        for pair in pairwise(parse):
            assert pair not in made
            places[pair] = places.get(pair, 0) + 1
    # A run such as aaa holds the pair aa twice, overlapping: it cannot be rewritten twice.
    assert all(n < threshold or a == b for (a, b), n in places.items())


@settings(max_examples=50)
@given(WORDS, WORDS, st.randoms(use_true_random=False))
def test_forgetting_leaves_the_others_readable(kept: list[str], more: list[str], rng: Any) -> None:
    words = list(dict.fromkeys([*kept, *more]))
    library, alphabet = filled(words)
    gone = [i for i in range(len(words)) if words[i] not in kept]
    rng.shuffle(gone)
    for row in gone:
        library.remove(row)
    left = [i for i in range(len(words)) if i not in gone]
    assert [alphabet.decode(library.read(i)) for i in left] == [words[i] for i in left]
    other = ConceptLibrary()
    other.import_state(library.export_state())
    again = alphabet.encode(["abab", "bbab"])
    for one in (library, other):
        one.add(again, np.array([100, 101]))
    assert other.stored(101).tolist() == library.stored(101).tolist()
    assert len(other) == len(library)


def test_a_long_repetition_is_a_deep_concept_and_does_not_recurse() -> None:
    library, alphabet = filled(["ab" * 50_000])
    top = max(library.concepts(), key=lambda c: len(c.expansion))
    assert len(library.stored(0)) < 40
    assert top.level >= 12
    assert alphabet.decode(library.read(0)) == "ab" * 50_000
    with pytest.raises(ConfigError, match="threshold is out of range: got 1"):
        ConceptLibrary(1)


def test_concepts_and_parses_in_symbols() -> None:
    memory = PlasticMemory("plain")
    memory.learn(["anna", "hanna", "joanna", "hannah", "anna"])
    best = max(memory.concepts(), key=lambda c: len(str(c.expansion)))
    assert best.expansion == "hanna"
    assert "".join(str(part.expansion) for part in memory.parse("joanna")) == "joanna"
    fresh = memory.parse("jannah")
    assert "".join(str(part.expansion) for part in fresh) == "jannah"
    assert max(part.level for part in fresh) >= 2
    assert all(c.level == 1 for c in memory.concepts(level=1))
    assert dict(memory.sequences()) == {"anna": 2, "hanna": 1, "joanna": 1, "hannah": 1}
    memory.forget("joanna")
    assert set(dict(memory.sequences())) == {"anna", "hanna", "hannah"}
    with pytest.raises(DataError, match="never seen: got 'x'"):
        memory.parse("xanna")
