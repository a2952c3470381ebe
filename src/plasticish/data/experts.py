r"""Controllers computed from the physics: who knows the body, knows what to do.

A linear-quadratic regulator holds the body where it is unstable. Its gains are
:math:`K = (R + B^\top P B)^{-1} B^\top P A`, with :math:`P` the solution of the discrete algebraic
Riccati equation of the body's own steps, linearised (Anderson & Moore 1990, Optimal Control:
Linear Quadratic Methods). The pendulum is first pumped up to the energy that it has upright
(Åström & Furuta 2000, Swinging up a pendulum by energy control. Automatica 36).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64, Int64
from numpy import ndarray
from scipy.linalg import solve_discrete_are

from plasticish.core import ConfigError, DTypeError

from .bodies import Body, CartPole, CartPolePhysics, Pendulum, PendulumPhysics

__all__ = ["Expert", "expert"]

Expert: TypeAlias = Callable[[Float64[ndarray, "episodes state"]], Int64[ndarray, " episodes"]]
"""States in, labels of commands out."""

ENERGY_GAIN = 3.0
"""Torque for each unit of energy (over the inertia) that is lacking, in N m s²."""

CATCH = 4.0
"""The regulator takes over where it asks for at most so many times the largest torque."""


def expert(body: Body) -> Expert:
    """Return the controller of a body, which sees its whole state and knows its physics.

    Raises
    ------
    DTypeError
        If nobody knows how to steer such a body.
    ConfigError
        If its physics leaves a motion that no command reaches.

    Examples
    --------
    >>> body = Pendulum()
    >>> states, total = body.reset([0]), 0.0
    >>> steer = expert(body)
    >>> for _ in range(body.horizon):
    ...     states, rewards, _ = body.step(states, steer(states))
    ...     total += float(rewards[0])
    >>> total > -200
    True
    """
    if isinstance(body, CartPole):
        return _balance(body.physics)
    if isinstance(body, Pendulum):
        return _swing_up(body.physics)
    raise DTypeError(
        "there is no expert for this body", got=type(body).__name__, expected="CartPole or Pendulum"
    )


def _balance(p: CartPolePhysics) -> Expert:
    total = p.masscart + p.masspole
    lever = p.length * (4.0 / 3.0 - p.masspole / total)
    sway = p.masspole * p.length / total
    rates = np.array(
        [
            [0, 1, 0, 0],
            [0, 0, -sway * p.gravity / lever, 0],
            [0, 0, 0, 1],
            [0, 0, p.gravity / lever, 0],
        ]
    )
    push = np.array([[0], [1 / total + sway / (total * lever)], [0], [-1 / (total * lever)]])
    A, B = np.eye(4) + CartPole.STEP_S * rates, CartPole.STEP_S * push
    # Bryson's rule: each weight is one over the square of the largest value allowed.
    limits = np.diag([1 / 2.4**2, 0.0, 1 / 0.2**2, 0.0])
    gains = _regulator(A, B, limits, 1 / p.force**2)

    def steer(states: Float64[ndarray, "episodes state"]) -> Int64[ndarray, " episodes"]:
        # The motor knows only full force, one way or the other.
        return np.asarray(-np.sign(p.force) * (states @ gains) > 0, dtype=np.int64)

    return steer


def _swing_up(p: PendulumPhysics) -> Expert:
    pull, drive = 1.5 * p.gravity / p.length, 3.0 / (p.mass * p.length**2)
    step = Pendulum.STEP_S
    # The new angle takes the new speed (semi-implicit Euler), so the torque reaches it at once.
    A = np.array([[1 + pull * step**2, step], [pull * step, 1]])
    B = np.array([[drive * step**2], [drive * step]])
    gains = _regulator(A, B, np.diag([1.0, 0.1]), 0.001)  # the costs of the body itself
    torques = np.array(Pendulum.commands)
    largest = torques.max()

    def steer(states: Float64[ndarray, "episodes state"]) -> Int64[ndarray, " episodes"]:
        angle = (states[:, 0] + np.pi) % (2 * np.pi) - np.pi
        speed = states[:, 1]
        hold = -(gains[0] * angle + gains[1] * speed)
        lacking = pull * (1 - np.cos(angle)) - 0.5 * speed**2
        pump = np.where(speed >= 0, 1.0, -1.0) * ENERGY_GAIN * lacking
        torque = np.where(np.abs(hold) <= CATCH * largest, hold, pump)
        torque = np.clip(torque, -largest, largest)
        return np.asarray(np.abs(torque[:, None] - torques).argmin(axis=1), dtype=np.int64)

    return steer


def _regulator(
    A: Float64[ndarray, "state state"],
    B: Float64[ndarray, "state 1"],
    Q: Float64[ndarray, "state state"],
    r: float,
) -> Float64[ndarray, " state"]:
    try:
        P = solve_discrete_are(A, B, Q, np.array([[r]]))
    except np.linalg.LinAlgError as error:
        raise ConfigError(
            "under this physics the body cannot be held",
            got=str(error),
            expected="physics in which every motion can be steered",
            cure="without gravity, say, cart and pole drift apart: choose other values",
        ) from error
    gains: Float64[ndarray, " state"] = (B.T @ P @ A / (r + B.T @ P @ B))[0]
    return gains
