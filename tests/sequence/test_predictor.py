"""The predictor: proper distributions, exact counts, an optimum that is known, honest replay."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError
from plasticish.sequence import EXPERTS, Alphabet, Expert, Predictor
from plasticish.sequence.count_kernels import REPORTED
from plasticish.sequence.experts import class_of, classes_of, expert_rows

WORDS = st.lists(st.text("abcde", min_size=1, max_size=7), min_size=1, max_size=12)


def taught(words: list[Any], experts: str = "plain", **options: Any) -> Any:
    """Return a predictor that has read ``words``, its alphabet and classes."""
    alphabet, predictor = Alphabet(), Predictor(EXPERTS[experts], **options)
    batch = alphabet.encode(words)
    alphabet.grow(batch)
    classes = np.array([3, *classes_of(alphabet.symbols)], np.int64)
    predictor.learn(batch, classes)
    return predictor, alphabet, classes


@settings(max_examples=30)
@given(WORDS, st.text("abcdef", max_size=8), st.sampled_from(sorted(EXPERTS)))
def test_every_distribution_sums_to_one_and_leaves_nothing_out(
    words: list[str], prefix: str, experts: str
) -> None:
    predictor, alphabet, classes = taught(words, experts)
    p, new = predictor.distribution(alphabet.encode_prefix(prefix), classes)
    assert len(p) == len(alphabet) + 1
    assert math.isclose(p.sum() + new, 1, abs_tol=1e-12)
    assert (p > 0).all()
    assert 0 < new < 1


@settings(max_examples=30)
@given(WORDS, st.sampled_from(["", "a", "ab", "abc", "bd"]))
def test_the_orders_have_counted_what_a_recount_counts(words: list[str], prefix: str) -> None:
    predictor, alphabet, classes = taught([*words, "abcd"])
    words = [*words, "abcd"]
    codes = alphabet.encode_prefix(prefix)
    said = {t.expert: t for t in predictor.testimonies(codes, classes)}
    for length in range(7):
        # Before its start a sequence is one long row of a symbol that is none.
        wanted = ("^" * 7 + prefix)[len(prefix) + 7 - length :]
        after: Counter[int] = Counter()
        for word in words:
            padded = "^" * 7 + word
            for i in range(7, len(padded) + 1):
                if padded[i - length : i] == wanted:
                    after[alphabet.code(padded[i]) if i < len(padded) else 0] += 1  # type: ignore[index]
        name = f"last {length}" if length else "no context"
        assert (said[name].counts if name in said else {}) == after
        assert not after or said[name].seen == sum(after.values())


@settings(max_examples=20)
@given(WORDS, st.text("abcde", min_size=1, max_size=7))
def test_taking_counts_away_undoes_them(words: list[str], word: str) -> None:
    predictor, alphabet, classes = taught([*words, "abcde"])
    batch = alphabet.encode([word])

    def counted() -> Any:
        state = predictor.export_state()
        slots = {}
        begin = 0
        for key, size in zip(state.tensors["key"].tolist(), state.tensors["size"], strict=True):
            stop = begin + int(size)
            pairs = zip(
                state.tensors["symbol"][begin:stop].tolist(),
                state.tensors["count"][begin:stop].tolist(),
                strict=True,
            )
            slots[key] = sorted(pairs)
            begin = stop
        return slots, state.values

    before = counted()
    predictor.count(batch, classes, 2.0)
    assert counted() != before
    predictor.count(batch, classes, -2.0)
    assert counted() == before


def test_a_source_whose_optimum_is_known_is_reached() -> None:
    # A Markov chain of two symbols that ends with probability 0.05 after each: what it costs to one
    # who knows all that is the least that anybody can pay.
    rng = np.random.default_rng(0)
    stay, stop = 0.85, 0.05
    sequences, optimum = [], []
    for _ in range(4000):
        flips = rng.random(rng.geometric(stop) - 1) > stay
        walk = (np.cumsum([0, *flips]) + rng.integers(2)) % 2
        sequences.append(walk.tolist())
        least = math.log(0.5) + np.log(np.where(flips, 1 - stay, stay)).sum()
        optimum.append(-least - len(flips) * math.log(1 - stop) - math.log(stop))
    predictor, alphabet, classes = taught(sequences[:3000], "plain")
    nats = predictor.nats(alphabet.encode(sequences[3000:]), classes).sum()
    assert nats / sum(optimum[3000:]) == pytest.approx(1, abs=0.02)


def test_surprise_is_the_log_of_what_is_predicted() -> None:
    predictor, alphabet, classes = taught(["emma", "emily", "olivia"], "rich")
    codes = alphabet.encode(["emil"]).codes
    total = 0.0
    for i, code in enumerate(codes):
        p, _ = predictor.distribution(codes[:i], classes)
        total -= math.log(p[code])
    assert predictor.nats(alphabet.encode(["emil"]), classes)[0] == pytest.approx(total, rel=1e-12)


def test_replay_leaves_its_own_count_out() -> None:
    # One sequence alone: with its own counts out, no expert knows anything, and all symbols that
    # exist are alike; nothing can be corrected.
    predictor, alphabet, classes = taught(["abcdefg"])
    batch = alphabet.encode(["abcdefg"])
    nats = predictor.replay(batch.codes, batch.starts, np.ones(1), np.ones(1), classes, 1, 0)
    expert = Expert(name="whole", whole=True)
    lonely = Predictor([expert])
    lonely.count(batch, classes, 1.0)
    before = lonely.export_state().tensors
    assert lonely.replay(
        batch.codes, batch.starts, np.ones(1), np.ones(1), classes, 3, 0
    ) == pytest.approx(math.log(8))
    after = lonely.export_state().tensors
    assert all((before[k] == after[k]).all() for k in before)
    # Order 0 still sees the other seven tokens.
    assert nats != pytest.approx(math.log(8))


def test_replay_meets_each_sequence_as_a_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    # An expert that sees everything since the start meets each of its contexts once a sequence, so
    # leaving a token's own count out is the same as never having been told the sequence.
    words = ["anna", "hanna", "hannah", "anne", "nan", "anna"]
    alphabet = Alphabet()
    batch = alphabet.encode(words)
    alphabet.grow(batch)
    classes = np.array([3, *classes_of(alphabet.symbols)], np.int64)
    expert = [Expert(name="whole", whole=True)]
    expected = 0.0
    for left_out in range(len(words)):
        stranger, alone = Predictor(expert), alphabet.encode([words[left_out]])
        stranger.count(batch, classes, 1.0)
        stranger.count(alone, classes, -1.0)
        _, new = stranger.distribution(alone.codes[:0], classes)
        expected += stranger.nats(alone, classes).sum() + len(alone.codes) * math.log(1 - new)
    monkeypatch.setattr("plasticish.sequence.predictor._STEP", 0.0)
    told = Predictor(expert)
    told.count(batch, classes, 1.0)
    nats = told.replay(
        batch.codes, batch.starts, np.ones(len(words)), np.ones(len(words)), classes, 1, 0
    )
    assert nats == pytest.approx(expected / len(batch.codes), rel=1e-12)


@pytest.mark.parametrize("experts", sorted(EXPERTS))
def test_learning_is_the_same_in_any_batches(experts: str) -> None:
    words = ["emma", "emily", "olivia", "ava", "mia"] * 4
    whole, alphabet, classes = taught(words, experts)
    pieces = Predictor(EXPERTS[experts])
    for word in words:
        pieces.learn(alphabet.encode([word]), classes)
    one, other = whole.export_state(), pieces.export_state()
    assert one.values == other.values
    assert all((one.tensors[k] == other.tensors[k]).all() for k in one.tensors)


def test_synapses_stay_below_their_bound_and_the_frequent_survive() -> None:
    rng = np.random.default_rng(0)
    noise = ["".join(rng.choice(list("abcdefgh"), 8)) for _ in range(600)]
    words = [w for pair in zip(noise, ["hgfe"] * 600, strict=True) for w in pair]
    free, alphabet, classes = taught(words)
    bound, _, _ = taught(words, max_synapses=4000)
    assert free.synapses > 8000
    assert bound.synapses <= 4000 + 8 * 9
    last = alphabet.encode(["hgfe"])
    assert bound.nats(last, classes)[0] < 1.5 * free.nats(last, classes)[0] + 0.5
    with pytest.raises(ConfigError, match="max_synapses is out of range: got 10"):
        Predictor(EXPERTS["plain"], 10)


def test_experts_that_cannot_look_there_are_refused() -> None:
    for bad in ({"recent": (0,)}, {"recent": (63,)}, {"shape": 32}, {"vowels": 4}, {"first": -1}):
        with pytest.raises(ConfigError, match="cannot look there"):
            Expert(name="bad", **bad)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no expert"):
        expert_rows([])


def test_experts_see_different_things() -> None:
    for experts in EXPERTS.values():
        assert len({e.row() for e in experts}) == len(experts)
        assert len({e.name for e in experts}) == len(experts)
    assert class_of("ß") == 2
    assert class_of(" ") == 3
    assert class_of(300) == 3


def test_a_large_alphabet_is_read_by_its_strongest_and_nothing_is_lost() -> None:
    words = [[f"w{i}"] for i in range(3000)] + [["w2999", "w7"]] * 200
    alphabet = Alphabet()
    batch = alphabet.encode(words)
    alphabet.grow(batch)
    classes = np.array([3, *classes_of(alphabet.symbols)], np.int64)
    predictor = Predictor(EXPERTS["plain"])
    predictor.learn(batch, classes)
    p, new = predictor.distribution(np.zeros(0, np.int32), classes)
    assert p.shape == (3001,)
    assert p.min() > 0
    assert p.sum() + new == pytest.approx(1.0)
    # It came late, behind those that are read, and was moved to the front by its count.
    assert alphabet.symbols[int(p[1:].argmax())] == "w2999"
    (first, *_) = predictor.testimonies(np.zeros(0, np.int32), classes)
    assert len(first.counts) == REPORTED
    code = alphabet.code("w2999")
    assert first.counts[code] == 201
    # What is not read is still counted, and can be taken back.
    predictor.count(alphabet.encode(words), classes, -1.0)
    assert predictor.synapses == 0


def seen_words(text: str, words: int) -> tuple[str, ...]:
    """Return what an expert of words sees, from its definition: parts, each with what ends it."""
    parts = [""]
    for symbol in text:
        parts[-1] += symbol
        if not symbol.isalpha():
            parts.append("")
    return tuple(([""] * words + parts)[len(parts) :])


@given(st.lists(st.text("ab ,", max_size=9), min_size=2, max_size=8), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_experts_of_words_see_words_and_what_ended_them(prefixes: list[str], words: int) -> None:
    predictor = Predictor([Expert(name="words", words=words)])
    alphabet = Alphabet("text", ["a", "b", " ", ",", "!"])
    classes = np.array([3, *classes_of(alphabet.symbols)], np.int64)
    texts = [prefix + "!" for prefix in prefixes]
    predictor.learn(alphabet.encode(texts), classes)
    expected = Counter(
        (seen_words(text[:i], words), text[i]) for text in texts for i in range(len(text))
    )
    for text in texts:
        for i in range(len(text)):
            (said,) = predictor.testimonies(alphabet.encode_prefix(text[:i]), classes)
            code = alphabet.code(text[i])
            assert said.counts[code] == expected[seen_words(text[:i], words), text[i]]


# ------------------------------------------------------------------ gains, encoding, and telling

TEXT = ["to be or not to be", "that is the question", "or to take arms"] * 30


def listeners_of(**options: Any) -> Any:
    """Return a predictor that has read nothing, and what it is going to read."""
    alphabet = Alphabet()
    batch = alphabet.encode(TEXT)
    alphabet.grow(batch)
    classes = np.array([3, *classes_of(alphabet.symbols)], np.int64)
    return Predictor(EXPERTS["text"], **options), batch, classes


@pytest.mark.parametrize("gains", ["situation", "uncertainty", "constant"])
@pytest.mark.parametrize("bound", [None, 1500])
def test_what_is_told_is_what_was_expected(gains: str, bound: int | None) -> None:
    learning, batch, classes = listeners_of(gains=gains, max_synapses=bound)
    telling, _batch, _classes = listeners_of(gains=gains, max_synapses=bound)
    nats = learning.learn(batch, classes)
    codes, surprise = [], []
    for some, expected in telling.listen(batch, classes):
        assert (expected > 0).all()
        assert (expected.sum(axis=1) < 1.0 + 1e-9).all()  # what was never met has the rest
        codes.append(some.copy())
        known = np.arange(len(some))
        surprise.append(-np.log(expected[known, some]))
    assert np.concatenate(codes).tolist() == batch.codes.tolist()
    assert len(codes) > 3  # many at a time, not all
    old = np.arange(len(batch.codes)) >= batch.starts[3]  # all symbols were met by then
    total = np.concatenate(surprise)[old].sum()
    assert total == pytest.approx(nats[3:].sum(), rel=1e-9)
    mine, theirs = learning.export_state(), telling.export_state()
    assert all(tensor.equal(theirs.tensors[name]) for name, tensor in mine.tensors.items())


def test_listening_without_learning_tells_the_distribution() -> None:
    predictor, batch, classes = listeners_of(gains="uncertainty")
    predictor.learn(batch, classes)
    before = predictor.export_state()
    codes, expected = next(predictor.listen(batch, classes, learning=False))
    for place in range(10):  # of the first text
        whole, _fresh = predictor.distribution(codes[:place].copy(), classes)
        np.testing.assert_allclose(expected[place], whole, rtol=1e-9)
    after = predictor.export_state()
    assert all(tensor.equal(after.tensors[name]) for name, tensor in before.tensors.items())


def test_constant_gains_are_three_weights_a_context() -> None:
    predictor, batch, classes = listeners_of(gains="constant")
    predictor.learn(batch, classes)
    assert predictor.weights <= 2 * 3 * len(EXPERTS["text"])
    other, *_ = listeners_of(gains="uncertainty")
    other.learn(batch, classes)
    assert other.weights > 10 * predictor.weights


def test_each_symbol_is_counted_by_how_unexpected_it_was() -> None:
    predictor, batch, classes = listeners_of(least_encoding=0.25)
    nats = predictor.learn(batch, classes)
    everything = next(one for one in predictor.testimonies(batch.codes[:0], classes))
    assert 0.25 * len(batch.codes) <= everything.seen < 0.6 * len(batch.codes)
    assert nats[-3:].sum() < 0.2 * nats[:3].sum()


@pytest.mark.parametrize(
    "options", [{"gains": "free"}, {"least_encoding": 0.0}, {"least_encoding": 1.5}]
)
def test_gains_and_encoding_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Predictor(EXPERTS["plain"], **options)
