r"""Bodies to steer, many episodes at once: Gymnasium's CartPole and Pendulum under any physics.

The equations, the constants and the starts are those of ``gymnasium.envs.classic_control``
(version 1), down to where it computes in single precision, so that an episode goes step by step as
it would there; :func:`plasticish.evaluation.closed_loop_returns` can score in the original as
well. What a body does is chosen from a few commands, so a policy is a classifier and a
demonstration is a labelled example.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from plasticish.core import ConfigError, DataError, check_positive

__all__ = ["Body", "CartPole", "CartPolePhysics", "Pendulum", "PendulumPhysics", "Physics"]

States: TypeAlias = Float64[ndarray, "episodes state"]
Labels: TypeAlias = Int64[ndarray, " episodes"]


def _check_finite(physics: CartPolePhysics | PendulumPhysics) -> None:
    for field in fields(physics):
        value = getattr(physics, field.name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            raise ConfigError(
                f"{field.name} is out of range", got=repr(value), expected="a finite number"
            )


@dataclass(frozen=True, kw_only=True)
class CartPolePhysics:
    """Physics of a pole on a cart; the defaults are Gymnasium's.

    Parameters
    ----------
    gravity : float
        In m/s². Negative, the pole hangs from the cart: a crane.
    masscart, masspole : float
        In kg, > 0.
    length : float
        Half the length of the pole, in m, > 0.
    force : float
        What pushes the cart, in N. Negative, the motor is mounted the wrong way round.

    Raises
    ------
    ConfigError
        If a value has no meaning.

    References
    ----------
    Barto, A. G., Sutton, R. S. & Anderson, C. W. (1983). Neuronlike adaptive elements that can
    solve difficult learning control problems. IEEE SMC 13.
    """

    gravity: float = 9.8
    masscart: float = 1.0
    masspole: float = 0.1
    length: float = 0.5
    force: float = 10.0

    def __post_init__(self) -> None:
        _check_finite(self)
        check_positive(masscart=self.masscart, masspole=self.masspole, length=self.length)
        if self.force == 0:
            raise ConfigError("force is out of range", got="0", expected="a force that moves")


@dataclass(frozen=True, kw_only=True)
class PendulumPhysics:
    """Physics of a driven rod; the defaults are Gymnasium's.

    A torque of 2 N m holds the rod level if ``gravity * mass * length <= 4``; above that it has to
    swing up. So the physics decides not only by how much to push, but which way.

    Parameters
    ----------
    gravity : float
        In m/s², > 0.
    mass : float
        In kg, > 0.
    length : float
        In m, > 0.

    Raises
    ------
    ConfigError
        If a value has no meaning.
    """

    gravity: float = 10.0
    mass: float = 1.0
    length: float = 1.0

    def __post_init__(self) -> None:
        _check_finite(self)
        check_positive(gravity=self.gravity, mass=self.mass, length=self.length)


Physics: TypeAlias = CartPolePhysics | PendulumPhysics
"""The constants of a body."""


class Body(ABC):
    """A body under one physics; states are passed in and handed out, nothing is kept.

    Attributes
    ----------
    name : str
        What it is called in tables and on the command line.
    unit : str
        Unit of its commands.
    commands : tuple of float
        What it can be told; the label of a command is its position.
    horizon : int
        Steps of an episode that does not end before.
    width : int
        Numbers in an observation.
    scale, change : tuple of float
        Size of an observation and of its change in one step, by which senses are divided.
    disturbed, longest : float, int
        Share of the steps of a demonstration that a disturbance takes, and the most in a row.
    """

    name: ClassVar[str]
    unit: ClassVar[str]
    commands: ClassVar[tuple[float, ...]]
    horizon: ClassVar[int]
    width: ClassVar[int]
    scale: ClassVar[tuple[float, ...]]
    change: ClassVar[tuple[float, ...]]
    disturbed: ClassVar[float]
    longest: ClassVar[int]
    physics: Physics

    def reset(self, seeds: Sequence[int]) -> States:
        """Return the state in which Gymnasium starts an episode with each seed."""
        if not len(seeds):
            raise DataError("there is no episode to start", expected="at least one seed")
        return np.stack([self._start(np.random.default_rng(seed)) for seed in seeds])

    @abstractmethod
    def observe(self, states: States) -> Float32[ndarray, "episodes width"]:
        """Return what is seen of the states."""

    @abstractmethod
    def step(
        self, states: States, labels: Labels
    ) -> tuple[States, Float64[ndarray, " episodes"], Bool[ndarray, " episodes"]]:
        """Return the next states, the rewards, and which episodes have ended by that."""

    @abstractmethod
    def _start(self, random: np.random.Generator) -> Float64[ndarray, " state"]: ...

    def command(self, labels: Labels) -> Float64[ndarray, " episodes"]:
        """Return the commands of some labels.

        Raises
        ------
        DataError
            If a label has no command.
        """
        if labels.size and not 0 <= labels.min() <= labels.max() < len(self.commands):
            raise DataError(
                f"a label is no command of the {self.name}",
                got=f"{labels.min()} to {labels.max()}",
                expected=f"0 <= label < {len(self.commands)}",
            )
        chosen: Float64[ndarray, " episodes"] = np.array(self.commands)[labels]
        return chosen


@dataclass(frozen=True)
class CartPole(Body):
    """A pole to be kept upright on a cart by pushes to the left or right (``CartPole-v1``).

    One for every step, the last included; it ends when the pole leans by more than 12° or the
    cart leaves ±2.4 m, and after 500 steps. States are position, velocity, angle from upright and
    its velocity, and that is what is seen.

    Examples
    --------
    >>> body = CartPole()
    >>> states, rewards, ended = body.step(body.reset([0, 1]), np.array([0, 1]))
    >>> states.shape, rewards.tolist(), ended.tolist()
    ((2, 4), [1.0, 1.0], [False, False])
    """

    name = "cartpole"
    unit = "of the force"
    commands = (-1.0, 1.0)
    horizon = 500
    width = 4
    scale = (1.0, 1.0, 0.1, 1.0)
    change = (0.02, 0.3, 0.02, 0.4)
    disturbed = 0.25
    longest = 3
    STEP_S: ClassVar[float] = 0.02

    physics: CartPolePhysics = CartPolePhysics()

    def observe(self, states: States) -> Float32[ndarray, "episodes width"]:
        return states.astype(np.float32)

    def step(
        self, states: States, labels: Labels
    ) -> tuple[States, Float64[ndarray, " episodes"], Bool[ndarray, " episodes"]]:
        p = self.physics
        _, x_dot, theta, theta_dot = states.T
        cosine, sine = np.cos(theta), np.sin(theta)
        total, moment = p.masspole + p.masscart, p.masspole * p.length
        push = (p.force * self.command(labels) + moment * np.square(theta_dot) * sine) / total
        theta_acc = (p.gravity * sine - cosine * push) / (
            p.length * (4.0 / 3.0 - p.masspole * np.square(cosine) / total)
        )
        x_acc = push - moment * theta_acc * cosine / total
        rates = np.stack([x_dot, x_acc, theta_dot, theta_acc], axis=1)
        states = states + self.STEP_S * rates
        # 12 * 2 * pi / 360, not radians(12): they differ in the last digit.
        ended = (np.abs(states[:, 0]) > 2.4) | (np.abs(states[:, 2]) > 12 * 2 * math.pi / 360)
        return states, np.ones(len(states)), ended

    def _start(self, random: np.random.Generator) -> Float64[ndarray, " state"]:
        return random.uniform(low=-0.05, high=0.05, size=(4,))


@dataclass(frozen=True)
class Pendulum(Body):
    r"""A hanging rod to be swung up and held by a weak motor (``Pendulum-v1``).

    A step costs :math:`\theta^2 + 0.1\,\dot\theta^2 + 0.001\,u^2`, the angle :math:`\theta`
    measured from upright; an episode has 200. States are the angle (not wrapped) and its
    velocity; seen are cosine, sine and velocity. Of the torques between ±2 N m it has nine, closer
    together around none, where holding needs them.

    Examples
    --------
    >>> body = Pendulum(PendulumPhysics(gravity=1.62))
    >>> body.observe(body.reset([0])).shape, len(body.commands)
    ((1, 3), 9)
    """

    name = "pendulum"
    unit = "N m"
    commands = (-2.0, -1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0, 2.0)
    horizon = 200
    width = 3
    scale = (1.0, 1.0, 4.0)
    change = (0.2, 0.2, 0.5)
    disturbed = 0.4
    longest = 7
    STEP_S: ClassVar[float] = 0.05

    physics: PendulumPhysics = PendulumPhysics()

    def observe(self, states: States) -> Float32[ndarray, "episodes width"]:
        angle, speed = states.T
        return np.stack([np.cos(angle), np.sin(angle), speed], axis=1).astype(np.float32)

    def step(
        self, states: States, labels: Labels
    ) -> tuple[States, Float64[ndarray, " episodes"], Bool[ndarray, " episodes"]]:
        p = self.physics
        angle, speed = states.T
        # Gymnasium takes the torque in single precision, and what is multiplied by it stays so.
        torque = self.command(labels).astype(np.float32)
        wrapped = ((angle + np.pi) % (2 * np.pi)) - np.pi
        cost = wrapped**2 + 0.1 * speed**2 + 0.001 * torque**2
        fall = 3 * p.gravity / (2 * p.length) * np.sin(angle)
        drive = 3.0 / (p.mass * p.length**2) * torque
        speed = np.clip(speed + (fall + drive) * self.STEP_S, -8, 8)
        states = np.stack([angle + speed * self.STEP_S, speed], axis=1)
        return states, -cost, np.zeros(len(states), dtype=bool)

    def _start(self, random: np.random.Generator) -> Float64[ndarray, " state"]:
        return random.uniform(low=[-np.pi, -1.0], high=[np.pi, 1.0])
