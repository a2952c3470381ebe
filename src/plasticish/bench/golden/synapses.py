"""Protocols for rules of activity, for what a synapse does by itself, and for dopamine.

``dt`` is the length of a step in ms (in minutes for tagging and capture), or None for one step an
event, which is exact for any times.
"""

from __future__ import annotations

from math import inf, log10

import numpy as np
import torch

from plasticish.core import make_generator
from plasticish.modulation.dopamine import Dopamine, delay_line
from plasticish.rules.bcm import BCMParameters, bcm_step
from plasticish.rules.bounds import bounded
from plasticish.rules.multi_timescale import (
    MultiTimescaleParameters,
    multi_timescale_state,
    multi_timescale_step,
)
from plasticish.rules.short_term import (
    ShortTermParameters,
    short_term_step,
    short_term_window,
    steady_state,
)
from plasticish.rules.tagging import (
    TaggingParameters,
    protein_window_s,
    tag_lifetime_s,
    tagging_state,
    tagging_step,
)
from plasticish.spiking.cfc import lecun_tanh

__all__ = ["bcm", "closed_form_cell", "dopamine", "short_term", "tagging", "timescales"]

Values = dict[str, float]
HOUR_MIN = 60.0
STRONG_MV = 10.0
WEAK_SHARE = 0.45  # of h0 away from rest: tagged, but too little to make protein alone


def bcm(dt: float | None) -> Values:
    """Show K orthonormal patterns to neurons until their answers are still."""
    if dt is None:
        return {}
    values = {}
    for patterns in (2, 3, 5):
        generator = make_generator(patterns)
        drawn = torch.randn(8, patterns, generator=generator, dtype=torch.float64)
        shown = torch.linalg.qr(drawn).Q.T
        rule = BCMParameters(learning_rate=0.1, tau_theta=1.0)
        weight = (0.1 + torch.rand(1, patterns, generator=generator, dtype=torch.float64)) @ shown
        state = None
        for _ in range(round(500 / dt)):
            change, state = bcm_step(shown, shown @ weight.T, state, rule, dt=dt)
            weight = bounded(weight, change, rule)
        answers = (shown @ weight.T).flatten().sort(descending=True).values
        values[f"K = {patterns}, chosen"] = answers[0].item()
        values[f"K = {patterns}, largest other"] = answers[1:].abs().max().item()
    return values


def short_term(dt: float | None) -> Values:
    """Drive a depressing and a facilitating synapse with 20 Hz."""
    values = {}
    for name, synapse in (
        ("depressing", ShortTermParameters.depressing()),
        ("facilitating", ShortTermParameters.facilitating()),
    ):
        spikes = 200
        if dt is None:
            released, state, spike = [], None, torch.ones(1, 1, dtype=torch.float64)
            for _ in range(4):
                release, state = short_term_step(spike, state, synapse, dt=50.0)
                released.append(release.item())
            released.append(steady_state(synapse, 20.0).release)
        else:
            every = round(50 / dt)
            train = torch.zeros(1, spikes * every, 1, dtype=torch.float64)
            train[:, ::every] = 1.0
            release, _ = short_term_window(train, None, synapse, dt=dt)
            released = release[0, ::every, 0].tolist()
        values.update({f"{name}, spike {k + 1}": released[k] for k in range(4)})
        values[f"{name}, steady"] = released[-1]
    return values


def tagging(dt: float | None) -> Values:
    """Change one synapse weakly and one strongly, together or hours apart, and wait 14 hours."""
    parameters = TaggingParameters()
    gaps = {"-2": -2.0, "-1": -1.0, "0": 0.0, "+0.5": 0.5, "+1": 1.0, "+2": 2.0}
    # Times of the weak and of the strong event, h; each row is a neuron of its own.
    times = [(inf, 2.0), (2.0, inf), *((2.0, 2.0 + gap) for gap in gaps.values())]
    due = torch.tensor(times, dtype=torch.float64) * HOUR_MIN
    levels = parameters.h0 + torch.tensor(
        [WEAK_SHARE * parameters.h0, STRONG_MV - parameters.h0], dtype=torch.float64
    )
    state = tagging_state(*due.shape, dtype=torch.float64)
    half = HOUR_MIN / 2
    for now in range(28):
        state = state._replace(h=torch.where(due == now * half, levels, state.h))
        for _ in range(1 if dt is None else round(half / dt)):
            state = tagging_step(state, parameters, dt_s=60 * (dt or half))
    late = state.z.tolist()
    values = {"late phase, strong alone": late[0][1], "late phase, weak alone": late[1][0]}
    for (weak, _), gap in zip(late[2:], gaps, strict=True):
        values[f"late phase, weak and strong elsewhere at {gap} h"] = weak
    if dt is None:
        values["lifetime of a tag from 10 mV, h"] = tag_lifetime_s(STRONG_MV, parameters) / 3600
        values["protein made from 10 mV, h"] = protein_window_s(STRONG_MV, parameters) / 3600
    return values


def timescales(dt: float | None) -> Values:
    """Fit the log-log slope of a memory trace from 10 steps to an eighth of the slowest time."""
    if dt is not None:
        return {}
    values = {}
    for m in (4, 6, 8, 10):
        parameters = MultiTimescaleParameters(variables=m)
        times = np.logspace(1, log10(parameters.slowest / 8), 50)
        state = multi_timescale_state(1, parameters=parameters, dtype=torch.float64)
        none = torch.zeros(1, dtype=torch.float64)
        state = multi_timescale_step(none + 1.0, state, parameters)
        left = []
        for gap in np.diff(times, prepend=0.0):
            state = multi_timescale_step(none, state, parameters, dt=float(gap))
            left.append(state[0, 0].item())
        values[f"m = {m}"] = float(np.polyfit(np.log(times), np.log(left), 1)[0])
    return values


def dopamine(dt: float | None) -> Values:
    """Reward a cue 5 ms late, over a delay line of so many steps, until nothing surprises."""
    moments = 1 if dt is None else round(5 / dt)
    learner = Dopamine(learning_rate=0.5)
    trial = [None, *delay_line("light", moments), None]
    rewards = [0.0] * (moments + 1) + [1.0]
    first = learner.trial(trial, rewards)
    for _ in range(400):
        trained = learner.trial(trial, rewards)
    omitted = learner.trial(trial, [0.0] * len(trial))
    return {
        "first trial, at the reward": first[-1],
        "trained, at the cue": trained[1],
        "trained, at the reward": trained[-1],
        "trained, no reward when it is due": omitted[-1],
    }


def closed_form_cell(dt: float | None) -> Values:
    """Read height and steepness off the activation."""
    if dt is not None:
        return {}
    height, one = lecun_tanh(torch.tensor([1e3, 1.0], dtype=torch.float64)).tolist()
    return {"height": height, "steepness": float(np.arctanh(one / height))}
