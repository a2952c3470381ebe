"""A body whose physics change: can it still be steered as it was, after all that came later?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from plasticish.core import make_generator, spawn_seed
from plasticish.data import FAMILIES, BatchLoader, Body, BodyTask, LabelledSet, robotics_tasks
from plasticish.evaluation import ReturnScale, closed_loop_returns, return_scale
from plasticish.spiking.continual import ContinualLearningSTDP
from plasticish.spiking.models import build_model

from ..scenario import Context, Findings, Goal, Metric, scenario

__all__ = ["Plan", "Steered", "in_random_order", "train_and_steer"]

OURS, JOINT, NAIVE = "ours (EWC and DER++)", "joint (all data at once)", "naive"
EXPERT, CHANCE = "expert (knows the physics)", "random commands"
EARLIER, RAW, LAST, OF_JOINT = "earlier physics", "mean return", "last physics", "of joint"
BUFFER, EPOCHS, BATCH, HIDDEN, RATE = 2000, 10, 64, 128, 1e-3
# Springs that help where nothing is rehearsed hinder rehearsal: each row has its own.
ALONE, BESIDE_REPLAY = 100.0, 1.0

LEARNERS: Mapping[str, Mapping[str, Any]] = {
    NAIVE: {"consolidation_strength": 0.0, "replay": None},
    "EWC": {"consolidation_strength": ALONE, "replay": None},
    "replay": {"consolidation_strength": 0.0, "replay": "er"},
    "DER++": {"consolidation_strength": 0.0, "replay": "der++"},
    OURS: {"consolidation_strength": BESIDE_REPLAY, "replay": "der++"},
}


@dataclass(frozen=True)
class Plan:
    """How much is shown, learned and asked; the same for every row.

    Attributes
    ----------
    episodes : int
        Demonstrations a physics, of 200 rows each.
    epochs : int
        Passes over the demonstrations of a task.
    trials : int
        Closed loops on each physics at the end.
    """

    episodes: int = 40
    epochs: int = EPOCHS
    trials: int = 30


@dataclass(frozen=True)
class Steered:
    """What a policy got on every physics of a stream, in its order.

    Attributes
    ----------
    returns : tuple of float
        Mean returns.
    percent : tuple of float
        The same between random commands (0) and the expert (100).
    """

    returns: tuple[float, ...]
    percent: tuple[float, ...]

    @property
    def earlier(self) -> float:
        """Mean percentage over all physics but the last."""
        return sum(self.percent[:-1]) / len(self.percent[:-1])

    @property
    def raw(self) -> float:
        """Mean return over all physics but the last."""
        return sum(self.returns[:-1]) / len(self.returns[:-1])


@scenario(
    "continual/robotics",
    title="a body whose physics change",
    question="""A policy is cloned from an expert's demonstrations on one physics after another.
    How well does it steer all the earlier ones at the end?""",
    protocol=f"""Five physics of one body in a random order (pendulum: gravity, mass, length;
    cartpole: pole length, gravity, a crane, a reversed motor); 40 disturbed demonstrations of 200
    steps each, {EPOCHS} epochs, batches of {BATCH}, Adam {RATE:g}, an MLP of two hidden layers of
    {HIDDEN}, a buffer of {BUFFER} distinct rows ({BUFFER / 400:g} % of all), EWC at strength
    {ALONE:g} alone and {BESIDE_REPLAY:g} beside replay (chosen on seeds 100 and 101). Inputs are
    the last four observations and three commands, nothing names the physics, commands are classes
    (domain-incremental). Scored by 30 closed loops a physics in Gymnasium itself: mean over all
    physics but the last, as 0 = random commands, 100 = the expert, and raw. Joint training takes
    the same number of steps over all data, shuffled.""",
    data="pendulum and cartpole (Gymnasium), demonstrations of computed experts",
    metrics=[
        Metric(EARLIER, tolerance=5.0),
        Metric(OF_JOINT, tolerance=5.0),
        Metric(LAST, tolerance=5.0),
        Metric(RAW, "", 0, None),
    ],
    goals=[Goal(f"{family}: {OURS}", OF_JOINT, ">=", 90.0) for family in ("pendulum", "cartpole")],
    baselines=[
        f"{family}: {name}"
        for family in ("pendulum", "cartpole")
        for name in (*[n for n in LEARNERS if n != OURS], JOINT, EXPERT, CHANCE)
    ],
)
def robotics(context: Context) -> Findings:
    """Run every learner over the same streams, and let it steer afterwards."""
    plan = Plan(episodes=3, epochs=2, trials=2) if context.quick else Plan()
    findings = Findings()
    for family in ("cartpole",) if context.quick else ("pendulum", "cartpole"):
        rows: dict[str, list[Steered]] = {}
        for seed in context.seeds:
            for name, steered in one_stream(family, plan, seed).items():
                rows.setdefault(name, []).append(steered)
        joint = rows[JOINT]
        for name, runs in rows.items():
            findings.add(
                f"{family}: {name}",
                **{
                    EARLIER: [run.earlier for run in runs],
                    OF_JOINT: [
                        100 * run.earlier / best.earlier
                        for run, best in zip(runs, joint, strict=True)
                    ],
                    LAST: [run.percent[-1] for run in runs],
                    RAW: [run.raw for run in runs],
                },
            )
    return findings


def one_stream(family: str, plan: Plan, seed: int) -> dict[str, Steered]:
    """Return what every row gets on one stream."""
    tasks = robotics_tasks(
        in_random_order(FAMILIES[family], seed),
        episodes=plan.episodes,
        test_episodes=1,
        seed=seed,
    )
    scales = [return_scale(task.body, episodes=plan.trials, seed=seed) for task in tasks]
    found = {
        name: train_and_steer(tasks, scales, options, plan, seed)
        for name, options in LEARNERS.items()
    }
    found[JOINT] = train_and_steer([together(tasks)], scales, LEARNERS[NAIVE], plan, seed, tasks)
    for name, returns in (
        (EXPERT, [scale.expert for scale in scales]),
        (CHANCE, [scale.random for scale in scales]),
    ):
        found[name] = steered(returns, scales)
    return found


def in_random_order(bodies: Mapping[str, Body], seed: int) -> dict[str, Body]:
    """Return the same bodies in an order drawn from ``seed``."""
    names = list(bodies)
    order = torch.randperm(len(names), generator=make_generator(spawn_seed(seed, 4)))
    return {names[place]: bodies[names[place]] for place in order.tolist()}


def together(tasks: list[BodyTask]) -> BodyTask:
    """Return one task with the demonstrations of all."""
    parts = [task.train for task in tasks]
    train = LabelledSet(
        torch.cat([part.inputs for part in parts]),
        torch.cat([part.labels for part in parts]),
        parts[0].classes,
        "all",
    )
    return replace(tasks[0], name="all", train=train)


def train_and_steer(
    tasks: list[BodyTask],
    scales: list[ReturnScale],
    options: Mapping[str, Any],
    plan: Plan,
    seed: int,
    asked: list[BodyTask] | None = None,
) -> Steered:
    """Learn ``tasks`` one after another, and steer the bodies of ``asked`` (by default theirs)."""
    width, commands = tasks[0].train.inputs.shape[1], len(tasks[0].classes)
    spec = {"kind": "mlp", "sizes": [width, HIDDEN, HIDDEN, commands]}
    learner = ContinualLearningSTDP(
        build_model(spec, seed),
        mode="domain",
        # What is shown in every epoch is one example still, and keeps its newest answer. Commands
        # are rehearsed as often as they occur: a balanced buffer teaches to push too gently.
        buffer={"capacity": BUFFER, "distinct": True, "seed": seed},
        seed=seed,
        **options,
    )
    optimizer = torch.optim.Adam(learner.model.parameters(), lr=RATE)
    for place, task in enumerate(tasks):
        loader = BatchLoader(task.train, BATCH, seed=spawn_seed(seed, place))
        for _ in range(plan.epochs):
            for inputs, labels in loader:
                learner.train_step(inputs, labels, optimizer=optimizer, task=place)
        learner.end_task(place, loader)
    return steered([steer(learner.model, task, plan, seed) for task in asked or tasks], scales)


def steer(model: nn.Module, task: BodyTask, plan: Plan, seed: int) -> float:
    """Return the mean return of a policy in Gymnasium."""
    returns: Tensor = closed_loop_returns(
        model,
        task.body,
        episodes=plan.trials,
        frames=task.frames,
        seed=seed,
        simulator="gymnasium",
    )
    return float(returns.mean())


def steered(returns: list[float], scales: list[ReturnScale]) -> Steered:
    """Return the figures of some mean returns."""
    percent = [scale.percent(value) for scale, value in zip(scales, returns, strict=True)]
    return Steered(tuple(returns), tuple(percent))
