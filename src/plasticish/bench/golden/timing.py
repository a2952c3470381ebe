"""Protocols for the rules of spike timing.

``dt`` is the length of a step in ms, or None for one step an event, which is exact for any times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import exp, log
from typing import Any

import torch
from torch import Tensor

from plasticish.rules.homeostatic import (
    HomeostaticParameters,
    homeostatic_step,
    homeostatic_traces,
)
from plasticish.rules.protocols import SpikeTimes, pairing, play, spike_trains, triplets
from plasticish.rules.reward import RewardParameters, dopamine, reward_step
from plasticish.rules.stdp import STDPParameters, stdp_step
from plasticish.rules.triplet import (
    TRIPLET_ROWS,
    TripletParameters,
    triplet_step,
    triplet_traces,
    triplet_window,
)

__all__ = [
    "homeostatic",
    "pair",
    "poisson",
    "published_rows",
    "reward",
    "triplets_at_1_hz",
    "triplets_by_frequency",
]

Values = dict[str, float]
REPEATS = 60
FREQUENCIES = ("0.1", "10", "20", "40", "50")
FITTED = (
    "visual_cortex_all_to_all_full",
    "visual_cortex_all_to_all_minimal",
    "visual_cortex_nearest_full",
)
SILENCE = 40.0  # of a pause between repeats so many ms are stepped through, the rest is one step
INSTANT = 1e-4  # ms: a step so short that what happens within it is a rate


def pair(dt: float | None) -> Values:
    """Fit the window of the pair rule from 60 pairs at two distances on either side."""
    rule = STDPParameters.hippocampal_culture()
    near, far = 5.0, 20.0
    times = {str(lag): pairing(REPEATS, 1.0, lag) for lag in (near, far, -near, -far)}
    found = _by_steps(partial(_stepped, stdp_step, rule), times, dt)
    values = {}
    for side, sign in (("plus", 1), ("minus", -1)):
        ratio = found[str(sign * near)] / found[str(sign * far)]
        tau = (far - near) / log(ratio)
        values[f"tau_{side}, ms"] = tau
        values[f"60 pairs at {'+-'[sign < 0]}0 ms"] = found[str(sign * near)] * exp(near / tau)
    return values


def published_rows(dt: float | None) -> Values:
    """Read the fields of every named row."""
    if dt is not None:
        return {}
    names = {
        "a2p": "a_plus",
        "a3p": "a3_plus",
        "a2m": "a_minus",
        "a3m": "a3_minus",
        "tau_x": "tau_x",
        "tau_y": "tau_y",
    }
    return {
        f"{row}, {printed}": getattr(getattr(TripletParameters, row)(), field)
        for row in TRIPLET_ROWS
        for printed, field in names.items()
    }


def triplets_by_frequency(dt: float | None) -> Values:
    """Play 60 pairs 10 ms apart at five frequencies; on a grid the quick ones as one window."""
    values = {}
    for row in FITTED:
        rule: TripletParameters = getattr(TripletParameters, row)()
        step = partial(_stepped, triplet_step, rule)
        protocols = {
            (lag, rate): pairing(REPEATS, float(rate), float(lag))
            for lag in ("+10", "-10")
            for rate in FREQUENCIES
        }
        if dt is None:
            found = _by_steps(step, protocols, None)
        else:
            slow = {key: times for key, times in protocols.items() if key[1] == "0.1"}
            quick = {key: times for key, times in protocols.items() if key[1] != "0.1"}
            found = {**_by_steps(step, slow, dt), **_by_window(rule, quick, dt)}
        for (lag, rate), change in found.items():
            values[f"{row}, {lag} ms at {rate} Hz"] = change
    return values


def triplets_at_1_hz(dt: float | None) -> Values:
    """Play the pairs and triplets of Wang et al. (2005) to the hippocampal row."""
    rule = TripletParameters.hippocampus_all_to_all_full()
    protocols = {f"pair, {lag} ms": pairing(REPEATS, 1.0, float(lag)) for lag in ("+10", "-10")}
    for name, middle, distances in (
        ("pre-post-pre", "post", ((5, -5), (10, -10), (15, -5), (5, -15))),
        ("post-pre-post", "pre", ((-5, 5), (-10, 10), (-5, 15), (-15, 5))),
    ):
        for first, second in distances:
            times = triplets(REPEATS, 1.0, float(first), float(second), middle=middle)
            protocols[f"{name}, {first}, {second} ms"] = times
    return _by_steps(partial(_stepped, triplet_step, rule), protocols, dt)


def poisson(dt: float | None) -> Values:
    """Find the drift of the minimal triplet rule under independent Poisson trains."""
    if dt is not None:
        return {}  # a train on a grid is a Bernoulli train, whose drift is another
    rule = TripletParameters.visual_cortex_minimal()

    def drift(rho_x: float, rho_y: float) -> float:
        means = (rule.tau_plus, rule.tau_x, rule.tau_minus, rule.tau_y)
        rest = triplet_traces(1, 1, 1, dtype=torch.float64)
        state = type(rest)(
            *(t + rho * tau for t, rho, tau in zip(rest, _sides(rho_x, rho_y), means, strict=True))
        )
        return _drift(partial(_stepped, triplet_step, rule), state, rho_x, rho_y)

    return {
        "threshold, Hz": 1000 * _root(lambda rho: drift(0.01, rho), 1e-3, 0.1),
        "10 Hz to 5 Hz, per s": 1000 * drift(0.01, 0.005),
        "10 Hz to 40 Hz, per s": 1000 * drift(0.01, 0.04),
    }


def homeostatic(dt: float | None) -> Values:
    """Find where the homeostatic rule rests, its depression there, and how fast it follows."""
    rule = HomeostaticParameters.zenke_2013()
    rest = homeostatic_traces(1, 1, 1, dtype=torch.float64)
    step = partial(_stepped, homeostatic_step, rule)
    none = torch.zeros(1, 1, dtype=torch.float64)
    start, length = rest, 1000.0
    for _ in range(1 if dt is None else round(length / dt)):
        _, start = step(none, none, start, length if dt is None else dt)
    values = {"time constant of the rate, s": -length / 1000 / log(start.share.item())}
    if dt is not None:
        return values

    def drift(rho: float) -> float:
        state = rest._replace(
            r1=rest.r1 + 0.01 * rule.tau_plus,
            o1=rest.o1 + rho * rule.tau_minus,
            o2=rest.o2 + rho * rule.tau_y,
            share=rest.share * rho / rule.target_rate,
        )
        return _drift(step, state, 0.01, rho)

    at_target = rest._replace(o1=rest.o1 + 1.0)
    change, _ = step(none + 1.0, none, at_target, INSTANT)
    return {
        **values,
        "rate of no drift, Hz": 1000 * _root(drift, 1e-3, 0.1),
        "depression at the target": -change.item(),
    }


def reward(dt: float | None) -> Values:
    """Reward one pair after 0.1 s and after 0.3 s, and let dopamine fade for 1 s."""
    rule = RewardParameters.izhikevich_2007()

    def worth(delay: float) -> float:
        spike, none = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
        quiet, paid = torch.tensor([0.0, 1.0], dtype=torch.float64)
        _, state = reward_step(spike, none, quiet, None, rule)
        _, state = reward_step(none, spike, quiet, state, rule, dt=10.0)
        steps, length = (1, delay) if dt is None else (round(delay / dt), dt)
        for _ in range(steps):
            _, state = reward_step(none, none, quiet, state, rule, dt=length)
        change, _ = reward_step(none, none, paid, state, rule, dt=1.0)
        return change.item()

    grid = dt or 1.0
    delivered = torch.zeros(round(1000 / grid) + 1, dtype=torch.float64)
    delivered[0] = 1.0
    level = dopamine(delivered, dt=grid)
    return {
        "time constant of the eligibility, s": 0.2 / log(worth(100.0) / worth(300.0)),
        "time constant of dopamine, s": 1.0 / log((level[0] / level[-1]).item()),
    }


# ------------------------------------------------------------------ how they are played


def _stepped(
    step: Callable[..., tuple[Tensor, Any]],
    rule: Any,
    pre: Tensor,
    post: Tensor,
    state: Any,
    dt: float,
) -> tuple[Tensor, Any]:
    return step(pre, post, state, rule, dt=dt)


def _by_steps(step: Any, protocols: Mapping[Any, SpikeTimes], dt: float | None) -> dict[Any, float]:
    """Play every protocol to a pair of neurons of its own; the diagonal is theirs."""
    pre, post = ([times[side] for times in protocols.values()] for side in (0, 1))
    change, _ = play(step, pre, post, dt=dt, silence=SILENCE)
    return dict(zip(protocols, change.diagonal().tolist(), strict=True))


def _by_window(
    rule: TripletParameters, protocols: Mapping[Any, SpikeTimes], dt: float
) -> dict[Any, float]:
    last = max(max(*times.pre, *times.post) for times in protocols.values())
    steps = round(last / dt) + 1
    pre, post = (
        spike_trains([times[side] for times in protocols.values()], dt, steps) for side in (0, 1)
    )
    change, _ = triplet_window(pre, post, None, rule, dt=dt)
    return dict(zip(protocols, change.diagonal().tolist(), strict=True))


def _sides(rho_x: float, rho_y: float) -> tuple[float, float, float, float]:
    return rho_x, rho_x, rho_y, rho_y


def _drift(step: Any, state: Any, rho_x: float, rho_y: float) -> float:
    """Return the mean change per ms of a state whose traces are at their means.

    Spikes of Poisson trains are independent of each other and of all traces of the past, so that
    the mean of a product is the product of means: a step is fed the number of spikes it expects.
    """
    expected = [torch.full((1, 1), rho * INSTANT, dtype=torch.float64) for rho in (rho_x, rho_y)]
    change, _ = step(*expected, state, INSTANT)
    return float(change.item() / INSTANT)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function changes sign, by bisection."""
    below = function(low) < 0
    for _ in range(50):
        middle = (low + high) / 2
        if (function(middle) < 0) == below:
            low = middle
        else:
            high = middle
    return (low + high) / 2
