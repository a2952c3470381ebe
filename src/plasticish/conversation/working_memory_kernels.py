"""The loop of working memory: which facilitated synapses speak, how they did, and which one fires.

A row of the table stands for a context, the last k symbols for one of the orders k; it holds the
few synapses onto symbols that were used last. Contexts whose hashes meet share a row, and the new
one takes it over: what is held is bounded, and interferes.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import no_type_check

import numpy as np

from plasticish.core.compiled import compiled

__all__ = ["FEATURES", "RUNS", "Dynamics", "Gate", "Loop", "Room", "hear"]

RUNS = 8
"""Rows of the gate by the surprise, to the long-term synapses, of what was foreseen in a row: below
1 nat, 2, 4, … 64 or more. Foreseeing what anybody would expect proves nothing."""

FEATURES = 3
"""Of a facilitated synapse: log of its release over that at rest, that it is one, and how
unexpected its symbol is to the long-term synapses, in nats."""

_LIMIT = 30.0  # nats by which a score may move; the exponential must not overflow

Loop = namedtuple("Loop", "key symbol u x time past clock")
"""Contexts [order, row] and their synapses [order, row, place]: symbol, u and x as of the last
spike, and its time in ms; the last symbols; and the time now, with the nats foreseen in a row."""

Gate = namedtuple("Gate", "weight squares")
"""Weights [run, longest facilitated order, feature, order], and sums of squared corrections."""

Dynamics = namedtuple("Dynamics", "U tau_rec tau_fac dt threshold")
"""Tsodyks and Markram's constants, ms a symbol, and the facilitation below which none speaks."""

Room = namedtuple("Room", "row begin symbol feature error score marked named")
"""Room for one prediction."""

NOW, RUN = 0, 1


@compiled
@no_type_check
def left(elapsed, tau):
    return math.exp(-elapsed / tau) if tau > 0 else 0.0


@compiled
@no_type_check
def primed(loop, k, row, j, dynamics):
    """Return u before and after the jump, and x before the release, were it to fire now."""
    elapsed = loop.clock[NOW] - loop.time[k, row, j]
    u = loop.u[k, row, j] * left(elapsed, dynamics.tau_fac)
    x = 1.0 - (1.0 - loop.x[k, row, j]) * left(elapsed, dynamics.tau_rec)
    return u, u + dynamics.U * (1.0 - u), x


@compiled
@no_type_check
def awaken(loop, dynamics, expected, r):
    """Collect the facilitated synapses of active contexts; return the longest order of these."""
    used, longest = 0, 0
    key = np.uint64(0x2545F4914F6CDD1D)
    orders, rows, places = loop.symbol.shape
    for k in range(orders):
        key = (key ^ np.uint64(loop.past[k] + 2)) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
        row = np.int64(key % np.uint64(rows))
        r.row[k], r.begin[k] = row, used
        if loop.key[k, row] != key:
            loop.key[k, row] = key
            loop.symbol[k, row] = -1
            continue
        for j in range(places):
            if loop.symbol[k, row, j] < 0:
                continue
            facilitation, u, x = primed(loop, k, row, j, dynamics)
            if facilitation < dynamics.threshold:
                continue
            symbol = loop.symbol[k, row, j]
            r.symbol[used] = symbol
            r.feature[used, 0] = math.log(max(u * x / dynamics.U, 1e-6))
            r.feature[used, 1] = 1.0
            r.feature[used, 2] = -math.log(expected[symbol])
            used += 1
            longest = k + 1
    r.begin[orders] = used
    return longest


@compiled
@no_type_check
def vote(r, weight, expected):
    """Score the symbols that were named; return their number, the normalisation and the best."""
    named = 0
    for k in range(len(r.row)):
        for m in range(r.begin[k], r.begin[k + 1]):
            s = r.symbol[m]
            if not r.marked[s]:
                r.marked[s], r.score[s], r.named[named] = True, 0.0, s
                named += 1
            for f in range(FEATURES):
                r.score[s] += weight[f, k] * r.feature[m, f]
    mass, best = 1.0, -1
    for s in r.named[:named]:
        r.score[s] = min(max(r.score[s], -_LIMIT), _LIMIT)
        mass += expected[s] * (math.exp(r.score[s]) - 1.0)
        if best < 0 or r.score[s] > r.score[best]:
            best = s
    return named, mass, best


@compiled
@no_type_check
def learn(r, weight, squares, expected, mass, answer, step, damping):
    """Delta rule: of what the symbol that came has, what was expected of it is taken away."""
    for k in range(len(r.row)):
        r.error[:] = 0.0
        for m in range(r.begin[k], r.begin[k + 1]):
            s = r.symbol[m]
            error = (1.0 if s == answer else 0.0) - expected[s] * math.exp(r.score[s]) / mass
            for f in range(FEATURES):
                r.error[f] += error * r.feature[m, f]
        for f in range(FEATURES):
            squares[f, k] += r.error[f] * r.error[f]
            weight[f, k] += step * r.error[f] / math.sqrt(damping + squares[f, k])


@compiled
@no_type_check
def fire(loop, dynamics, k, row, answer):
    """Let the synapse from this context onto the symbol that came fire; the faintest makes room."""
    place, faintest = 0, math.inf
    for j in range(loop.symbol.shape[2]):
        if loop.symbol[k, row, j] == answer:
            place = j
            break
        u = -1.0
        if loop.symbol[k, row, j] >= 0:
            elapsed = loop.clock[NOW] - loop.time[k, row, j]
            u = loop.u[k, row, j] * left(elapsed, dynamics.tau_fac)
        if u < faintest:
            place, faintest = j, u
    if loop.symbol[k, row, place] != answer:
        loop.symbol[k, row, place] = answer
        loop.u[k, row, place], loop.x[k, row, place] = 0.0, 1.0
        loop.time[k, row, place] = loop.clock[NOW]
    _facilitation, u, x = primed(loop, k, row, place, dynamics)
    loop.u[k, row, place], loop.x[k, row, place] = u, x - u * x
    loop.time[k, row, place] = loop.clock[NOW]


@compiled
@no_type_check
def hear(loop, gate, dynamics, r, codes, expected, step, damping, nats):
    """Set ``nats`` to the surprise at each symbol, given what the long-term synapses expected.

    The gate is corrected if ``step``; the loop always moves on.
    """
    orders = len(r.row)
    for n in range(len(codes)):
        answer, row = codes[n], expected[n]
        loop.clock[NOW] += dynamics.dt
        longest = awaken(loop, dynamics, row, r)
        run, octave = int(loop.clock[RUN]), 0
        while run > 0 and octave < RUNS - 1:
            run >>= 1
            octave += 1
        weight = gate.weight[octave, longest]
        named, mass, best = vote(r, weight, row)
        boost = r.score[answer] if r.marked[answer] else 0.0
        nats[n] = math.log(mass) - boost - math.log(row[answer])
        if step > 0 and named > 0:
            learn(r, weight, gate.squares[octave, longest], row, mass, answer, step, damping)
        r.marked[r.named[:named]] = False
        if best == answer:
            loop.clock[RUN] -= math.log(row[answer])
        elif best >= 0:
            loop.clock[RUN] = np.floor(loop.clock[RUN] / 4.0)
        else:
            loop.clock[RUN] = np.floor(loop.clock[RUN] / 2.0)
        for k in range(orders):
            fire(loop, dynamics, k, r.row[k], answer)
        loop.past[1:] = loop.past[:-1].copy()
        loop.past[0] = answer
