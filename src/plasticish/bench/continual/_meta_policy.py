"""Learning a policy of plasticity for worlds that jump, on none of the streams it is judged by."""

from __future__ import annotations

import torch
from torch import Tensor

from plasticish.core import make_generator, spawn_seed
from plasticish.modulation import MetaPlasticityController, PolicyLives

from ._drift import BAND, Stream, World, live

__all__ = ["play", "trained"]

STEPS = 700
EVERY = 5
PROBES = 64
RATES = (0.35, 2.0)


def trained(generations: int, seed: int = 0) -> MetaPlasticityController:
    """Return a controller of one layer whose policy was learned on worlds of many kinds."""
    controller = MetaPlasticityController(1, hidden_dim=16, seed=spawn_seed(seed, 90))
    controller.fit(play, generations, pairs=24, sigma=0.15, rate=0.05)
    return controller


def play(lives: PolicyLives, seed: int) -> Tensor:
    """Return how well each life went in a world that is drawn with its streams.

    Fitness is the mean share of the reachable level plus the share of time within the band that
    counts as recovered. The base rate is drawn too, so that the policy does not rely on a good one.
    """
    g = make_generator(spawn_seed(seed, 0))
    world = drawn_world(g)
    twins = len(lives) // 2
    stream = Stream.draw(world, [spawn_seed(seed, 1, i) for i in range(twins)], STEPS, PROBES)
    low, high = RATES
    base = low * (high / low) ** torch.rand(twins, generator=g)
    life = live(
        stream,
        lambda activity, performance, loss: lives.observe(
            activity, performance, loss
        ).learning_rate[:, 0],
        base.repeat(2),
        EVERY,
    )
    share = life.performance / stream.level[:, ::EVERY].repeat(2, 1)
    return share.clamp(0.0, 1.0).mean(1) + (share >= BAND).to(share.dtype).mean(1)


def drawn_world(g: torch.Generator) -> World:
    """Return a world with kind, widths, batch, noise, pace and size of jumps drawn."""

    def among(*choices: int) -> int:
        return choices[int(torch.randint(len(choices), (1,), generator=g))]

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=g))

    classes = bool(among(0, 1))
    return World(
        classes,
        inputs=among(24, 32, 48, 64),
        outputs=among(3, 5, 8),
        batch=among(8, 16, 32),
        noise=between(0.0, 0.4) if classes else between(0.3, 1.5),
        length=between(150.0, 500.0),
        sizes=(between(0.2, 0.8), 1.0),
    )
