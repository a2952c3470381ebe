"""What an expert would do, row by row, and the tasks made of it: one body, other physics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Int64
from numpy import ndarray

from plasticish.core import ConfigError, DataError, Registry, spawn_seed

from .bodies import Body, CartPole, CartPolePhysics, Pendulum, PendulumPhysics
from .experts import expert
from .labelled import LabelledSet, Task
from .senses import Senses

__all__ = ["FAMILIES", "BodyTask", "demonstrations", "robotics_tasks"]

STEPS = 200
"""Length of a demonstration."""

FAMILIES: Registry[Mapping[str, Body]] = Registry("family of bodies", "plasticish.bodies")
"""Bodies to learn one after another, by name; add your own with ``FAMILIES.add(name, bodies)``."""

FAMILIES.add(
    "pendulum",
    MappingProxyType(
        {
            "standard": Pendulum(),
            "moon": Pendulum(PendulumPhysics(gravity=1.62)),
            "short and light": Pendulum(PendulumPhysics(mass=0.3, length=0.5)),
            "heavy world": Pendulum(PendulumPhysics(gravity=15.0)),
            "long": Pendulum(PendulumPhysics(length=1.5)),
        }
    ),
)
FAMILIES.add(
    "cartpole",
    MappingProxyType(
        {
            "standard": CartPole(),
            "long": CartPole(CartPolePhysics(length=2.0)),
            "crane": CartPole(CartPolePhysics(gravity=-9.8)),
            "motor reversed": CartPole(CartPolePhysics(force=-10.0)),
            "short in a heavy world": CartPole(CartPolePhysics(length=0.1, gravity=25.0)),
        }
    ),
)


@dataclass(frozen=True, eq=False)
class BodyTask(Task):
    """One physics: demonstrations to learn from, others to test on, and the body to steer.

    Attributes
    ----------
    name, classes, train, test
        As in :class:`Task`; the classes are the body's commands.
    body : Body
        The body that was demonstrated.
    frames : int
        Observations that :class:`Senses` has to remember for a policy of this task.
    """

    body: Body
    frames: int


def robotics_tasks(
    family: str | Mapping[str, Body] = "pendulum",
    *,
    episodes: int = 40,
    test_episodes: int = 10,
    frames: int = 4,
    seed: int = 0,
) -> list[BodyTask]:
    """Return one task a physics, in the order of the family.

    Nothing in the inputs names the task: what the physics is has to be felt from the last
    ``frames`` observations and commands (domain-incremental).

    Parameters
    ----------
    family : str or mapping of str to Body
        A name in :data:`FAMILIES`, or bodies of one kind by the names of their physics.
    episodes, test_episodes : int
        Demonstrations to learn from and to test on, of 200 rows each.
    frames : int
        Observations remembered.
    seed : int
        Decides starts and disturbances; train and test never share one.

    Raises
    ------
    ConfigError, DataError
        If the family is unknown, empty or mixes bodies, or a number is out of range.

    Examples
    --------
    >>> tasks = robotics_tasks("cartpole", episodes=2, test_episodes=1)
    >>> [task.name for task in tasks][:2], tasks[0].train.inputs.shape
    (['standard', 'long'], torch.Size([400, 19]))
    """
    bodies = FAMILIES[family] if isinstance(family, str) else family
    kinds = {body.name for body in bodies.values()}
    if len(kinds) != 1:
        raise DataError(
            "a family is not of one kind of body",
            got=", ".join(sorted(kinds)) or "none",
            expected="at least one body, all with the same commands and observations",
        )
    tasks = []
    for place, (name, body) in enumerate(bodies.items()):
        train, test = (
            replace(demonstrations(body, count, frames=frames, seed=spawn_seed(seed, place, part)),
                    name=name)
            for part, count in enumerate((episodes, test_episodes))
        )  # fmt: skip
        classes = tuple(range(len(body.commands)))
        tasks.append(BodyTask(name, classes, train, test, body, frames))
    return tasks


def demonstrations(
    body: Body, episodes: int = 40, *, frames: int = 4, seed: int = 0
) -> LabelledSet:
    """Let the expert steer, disturbed now and then, and note what it would do at every step.

    While a disturbance lasts (``body.disturbed`` of the time, at most ``body.longest`` steps in a
    row) the body obeys a random command, and the label stays the expert's. So there are examples
    of how to come back, which a learner needs as soon as it errs (Laskey et al. 2017). Where an
    episode ends early a new one begins in its place.

    Parameters
    ----------
    body : Body
        What to steer.
    episodes : int
        Episodes side by side, each for 200 steps.
    frames : int
        Observations remembered.
    seed : int
        Decides starts and disturbances.

    Returns
    -------
    LabelledSet
        Inputs float32 ``[200 * episodes, width of the senses]``, step by step; labels are
        commands, and the classes their values.

    Raises
    ------
    ConfigError
        If there is no episode, or ``frames`` is less than 1.

    References
    ----------
    Laskey, M., Lee, J., Fox, R., Dragan, A. & Goldberg, K. (2017). DART: Noise injection for
    robust imitation learning. CoRL.

    Examples
    --------
    >>> shown = demonstrations(Pendulum(), 3)
    >>> shown.inputs.shape, shown.classes[:2]
    (torch.Size([600, 15]), ('-2 N m', '-1 N m'))
    """
    if episodes < 1:
        raise ConfigError("episodes is out of range", got=repr(episodes), expected="at least 1")
    random = np.random.default_rng(spawn_seed(seed, 0))
    starts = (spawn_seed(seed, 1, count) for count in range(episodes * (STEPS + 1)))
    senses, steer = Senses(body, episodes, frames), expert(body)
    disturbance = _Disturbance(body, episodes, random)
    states = body.reset([next(starts) for _ in range(episodes)])
    inputs, labels = [], []
    for _ in range(STEPS):
        wanted = steer(states)
        inputs.append(senses.see(body.observe(states)))
        labels.append(torch.from_numpy(wanted))
        done = disturbance.instead_of(wanted)
        senses.act(done)
        states, _, ended = body.step(states, done)
        if ended.any():
            states[ended] = body.reset([next(starts) for _ in range(int(ended.sum()))])
            senses.forget(ended)
    classes = tuple(f"{command:g} {body.unit}" for command in body.commands)
    return LabelledSet(torch.cat(inputs), torch.cat(labels), classes, body.name)


class _Disturbance:
    """Bursts of one random command; between them the command that was wanted."""

    def __init__(self, body: Body, episodes: int, random: np.random.Generator) -> None:
        self._random, self._longest, self._choices = random, body.longest, len(body.commands)
        mean_burst = (1 + body.longest) / 2
        # Chosen so that bursts take the share wanted: p m / (1 - p + p m) steps are disturbed.
        share = body.disturbed
        self._begin = share / (share + (1 - share) * mean_burst)
        self._left = np.zeros(episodes, dtype=np.int64)
        self._command = np.zeros(episodes, dtype=np.int64)

    def instead_of(self, wanted: Int64[ndarray, " episodes"]) -> Int64[ndarray, " episodes"]:
        count = len(wanted)
        begins = (self._left == 0) & (self._random.random(count) < self._begin)
        lengths = self._random.integers(1, self._longest + 1, count)
        self._left = np.where(begins, lengths, self._left)
        commands = self._random.integers(0, self._choices, count)
        self._command = np.where(begins, commands, self._command)
        disturbed = self._left > 0
        self._left = self._left - disturbed
        return np.where(disturbed, self._command, wanted)
