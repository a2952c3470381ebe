"""What listening is measured with: an online Kneser-Ney, pieces of text, and a split."""

from __future__ import annotations

import numpy as np
import pytest

from plasticish.bench import SCENARIOS, load_scenarios
from plasticish.bench.scenario import Context
from plasticish.bench.sequence._kneser_ney import KneserNey
from plasticish.bench.talk import fatigue
from plasticish.bench.talk._hearing import hearing, turns_of
from plasticish.bench.talk._kneser_ney import OnlineKneserNey
from plasticish.sequence import Alphabet

TEXTS = ["to be or not to be", "that is the question", "to bear or not", "the bee"] * 3 + ["ten"]


@pytest.mark.parametrize("context", [1, 3, 5])
def test_after_reading_it_knows_what_a_model_of_the_whole_knows(context):
    """Counts of the whole text, and such kept online, have to come to the same."""
    whole, alphabet = KneserNey(context), Alphabet()
    whole.learn(TEXTS)
    batch = alphabet.encode(TEXTS)
    alphabet.grow(batch)
    online = OnlineKneserNey(context, len(alphabet) + 1, len(batch.codes))
    first = online.read(batch.codes, batch.starts)
    assert online.counts == whole.counts
    asked = ["that bee", "not to tear"]
    other = alphabet.encode(asked)
    nats = online.read(other.codes, other.starts, learning=False)
    assert nats / len(other.codes) == pytest.approx(whole.nats(asked), rel=1e-6)
    assert online.read(other.codes, other.starts, learning=False) == nats
    assert first / len(batch.codes) > whole.nats(TEXTS)


def test_nothing_is_heard_and_asked():
    pytest.importorskip("chitchat_dataset")
    heard, asked = hearing(Context((0,)), 7, 50, 20)
    assert (len(heard), len(asked)) == (50, 20)
    assert not set(heard) & set(asked)
    assert heard != hearing(Context((0,)), 8, 50, 20)[0]
    assert turns_of(heard[:2]) == [*heard[0], *heard[1]]


@pytest.mark.parametrize("size", fatigue.KINDS.values())
def test_pieces_are_cut_from_the_texts_and_fill_128_characters(size):
    texts = ["".join(chr(97 + n % 26) for n in range(400)), "0123456789" * 40]
    said = fatigue.pieces(texts, size, seed=1)
    assert said == fatigue.pieces(texts, size, seed=1) != fatigue.pieces(texts, size, seed=2)
    for one in said:
        assert len(one) == 128
        assert one == one[:size] * (128 // size)
        assert any(one[:size] in text for text in texts)


def test_facilitated_synapses_hold_what_was_said_and_nothing_else():
    pytest.importorskip("chitchat_dataset")
    load_scenarios()
    rows = SCENARIOS["talk/fatigue"].run(Context((0,), quick=True)).rows
    for kind, first in (("64 x 2", 0.5), ("32 x 4", 0.25), ("16 x 8", 0.125)):
        assert rows[kind]["first time, share of off"][0] == pytest.approx(first, abs=0.05)
        assert first < rows[kind]["on / off"][0] < first + 0.2
    assert rows["natural"]["first time, share of off"][0] == 1.0
    assert np.isclose(rows["natural"]["on / off"][0], 1.0, atol=0.05)
