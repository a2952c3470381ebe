"""How long a window of STDP takes beside other libraries, and whether it is the right STDP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn

from plasticish.core import DataError, make_generator
from plasticish.spiking.layer import STDPLayer
from plasticish.spiking.stdp_rules import ClassicalSTDP

from ..scenario import Context, Findings, Goal, Metric, scenario
from ..timing import side_by_side
from . import _windows as windows

SMALL, LARGE = (256, 128), (784, 400)
SMALL_MS, LARGE_MS = "256 to 128", "784 to 400"
OURS, LOOP, LAYER = "pair window", "pair steps", "STDPLayer.update_weights_stdp"
TRIPLET, HOMEOSTATIC = "triplet window", "homeostatic window"
REWARD, REWARD_LOOP = "reward window", "reward steps"
SHARED, SHARED_LOOP = "shared reward window", "shared reward steps"
FORWARD, MASKED, LINEAR = "STDPLayer forward", "STDPLayer forward, 10 % connected", "nn.Linear"
DEVIATION, OVER_LOOP, OF_LINEAR = "off the rule", "x step by step", "of nn.Linear's time"
OVER = {
    "x SpikingJelly": (windows.MULTI, windows.SINGLE),
    "x snnTorch": (windows.SNNTORCH,),
    "x Norse": (windows.NORSE,),
    "x BindsNET": (windows.BINDSNET,),
}
"""Whose time is divided by ours; of two ways to run a peer, the faster one."""
LOOPS = {OURS: LOOP, REWARD: REWARD_LOOP, SHARED: SHARED_LOOP}
SLOW = (windows.MULTI, windows.SINGLE, windows.SNNTORCH, REWARD_LOOP)
"""What takes seconds at full size."""


@scenario(
    "spike/stdp-speed",
    title="a window of STDP, beside other libraries",
    question="Is local learning cheap enough to leave on, and is it the rule that it claims to be?",
    protocol=f"""All-to-all pair STDP with hard bounds, batch {windows.BATCH}, {windows.TIME} steps
    of 1 ms, {windows.DENSITY:.0%} spikes, float32, one thread, one process, in turns, the best of 9
    rounds (3 of what takes seconds). Every library gets the spikes and returns the change summed
    over the batch; its learning rule alone is in the time, SpikingJelly in both of its modes.
    Off the rule: the largest difference from a double loop over pairs of steps in float64, as a
    share of the largest change; ours is not timed unless that is below 0.001 %. SpikingJelly,
    snnTorch and Norse decay by 1-1/tau, and all four let spikes of the same step pair. Reward: an
    eligibility of 1 s, and a reward in every step, of each example or shared by all. Forward: one
    batch of {windows.BATCH}, the best of 400.""",
    data="Bernoulli spikes",
    metrics=[
        Metric(SMALL_MS, "ms", 2, higher_is_better=False, tolerance=0.3, relative=True),
        Metric(LARGE_MS, "ms", 2, higher_is_better=False, tolerance=0.3, relative=True),
        Metric(DEVIATION, "%", 4, higher_is_better=False, tolerance=0.001),
        *(Metric(over, "x", 1, tolerance=0.3, relative=True) for over in OVER),
        Metric(OVER_LOOP, "x", 1, tolerance=0.3, relative=True),
        Metric(OF_LINEAR, "x", 2, higher_is_better=False, tolerance=0.3, relative=True),
    ],
    goals=[
        Goal(OURS, "x SpikingJelly", ">=", 100, aim=200),
        Goal(OURS, "x snnTorch", ">=", 100, aim=200),
        Goal(OURS, "x Norse", ">=", 4, aim=6),
        Goal(OURS, "x BindsNET", ">=", 4, aim=6),
        Goal(REWARD, OVER_LOOP, ">=", 15, aim=30),
        Goal(FORWARD, OF_LINEAR, "<=", 1.1, aim=1.0),
    ],
    baselines=[*windows.PEERS, LINEAR],
    seeds=(0,),
)
def stdp_speed(context: Context) -> Findings:
    """Check, then time: both sizes, rewarded windows, and the forward pass."""
    findings, seed = Findings(), context.seeds[0]
    sizes = {SMALL_MS: SMALL} if context.quick else {SMALL_MS: SMALL, LARGE_MS: LARGE}
    here, missing = windows.peers()
    findings.notes.extend(missing)
    for column, size in sizes.items():
        pre, post = windows.spikes(size, seed)
        add_deviations(findings, {OURS: windows.own_window, **here}, pre, post)
        best = times({**contenders(), **here}, pre, post, quick=context.quick)
        for row, spent in best.items():
            findings.add(row, **{column: 1e3 * spent})
    add_ratios(findings, best)  # of the largest size that was run
    add_forward(findings, 40 if context.quick else 400, seed)
    return findings


def contenders() -> dict[str, windows.Prepare]:
    """Return everything of ours that is timed, by row."""
    return {
        OURS: windows.own_window,
        LOOP: windows.own_steps,
        LAYER: windows.own_layer,
        TRIPLET: windows.own_triplet,
        HOMEOSTATIC: windows.own_homeostatic,
        REWARD: partial(windows.reward_whole, shared=False),
        REWARD_LOOP: partial(windows.reward_steps, shared=False),
        SHARED: partial(windows.reward_whole, shared=True),
        SHARED_LOOP: partial(windows.reward_steps, shared=True),
    }


def add_deviations(
    findings: Findings, rows: Mapping[str, windows.PairRule], pre: Tensor, post: Tensor
) -> None:
    """Compare everyone with the reference; the last size is the one that is kept.

    Raises
    ------
    DataError
        If our own rule is off by 1e-5 or more: a wrong result is not worth a time.
    """
    expected = windows.reference(pre[..., :64], post[..., :64], windows.RULE)
    for row, prepare in rows.items():
        share = windows.deviation(prepare(pre, post)(), expected)
        if row == OURS and not share < 1e-5:
            raise DataError("our own window is wrong", got=f"{share:.3g}", expected="below 1e-5")
        findings.add(row, **{DEVIATION: 100 * share})


def times(
    rows: Mapping[str, windows.Prepare], pre: Tensor, post: Tensor, *, quick: bool
) -> dict[str, float]:
    """Return the best seconds of every row, each called anew on the same spikes."""
    best: dict[str, float] = {}
    for group, repeats in (
        ([row for row in rows if row not in SLOW], 2 if quick else 9),
        ([row for row in rows if row in SLOW], 1 if quick else 3),
    ):
        measured = side_by_side(
            {row: lambda run: run() for row in group},
            repeats,
            setup={row: partial(rows[row], pre, post) for row in group},
        )
        best |= {row: timing.best for row, timing in measured.items()}
    return best


def add_ratios(findings: Findings, best: Mapping[str, float]) -> None:
    """Add how many times longer the peers take, and the loops."""
    for over, modes in OVER.items():
        if theirs := [best[mode] for mode in modes if mode in best]:
            for row in (OURS, LAYER):
                findings.add(row, **{over: min(theirs) / best[row]})
    for row, loop in LOOPS.items():
        findings.add(row, **{OVER_LOOP: best[loop] / best[row]})


def add_forward(findings: Findings, repeats: int, seed: int) -> None:
    """Time the forward pass of the layer, with and without a mask, beside ``nn.Linear``."""
    generator = make_generator(seed)
    inputs = torch.rand(windows.BATCH, LARGE[0], generator=generator)
    mask = torch.rand(LARGE[1], LARGE[0], generator=generator) < 0.1
    rule = ClassicalSTDP()
    layers = {
        LINEAR: nn.Linear(*LARGE),
        FORWARD: STDPLayer(*LARGE, rule),
        MASKED: STDPLayer(*LARGE, rule, mask=mask),
    }
    with torch.no_grad():
        measured = side_by_side(
            {row: partial(layer, inputs) for row, layer in layers.items()}, repeats
        )
    for row, timing in measured.items():
        findings.add(
            row, **{LARGE_MS: 1e3 * timing.best, OF_LINEAR: timing.best / measured[LINEAR].best}
        )
