"""The event-driven kernels against dense matrices that say the same."""

import numpy as np
import pytest

from plasticish.conversation import network_kernels as kernels
from plasticish.conversation.cues import Cue
from plasticish.conversation.network import PlasticSNN

CELLS, TOKENS = 256, 256


@pytest.fixture
def network():
    random = np.random.default_rng(0)
    network = PlasticSNN(CELLS, TOKENS, 0.5, cue_synapses=12, seed=1)
    for _ in range(60):
        network.learn_episode(a_cue(random), random.integers(97, 105, 6).tolist())
    network.forget([7, 20])
    network.reinforce(9, -0.4)
    network.replay(network.episodes[::2])
    return network


def a_cue(random, active=25):
    cells = np.sort(random.choice(CELLS, active, replace=False)).astype(np.int64)
    return Cue(cells, random.uniform(1, 9, active).astype(np.float32))


def dense(network, side):
    """Return the weights of all cells onto all segments, one place a pair."""
    rows, ends = network._rows.synapses, network._rows.ends
    width = rows.shape[1]
    segments = 1 + int(network._rows.segments(side).max())
    weights = np.zeros((CELLS, segments))
    for cell in range(CELLS):
        here = rows[cell, width - ends[cell, 1] :] if side else rows[cell, : ends[cell, 0]]
        for synapse in here.tolist():
            assert weights[cell, synapse >> 8] == 0  # never two synapses onto one segment
            weights[cell, synapse >> 8] = synapse & 255
    return weights


def test_recall_is_the_cosine_of_the_dense_weights(network):
    weights, table = dense(network, 0), network._engrams.table
    engrams = weights.reshape(CELLS, -1, kernels.ENGRAM_CELLS).sum(axis=2)
    lengths = np.sqrt(np.square(engrams).sum(axis=0))
    for seed in range(20):
        cue = a_cue(np.random.default_rng(100 + seed))
        drive = np.zeros(CELLS)
        drive[cue.cells] = cue.drive
        alive = lengths > 0
        matches = np.zeros(len(lengths))
        matches[alive] = (drive @ engrams)[alive] / lengths[alive] / np.linalg.norm(drive)
        matches *= table["gain"][: len(matches)]
        order = np.argsort(-matches)[:8]
        recall = network.recall(cue, 8)
        np.testing.assert_allclose(recall.matches, matches[order], rtol=1e-4)
        assert recall.episodes[0] == order[0]
        assert not {7, 20} & set(recall.episodes)


def test_expectation_is_the_best_segment_of_the_dense_weights(network):
    weights = dense(network, 1)
    table = network._speech.table
    line = np.random.default_rng(3).integers(97, 105, 6).tolist()
    for episode in (0, 5, 30):
        for length in range(6):
            state = list(network.state(line[:length], episode))
            active = (weights[state] > 0).sum(axis=0)
            expected = np.zeros(TOKENS)
            for segment in np.flatnonzero(active >= 3):
                token, share = table["token"][segment], active[segment] / table["size"][segment]
                expected[token] = max(expected[token], share)
            np.testing.assert_allclose(network.expect(line[:length], episode), expected, rtol=1e-6)


def test_what_is_forgotten_has_no_synapse_left(network):
    onto = network._rows.segments(0) // kernels.ENGRAM_CELLS
    assert not {7, 20} & set(onto.tolist())
    alive = network._speech.table["token"] != kernels.NO_TOKEN
    sizes = np.bincount(network._rows.segments(1), minlength=len(alive))
    np.testing.assert_array_equal(sizes[alive], network._speech.table["size"][alive])
    assert (sizes[~alive] == 0).all()


@pytest.mark.parametrize("count", [1, 3, 10])
def test_the_best_are_ranked_as_sorting_ranks_them(count):
    random = np.random.default_rng(count)
    match = random.integers(0, 5, 40 * kernels.ENGRAM_CELLS).astype(np.float32)
    scales = random.integers(0, 2, 40).astype(np.float32)  # many ties, some of them forgotten
    totals = match.reshape(40, -1).sum(axis=1) * scales
    best, scores = np.empty(count, np.int64), np.empty(count, np.float32)
    found = kernels.rank_engrams(match, scales, best, scores)
    order = sorted(np.flatnonzero(totals), key=lambda engram: (-totals[engram], -engram))[:count]
    assert found == len(order)
    assert best[:found].tolist() == [int(engram) for engram in order]
    assert (match == 0).all()


def test_the_least_used_are_chosen():
    used = np.array([2, 1, 0, 1, 0, 3], dtype=np.int32)
    chosen = np.empty(4, np.int64)
    kernels.choose_cells(used, np.uint64(5), chosen)
    assert set(chosen.tolist()) == {1, 2, 3, 4}
    assert used.tolist() == [2, 2, 1, 2, 1, 3]


def test_every_cell_is_as_likely_to_be_chosen():
    counts = np.zeros(50)
    for seed in range(1000):
        chosen = np.empty(4, np.int64)
        kernels.choose_cells(np.zeros(50, np.int32), np.uint64(seed * 7919 + 1), chosen)
        counts[chosen] += 1
    expected = 1000 * 4 / 50
    assert ((counts - expected) ** 2 / expected).sum() < 90  # chi-squared, 49 degrees, p < 0.001
