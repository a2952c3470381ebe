"""Ten million characters of small talk: does a symbol cost the same at the end?"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from plasticish.core import MissingExtraError, make_generator, spawn_seed, track
from plasticish.sequence import PlasticMemory

from ..dialogues import load_chitchat
from ..scenario import Context, Findings, Goal, Metric, UnavailableError, scenario
from ._common import NATS, memory_nats, warmed_up

FREE, HALF, QUARTER = "unbounded", "half the synapses", "a quarter of the synapses"
MARKS = (100_000, 1_000_000, 10_000_000)
BATCH = 100  # turns learned in one call
HELD = 200  # conversations kept back
BOUND = 2_000_000
FLAT = f"at most {BOUND:,} synapses"
COST = "on 200 other conversations"


@scenario(
    "sequence/scale",
    title="ten million characters",
    question="Does a symbol cost as much after ten million others, and does a bound hold?",
    protocol="""chitchat-dataset, conversations with addresses or profanity left out, shuffled by
    the seed. The first 200 are kept back; the turns of the others are learned in their order, each
    one a sequence, a hundred in a batch, with the experts 'plain'. Symbols per CPU second (tree,
    library and predictor together) and prequential nats a character, both over the second half of
    what was read up to each mark; 'slower' is the rate at 10^5 over the rate at the mark; bytes are
    those that the three parts hold. Once without a bound, once with max_synapses = 2,000,000.
    Then what a bound costs: nats a character of the conversations kept back, after the first
    1,000,000 characters, with as many synapses as come, with half and with a quarter of them.""",
    data="chitchat-dataset",
    metrics=[
        NATS,
        Metric("symbols/s", "", 0, tolerance=0.5, relative=True),
        Metric("slower", "x", 2, higher_is_better=False, tolerance=0.5, relative=True),
        Metric("bytes a symbol", "", 0, higher_is_better=False),
        Metric("MB", "", 0, higher_is_better=False),
        Metric("synapses", "", 0, None),
        Metric("cost", "nats", 3, higher_is_better=False),
    ],
    goals=[Goal(f"{FREE}, 10,000,000 read", "slower", "<=", 1.5)],
    seeds=(0,),
)
def scale(context: Context) -> Findings:
    """Read it all without a bound and with one, then say what a bound costs."""
    findings = Findings()
    warmed_up()
    marks = MARKS[:1] if context.quick else MARKS
    for seed in context.seeds:
        held, turns = _stream(seed)
        for name, bound in ((FREE, None), (FLAT, BOUND)):
            first = 0.0
            for reached in _read(turns, marks, bound, name):
                first = first or reached.rate
                findings.add(f"{name}, {reached.mark:,} read", **_figures(reached, first))
        if context.quick:
            held = held[:1000]
        _add_costs(findings, turns, held, marks[0] if context.quick else MARKS[1])
    return findings


def _stream(seed: int) -> tuple[list[str], list[str]]:
    try:
        talk = load_chitchat()
    except MissingExtraError as error:
        raise UnavailableError(str(error)) from error
    generator: torch.Generator = make_generator(spawn_seed(seed, 1))
    order = torch.randperm(len(talk), generator=generator).tolist()
    held, read = ([turn for i in part for turn in talk[i]] for part in (order[:HELD], order[HELD:]))
    return held, read


class _Reached(NamedTuple):
    """Where a reading stands at a mark."""

    memory: PlasticMemory
    mark: int
    read: int
    rate: float
    nats: float


def _read(
    turns: list[str], marks: Sequence[int], bound: int | None, name: str
) -> Iterator[_Reached]:
    """Learn turn after turn, and stop at every mark; the rate is that of the second half."""
    memory, read, waiting = PlasticMemory("plain", max_synapses=bound), 0, list(marks)
    parts = [turns[i : i + BATCH] for i in range(0, len(turns), BATCH)]
    spent: list[tuple[int, float, float]] = [(0, 0.0, 0.0)]
    for part in track(parts, f"reading, {name}"):
        start = time.process_time()
        report = memory.learn(part)
        read += int(report["symbols"])
        nats = spent[-1][2] + report["nats"] * report["symbols"]
        spent.append((read, spent[-1][1] + time.process_time() - start, nats))
        if read >= waiting[0]:
            half = next(s for s in spent if s[0] >= read / 2)
            symbols = read - half[0]
            rate, nats = symbols / (spent[-1][1] - half[1]), (nats - half[2]) / symbols
            yield _Reached(memory, waiting.pop(0), read, rate, nats)
            if not waiting:
                return


def _figures(reached: _Reached, first_rate: float) -> dict[str, float]:
    memory = reached.memory
    return {
        "nats": reached.nats,
        "symbols/s": reached.rate,
        "slower": first_rate / reached.rate,
        "bytes a symbol": memory.nbytes / reached.read,
        "MB": memory.nbytes / 1e6,
        "synapses": memory.predictor.synapses,
    }


def _add_costs(findings: Findings, turns: list[str], held: list[str], symbols: int) -> None:
    """Say what a bound costs in likelihood, beside the same memory without one."""
    lengths = itertools.accumulate(len(turn) + 1 for turn in turns)
    read = turns[: next(i for i, length in enumerate(lengths, 1) if length >= symbols)]
    free = PlasticMemory("plain")
    free.learn(read)
    least, whole = memory_nats(free, held), free.predictor.synapses
    findings.add(f"{FREE}, {COST}", nats=least, synapses=whole, cost=0.0)
    for name, share in ((HALF, 2), (QUARTER, 4)):
        memory = PlasticMemory("plain", max_synapses=whole // share)
        memory.learn(read)
        nats, kept = memory_nats(memory, held), memory.predictor.synapses
        findings.add(f"{name}, {COST}", nats=nats, synapses=kept, cost=nats - least)
