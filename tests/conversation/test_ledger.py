"""The ledger against a plain dictionary."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.conversation.ledger import READY, Entry, Ledger, key_of
from plasticish.core import ShapeError, State

KEYS = st.integers(0, 3)
STEPS = st.lists(st.tuples(st.integers(0, 8), KEYS, KEYS), max_size=30)


@given(STEPS)
def test_it_is_a_dictionary_of_entries(steps):
    ledger, plain = Ledger(), {}
    for event, (episode, cue, line) in enumerate(steps, 1):
        if episode in plain:
            ledger.remove(episode)
            del plain[episode]
        else:
            ledger.enter(episode, Entry(event, cue, line))
            plain[episode] = Entry(event, cue, line)
    assert sorted(ledger) == sorted(plain)
    assert len(ledger) == len(plain)
    assert all(ledger[episode] == entry for episode, entry in plain.items())
    assert 99 not in ledger
    for cue in range(4):
        of_cue = [one for one, entry in sorted(plain.items(), key=lambda item: item[1].event)
                  if entry.cue == cue]  # fmt: skip
        assert ledger.of_cue(cue) == tuple(of_cue)
        for line in range(4):
            last = [one for one in of_cue if plain[one].line == line]
            assert ledger.find(cue, line) == (last[-1] if last else None)
    assert ledger.of_events([1, 3]) == sorted(o for o, e in plain.items() if e.event in (1, 3))
    again = Ledger()
    again.import_state(ledger.export_state())
    assert {one: again[one] for one in again} == plain


def test_there_is_room_for_any_number():
    ledger = Ledger()
    entry = Entry(event=2, cue=key_of("hi"), line=key_of("hello"))
    ledger.enter(3 * READY, entry)
    assert list(ledger) == [3 * READY]
    assert ledger[3 * READY] == entry
    assert 5 * READY not in ledger


def test_what_are_no_entries_is_refused_and_changes_nothing():
    ledger = Ledger()
    ledger.enter(1, Entry(1, 2, 3))
    with pytest.raises(ShapeError, match="the stored entries are none"):
        ledger.import_state(State(tensors={"entries": torch.zeros(2, 3)}))
    assert list(ledger) == [1]
