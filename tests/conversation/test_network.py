"""The network: what it keeps, in which order, within which budget, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.conversation.cues import Cue
from plasticish.conversation.network import PlasticSNN
from plasticish.conversation.vocabulary import END
from plasticish.core import CheckpointError, ConfigError, DataError


def make_cue(seed, cells=1024, active=40):
    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(cells, active, replace=False)).astype(np.int64)
    return Cue(chosen, random.uniform(1, 12, active).astype(np.float32))


def line(seed, length=8):
    return np.random.default_rng(1000 + seed).integers(97, 123, length).tolist()


def taught(episodes, **settings):
    network = PlasticSNN(1024, 256, **settings)
    for seed in range(episodes):
        network.learn_episode(make_cue(seed), line(seed))
    return network


def said(network, episode):
    return [one.token for one in network.reply(episode)]


def test_what_was_taught_once_is_found_and_said():
    network = taught(100)
    for seed in range(100):
        recall = network.recall(make_cue(seed))
        assert recall.episodes[0] == seed
        assert recall.match > 0.99
        assert said(network, seed) == line(seed)


def test_half_of_a_cue_is_enough():
    network = taught(100)
    for seed in range(100):
        whole = make_cue(seed)
        half = Cue(whole.cells[::2], whole.drive[::2])
        assert network.recall(half).episodes[0] == seed
        # Its cosine with the whole: what is missing lacks in the sum, and is not in the norm.
        assert network.recall(half).match == pytest.approx(half.norm / whole.norm, rel=0.05)


def test_order_is_stored():
    network = PlasticSNN(1024, 256)
    ab, ba = list(b"the dog bites the man"), list(b"the man bites the dog")
    one = network.learn_episode(make_cue(1), ab).episode
    other = network.learn_episode(make_cue(2), ba).episode
    assert said(network, one) == ab
    assert said(network, other) == ba


def test_a_token_has_another_state_in_another_context():
    network = PlasticSNN(1024, 256)
    a, b, c = 97, 98, 99
    states = [set(network.state(context)) for context in ([a, b, c], [b, a, c], [c], [c, c])]
    for i in range(len(states)):
        for j in range(i):
            assert len(states[i] & states[j]) <= len(states[i]) // 2


def test_the_same_line_alone_is_learned_without_an_engram():
    network = PlasticSNN(1024, 256)
    a, b, c, d = 97, 98, 99, 100
    network.hear([a, b, c])
    network.hear([b, a, d])
    for before, expected in (([a, b], c), ([b, a], d), ([a, b, c], END)):
        matches = network.expect(before)
        assert matches.argmax() == expected
        assert matches[expected] == 1.0
    assert network.expect([c, c, c]).max() < 1.0


def test_what_is_known_grows_nothing_when_heard_again():
    network = PlasticSNN(1024, 256)
    assert network.hear([97, 98, 99]) > 0
    assert network.hear([97, 98, 99]) == 0


def test_long_repetitions_are_counted():
    network = PlasticSNN(1024, 256)
    for seed, text in enumerate((b"hahahahahahahahaha!", b"aaaaaaaaaaaaaaaaaaaaaaaaab", b"....")):
        episode = network.learn_episode(make_cue(seed), list(text)).episode
        assert bytes(said(network, episode)) == text


def test_an_empty_line_is_said_as_nothing():
    network = PlasticSNN(1024, 256)
    assert said(network, network.learn_episode(make_cue(0), []).episode) == []


def test_a_state_has_one_winner_a_column_in_the_pool_of_its_token():
    network = PlasticSNN(14173)
    cells = np.array(network.state([97, 98], episode=None))
    columns = cells // 32
    assert len(cells) == len(set(columns.tolist())) == network.state_cells
    assert set(columns.tolist()) <= set(network._speech.pools[98].tolist())


def test_index_cells_are_the_least_used():
    network = taught(1024 // 4)
    used = [cell for episode in network.episodes for cell in network.index(episode)]
    assert sorted(used) == list(range(1024))
    network.learn_episode(make_cue(999), line(999))
    assert len(set(network.index(256))) == 4


def test_of_two_replies_to_one_cue_the_later_is_said():
    network = taught(20)
    later = network.learn_episode(make_cue(3), line(77)).episode
    recall = network.recall(make_cue(3))
    assert recall.episodes[:2] == (later, 3)
    assert recall.margin == pytest.approx(0.0, abs=1e-6)


# ---------------------------------------------------------------------- plasticity


def test_reinforcement_moves_the_gain_and_with_it_the_match():
    network = taught(20)
    before = network.recall(make_cue(3)).match
    assert network.reinforce(3, -0.5) == pytest.approx(0.5)
    assert network.recall(make_cue(3)).match == pytest.approx(0.5 * before, rel=1e-5)
    assert network.reinforce(3, 0.5) == pytest.approx(0.75)
    assert network.reinforce(3, 1.0) == network.gain(3) == 1.0
    assert network.recall(make_cue(3)).match == pytest.approx(before, rel=1e-5)
    assert network.reinforce(3, -1.0) > 0.0


def test_a_weakened_reply_gives_way_to_another():
    network = taught(20)
    later = network.learn_episode(make_cue(3), line(77)).episode
    network.reinforce(later, -0.2)
    assert network.recall(make_cue(3)).episodes[0] == 3


def test_strengthening_turns_an_engram_towards_what_is_confirmed():
    network = taught(20, plasticity_rate=0.2)
    whole = make_cue(3)
    half = Cue(whole.cells[::2], whole.drive[::2])
    before, synapses = network.recall(half).match, network.synapses
    for _ in range(5):
        assert network.strengthen(half, 3) == 20
    after = network.recall(half).match
    assert before < after <= 1.0
    assert network.recall(whole).episodes[0] == 3
    assert network.synapses == synapses


def test_small_steps_move_weights_on_average():
    network = PlasticSNN(1024, 256, plasticity_rate=0.01)
    cells = np.arange(200, dtype=np.int64)
    cue = Cue(cells, np.full(200, 155 / 16, dtype=np.float32))
    network.learn_episode(cue, [97])
    for _ in range(20):
        network.strengthen(cue, 0)
    left = network._rows.synapses[:, 0][network._rows.ends[:, 0] > 0] & 255
    # Each step is 1 % of the way from 155 to 255: 100 (1 - 0.99^20) in all.
    assert left.mean() - 155 == pytest.approx(100 * (1 - 0.99**20), abs=0.5)


# ---------------------------------------------------------------------- budget and forgetting


def test_the_budget_is_kept_and_the_new_is_learned_all_the_same():
    network = PlasticSNN(1024, 256, 0.02)
    for seed in range(400):
        network.learn_episode(make_cue(seed), line(seed))
        assert network.synapses <= network.budget == 1024 * 20
        assert (network._rows.ends.sum(axis=1) <= 20).all()
    assert len(network.episodes) < 400
    recall = network.recall(make_cue(399))
    assert said(network, recall.episodes[0]) == line(399)


def test_room_is_made_by_the_weak_and_the_old():
    network = taught(10)
    network.reinforce(7, -0.5)
    network.strengthen(make_cue(0), 0)
    assert network.make_room(0.2) == (7, 1)
    assert network.episodes == (0, 2, 3, 4, 5, 6, 8, 9)


def test_forgetting_takes_exactly_what_was_grown():
    network, once = taught(20), taught(19)
    before = network.synapses
    learned = network.learn_episode(make_cue(50), line(50))
    assert network.forget([learned.episode]) == learned.cue_synapses + learned.speech_synapses
    assert network.synapses == before
    network.forget([19])
    assert network.synapses == once.synapses
    assert 19 not in network.recall(make_cue(19), 20).episodes
    with pytest.raises(DataError, match="no such engram"):
        network.reply(19)
    for seed in range(19):
        assert said(network, seed) == line(seed)


def test_numbers_are_given_again():
    network = taught(10)
    network.forget([4, 5])
    assert {network.learn_episode(make_cue(seed), line(seed)).episode for seed in (30, 31)} == {
        4,
        5,
    }
    for episode in (4, 5):
        assert said(network, episode) in (line(30), line(31))


def test_a_cleared_token_is_said_no_more():
    network = taught(30)
    assert network.says(97)
    hurt = network.clear_tokens([97])
    assert hurt == tuple(seed for seed in range(30) if 97 in line(seed))
    assert not network.says(97)
    for seed in range(30):
        if seed not in hurt:
            assert said(network, seed) == line(seed)
        assert 97 not in said(network, seed)


# ---------------------------------------------------------------------- size and state


def test_a_full_network_stays_within_its_memory():
    network = PlasticSNN()
    assert network.budget == 14173 * 1134 == 16_072_182
    megabytes = network.stats()["megabytes"]
    assert megabytes * 2**20 / network.budget < 5  # bytes a synapse


@pytest.mark.parametrize("episodes", [0, 30])
def test_a_saved_network_goes_on_bit_for_bit(tmp_path, episodes):
    network = taught(episodes)
    if episodes:
        network.forget([3])
        network.reinforce(5, -0.3)
    again = PlasticSNN.load(network.save(tmp_path / "network"))
    for one in (network, again):
        one.learn_episode(make_cue(70), line(70))
        one.strengthen(make_cue(70), one.recall(make_cue(70)).episodes[0])
        one.hear(line(71))
    first, second = network.export_state(), again.export_state()
    assert first.values == second.values
    assert first.tensors.keys() == second.tensors.keys()
    for name, tensor in first.tensors.items():
        assert tensor.equal(second.tensors[name]), name
    assert network.recall(make_cue(5)) == again.recall(make_cue(5))


def test_a_state_of_another_network_is_refused():
    network, other = taught(5), PlasticSNN(2048, 256)
    with pytest.raises(DataError, match="rows are those of another network"):
        other.import_state(network.export_state())
    assert other.synapses == 0


@pytest.mark.parametrize("name", ["rows/synapses", "engrams/cells", "speech/token"])
def test_an_altered_state_is_refused(tmp_path, name):
    network = taught(5)
    state = network.export_state()
    state.tensors[name].fill_(1 << 30)
    with pytest.raises(DataError, match="stored"):
        PlasticSNN(1024, 256).import_state(state)
    with pytest.raises(CheckpointError):
        PlasticSNN.load(tmp_path / "nothing")


def test_asking_changes_nothing():
    network = taught(10)
    before = network.export_state()
    network.recall(make_cue(3))
    list(network.reply(3))
    network.expect([97, 98], episode=3)
    after = network.export_state()
    assert all(tensor.equal(after.tensors[name]) for name, tensor in before.tensors.items())
    assert network.recall(make_cue(3)) == network.recall(make_cue(3))


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_neurons", 16),
        ("n_neurons", 1 << 17),
        ("vocab_size", 10),
        ("initial_connectivity", 0.0),
        ("initial_connectivity", 1.5),
        ("cue_synapses", 0),
        ("state_cells", 2),
        ("step_synapses", 2),
        ("plasticity_rate", float("nan")),
    ],
)
def test_sizes_that_make_no_sense_are_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        PlasticSNN(**{name: value})


BAD_CUES = {
    "empty": ([], []),
    "beyond the cells": ([1024], [1.0]),
    "negative": ([-1], [1.0]),
    "twice": ([3, 3], [1.0, 1.0]),
    "not a number": ([3], [float("nan")]),
    "no drive": ([3], [0.0]),
    "another length": ([3, 4], [1.0]),
}


@pytest.mark.parametrize(("cells", "drive"), BAD_CUES.values(), ids=BAD_CUES)
def test_a_bad_cue_is_refused_and_changes_nothing(cells, drive):
    network = taught(3)
    cue = Cue(np.array(cells, dtype=np.int64), np.array(drive, dtype=np.float32))
    before = network.stats()
    for call in (
        network.recall,
        lambda cue: network.learn_episode(cue, [97]),
        lambda cue: network.strengthen(cue, 0),
    ):
        with pytest.raises(DataError, match="no cue of this network"):
            call(cue)
    assert network.stats() == before


@pytest.mark.parametrize("tokens", [[-1], [256], [97, 10_000]])
def test_unknown_tokens_are_refused_and_change_nothing(tokens):
    network = taught(3)
    before = network.stats()
    for call in (
        lambda: network.learn_episode(make_cue(9), tokens),
        lambda: network.hear(tokens),
        lambda: network.expect(tokens),
        lambda: network.clear_tokens(tokens),
    ):
        with pytest.raises(DataError, match="token is unknown"):
            call()
    assert network.stats() == before


def test_unknown_engrams_are_refused():
    network = taught(3)
    for call in (
        lambda: network.reply(3),
        lambda: network.forget([0, 5]),
        lambda: network.reinforce(-1, 0.1),
        lambda: network.gain(7),
    ):
        with pytest.raises(DataError, match="no such engram"):
            call()
    with pytest.raises(ConfigError, match="amount is out of range"):
        network.reinforce(0, 1.5)
    assert network.episodes == (0, 1, 2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(97, 100), max_size=30), st.integers(0, 1000))
def test_any_line_comes_back(tokens, seed):
    network = PlasticSNN(1024, 256, seed=seed)
    for other in range(3):
        network.learn_episode(make_cue(other), tokens[other:])
    for other in range(3):
        assert said(network, other) == tokens[other:]


def test_segments_that_run_out_are_given_up_by_others():
    network = taught(6)
    network._speech.table.most = 60
    learned = network.learn_episode(make_cue(9), line(9))
    assert said(network, learned.episode) == line(9)
    assert network._speech.table.alive <= 60
    network._engrams.table.most = len(network.episodes)
    network.learn_episode(make_cue(10), line(10))
    assert said(network, network.recall(make_cue(10)).episodes[0]) == line(10)
