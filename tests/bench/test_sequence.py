"""The helpers of the scenarios of sequences against closed forms, and quick runs of two."""

from __future__ import annotations

import math

import numpy as np
import pytest

from plasticish.bench.scenario import SCENARIOS, Context
from plasticish.bench.sequence import abstraction, continual
from plasticish.bench.sequence._code_lengths import AdaptiveCoder, concept_bits, symbol_bits
from plasticish.bench.sequence._concept_contexts import (
    OutsidePredictor,
    concept_keys,
    read_with,
    word_keys,
)
from plasticish.bench.sequence.continual import nats_after_mark
from plasticish.sequence import EXPERTS, Alphabet, ConceptLibrary, PlasticMemory, Predictor
from plasticish.sequence.experts import classes_of

TURNS = ["how are you", "i am fine", "and how are you", "fine, how are they", "are you"]


def encoded(texts):
    alphabet = Alphabet()
    batch = alphabet.encode(texts)
    alphabet.grow(batch)
    return batch, np.array([3, *classes_of(alphabet.symbols)], np.int64)


def test_without_further_experts_it_is_the_predictor():
    batch, classes = encoded(TURNS * 3)
    ours = OutsidePredictor(EXPERTS["plain"], 0, lambda codes, starts: np.zeros((1, 1), np.uint64))
    theirs = Predictor(EXPERTS["plain"])
    np.testing.assert_array_equal(ours.learn(batch, classes), theirs.learn(batch, classes))
    np.testing.assert_array_equal(ours.nats(batch, classes), theirs.nats(batch, classes))
    assert ours.synapses == theirs.synapses


def test_concept_keys_are_alike_where_the_parse_so_far_is():
    batch, _ = encoded(TURNS)
    library = ConceptLibrary()
    library.add(batch, np.arange(len(batch)))
    keys = concept_keys(library, batch.codes, batch.starts)
    parses, found = {}, {}
    for q in range(len(batch)):
        begin = int(batch.starts[q])
        for here in range(begin, int(batch.starts[q + 1])):
            stack = [None] * 3 + library.parse(batch.codes[begin:here]).tolist()
            for d in range(3):
                tops = (d, *stack[len(stack) - 1 - d :])
                parses.setdefault(tops, set()).add(int(keys[here, d]))
                found.setdefault((d, int(keys[here, d])), set()).add(tops)
    assert all(len(same) == 1 for same in (*parses.values(), *found.values()))
    assert len(parses) > 30


def test_word_keys_see_the_word_so_far_and_those_before():
    batch, classes = encoded(["how are", "are how are", "now are"])
    keys = word_keys(batch.codes, batch.starts, classes)
    first, second, third = batch.starts[:3].tolist()
    after_how, after_second, after_now = first + 6, second + 10, third + 6  # before the last e
    assert keys[after_how, 0] == keys[after_second, 0] == keys[after_now, 0]
    assert keys[after_how, 1] == keys[after_second, 1] != keys[after_now, 1]
    assert keys[after_how, 2] != keys[after_second, 2]


def test_a_context_that_tells_more_surprises_less():
    rng = np.random.default_rng(0)
    words = ["abcdefgh", "bbcdefgx"]  # how it ends is known from the first letter, 7 before
    texts = [" ".join(words[i] for i in rng.integers(0, 2, 4)) for _ in range(150)]
    alone = read_with(EXPERTS["plain"][:4], texts)
    told = read_with(EXPERTS["plain"][:4], texts, texts[:5], keys="words")
    assert told.late < 0.7 * alone.late
    assert told.synapses > alone.synapses
    assert 0 < told.asked < alone.late


def test_the_adaptive_coder_is_a_distribution_and_codes_as_it_says():
    coder = AdaptiveCoder(2)
    first = coder.bits([1, 2, 1, 2, 0], 3)
    assert first > 0
    for past in ((0, 0), (1, 2), (2, 2)):
        assert sum(coder.probability(past, s, 3) for s in range(3)) == pytest.approx(1)
    # Order 0 by hand: p = 1/3, then (0 + 1/3) / 2, (1 + 2/3) / 4 of "1 2 1".
    by_hand = -math.log2(1 / 3) - math.log2(1 / 6) - math.log2((1 + 2 / 3) / 4)
    assert AdaptiveCoder(0).bits([1, 2, 1], 3) == pytest.approx(by_hand)


def test_concepts_save_bits_where_there_is_something_to_abstract_and_none_elsewhere():
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefgh"), 6)) for _ in range(10)]
    built = ["".join(rng.choice(words, 4)) for _ in range(200)]
    noise = ["".join(rng.choice(list("abcdefgh"), 24)) for _ in range(200)]
    assert concept_bits(built, 0) < 0.6 * symbol_bits(built, 0)
    # Three bits a letter, and one end in 25: nothing can be shorter than the entropy.
    entropy = 200 * (24 * 3)
    assert symbol_bits(noise, 0) > entropy
    assert concept_bits(noise, 0) > entropy


def test_a_mark_that_is_given_costs_nothing():
    memory = PlasticMemory()
    memory.learn([">emma", ">emily", "<baker", "<miller"])
    steps = [math.log(memory.predict(">emma"[:i])[">emma"[i]]) for i in range(1, 5)]
    steps.append(math.log(memory.predict(">emma").end))
    assert nats_after_mark(memory, [">emma"]) == pytest.approx(-sum(steps) / 5)


@pytest.fixture
def data(tmp_path, monkeypatch):
    rng = np.random.default_rng(2)
    syllables = ["an", "na", "el", "mi", "ra", "jo"]
    names = ["".join(rng.choice(syllables, rng.integers(1, 4))) for _ in range(300)]
    surnames = [name[::-1] + "son" for name in names] * 4
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "names_train.txt").write_text("\n".join(names[:250]))
    (tmp_path / "names" / "names_test.txt").write_text("\n".join(names[250:]))
    monkeypatch.setattr(continual, "load_surnames", lambda count: surnames[:count])
    monkeypatch.setattr(abstraction, "load_chitchat", lambda: [tuple(TURNS)] * 30)
    return Context((0,), True, tmp_path, None)


def test_continual_runs_and_a_mark_keeps_lists_apart(data):
    rows = continual.continual.run(data).rows
    assert set(rows) >= {goal.row for goal in SCENARIOS["sequence/continual"].goals}
    network, memory = rows[continual.GRU], rows[continual.MEMORY]
    assert rows[continual.MEMORY + continual.TOLD]["forgotten"][0] < memory["forgotten"][0]
    for row in (network, memory):
        lost = row["after surnames"][0] - row["names"][0]
        assert row["forgotten"][0] == pytest.approx(lost)


def test_abstraction_runs_and_judges_its_goals(data):
    rows = abstraction.abstraction.run(data).rows
    for goal in SCENARIOS["sequence/abstraction"].goals:
        assert goal.metric in rows[goal.row]
    bits = rows["text, the experts alone"]["bits"][0]
    assert bits == pytest.approx(rows["text, the experts alone"]["nats"][0] / math.log(2))
