"""Exact spike times, played event by event or on a grid, against sums over pairs of spikes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, ShapeError
from plasticish.rules.protocols import pairing, play, spike_trains, triplets
from plasticish.rules.stdp import STDPParameters, stdp_step

P = STDPParameters()


def pair_rule(pre, post, state, dt):
    return stdp_step(pre, post, state, P, dt=dt)


def pair_sum(pre, post):
    total = 0.0
    for x in pre:
        for y in post:
            if y > x:
                total += P.a_plus * math.exp((x - y) / P.tau_plus)
            elif y < x:
                total -= P.a_minus * math.exp((y - x) / P.tau_minus)
    return total


TIMES = st.lists(st.integers(0, 40), max_size=6, unique=True)


@given(st.lists(TIMES, min_size=1, max_size=3), st.lists(TIMES, min_size=1, max_size=2))
@settings(max_examples=10, deadline=None)
def test_every_way_to_play_gives_the_sum_over_pairs(pre, post):
    for options in ({}, {"dt": 1.0}, {"dt": 0.5}, {"dt": 1.0, "silence": 3.0}):
        change, _ = play(pair_rule, pre, post, **options)
        for j, own in enumerate(post):
            for i, other in enumerate(pre):
                assert change[j, i].item() == pytest.approx(pair_sum(other, own), abs=1e-12)


def test_silence_is_skipped_and_events_are_not():
    lengths = []

    def counting(pre, post, state, dt):
        lengths.append(dt)
        return torch.zeros(1, 1, dtype=torch.float64), state

    play(counting, [[10.0, 1000.0]], [[]], dt=1.0, silence=5.0)
    assert lengths == [1.0] * 5 + [5.0] + [1.0] * 5 + [985.0]
    lengths.clear()
    play(counting, [[0.0, 3.0]], [[1.5]])
    assert lengths == [1.0, 1.5, 1.5]


def test_protocols_are_what_their_distances_say():
    for delay in (10.0, -10.0):
        times = pairing(3, 20.0, delay)
        assert [y - x for x, y in zip(*times, strict=True)] == [delay] * 3
        assert [b - a for a, b in zip(times.pre, times.pre[1:], strict=False)] == [50.0] * 2
        assert min(*times.pre, *times.post) == 0.0
    pre, post = triplets(2, 1.0, 5.0, -15.0, middle="post")
    assert (post[0] - pre[0], post[0] - pre[1], pre[2] - pre[0]) == (5.0, -15.0, 1000.0)
    pre, post = triplets(1, 1.0, -15.0, 5.0, middle="pre")
    assert (post[0] - pre[0], post[1] - pre[0]) == (-15.0, 5.0)


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="off the grid"):
        play(pair_rule, [[0.25]], [[]], dt=1.0)
    with pytest.raises(DataError, match="out of range"):
        play(pair_rule, [[-1.0]], [[]])
    with pytest.raises(ShapeError, match="no neurons"):
        play(pair_rule, [], [[1.0]])
    with pytest.raises(DataError, match="outside the trains"):
        spike_trains([[5.0]], 1.0, 5)
    with pytest.raises(ConfigError, match="rate_hz"):
        pairing(3, 0.0, 1.0)
    with pytest.raises(ConfigError, match="no pre spike in the middle"):
        triplets(1, 1.0, 5.0, -5.0, middle="pre")
    with pytest.raises(ConfigError, match="unknown middle"):
        triplets(1, 1.0, 5.0, -5.0, middle="both")
    assert play(pair_rule, [[]], [[]])[1] is None
