"""Where a body moves: our simulator, all episodes at once, or Gymnasium's own, one by one."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64
from numpy import ndarray

from plasticish.core import ConfigError, import_extra
from plasticish.data import Body, CartPole, Pendulum

__all__ = ["Batched", "Gymnasium", "Simulator", "gymnasium_environment", "simulator"]


def gymnasium_environment(body: Body) -> Any:
    """Return Gymnasium's environment, without a limit of steps, under the physics of ``body``.

    Raises
    ------
    MissingExtraError
        If Gymnasium is not installed.
    ConfigError
        If it has no such body.
    """
    control = import_extra("gymnasium.envs.classic_control", "robotics", "its own simulator")
    if isinstance(body, CartPole):
        physics = body.physics
        env = control.CartPoleEnv()
        env.gravity, env.length, env.force_mag = physics.gravity, physics.length, physics.force
        env.masscart, env.masspole = physics.masscart, physics.masspole
        # Gymnasium keeps what it once computed from these.
        env.total_mass = physics.masspole + physics.masscart
        env.polemass_length = physics.masspole * physics.length
    elif isinstance(body, Pendulum):
        env = control.PendulumEnv(g=body.physics.gravity)
        env.m, env.l = body.physics.mass, body.physics.length
    else:
        raise ConfigError("Gymnasium has no such body", got=type(body).__name__)
    return env


class Batched:
    """The arithmetic of ``body`` itself.

    Attributes
    ----------
    states : array of shape (episodes, state)
        What an expert sees.
    """

    def __init__(self, body: Body, seeds: list[int]) -> None:
        self._body, self.states = body, body.reset(seeds)

    def observe(self) -> Float32[ndarray, "episodes width"]:
        return self._body.observe(self.states)

    def step(
        self, labels: Int64[ndarray, " episodes"]
    ) -> tuple[Float64[ndarray, " episodes"], Bool[ndarray, " episodes"]]:
        self.states, rewards, ended = self._body.step(self.states, labels)
        return rewards, ended


class Gymnasium:
    """One environment of Gymnasium an episode."""

    def __init__(self, body: Body, seeds: list[int]) -> None:
        self._body = body
        self._envs = [gymnasium_environment(body) for _ in seeds]
        self._seen = np.stack([env.reset(seed=seed)[0] for env, seed in
                               zip(self._envs, seeds, strict=True)])  # fmt: skip
        self._over = np.zeros(len(seeds), dtype=bool)

    def observe(self) -> Float32[ndarray, "episodes width"]:
        return self._seen.copy()

    def step(
        self, labels: Int64[ndarray, " episodes"]
    ) -> tuple[Float64[ndarray, " episodes"], Bool[ndarray, " episodes"]]:
        rewards = np.zeros(len(labels))
        commands = self._body.command(labels).astype(np.float32)
        for place in np.flatnonzero(~self._over):
            # The cart is told which way by a number, the pendulum by how much.
            discrete = isinstance(self._body, CartPole)
            action = int(labels[place]) if discrete else commands[place : place + 1]
            seen, rewards[place], self._over[place], _, _ = self._envs[place].step(action)
            self._seen[place] = seen
        return rewards, self._over.copy()


Simulator: TypeAlias = Batched | Gymnasium
"""Episodes under way; those that have ended go on and count no more."""


def simulator(name: str, body: Body, seeds: list[int]) -> Simulator:
    """Return the simulator of that name, with an episode begun for every seed."""
    if name == "batched":
        return Batched(body, seeds)
    if name == "gymnasium":
        return Gymnasium(body, seeds)
    raise ConfigError("unknown simulator", got=repr(name), expected="'batched' or 'gymnasium'")
