"""Working memory against brute force over spike times, and what it may not do."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.conversation import working_memory as module
from plasticish.conversation.working_memory import WorkingMemory
from plasticish.core import ConfigError
from plasticish.rules import ShortTermParameters, steady_state

MS = 10.0
TEXTS = st.lists(st.integers(0, 2), min_size=1, max_size=40)


def with_gains(memory: WorkingMemory, seed: int) -> WorkingMemory:
    random = np.random.default_rng(seed)
    memory._gate.weight[:] = random.normal(0.0, 0.3, memory._gate.weight.shape)
    return memory


def release(times, now, p):
    """Facilitation, utilisation and resources at a spike now, after spikes at these times."""
    u, x, facilitation = 0.0, 1.0, 0.0
    for before, time in pairwise([times[0], *times, now]):
        gap = time - before
        facilitation = u * (math.exp(-gap / p.tau_fac) if p.tau_fac else 0.0)
        x = 1.0 - (1.0 - x) * (math.exp(-gap / p.tau_rec) if p.tau_rec else 0.0)
        u = facilitation + p.U * (1.0 - facilitation)
        if time != now:
            x -= u * x
    return facilitation, u, x


def by_hand(text, expected, weight, p):
    """Surprise at each symbol, from the spike times of every synapse that was ever used."""
    spikes: dict[tuple[int, ...], dict[int, list[float]]] = {}
    padded, run, nats = [-1] * module.ORDERS, 0.0, []
    for n, answer in enumerate(text):
        now, speaking, longest = MS * (n + 1), [], 0
        contexts = [tuple(padded[len(padded) - k :]) for k in range(1, module.ORDERS + 1)]
        for k, context in enumerate(contexts):
            for symbol, times in spikes.get(context, {}).items():
                facilitation, u, x = release(times, now, p)
                if facilitation >= module.FAINT:
                    speaking.append((k, symbol, math.log(max(u * x / p.U, 1e-6))))
                    longest = k + 1
        rows = weight[min(int(run).bit_length(), 7), longest]
        score: dict[int, float] = {}
        for k, symbol, efficacy in speaking:
            features = (efficacy, 1.0, -math.log(expected[n, symbol]))
            score[symbol] = score.get(symbol, 0.0) + sum(
                w * f for w, f in zip(rows[:, k], features, strict=True)
            )
        p_now = {s: expected[n, s] * math.exp(score.get(s, 0.0)) for s in range(3)}
        nats.append(-math.log(p_now[answer] / sum(p_now.values())))
        best = max(score, key=lambda s: score[s], default=None)
        if best == answer:
            run -= math.log(expected[n, answer])
        else:
            run = run // 2 if best is None else run // 4
        for context in contexts:
            spikes.setdefault(context, {}).setdefault(answer, []).append(now)
        padded.append(answer)
    return nats


@given(TEXTS, st.integers(0, 99), st.sampled_from([0.0, 200.0]), st.sampled_from([300.0, 1500.0]))
@settings(max_examples=40, deadline=None)
def test_what_is_expected_follows_from_the_times_of_all_spikes(text, seed, tau_rec, tau_fac):
    parameters = ShortTermParameters(U=0.2, tau_rec=tau_rec, tau_fac=tau_fac)
    memory = with_gains(WorkingMemory(parameters, MS), seed)
    expected = np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], len(text)) + 1e-9
    expected /= expected.sum(axis=1, keepdims=True)
    nats = memory.hear(np.array(text, np.int32), expected)
    by_spikes = by_hand(text, expected, memory._gate.weight, parameters)
    np.testing.assert_allclose(nats, by_spikes, rtol=1e-9, atol=1e-9)


def test_a_regular_train_settles_where_the_closed_form_has_it():
    parameters = ShortTermParameters.working_memory()
    memory, train = WorkingMemory(parameters, MS), np.zeros(2000, np.int32)
    memory.hear(train, np.ones((len(train), 1)))
    settled, loop = steady_state(parameters, 1000.0 / MS), memory._loop
    used = loop.time == loop.clock[0]
    np.testing.assert_allclose(loop.u[used], settled.u, rtol=1e-9)
    np.testing.assert_allclose(loop.x[used], settled.x * (1.0 - settled.u), rtol=1e-9)
    assert used.sum() == module.ORDERS


def test_a_tired_synapse_says_less_than_one_that_has_recovered():
    """Resources matter: at once after a burst the release is below that at rest."""
    parameters = ShortTermParameters(U=0.2, tau_rec=200.0, tau_fac=1500.0)
    memory = WorkingMemory(parameters, MS)
    memory._gate.weight[:, :, 0, 0] = 1.0  # the efficacy of the last symbol as context, alone
    alike = np.full((1, 2), 0.5)
    for _ in range(30):
        burst = memory.hear(np.array([0], np.int32), alike)
    assert burst[0] > math.log(2)  # depressed: it speaks against its symbol
    for _ in range(15):  # a pause, filled with the other symbol
        memory.hear(np.array([1], np.int32), alike)
    memory.hear(np.array([0], np.int32), alike)
    assert memory.hear(np.array([0], np.int32), alike)[0] < burst[0] - 0.5


def test_the_order_of_what_was_heard_is_held():
    def surprise(after: int) -> float:
        memory = WorkingMemory(symbol_ms=MS)
        memory._gate.weight[:, :, 1, :] = 1.0
        heard = np.array([0, 1, 2, after], np.int32)
        memory.hear(heard, np.full((4, 3), 1 / 3))
        return float(memory.hear(np.array([1], np.int32), np.full((1, 3), 1 / 3))[0])

    assert surprise(0) < math.log(3) < surprise(2) + 1e-9  # 0 was followed by 1, and 2 was not


def test_untrained_it_changes_nothing_and_at_rest_it_holds_nothing():
    text = np.random.default_rng(0).integers(0, 5, 300).astype(np.int32)
    expected = np.random.default_rng(1).dirichlet(np.ones(5), 300)
    alone = -np.log(expected[np.arange(300), text])
    memory = WorkingMemory()
    np.testing.assert_array_equal(memory.hear(text, expected), alone)
    assert memory.held > 0
    with_gains(memory, 0)
    first = with_gains(WorkingMemory(), 0).hear(text, expected)
    memory.rest()
    assert memory.held == 0
    np.testing.assert_array_equal(memory.rested().hear(text, expected), first)
    np.testing.assert_array_equal(memory.hear(text, expected), first)


def test_fatigue_silences_what_is_faint():
    text = np.tile(np.arange(20, dtype=np.int32), 3)
    expected = np.full((60, 20), 0.05)
    memory = with_gains(WorkingMemory(symbol_ms=MS), 1)
    awake = memory.rested().hear(text, expected)
    np.testing.assert_allclose(
        memory.rested().hear(text, expected, fatigue=100.0), np.log(20.0), rtol=1e-12
    )
    assert not np.allclose(awake, np.log(20.0))


def test_rehearsal_teaches_what_a_repetition_is_and_holds_nothing():
    memory = WorkingMemory()
    for seed in range(8):
        text = np.random.default_rng(seed).integers(0, 12, 64).astype(np.int32)
        memory.rehearse(text, np.full((64, 12), 1 / 12))
    assert memory.held == 0
    again = np.tile(np.random.default_rng(99).integers(0, 12, 32).astype(np.int32), 4)
    nats = memory.hear(again, np.full((128, 12), 1 / 12))
    assert nats[:32].mean() > 2.2
    assert nats[40:].mean() < 0.3


def test_a_round_trip_goes_on_bit_for_bit():
    random = np.random.default_rng(3)
    text, expected = random.integers(0, 9, 400).astype(np.int32), random.dirichlet(np.ones(9), 400)
    memory = WorkingMemory()
    memory.hear(text[:200], expected[:200], learning=True)
    memory.rehearse(text[:50], expected[:50])
    other = WorkingMemory(**memory.config())
    other.import_state(memory.export_state())
    for one in (memory, other):
        one.rehearse(text[:100], expected[:100])
    np.testing.assert_array_equal(
        memory.hear(text[200:], expected[200:], learning=True),
        other.hear(text[200:], expected[200:], learning=True),
    )
    mine, theirs = memory.export_state(), other.export_state()
    assert mine.values == theirs.values
    for name, tensor in mine.tensors.items():
        assert tensor.equal(theirs.tensors[name])


def test_a_symbol_takes_time():
    with pytest.raises(ConfigError, match="symbol_ms"):
        WorkingMemory(symbol_ms=0.0)


def test_gains_of_another_shape_are_refused():
    memory = WorkingMemory()
    state = memory.export_state()
    state.tensors["weight"] = state.tensors["weight"][:3]
    with pytest.raises(ConfigError, match="do not fit"):
        memory.import_state(state)
