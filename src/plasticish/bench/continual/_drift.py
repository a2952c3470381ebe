"""A world whose statistics jump: streams, lives of a local learner in them, and their recovery.

Everything is done for many streams and many settings at once, so that a grid of fixed settings
costs no more than one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from plasticish.core import make_generator, spawn_seed
from plasticish.spiking.delta_rule import delta_change, normalised_error

__all__ = ["BAND", "SETTLED", "Life", "Stream", "World", "live", "recovery"]

BAND = 0.95
"""Recovered is who is back at this share of the level that can be reached (5 % settling time)."""
SETTLED = 10
"""Steps over which that level must hold on average, so that no lucky moment counts."""
PROBES = 200
LIMIT = 1.0
"""Bound of a weight, far beyond any that is right: too high a rate costs what it must, not all."""


@dataclass(frozen=True)
class World:
    """What is drawn anew for every stream.

    Attributes
    ----------
    classes : bool
        Whether labels are to be told (a share ``noise`` of them random), or vectors (with Gaussian
        noise of standard deviation ``noise`` on targets of variance 1).
    inputs, outputs, batch : int
        Width of the inputs and outputs; examples a step.
    noise : float
        See ``classes``.
    length : float
        Mean number of steps between jumps; each is drawn within half of it, uniformly.
    sizes : pair of float
        Range of the size of a jump: 1 is a world that has nothing to do with the one before, less
        is a rotation by that share of a right angle.
    """

    classes: bool = True
    inputs: int = 32
    outputs: int = 5
    batch: int = 16
    noise: float = 0.2
    length: float = 300.0
    sizes: tuple[float, float] = (0.5, 1.0)


@dataclass(frozen=True)
class Stream:
    """Streams of one world, one a seed.

    Attributes
    ----------
    inputs : Tensor of shape (seeds, steps, batch, inputs)
    targets : Tensor of shape (seeds, steps, batch, outputs)
    probes : Tensor of shape (seeds, inputs, probes)
        Inputs to judge by, never learned from.
    truths : list of Tensor of shape (regimes, outputs, probes)
        What is right for the probes in each regime, without noise.
    regimes : Tensor of shape (seeds, steps)
        Number of the regime in force.
    levels : list of Tensor of shape (regimes,)
        Performance on the probes of the best linear answer to that regime.
    """

    world: World
    inputs: Tensor
    targets: Tensor
    probes: Tensor
    truths: list[Tensor]
    regimes: Tensor
    levels: list[Tensor]

    @classmethod
    def draw(cls, world: World, seeds: Sequence[int], steps: int, probes: int = PROBES) -> Stream:
        """Return one stream a seed."""
        drawn = [_draw(world, seed, steps, probes) for seed in seeds]
        inputs, targets, asked, truths, regimes, levels = zip(*drawn, strict=True)
        return cls(
            world,
            torch.stack(inputs),
            torch.stack(targets),
            torch.stack(asked),
            list(truths),
            torch.stack(regimes),
            list(levels),
        )

    def truths_at(self, step: int) -> Tensor:
        """Return what is right for the probes in a step, [seeds, outputs, probes]."""
        regimes = self.regimes[:, step].tolist()
        return torch.stack([right[now] for right, now in zip(self.truths, regimes, strict=True)])

    @property
    def level(self) -> Tensor:
        """The level that can be reached in each step, [seeds, steps]."""
        pairs = zip(self.levels, self.regimes, strict=True)
        return torch.stack([levels[regimes] for levels, regimes in pairs])

    @property
    def since_jump(self) -> Tensor:
        """Steps since the latest jump (or since birth), [seeds, steps]."""
        since = torch.zeros_like(self.regimes)
        for step in range(1, since.shape[1]):
            same = self.regimes[:, step] == self.regimes[:, step - 1]
            since[:, step] = torch.where(same, since[:, step - 1] + 1, 0)
        return since


def _draw(world: World, seed: int, steps: int, probes: int) -> tuple[Tensor, ...]:
    g = make_generator(seed)
    lengths: list[int] = []
    while sum(lengths) < steps:
        lengths.append(int(world.length * (0.5 + float(torch.rand(1, generator=g)))))
    regimes = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))[:steps]
    truth = torch.randn(world.outputs, world.inputs, generator=g)
    teachers = [truth]
    for _ in lengths[1:]:
        low, high = world.sizes
        angle = math.pi / 2 * (low + (high - low) * float(torch.rand(1, generator=g)))
        fresh = torch.randn(truth.shape, generator=g)
        truth = math.cos(angle) * truth + math.sin(angle) * fresh
        teachers.append(truth)
    taught = torch.stack(teachers).transpose(1, 2) / math.sqrt(world.inputs)
    inputs = torch.randn(steps, world.batch, world.inputs, generator=g)
    asked = torch.randn(probes, world.inputs, generator=g)
    clean, right = _answers(world, inputs @ taught[regimes]), _answers(world, asked @ taught)
    if world.classes:
        wrong = torch.rand(clean.shape[:2], generator=g) < world.noise
        labels = torch.randint(world.outputs, clean.shape[:2], generator=g)
        targets = torch.where(wrong[:, :, None], one_hot(labels, world.outputs).float(), clean)
    else:
        targets = clean + world.noise * torch.randn(clean.shape, generator=g)
    asked, right = asked.T.contiguous(), right.transpose(1, 2).contiguous()
    levels = _levels(world, taught, asked, right, make_generator(spawn_seed(seed, 1)))
    return inputs, targets, asked, right, regimes, levels


def _answers(world: World, values: Tensor) -> Tensor:
    if not world.classes:
        return values
    return one_hot(values.argmax(-1), world.outputs).to(values.dtype)


def _levels(
    world: World, taught: Tensor, asked: Tensor, right: Tensor, g: torch.Generator
) -> Tensor:
    many = torch.randn(100 * world.inputs, world.inputs, generator=g)
    best = torch.linalg.lstsq(many, _answers(world, many @ taught).transpose(0, 1).flatten(1))
    weights = best.solution.T.reshape(-1, world.outputs, world.inputs)
    return performance(world, weights @ asked, right)


def performance(world: World, outputs: Tensor, truths: Tensor) -> Tensor:
    """Return accuracy, or the share of variance explained, of ``[..., outputs, examples]``.

    An example is right if the right output is above all others: a tie is not.
    """
    if not world.classes:
        return 1.0 - (outputs - truths).square().mean((-1, -2))
    right = (outputs * truths).sum(-2)
    others = outputs.masked_fill(truths > 0, -math.inf).amax(-2)
    return (right > others).to(outputs.dtype).mean(-1)


@dataclass(frozen=True)
class Life:
    """What became of each life, [lives, looks]: performance on the probes, and learning rates."""

    performance: Tensor
    rates: Tensor


Steer = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From activity [lives, 1], performance and loss [lives] to the factor of the rate [lives]."""


def live(stream: Stream, steer: Steer, base: Tensor, every: int = 1) -> Life:
    """Let a layer learn by the delta rule through each stream, once for each setting of ``base``.

    Performance and loss, as ``steer`` sees them, are those of the answers to the batch before it
    is learned, by its noisy targets; what is kept is the performance on the probes.

    Parameters
    ----------
    stream : Stream
        Streams of ``n`` seeds.
    steer : callable
        Told how each step went; its answer multiplies ``base`` in the next.
    base : Tensor of shape (lives,)
        Learning rates; lives ``i, i + n, …`` meet the stream of seed ``i``.
    every : int
        Steps from one look at the probes to the next.
    """
    world, (seeds, steps) = stream.world, stream.regimes.shape
    copies = len(base) // seeds
    weights = torch.zeros(len(base), world.outputs, world.inputs)
    probes = stream.probes.repeat(copies, 1, 1)
    shape = (copies, seeds, world.outputs, -1)
    kept: list[Tensor] = []
    rates: list[Tensor] = []
    rate = base
    for step in range(steps):
        x = stream.inputs[:, step].repeat(copies, 1, 1)
        targets = stream.targets[:, step].repeat(copies, 1, 1)
        outputs = weights @ x.transpose(1, 2)
        if step % every == 0:
            asked = (weights @ probes).view(shape)
            kept.append(performance(world, asked, stream.truths_at(step)).flatten())
            rates.append(rate)
        error = targets - outputs.transpose(1, 2)
        change = delta_change(x, normalised_error(x, error))
        weights = (weights + rate[:, None, None] * change).clamp(-LIMIT, LIMIT)
        loss = error.square().mean((1, 2))
        activity = outputs.abs().mean((1, 2))[:, None]
        told = performance(world, outputs, targets.transpose(1, 2))
        rate = base * steer(activity, told, loss)
    return Life(torch.stack(kept, 1), torch.stack(rates, 1))


def recovery(stream: Stream, reached: Tensor) -> Tensor:
    """Return the mean number of steps from a jump until the performance is back, [lives].

    Back: the mean of this and the next ``SETTLED - 1`` steps is at ``BAND`` of the level that the
    best linear answer reaches in this regime. Who is not back before the next jump is counted
    with the whole time between them. The first regime (birth) and the unfinished last one do not
    count.

    Parameters
    ----------
    stream : Stream
        Streams of ``n`` seeds.
    reached : Tensor of shape (lives, steps)
        Performance; lives ``i, i + n, …`` met the stream of seed ``i``.
    """
    found = []
    for life, row in enumerate(reached):
        seed = life % len(stream.regimes)
        regimes, levels = stream.regimes[seed], stream.levels[seed]
        times = []
        for regime in range(1, int(regimes[-1])):
            inside = row[regimes == regime]
            smooth = inside.unfold(0, SETTLED, 1).mean(1)
            back = (smooth >= BAND * levels[regime]).nonzero()
            times.append(int(back[0]) if len(back) else len(inside))
        found.append(sum(times) / len(times))
    return torch.tensor(found)
