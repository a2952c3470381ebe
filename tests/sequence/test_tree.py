"""The abstraction tree against a brute-force recount of every prefix."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import ConfigError, NotReadyError
from plasticish.sequence import AbstractionTree, Alphabet
from plasticish.sequence.tree import check_amount

WORDS = st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=30)


def grown(words: list[Any], alphabet: Alphabet | None = None) -> tuple[AbstractionTree, Alphabet]:
    alphabet, tree = alphabet or Alphabet(), AbstractionTree()
    batch = alphabet.encode(words)
    alphabet.grow(batch)
    tree.insert(batch)
    return tree, alphabet


def shape(tree: AbstractionTree) -> dict[tuple[int, ...], tuple[float, int]]:
    """Return every node by its path, with count and level: what the tree is, whoever made it."""
    found = {tuple(n.path.tolist()): (n.count, n.r_level) for n in tree.nodes()}
    assert len(found) == len(tree)
    return found


def recount(words: list[str], alphabet: Alphabet) -> dict[tuple[int, ...], tuple[float, int]]:
    """Return the same from all prefixes of all words, with no tree in sight."""
    stored = Counter(tuple(alphabet.encode([w]).codes.tolist()) for w in words)
    prefixes = {s[:i] for s in stored for i in range(len(s) + 1)}
    following: dict[tuple[int, ...], set[int]] = {p: set() for p in prefixes}
    for p in prefixes - {()}:
        following[p[:-1]].add(p[-1])
    kept = {p for p in prefixes if len(following[p]) != 1 or p == ()}
    level: dict[tuple[int, ...], int] = {}
    for p in sorted(kept, key=len, reverse=True):
        below = [q for q in level if len(q) > len(p) and q[: len(p)] == p]
        level[p] = 1 + max((level[q] for q in below), default=-1)
    count = {p: sum(n for s, n in stored.items() if s[: len(p)] == p) for p in kept}
    return {p: (count[p], level[p]) for p in kept}


@given(WORDS)
def test_counts_and_levels_are_those_of_a_recount(words: list[str]) -> None:
    tree, alphabet = grown(words)
    assert shape(tree) == recount(words, alphabet)
    assert tree.levels() == dict(Counter(level for _, level in shape(tree).values()))


@given(WORDS, st.randoms(use_true_random=False))
def test_any_order_and_any_batching_give_the_same_tree(words: list[str], rng: Any) -> None:
    tree, alphabet = grown(words)
    shuffled = words[:]
    rng.shuffle(shuffled)
    other = AbstractionTree()
    for word in shuffled:
        other.insert(alphabet.encode([word]))
    assert shape(other) == shape(tree)


@given(WORDS, WORDS, st.randoms(use_true_random=False))
def test_withdrawing_undoes_inserting(kept: list[str], passing: list[str], rng: Any) -> None:
    tree, alphabet = grown(kept + passing)
    rng.shuffle(passing)
    for word in passing:
        tree.withdraw(alphabet.encode([word]).codes, 1.0)
    assert shape(tree) == recount(kept, alphabet)
    loaded = AbstractionTree()
    loaded.import_state(tree.export_state())
    for other in (tree, loaded):
        other.insert(alphabet.encode(passing))
        assert shape(other) == recount(kept + passing, alphabet)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_fractions_are_undone_to_the_last_bit(amounts: list[float], rng: Any) -> None:
    tree, alphabet = grown(["ab", "ac"])
    before, codes = shape(tree), alphabet.encode(["ab"])
    amounts = [check_amount(a) for a in amounts]
    for amount in amounts:
        tree.insert(codes, amount)
    rng.shuffle(amounts)
    for amount in amounts:
        tree.withdraw(codes.codes, amount)
    assert shape(tree) == before


def test_what_was_never_learned_cannot_be_withdrawn() -> None:
    tree, alphabet = grown(["anna", "ann"])
    before = shape(tree)
    for word in ("an", "annab", "nna"):
        codes = alphabet.encode([word]).codes
        with pytest.raises(NotReadyError, match="never learned"):
            tree.withdraw(codes, 1.0)
    with pytest.raises(NotReadyError, match="not learned that often: got 2 to take back, 1 stored"):
        tree.withdraw(alphabet.encode(["ann"]).codes, 2.0)
    assert shape(tree) == before


@pytest.mark.parametrize("amount", [0, float("nan"), float("inf"), "1", True, 1e12, 1e-9])
def test_amounts_that_are_none_are_refused(amount: Any) -> None:
    with pytest.raises(ConfigError, match="amount is out of range"):
        check_amount(amount)


def test_stored_sequences_are_read_back_with_their_counts() -> None:
    words = ["emma", "emily", "emma", "olivia"]
    tree, alphabet = grown(words)
    read = {str(alphabet.decode(codes)): count for codes, count in tree.sequences()}
    assert read == Counter(words)
    codes, starts, counts = tree.gathered()
    pieces = [str(alphabet.decode(codes[a:b])) for a, b in pairwise(starts)]
    assert dict(zip(pieces, counts.tolist(), strict=True)) == read


def test_a_trace_is_the_path_that_fires() -> None:
    tree, alphabet = grown(["emma", "emily", "olivia"])
    path = [tree.node(row) for row in tree.trace(alphabet.encode(["emma"]).codes)]
    assert [node.count for node in path] == [3, 2, 1]
    assert [node.r_level for node in path] == [2, 1, 0]
    assert path[-1].is_leaf
    inside = tree.trace(alphabet.encode_prefix("emi"))
    assert tree.node(inside[-1]).count == 1
    assert tree.trace(alphabet.encode(["emmo"]).codes) == [row.id for row in path[:2]]
    assert tree.trace(alphabet.encode_prefix("xyz")) == [0]


def test_a_tree_as_deep_as_can_be_does_not_recurse() -> None:
    # Every sequence extends the one before it; Python's own stack would end at 1,000.
    alphabet = Alphabet()
    chain = ["a" * n for n in range(1, 2001)]
    tree, alphabet = grown(chain, alphabet)
    assert max(tree.levels()) == 2000
    for word in chain[:-1]:
        tree.withdraw(alphabet.encode([word]).codes, 1.0)
    assert tree.levels() == {0: 1, 1: 1}


def test_a_wide_tree_finds_every_child() -> None:
    numbers = random.Random(0).sample(range(10**6), 2000)
    tree, alphabet = grown([[n, 7] for n in numbers])
    for n in numbers[:1000]:
        tree.withdraw(alphabet.encode([[n, 7]]).codes, 1.0)
    assert tree.count == 1000
    assert all(tree.weight(alphabet.encode([[n, 7]]).codes) == 1 for n in numbers[1000:])
    assert not any(tree.weight(alphabet.encode([[n, 7]]).codes) for n in numbers[:1000])


def test_forgetting_gives_its_memory_back() -> None:
    tree, alphabet = grown(["stays"])
    batch = alphabet.encode([f"goes{i}" for i in range(200)])
    alphabet.grow(batch)
    for _ in range(20):
        tree.insert(batch)
        for a, b in pairwise(batch.starts):
            tree.withdraw(batch.codes[a:b], 1.0)
    sizes = {k: len(v) for k, v in tree.export_state().tensors.items()}
    assert sizes["count"] < 500
    assert sizes["text"] < 5000
    assert len(tree) == 2
    assert np.isclose(tree.count, 1)


@pytest.mark.parametrize("times", [1, 2, 3, 5])
def test_a_list_read_again_is_told_from_what_is_common(times: int) -> None:
    rng = np.random.default_rng(times)
    items = [f"{i:x}" for i in range(16, 500)]
    # Some are popular in the list itself, and it comes in another order each time.
    listed = items + list(rng.choice(items, 60))
    tree, alphabet = AbstractionTree(), Alphabet("text", sorted("0123456789abcdef"))
    for _ in range(times):
        stored = tree.insert(alphabet.encode([listed[i] for i in rng.permutation(len(listed))]))
    assert tree.readings == times
    if times > 1:
        # The last time each was met as often as before, and all that is set down to the list.
        assert np.median(stored.own) == times - 1
    for alike in (True, False):
        chance = None if alike else 1 / np.arange(1, len(items) + 1)
        chance = None if chance is None else chance / chance.sum()
        stream = rng.choice(items, times * len(items), p=chance).tolist()
        tree = AbstractionTree()
        tree.insert(alphabet.encode(stream))
        assert tree.readings == 1


def test_readings_survive_a_checkpoint_and_forgetting() -> None:
    words = [f"{i:x}" for i in range(16, 200)]
    tree, alphabet = AbstractionTree(), Alphabet("text", sorted("0123456789abcdef"))
    batch = alphabet.encode(words)
    for _ in range(2):
        tree.insert(batch)
    other = AbstractionTree()
    other.import_state(tree.export_state())
    assert tree.readings == other.readings == 2
    again, same = tree.insert(batch), other.insert(batch)
    np.testing.assert_array_equal(again.own, same.own)
    for word in words:
        tree.withdraw(alphabet.encode([word]).codes, 2.0)
    assert tree.readings == 1
