"""A world that jumps: does learned control of plasticity beat the best fixed learning rate?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from plasticish.core import make_generator, spawn_seed
from plasticish.modulation import MetaPlasticityController, PolicyLives

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._drift import Life, Steer, Stream, World, live, recovery
from ._meta_policy import trained

LEARNED = "learned controller"
ONLINE = "learned controller, learning on"
PRIOR = "unlearned controller (its prior)"
RANDOM = "random policy"
FIXED, ACCURATE = "fixed, best recovery", "fixed, best performance"
PERIOD = 400
PERIODIC = f"restart every {PERIOD} steps"
ORACLE = "told of the jumps"
GAIN = "learned less best fixed"
WORLDS: Mapping[str, World] = {
    "classes": World(True, 32, 5, 16, noise=0.2, length=400.0),
    "vectors": World(False, 48, 8, 8, noise=1.0, length=400.0),
}
RATES = torch.logspace(-1.3, 0.7, 33)
PEAKS, FADES = (0.5, 1.0, 2.0, 4.0), (5.0, 10.0, 20.0, 40.0, 80.0)
GRID_SEEDS = 4


def column(what: str, world: str) -> str:
    """Return the heading of a figure in a world."""
    return f"{what}, {world}"


RECOVERY, PERFORMANCE, SHORTER, WON, P = "recovery", "performance", "shorter", "seeds won", "p"
METRICS = [
    metric
    for world in WORLDS
    for metric in (
        Metric(column(RECOVERY, world), "steps", 1, False, 3.0),
        Metric(column(PERFORMANCE, world), "%", 1, True, 0.5),
        Metric(column(SHORTER, world), "%", 1, True, 2.0),
        Metric(column(WON, world), "%", 0, None),
        Metric(column(P, world), "", 4, None),
    )
]


@scenario(
    "continual/meta",
    title="a world that jumps, and how plastic to be in it",
    question="Does a learned control of plasticity recover faster than the best fixed rate?",
    protocol="""A layer learns by the delta rule, a small batch a step, what a linear teacher says:
    one of 5 classes (32 inputs, batches of 16, every fifth label random; performance is accuracy)
    or 8 numbers (48 inputs, batches of 8, noise as large as the signal; performance is the share
    of variance explained). The teacher turns, by half to all of a right angle, after 200 to 600
    steps. 3,000 steps a seed; performance on 200 held-out inputs with clean targets, every step.
    Recovery: steps from a jump until the mean of the next 10 steps is at 95 % of what the best
    linear answer to the new teacher reaches; who is not back before the next jump counts the
    whole time. Fixed rates: the best of 33, chosen on 4 other streams, once by recovery and once
    by performance; every other row starts from the latter, except that the schedules (restart and
    told of the jumps: peak / (1 + steps since / fade)) are the best of 20, chosen likewise by
    recovery. The controller sees only accuracy or loss on the noisy batches; its policy is learned
    beforehand by evolution on random worlds, none of these streams. 'Shorter' is by how much the
    recovery is shorter than with the fixed rate of the best recovery, of the same seed's stream;
    p is of the exact one-sided sign-flip test over the seeds.""",
    data="drawn",
    metrics=METRICS,
    goals=[
        *(Goal(LEARNED, column(SHORTER, world), ">=", 15, aim=30) for world in WORLDS),
        *(Goal(LEARNED, column(P, world), "<=", 0.01) for world in WORLDS),
        *(Goal(GAIN, column(PERFORMANCE, world), ">=", 0) for world in WORLDS),
    ],
    baselines=[FIXED, ACCURATE, PERIODIC, ORACLE, RANDOM],
    seeds=tuple(range(10)),
    quick_seeds=(0,),
)
def meta(context: Context) -> Findings:
    """Learn the policy, choose the fixed settings, and let all meet the same streams."""
    findings = Findings()
    controller = trained(1 if context.quick else 100)
    for name, world in list(WORLDS.items())[: 1 if context.quick else None]:
        Trial(name, world, context, controller).run(findings)
    return findings


@dataclass
class Trial:
    """One world: settings chosen on some streams, judged on others."""

    name: str
    world: World
    context: Context
    controller: MetaPlasticityController

    def run(self, findings: Findings) -> None:
        """Add every row of this world."""
        steps = 1200 if self.context.quick else 3000
        seeds = [spawn_seed(seed, 70, self.world.inputs) for seed in self.context.seeds]
        stream = Stream.draw(self.world, seeds, steps)
        best = self._chosen(steps)
        count = len(seeds)
        base = torch.full((count,), best[ACCURATE])
        still, learned = self._prior(), self.controller.theta
        lives = {
            FIXED: live(stream, unsteered, torch.full((count,), best[FIXED])),
            ACCURATE: live(stream, unsteered, base),
            LEARNED: live(stream, steered(self._lives(learned, count)), base),
            ONLINE: live(stream, self._online(), base),
            PRIOR: live(stream, steered(self._lives(still, count)), base),
            RANDOM: live(stream, steered(self._lives(self._random(), count)), base),
            PERIODIC: scheduled(stream, best[PERIODIC], periodic(stream)),
            ORACLE: scheduled(stream, best[ORACLE], stream.since_jump),
        }
        self._report(findings, stream, lives)

    def _report(self, findings: Findings, stream: Stream, lives: Mapping[str, Life]) -> None:
        times = {row: recovery(stream, life.performance) for row, life in lives.items()}
        mean = {row: 100 * life.performance.mean(1) for row, life in lives.items()}
        for row in lives:
            saved = times[FIXED] - times[row]
            found: dict[str, Sequence[float] | float] = {
                RECOVERY: times[row].tolist(),
                PERFORMANCE: mean[row].tolist(),
                SHORTER: (100 * saved / times[FIXED]).tolist(),
                WON: 100 * int((saved > 0).sum()) / len(saved),
                P: sign_flip(saved),
            }
            findings.add(row, **{column(what, self.name): found[what] for what in found})
        gained = (mean[LEARNED] - mean[ACCURATE]).tolist()
        findings.add(GAIN, **{column(PERFORMANCE, self.name): gained})

    def _chosen(self, steps: int) -> dict[str, Any]:
        """Return the best settings on streams that are not judged on."""
        seeds = [spawn_seed(seed, 71, self.world.inputs) for seed in range(GRID_SEEDS)]
        stream = Stream.draw(self.world, seeds, steps)
        fixed = live(stream, unsteered, RATES.repeat_interleave(GRID_SEEDS))
        times = recovery(stream, fixed.performance).view(-1, GRID_SEEDS).mean(1)
        reached = fixed.performance.mean(1).view(-1, GRID_SEEDS).mean(1)
        best: dict[str, Any] = {
            FIXED: float(RATES[times.argmin()]),
            ACCURATE: float(RATES[reached.argmax()]),
        }
        grid = list(product(PEAKS, FADES))
        for row, since in ((PERIODIC, periodic(stream)), (ORACLE, stream.since_jump)):
            life = scheduled(stream, grid, since)
            times = recovery(stream, life.performance).view(-1, GRID_SEEDS).mean(1)
            best[row] = [grid[int(times.argmin())]]
        return best

    def _lives(self, theta: Tensor, count: int) -> PolicyLives:
        policy = self.controller.policy
        return PolicyLives(policy, theta.expand(count, -1), self.controller.history_length)

    def _prior(self) -> Tensor:
        return self.controller.policy.initial(self.controller.seed)

    def _random(self) -> Tensor:
        size = (len(self.context.seeds), self.controller.policy.size)
        return torch.randn(size, generator=make_generator(spawn_seed(0, 72)))

    def _online(self) -> Steer:
        newborns = [self.controller.newborn(spawn_seed(seed, 73)) for seed in self.context.seeds]

        def steer(activity: Tensor, performance: Tensor, loss: Tensor) -> Tensor:
            told = zip(newborns, activity, performance.tolist(), loss.tolist(), strict=True)
            return torch.cat([one.observe(a, p, q).learning_rate for one, a, p, q in told])

        return steer


def unsteered(activity: Tensor, performance: Tensor, loss: Tensor) -> Tensor:
    """Leave the rate as it is."""
    return torch.ones_like(loss)


def steered(lives: PolicyLives) -> Steer:
    """Let policies that do not learn on multiply the rate of the one layer."""

    def steer(activity: Tensor, performance: Tensor, loss: Tensor) -> Tensor:
        return lives.observe(activity, performance, loss).learning_rate[:, 0]

    return steer


def scheduled(stream: Stream, settings: Sequence[tuple[float, float]], since: Tensor) -> Life:
    """Let the rate be ``peak / (1 + since / fade)``, once for each setting (peak, fade)."""
    count = len(since)
    peaks = torch.tensor([peak for peak, _ in settings]).repeat_interleave(count)
    fades = torch.tensor([fade for _, fade in settings]).repeat_interleave(count)
    following = iter(since.T[1:])

    def steer(activity: Tensor, performance: Tensor, loss: Tensor) -> Tensor:
        passed = next(following, since[:, -1])
        return 1.0 / (1.0 + passed.repeat(len(settings)) / fades)

    return live(stream, steer, peaks)


def periodic(stream: Stream) -> Tensor:
    """Return the steps since a restart that comes every ``PERIOD`` steps, [seeds, steps]."""
    seeds, steps = stream.regimes.shape
    return (torch.arange(steps) % PERIOD).expand(seeds, -1)


def sign_flip(differences: Tensor) -> float:
    """Return the exact one-sided p of a mean as large if the sign of each pair were a coin."""
    count = len(differences)
    signs = 1 - 2 * ((torch.arange(2**count)[:, None] >> torch.arange(count)) & 1)
    means = (signs * differences.double()).sum(1)
    return float((means >= means[0] - 1e-9).double().mean())
