"""The listener: what it is surprised by, and that its parts act alone and can be taken away."""

from __future__ import annotations

import numpy as np
import pytest

from plasticish.conversation.listener import LEAST_ENCODING, Listener
from plasticish.core import ConfigError, DataError, DTypeError
from plasticish.rules import ShortTermParameters

WORKING = ShortTermParameters.working_memory()
TALK = ["Hello there.", "Hi! How are you?", "I am fine, and how are you?", "Fine."] * 6


def counts(listener: Listener) -> dict[str, np.ndarray]:
    return {
        name: tensor.numpy() for name, tensor in listener.predictor.export_state().tensors.items()
    }


def test_working_memory_leaves_the_long_term_synapses_alone():
    alone, both = Listener(), Listener(short_term=WORKING)
    alone.learn(TALK)
    both.learn(TALK)
    mine, theirs = counts(alone), counts(both)
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    asked = ["How was it?", "How was it?"]
    np.testing.assert_allclose(
        both.surprise(asked, holding=False), alone.surprise(asked), rtol=1e-12
    )
    assert not np.allclose(both.surprise(asked), alone.surprise(asked))


def test_what_was_said_in_the_turn_before_surprises_less():
    listener = Listener(short_term=WORKING)
    listener.learn(TALK)
    said = "My zebra is called Quentin."
    twice = listener.surprise([said, said])
    half = len(said) + 1
    assert twice[half:].sum() < 0.8 * listener.surprise([said], holding=False).sum()
    np.testing.assert_array_equal(listener.surprise([said]), twice[:half])


def test_the_report_is_the_surprise_before_learning():
    listener = Listener()
    listener.learn(TALK)
    expected = listener.surprise(["How is Zoe?"])
    report = listener.learn(["How is Zoe?"])
    # It learns within the turn too, which so short a turn hardly shows.
    assert report["nats"] == pytest.approx(expected.mean(), rel=0.1)
    assert listener.learn(["How is Zoe?"])["nats"] < 0.8 * report["nats"]
    assert (report["turns"], report["symbols"]) == (1, 12)


def test_asking_changes_nothing():
    listener = Listener(short_term=WORKING)
    listener.learn(TALK)
    before = listener.export_state()
    first = listener.surprise(["What is ω?", "Hello there."])
    np.testing.assert_array_equal(listener.surprise(["What is ω?", "Hello there."]), first)
    after = listener.export_state()
    assert before.values == after.values
    assert all(tensor.equal(after.tensors[name]) for name, tensor in before.tensors.items())


def test_turn_by_turn_is_the_same_as_all_at_once():
    one, other = Listener(short_term=WORKING), Listener(short_term=WORKING)
    one.learn(TALK)
    for turn in TALK:
        other.learn([turn])
    mine, theirs = one.export_state(), other.export_state()
    assert mine.values == theirs.values
    assert all(tensor.equal(theirs.tensors[name]) for name, tensor in mine.tensors.items())


def test_encoding_is_weaker_where_nothing_else_was_expected():
    attentive, plain = Listener(), Listener(attention=False)
    for one in (attentive, plain):
        one.learn(["abab"] * 200)
    total, whole = counts(attentive)["total"], counts(plain)["total"]
    assert whole.max() == 800 + 200  # the context of no symbols
    assert LEAST_ENCODING * 1000 <= total.max() < 0.4 * 1000


@pytest.mark.parametrize("attention", [False, True])
def test_forgotten_counts_are_those_of_one_who_never_heard(attention):
    told, spared = Listener(attention=attention), Listener(attention=attention)
    for one in (told, spared):
        one.learn(TALK)
    told.learn(["zebra qualm"])
    told.learn(["zebra qualm"])
    told.forget("zebra qualm", 2)
    left, other = counts(told), counts(spared)
    assert (left["count"] >= 0).all()
    if not attention:  # each was counted as one
        alive = {key: total for key, total in zip(left["key"], left["total"], strict=True) if total}
        assert alive == dict(zip(other["key"], other["total"], strict=True))
    known = told.surprise(["zebra qualm"], holding=False).mean()
    assert known > spared.surprise(["zebra qualm"], holding=False).mean() - 1.0


def test_forgetting_what_has_unknown_signs_is_nothing():
    listener = Listener()
    listener.learn(TALK)
    before = counts(listener)
    listener.forget("Ω")
    assert all(np.array_equal(before[name], array) for name, array in counts(listener).items())


@pytest.mark.parametrize(
    ("turns", "error"),
    [
        ([], DataError),
        (["fine", ""], DataError),
        ("one turn", DTypeError),
        (["fine", 3], DTypeError),
        ([b"bytes"], DTypeError),
    ],
)
def test_what_is_no_list_of_turns_is_refused(turns, error):
    listener = Listener(short_term=WORKING)
    before = listener.export_state()
    for call in (listener.learn, listener.surprise):
        with pytest.raises(error):
            call(turns)
    assert listener.export_state().values == before.values


def test_a_bound_that_is_too_small_is_refused():
    with pytest.raises(ConfigError, match="max_synapses"):
        Listener(max_synapses=10)


@pytest.mark.parametrize("short_term", [None, WORKING])
def test_a_round_trip_goes_on_bit_for_bit(short_term):
    listener = Listener(2000, short_term=short_term)
    listener.learn(TALK)
    other = Listener(**listener.config())
    other.import_state(listener.export_state())
    for one in (listener, other):
        one.learn(["And you?", "Всё хорошо."])
    mine, theirs = listener.export_state(), other.export_state()
    assert mine.values == theirs.values
    assert all(tensor.equal(theirs.tensors[name]) for name, tensor in mine.tensors.items())
    np.testing.assert_array_equal(listener.surprise(["you?"]), other.surprise(["you?"]))
