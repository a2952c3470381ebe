"""Every running sum and average of the product, beside what it should have come to.

A driver feeds one part of the product a stream of rows, some at a time, and yields what it then
holds with the reference: the same quantity from all rows at once, in float64 or in whole numbers,
by a formula that does not run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from plasticish.conversation.fading_counts import FadingCounts
from plasticish.core import make_generator
from plasticish.memory import AssociativeCortex, ElasticWeights, fisher_diagonal
from plasticish.metrics import score
from plasticish.modulation import (
    Acetylcholine,
    Adenosine,
    AdenosineParameters,
    Dopamine,
    Norepinephrine,
    NorepinephrineParameters,
)
from plasticish.rules import (
    BCMParameters,
    HebbParameters,
    HomeostaticParameters,
    STDPParameters,
    bcm_window,
    hebb_window,
    homeostatic_window,
    stdp_window,
)
from plasticish.sequence.context_beliefs import ContextBeliefs
from plasticish.sequence.count_kernels import SLOT, SYNAPSE, Counts, change, fade, find_slot
from plasticish.spiking import MetaPlasticLayer
from plasticish.spiking.rate_code import RateCode
from plasticish.training.task_scores import mean_loss
from plasticish.vision import NeuromodulatedBlock
from plasticish.vision.sparse_base import SparseBase
from plasticish.vision.storm import StormSense
from plasticish.vision.triarchic_options import TriarchicOptions
from plasticish.vision.two_speed import TwoSpeedSynapses

__all__ = ["COUNTERS", "DRIVERS", "STREAMS", "TRAINS", "error", "leaky", "stream"]

WIDTH = 4
FEW, MANY = 50, 500  # rows given at a time
CPU = torch.device("cpu")

Told = Iterator[tuple[str, Any, Any]]

STREAMS: dict[str, Callable[[Tensor], Tensor]] = {
    "ordinary": lambda noise: noise,
    "10,000 ± 0.01": lambda noise: 1e4 + 1e-2 * noise,
    "1e-4 and 1e4 in turns": lambda noise: (
        noise * torch.tensor([1e-4, 1e4]).repeat(len(noise))[: len(noise), None]
    ),
    "constant": lambda noise: torch.full_like(noise, 0.1) * torch.arange(1.0, WIDTH + 1),
}
"""What is made of normal noise; float32."""


def stream(name: str, count: int, seed: int) -> Tensor:
    """Return the rows of a stream, float32 [count, 4]."""
    return STREAMS[name](torch.randn(count, WIDTH, generator=make_generator(seed)))


def error(measured: Any, reference: Any) -> float:
    """Return the largest error, relative to the largest number of the reference.

    Of a reference that is nothing but rounding, below 1e-20, the error as it is.

    Examples
    --------
    >>> round(error([1.0, 200.0], [1.0, 100.0]), 3)
    1.0
    """
    held, right = (torch.as_tensor(part, dtype=torch.float64) for part in (measured, reference))
    size = float(right.abs().max())
    return float((held - right).abs().max()) / (size if size > 1e-20 else 1.0)


def leaky(series: Tensor, keep: float, gain: float = 1.0, start: float = 0.0) -> Tensor:
    r"""Return :math:`k^n s + g \sum_i k^{n-1-i} x_i` of a series ``[n, ...]``, in float64.

    Examples
    --------
    >>> leaky(torch.tensor([1.0, 0.0, 2.0]), 0.5)
    tensor(2.2500, dtype=torch.float64)
    """
    ages = torch.arange(len(series) - 1, -1, -1, dtype=torch.float64)
    weights = torch.exp(ages * math.log(keep))
    last = gain * torch.tensordot(weights, series.double(), dims=1)
    ended: Tensor = last + start * math.exp(len(series) * math.log(keep))
    return ended


def _shares(x: Tensor) -> Tensor:
    """Return the rows as numbers in [0, 1], float32."""
    return x.abs() / x.abs().max()


def _spikes(x: Tensor) -> Tensor:
    """Return the rows as spikes; those of a constant row alternate."""
    middle = x.median(dim=0).values
    if bool((x == x[0]).all()):
        return (torch.arange(len(x)) % 2 == 0).float()[:, None].expand(-1, WIDTH).contiguous()
    return (x > middle).float()


def _windows(x: Tensor) -> Iterator[Tensor]:
    return (rows[None] for rows in torch.split(x, MANY))


def _labels(x: Tensor) -> Tensor:
    return torch.arange(len(x)) % 2


def _cortex(x: Tensor) -> Told:
    cortex, y = AssociativeCortex(WIDTH, 4), _labels(x)
    for rows, labels in zip(torch.split(x, FEW), torch.split(y, FEW), strict=True):
        cortex.learn((rows, labels))
    code = cortex._encode(x).double()
    means = torch.stack([code[y == label].mean(0) for label in range(2)])
    moments, state = cortex.moments(), cortex.export_state().tensors
    yield "cortex: class means", moments.means, means[:, :WIDTH]
    summed = code[: len(x) - len(state["waiting_x"])]
    yield "cortex: co-activity", state["coactivity"].tril(), (summed.T @ summed).tril()


def _block(x: Tensor) -> Told:
    block, total = NeuromodulatedBlock(WIDTH, 8, 2), torch.zeros((), dtype=torch.float64)
    for rows in torch.split(x, FEW):
        total = total + block.encode(rows).double().square().sum(0)
        block.train_step(rows)
    yield "block: energy of units", block.energy, total


def _storm(x: Tensor) -> Told:
    def made() -> StormSense:
        return StormSense(WIDTH, 2, memory=256, familiar=1, threshold=None, device=CPU)

    y = _labels(x)
    sense = made()
    for rows, labels in zip(torch.split(x, FEW), torch.split(y, FEW), strict=True):
        sense.learn(rows, labels)
    expected = torch.stack([x[y == label].double().mean(0) for label in range(2)])
    yield "triarchic: expectations", sense.expectation, expected
    still = made()
    still.learn(x[:FEW], y[:FEW])
    for rows, labels in zip(torch.split(x, FEW), torch.split(y, FEW), strict=True):
        still.sense(rows, labels)
    away = x.double() - still.expectation[y]
    keep = math.exp(-FEW / 256)
    parts = away.reshape(-1, FEW, WIDTH).sum(1)
    yield "triarchic: drift", still.drift, leaky(parts, keep)
    squares = away.square().reshape(-1, FEW * WIDTH).sum(1)
    yield "triarchic: spread", still.spread, leaky(squares, keep**2)


def _usual(x: Tensor) -> Told:
    base = SparseBase(WIDTH, 16, 3, empty=False, contrast=False, seed=0, device=CPU)
    best = [base.responses(rows).amax(1).double().mean() for rows in torch.split(x, FEW)]
    for rows in torch.split(x, FEW):
        base.grow_if_unfamiliar(rows, 0.0, 0)
    rest = leaky(torch.stack(best[1:]), 0.99, 0.01, float(best[0]))
    yield "triarchic: usual response", base.usual, rest


def _importance(x: Tensor) -> Told:
    synapses, code, y = TwoSpeedSynapses(WIDTH, 2, TriarchicOptions(), CPU), _shares(x), _labels(x)
    total = torch.zeros(2, WIDTH, dtype=torch.float64)
    for rows, labels in zip(torch.split(code, FEW), torch.split(y, FEW), strict=True):
        hit = synapses.logits(rows).argmax(1) == labels
        total.index_add_(0, labels[hit], rows[hit].double())
        synapses.learn(rows, labels, torch.ones(len(rows), dtype=torch.bool), False)
    yield "triarchic: importance", synapses.importance, 2.0 * total / FEW


def _rate_code(x: Tensor) -> Told:
    code = RateCode(WIDTH, 20, 0)
    for rows in torch.split(x, FEW):
        code.note(rows)
    mean = x.double().mean(0)
    yield "rate code: means", code.mean, mean
    # Two passes lose nothing: the mean is known before a square is taken.
    yield "rate code: variances", code.scatter, (x.double() - mean).square().sum(0)


def _layer(x: Tensor) -> Told:
    layer, spikes = MetaPlasticLayer(WIDTH, WIDTH), _spikes(x)
    used = []
    for rows in _windows(spikes):
        layer.update_weights_stdp(rows, rows.flip(2))
        use = torch.outer(rows.flip(2)[0].double().mean(0), rows[0].double().mean(0))
        used.append(use / use.mean())
    yield "meta-plastic layer: importance", layer.importance, leaky(torch.stack(used), 0.95, 0.05)


def _fisher(x: Tensor) -> Told:
    model, rows = nn.Linear(WIDTH, 2, bias=False), _shares(x)
    nn.init.constant_(model.weight, 0.25)
    p = torch.softmax(rows.double() @ model.weight.detach().double().T, dim=1)
    right = (p * (1 - p)).T @ rows.double().square() / len(x)
    found = fisher_diagonal(model, (rows, _labels(x)), num_samples=len(x))
    yield "Fisher information", found["weight"], right


def _springs(x: Tensor) -> Told:
    whole, fading = ElasticWeights(online=False), ElasticWeights(online=True)
    model = nn.Linear(WIDTH, 1, bias=False)
    rows = x[:: max(1, FEW)]
    matters = 0.1 + _shares(rows)
    for place, much in zip(rows, matters, strict=True):
        with torch.no_grad():
            model.weight.copy_(place[None])
        for springs in (whole, fading):
            springs.consolidate(model, {"weight": much[None]})
    total = matters.double().sum(0)
    yield "springs: importance of all tasks", whole.importance["weight"][0], total
    anchor = (matters.double() * rows.double()).sum(0) / total
    yield "springs: anchors of all tasks", whole.anchor["weight"][0], anchor
    yield "springs: importance, fading", fading.importance["weight"][0], leaky(matters, 0.95)


def _beliefs(x: Tensor) -> Told:
    beliefs = ContextBeliefs()
    for rate in x[:, 0].tolist():
        beliefs.learn(0, rate)
    keep, tail = 1 - 1 / 500, x[-30_000:, 0].double()
    # Of a stream that is shorter the first 500 weigh alike.
    ages = torch.arange(len(x) - 1, -1, -1, dtype=torch.float64)[-len(tail) :]
    early = len(x) - 1 - ages < 500
    weights = torch.where(early, keep ** max(len(x) - 500, 0) / 500, keep**ages / 500)
    mean = float(weights @ tail)
    yield "contexts: usual surprise", beliefs.usual[0], mean
    yield "contexts: its variance", beliefs.variance[0], float(weights @ (tail - mean).square())


def _modulators(x: Tensor) -> Told:
    reward, share = x[:, 0].tolist(), _shares(x)[:, 0].double()
    dopamine, acetylcholine = Dopamine(learning_rate=0.1), Acetylcholine()
    adenosine = Adenosine(AdenosineParameters(tau_wake=float(len(x))))
    for r, s in zip(reward, share.tolist(), strict=True):
        dopamine.outcome("cue", r)
        acetylcholine.observe(s)
        adenosine.work(s)
    yield "dopamine: expectation", dopamine.value("cue"), leaky(x[:, 0], 0.9, 0.1)
    rate = acetylcholine.parameters.learning_rate
    yield "acetylcholine: level", acetylcholine.level(), leaky(share, 1 - rate, rate)
    spent = math.fsum(share.tolist()) / len(x)
    yield "adenosine: pressure", adenosine.pressure, -math.expm1(-spent)


def _rules(x: Tensor) -> Told:
    spikes, activity = _spikes(x), _shares(x)
    pair, triplet = STDPParameters(), HomeostaticParameters()
    bcm, hebb = BCMParameters(), HebbParameters(tau_mean=1000.0)
    states: list[Any] = [None] * 4
    for train, rates in zip(_windows(spikes), _windows(activity), strict=True):
        _, states[0] = stdp_window(train, train, states[0], pair)
        _, states[1] = homeostatic_window(train, train, states[1], triplet)
        _, states[2] = bcm_window(rates, rates, states[2], bcm)
        _, states[3] = hebb_window(rates, rates, states[3], hebb)
    kept = [math.exp(-1 / tau) for tau in (pair.tau_minus, triplet.tau_y, bcm.tau_theta, 1000.0)]
    yield "STDP: trace, 34 ms", states[0].y[0], leaky(spikes, kept[0])
    yield "triplets: trace, 114 ms", states[1].o2[0], leaky(spikes, kept[1])
    slow = triplet.homeostatic_rate
    rate = leaky(spikes, math.exp(-slow), slow / triplet.target_rate, 1.0)
    yield "homeostasis: rate, 10 s", states[1].share[0], rate
    power = leaky(activity.double().square(), kept[2], (1 - kept[2]) / bcm.target_rate)
    yield "BCM: threshold, 1 s", states[2].threshold, power
    yield "correlations: mean rate, 1 s", states[3].pre_mean, leaky(activity, kept[3], 1 - kept[3])


def _metrics(x: Tensor) -> Told:
    logits, y = _shares(x), _labels(x)
    batches = list(zip(torch.split(logits, FEW), torch.split(y, FEW), strict=True))
    hits = int((logits.argmax(1) == y).sum())
    found = score(lambda rows: rows.argmax(1), batches)
    yield "metrics: accuracy", found["accuracy"], hits / len(x)
    loss = nn.CrossEntropyLoss()
    right = float(loss(logits.double(), y))
    yield "trainer: mean loss", mean_loss(lambda rows: rows, batches, loss), right


DRIVERS: dict[str, Callable[[Tensor], Told]] = {
    "cortex": _cortex,
    "block": _block,
    "storm": _storm,
    "usual": _usual,
    "importance": _importance,
    "rate code": _rate_code,
    "Fisher": _fisher,
    "springs": _springs,
    "contexts": _beliefs,
    "modulators": _modulators,
    "metrics": _metrics,
}
"""Sums of numbers."""


TRAINS: dict[str, Callable[[Tensor], Told]] = {"layer": _layer, "rules": _rules}
"""Sums over trains, step by step; of two streams that differ in nothing but size a train is one."""


def _symbols(count: int) -> Told:
    """Count which of two symbols follows a context, and fade once, half way."""
    counts = Counts(np.zeros(8, SLOT), np.zeros(64, SYNAPSE), np.zeros(4), np.zeros(8))
    key = np.uint64(1 << 56 | 7)
    for step in range(count):
        change(counts, find_slot(counts.slots, key), key, step % 3 % 2, 1.0)
        if step == count // 2:
            fade(counts, np.float32(0.5), np.ones(4), 0.0, 0.0)
    slot = counts.slots[find_slot(counts.slots, key)]
    first, size = int(slot["first"]), int(slot["size"])
    seen = np.zeros(2)
    for symbol, amount in counts.synapses[first : first + size].tolist():
        seen[symbol] = amount
    which = np.arange(count) % 3 % 2
    weight = np.where(np.arange(count) <= count // 2, 0.5, 1.0)
    right = np.bincount(which, weights=weight)
    yield "sequences: counts", seen, right
    yield "sequences: total of a context", float(slot["total"]), right.sum()


def _familiar(count: int) -> Told:
    norepinephrine = Norepinephrine(NorepinephrineParameters(columns=64))
    always, often = np.array([1, 2]), np.array([1])
    for step in range(count):
        norepinephrine.observe(always if step % 2 else often)
    yield "norepinephrine: counts", norepinephrine.frequency(always), [count, count // 2]


def _fading(count: int) -> Told:
    counts = FadingCounts[str](half_life=1000.0)
    for _ in range(count):
        counts.fade(1.0)
        counts.add("mama")
    keep = 2.0**-0.001
    yield "conversation: fading counts", counts["mama"], (1 - keep**count) / (1 - keep)


COUNTERS: dict[str, Callable[[int], Told]] = {
    "symbols": _symbols,
    "familiarity": _familiar,
    "fading": _fading,
}
"""Counts: what is counted makes no difference, only how often."""
