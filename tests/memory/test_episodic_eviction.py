"""Who goes when the bank is full: the policies against one-at-a-time play and against chance."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from plasticish.core import ConfigError, LabelError, ShapeError, make_generator
from plasticish.memory import EpisodicMemoryBank
from plasticish.memory.eviction import EVICTIONS, dropped

Kept = set[tuple[int, int]]


def numbered(count: int, classes: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Examples that carry their number in the stream as their only key."""
    y = torch.randint(0, classes, (count,), generator=make_generator(seed))
    return torch.arange(1.0, count + 1)[:, None], y


def kept(bank: EpisodicMemoryBank) -> Kept:
    x, y = bank.examples()
    return {(round(float(a)), int(b)) for a, b in zip(x[:, 0], y, strict=True)}


def make(eviction: str, size: int, seed: int = 0) -> EpisodicMemoryBank:
    return EpisodicMemoryBank(1, size, eviction=eviction, key_dtype="float32", seed=seed)


@settings(max_examples=25, deadline=None)
@given(
    eviction=st.sampled_from(EVICTIONS),
    capacity=st.integers(1, 30),
    cuts=st.lists(st.integers(1, 50), min_size=1, max_size=6),
    classes=st.integers(1, 6),
)
def test_a_batch_keeps_what_one_at_a_time_keeps(
    eviction: str, capacity: int, cuts: list[int], classes: int
) -> None:
    x, y = numbered(sum(cuts), classes)
    at_once, singly = make(eviction, capacity), make(eviction, capacity)
    start = 0
    for cut in cuts:
        at_once.store(x[start : start + cut], y[start : start + cut])
        start += cut
    for i in range(len(x)):
        singly.store(x[i : i + 1], y[i : i + 1])
    assert kept(at_once) == kept(singly)
    assert len(at_once) == min(capacity, len(x))
    assert at_once.seen == len(x)
    assert kept(at_once) <= {(i + 1, int(c)) for i, c in enumerate(y)}  # labels stay with keys


def test_ring_keeps_the_youngest() -> None:
    x, y = numbered(103, 4)
    bank = make("ring", 10)
    for i in range(0, 103, 6):
        report = bank.store(x[i : i + 6], y[i : i + 6])
    assert {number for number, _ in kept(bank)} == set(range(94, 104))
    assert report["evicted"] == 1
    bank.remove([0, 3])  # a hole is filled before anyone else goes
    old = kept(bank)
    bank.store(x[:2], y[:2])
    assert kept(bank) == old | {(1, int(y[0])), (2, int(y[1]))}


def test_reservoir_keeps_every_example_with_equal_chance() -> None:
    x, y = numbered(40, 3)
    tally: Counter[int] = Counter()
    for seed in range(600):
        bank = make("reservoir", 10, seed)
        bank.store(x, y)
        tally.update(number for number, _ in kept(bank))
    counts = torch.tensor([tally[i] for i in range(1, 41)], dtype=torch.float64)
    # 600 draws at 1/4 each; without replacement the variance is that of a binomial here too.
    chi2 = float(((counts - 150) ** 2 / (600 * 0.25 * 0.75)).sum())
    assert 15 < chi2 < 75  # 39 degrees of freedom: P < 1e-3 on either side


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=7).filter(any),
    capacity=st.integers(1, 60),
)
def test_balanced_keeps_classes_level(counts: list[int], capacity: int) -> None:
    y = torch.cat([torch.full((n,), c) for c, n in enumerate(counts)])
    y = y[torch.randperm(len(y), generator=make_generator(1))]
    bank = make("balanced", capacity)
    bank.store(torch.ones(len(y), 1), y)
    held = bank.class_counts.tolist()
    assert sum(held) == min(capacity, len(y))
    top = max(held)
    for have, had in zip(held, counts, strict=False):
        assert have == had or have >= top - 1  # only a class at the common level lost members


def test_balanced_keeps_a_uniform_sample_of_a_class() -> None:
    x, _ = numbered(40, 1)
    y = torch.tensor([0] * 30 + [1] * 10)
    tally: Counter[int] = Counter()
    for seed in range(600):
        bank = make("balanced", 20, seed)
        for i in (0, 28):  # the second batch brings the other class
            bank.store(x[i : i + 28], y[i : i + 28])
        tally.update(number for number, _ in kept(bank))
    assert [tally[i] for i in range(31, 41)] == [600] * 10  # ten are its fair share of twenty
    counts = torch.tensor([tally[i] for i in range(1, 31)], dtype=torch.float64)
    chi2 = float(((counts - 200) ** 2 / (600 * (1 / 3) * (2 / 3))).sum())
    assert 9 < chi2 < 62  # 29 degrees of freedom


def test_a_rare_class_survives_a_flood() -> None:
    bank = make("balanced", 100)
    bank.store(torch.ones(5, 1), torch.ones(5, dtype=torch.int64))
    for _ in range(50):
        bank.store(torch.ones(64, 1), torch.zeros(64, dtype=torch.int64))
    assert bank.class_counts.tolist() == [95, 5]


@settings(max_examples=30, deadline=None)
@given(
    eviction=st.sampled_from(["balanced", "reservoir"]),
    capacity=st.integers(1, 25),
    first=st.integers(1, 60),
    second=st.integers(1, 60),
)
def test_merged_banks_hold_what_one_bank_would(
    eviction: str, capacity: int, first: int, second: int
) -> None:
    x, y = numbered(first + second, 3)
    left, right = make(eviction, capacity, 1), make(eviction, capacity, 2)
    left.store(x[:first], y[:first])
    right.store(x[first:], y[first:])
    u = torch.cat(
        [
            torch.rand(n, generator=make_generator(seed), dtype=torch.float64)
            for n, seed in ((first, 1), (second, 2))
        ]
    )
    gone = set(dropped(eviction, y, torch.arange(len(y)), u, capacity).tolist())
    theirs = kept(right)
    left.merge(right)
    assert kept(left) == {(i + 1, int(c)) for i, c in enumerate(y) if i not in gone}
    assert left.seen == first + second
    assert kept(right) == theirs


def test_a_merged_ring_keeps_the_other_as_the_younger() -> None:
    x, y = numbered(20, 2)
    left, right = make("ring", 8), make("ring", 8)
    left.store(x[:10], y[:10])
    right.store(x[10:16], y[10:16])
    left.merge(right)
    assert {number for number, _ in kept(left)} == {9, 10, 11, 12, 13, 14, 15, 16}
    left.store(x[16:], y[16:])
    assert {number for number, _ in kept(left)} == set(range(13, 21))


def test_merging_an_empty_bank_changes_nothing() -> None:
    x, y = numbered(20, 2)
    bank = make("balanced", 8)
    bank.store(x, y)
    before = kept(bank)
    bank.merge(make("balanced", 8, 1))
    assert kept(bank) == before
    empty = make("balanced", 8, 1)
    empty.merge(bank)
    assert kept(empty) == before


def test_merges_that_make_no_sense_are_refused() -> None:
    bank = EpisodicMemoryBank(1, num_classes=2)
    with pytest.raises(ConfigError, match="itself"):
        bank.merge(bank)
    with pytest.raises(ShapeError, match="width"):
        bank.merge(EpisodicMemoryBank(2))
    other = EpisodicMemoryBank(1)
    other.store(torch.ones(1, 1), [2])
    with pytest.raises(LabelError, match="3 classes"):
        bank.merge(other)
    assert len(bank) == 0
