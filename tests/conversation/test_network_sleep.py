"""A night of the network: what is regenerated, what moves, what goes, and what must stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.conversation import network_sleep
from plasticish.conversation.cues import Cue
from plasticish.conversation.network import PlasticSNN
from plasticish.conversation.network_engrams import QUANTA
from plasticish.conversation.network_sleep import LOAD, Night
from plasticish.core import DataError

CELLS, COMMON = 1024, 20


def make_cue(seed, active=40):
    """Return a cue of which half the cells are common to all, and driven little."""
    random = np.random.default_rng(seed)
    rare = random.choice(np.arange(COMMON, CELLS), active - COMMON, replace=False)
    cells = np.concatenate([np.arange(COMMON), np.sort(rare)]).astype(np.int64)
    drive = np.concatenate([random.uniform(1, 2, COMMON), random.uniform(6, 9, active - COMMON)])
    return Cue(cells, drive.astype(np.float32))


def line(seed, length=8):
    return np.random.default_rng(1000 + seed).integers(97, 123, length).tolist()


def taught(episodes, connectivity=0.08, **sizes):
    network = PlasticSNN(CELLS, 256, connectivity, **sizes)
    for seed in range(episodes):
        network.learn_episode(make_cue(seed), line(seed))
    return network


def said(network, episode):
    return [one.token for one in network.reply(episode)]


def events(network, cues):
    return np.mean([network._rows.ends[cue.cells, 0].sum() for cue in cues])


def bits(network):
    return {name: tensor.clone() for name, tensor in network.export_state().tensors.items()}


def norms(network):
    """Return the length of what leads to each engram, cell by cell, from the rows alone."""
    rows, ends = network._rows.synapses, network._rows.ends
    weights = np.zeros((CELLS, len(network._engrams.table)))
    for cell in range(CELLS):
        for synapse in rows[cell, : ends[cell, 0]].tolist():
            weights[cell, (synapse >> 8) // 4] += synapse & 255
    return np.sqrt(np.square(weights).sum(axis=0))


# ---------------------------------------------------------------------- regeneration


def test_an_engram_remembers_its_cue():
    network = taught(30)
    for seed in range(30):
        again, cue = network.regenerate(seed), make_cue(seed)
        np.testing.assert_array_equal(again.cells, cue.cells)
        np.testing.assert_allclose(again.drive, cue.drive, atol=0.51 / QUANTA)
        assert network.recall(again).episodes[0] == seed
        assert network.recall(again).match == pytest.approx(1.0, abs=1e-5)


def test_regenerating_changes_nothing_and_refuses_what_is_none():
    network = taught(5)
    before = bits(network)
    network.regenerate(3)
    assert all(tensor.equal(before[name]) for name, tensor in bits(network).items())
    for call in (lambda: network.regenerate(5), lambda: network.replay([0, 9])):
        with pytest.raises(DataError, match="no such engram"):
            call()
    assert all(tensor.equal(before[name]) for name, tensor in bits(network).items())


# ---------------------------------------------------------------------- rewiring


def test_rewiring_spares_deliveries_at_a_constant_number_of_synapses():
    network, cues = taught(100), [make_cue(seed) for seed in range(100)]
    synapses, before = network.synapses, events(network, cues)
    night = network.replay(network.episodes)
    assert night.replayed == 100
    assert sum(night.rewired) > 0
    assert night.pruned == 0
    assert network.synapses == synapses
    assert events(network, cues) < 0.6 * before
    for seed, cue in enumerate(cues):
        assert network.recall(cue).episodes[0] == seed
        assert said(network, seed) == line(seed)


def test_rewiring_comes_to_rest():
    network = taught(40)
    moved = [sum(network.replay(network.episodes).rewired) for _ in range(4)]
    assert moved[0] > 0
    assert moved[-1] == 0


def test_a_cell_has_two_contacts_at_most_each_onto_another_segment():
    network = taught(40)
    for _ in range(3):
        network.replay(network.episodes)
    for cell in range(CELLS):
        segments = network._rows.synapses[cell, : network._rows.ends[cell, 0]] >> 8
        assert len(np.unique(segments)) == len(segments)
        assert np.bincount(segments // 4).max(initial=0) <= 2


def test_norms_are_those_of_the_contacts_together():
    network = taught(40, plasticity_rate=0.2)
    network.replay(network.episodes)
    network.strengthen(make_cue(3), 3)
    np.testing.assert_allclose(network._engrams.table["norm"], norms(network), rtol=1e-5)


def test_rewiring_can_be_left_out():
    network = taught(20)
    before = bits(network)
    night = network.replay(network.episodes, rewiring=False)
    assert night.rewired == (0,) * 20
    after = bits(network)
    changed = {name for name in before if not after[name].equal(before[name])}
    assert changed == {"engrams/turn"}  # they were touched, and nothing else


# ---------------------------------------------------------------------- downselection


def crowded(seed=0, episodes=45):
    """Return a network that holds more than it should in the long run, and nobody let go."""
    network = taught(episodes, 0.006, seed=seed)
    assert len(network.episodes) == episodes
    assert network.synapses > LOAD * network.budget
    return network


def test_a_full_network_lets_go_of_what_is_needed_least():
    network = crowded()
    synapses = network.synapses
    night = network.replay(network.episodes, rewiring=False)
    assert night.pruned == synapses - network.synapses > 0
    np.testing.assert_allclose(network._engrams.table["norm"], norms(network), rtol=1e-5)
    segments = np.bincount(network._rows.segments(1), minlength=len(network._speech.table))
    np.testing.assert_array_equal(segments, network._speech.table["size"])
    assert segments.min() >= 4  # one more than a segment needs to spike


def test_it_stops_where_there_is_room_enough():
    network = crowded()
    for _ in range(8):
        network.replay(network.episodes)
    assert network.synapses >= LOAD * network.budget - 4 * len(network.episodes)
    assert network.replay(network.episodes[:1]).pruned <= 16


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sets(st.integers(0, 44), min_size=1))
def test_what_is_replayed_is_found_and_said_as_before(seed, chosen):
    network = crowded(seed)
    cues = {episode: make_cue(episode) for episode in chosen}
    before = {one: network.recall(cue).episodes[0] for one, cue in cues.items()}
    remembered = {one: network.regenerate(one) for one in chosen}
    lines = {one: said(network, one) for one in chosen}
    for _ in range(3):
        network.replay(sorted(chosen))
    for one in chosen:
        assert network.recall(cues[one]).episodes[0] == before[one]
        assert network.recall(remembered[one]).episodes[0] == one
        assert said(network, one) == lines[one]


def test_a_rival_that_answers_the_cue_leaves_an_engram_alone():
    network = taught(10)
    later = network.learn_episode(make_cue(3), line(77)).episode
    assert network.replay([3, later]).replayed == 1


def test_who_lost_too_much_gets_it_back_in_the_morning():
    network = taught(10)
    network.learn_episode(make_cue(3), line(77))
    network.reinforce(10, -0.3)  # a rival with the same cue, that does not win
    night = Night(network._engrams, network._speech, [3])
    (dream,) = night.dreams
    whole, before = network.synapses, network.recall(make_cue(3))
    assert before.episodes[:2] == (3, 10)
    night._let_go(dream, len(dream.now) - 2)
    night._thin(dream, 100, 0)
    assert network.synapses < whole
    assert network.recall(make_cue(3)).episodes[0] == 10
    assert said(network, 3) != line(3)
    assert night.wake() == 1
    assert network.synapses == whole
    assert network.recall(make_cue(3)).matches == pytest.approx(before.matches, rel=1e-5)
    assert said(network, 3) == line(3)


@pytest.mark.parametrize("safety", [1.0, 2.0, 4.0])
def test_as_many_synapses_are_needed_as_beat_the_best_rival(monkeypatch, safety):
    monkeypatch.setattr(network_sleep, "SAFETY", safety)
    monkeypatch.setattr(network_sleep, "LEAST", 1)
    network = taught(40)
    night = Night(network._engrams, network._speech, [7])
    cue = network.regenerate(7)
    rival = network.recall(cue).matches[1]
    weights = np.sort(cue.drive.astype(np.float64))[::-1]
    shares = [np.linalg.norm(weights[:k]) / np.linalg.norm(weights) for k in range(1, 41)]
    enough = [k for k, share in enumerate(shares, 1) if share >= safety * rival]
    assert night._needed(night.dreams[0]) == min(enough, default=40)
