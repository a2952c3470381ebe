"""Let a policy steer a body, in our simulator or in Gymnasium's own, and sum up its rewards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy import ndarray
from torch import Tensor

from plasticish.core import ConfigError, ShapeError, check_features, check_labels, spawn_seed
from plasticish.data import Body, Senses, expert

from .simulators import Batched, Simulator
from .simulators import simulator as simulator_of

__all__ = [
    "Policy",
    "ReturnScale",
    "closed_loop_returns",
    "return_scale",
]

Policy: TypeAlias = Callable[[Tensor], Tensor]
"""Inputs of :class:`plasticish.data.Senses` ``[episodes, width]`` to labels ``[episodes]`` or to
scores ``[episodes, commands]``, of which the largest wins; a classifying module is one."""


def closed_loop_returns(
    policy: Policy,
    body: Body,
    *,
    episodes: int = 30,
    frames: int = 4,
    seed: int = 0,
    simulator: str = "batched",
) -> Float64[Tensor, " episodes"]:
    """Let a policy steer, and return the sum of rewards of every episode.

    Parameters
    ----------
    policy : callable
        Inputs to labels or scores, see :data:`Policy`. A module is put into evaluation mode
        meanwhile; no gradient is kept.
    body : Body
        What it steers.
    episodes : int
        How many, side by side; the seed decides their starts.
    frames : int
        Observations that the policy is given (as in its demonstrations).
    seed : int
        The same seed gives the same starts to every policy.
    simulator : {"batched", "gymnasium"}
        Our own, all episodes at once, or one Gymnasium environment an episode (extra
        ``robotics``). The returns are the same.

    Raises
    ------
    ConfigError, ShapeError, LabelError, DataError
        If an argument is out of range; if the policy does not answer with one command an episode,
        or with NaN.
    MissingExtraError
        If Gymnasium is asked for and is not there.

    Examples
    --------
    >>> from plasticish.data import CartPole
    >>> push_where_it_leans = lambda inputs: (inputs[:, 2] > 0).long()
    >>> returns = closed_loop_returns(push_where_it_leans, CartPole(), episodes=5)
    >>> returns.shape, 30 < float(returns.mean()) < 60
    (torch.Size([5]), True)
    """
    seeds = _seeds(seed, episodes)
    senses = Senses(body, episodes, frames)
    world = simulator_of(simulator, body, seeds)

    def act() -> Int64[ndarray, " episodes"]:
        labels = _labels(policy(senses.see(world.observe())), body, episodes)
        senses.act(labels)
        return labels

    with torch.no_grad(), _evaluating(policy):
        return _run(world, act, body.horizon)


@dataclass(frozen=True)
class ReturnScale:
    """Mean returns between which others are placed, since bodies pay in different coin.

    Attributes
    ----------
    random, expert : float
        Of random commands, and of the controller that knows the physics.

    Examples
    --------
    >>> ReturnScale(random=-1200.0, expert=-200.0).percent(-300.0)
    90.0
    """

    random: float
    expert: float

    def percent(self, value: float) -> float:
        """Return 0 for what random commands get, and 100 for what the expert gets."""
        return 100 * (value - self.random) / (self.expert - self.random)


def return_scale(body: Body, *, episodes: int = 30, seed: int = 0) -> ReturnScale:
    """Return what random commands and the expert get from the same starts.

    Examples
    --------
    >>> from plasticish.data import CartPole
    >>> return_scale(CartPole(), episodes=5).expert
    500.0
    """
    seeds = _seeds(seed, episodes)
    generator, choices = np.random.default_rng(spawn_seed(seed, 3)), len(body.commands)
    steer, world = expert(body), Batched(body, seeds)
    best = _run(world, lambda: steer(world.states), body.horizon)
    chance = _run(
        Batched(body, seeds), lambda: generator.integers(0, choices, episodes), body.horizon
    )
    return ReturnScale(float(chance.mean()), float(best.mean()))


def _run(
    world: Simulator, act: Callable[[], Int64[ndarray, " episodes"]], horizon: int
) -> Float64[Tensor, " episodes"]:
    rewards, ended = world.step(act())
    total = rewards.copy()
    for _ in range(horizon - 1):
        if ended.all():
            break
        rewards, now = world.step(act())
        total += np.where(ended, 0.0, rewards)
        ended = ended | now
    return torch.from_numpy(total)


def _labels(answers: Tensor, body: Body, episodes: int) -> Int64[ndarray, " episodes"]:
    if answers.ndim == 2 and answers.shape[1] == len(body.commands):
        scores = check_features(answers, len(body.commands), name="scores of the policy")
        answers = scores.argmax(dim=1)
    elif answers.ndim != 1:
        raise ShapeError(
            "the policy does not answer with commands",
            got=str(tuple(answers.shape)),
            expected=f"({episodes},) labels or ({episodes}, {len(body.commands)}) scores",
        )
    labels = check_labels(answers, episodes, num_classes=len(body.commands),
                          cure="a label is the position of a command in body.commands")  # fmt: skip
    return labels.numpy()


def _seeds(seed: int, episodes: int) -> list[int]:
    if episodes < 1:
        raise ConfigError("episodes is out of range", got=repr(episodes), expected="at least 1")
    return [spawn_seed(seed, 2, episode) for episode in range(episodes)]


@contextmanager
def _evaluating(policy: Policy) -> Iterator[None]:
    if not isinstance(policy, torch.nn.Module) or not policy.training:
        yield
        return
    policy.eval()
    try:
        yield
    finally:
        policy.train()
