r"""Learning a policy of plasticity beforehand, on whole lives, by an evolution strategy.

Online, a controller can credit a factor only with what happens within a short horizon. Here whole
lives are lived with perturbed policies, so that the policy is judged by all that it led to: each
generation draws streams, lets twins with opposite perturbations live through the same ones, and
climbs the estimated gradient (:mod:`plasticish.modulation.evolution`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from plasticish.core import DataError, ShapeError, make_generator

from .evolution import AdamState, adam_ascent, antithetic_gradient
from .meta_history import MetaHistory
from .meta_policy import MetaPolicy
from .plasticity_factors import PlasticityFactors

__all__ = ["Play", "PolicyLives", "generation"]


class PolicyLives:
    """Several lives side by side, each steered by parameters of its own, none learning online.

    Parameters
    ----------
    policy : MetaPolicy
        Shape and bounds.
    theta : Tensor of shape (lives, size)
        Parameters of each life.
    history_length : int
        Steps that each remembers.

    Examples
    --------
    >>> policy = MetaPolicy(num_layers=1, hidden_dim=4)
    >>> lives = PolicyLives(policy, policy.initial(0).expand(3, -1), history_length=20)
    >>> lives.observe(torch.ones(3, 1), torch.zeros(3), torch.ones(3)).learning_rate.shape
    torch.Size([3, 1])
    """

    def __init__(
        self, policy: MetaPolicy, theta: Float[Tensor, "lives size"], history_length: int
    ) -> None:
        self.policy, self._theta = policy, theta
        self._history = MetaHistory(len(theta), policy.num_layers, history_length)

    def __len__(self) -> int:
        return len(self._theta)

    def observe(
        self,
        activity: Float[Tensor, "lives layers"],
        performance: Float[Tensor, " lives"],
        loss: Float[Tensor, " lives"],
    ) -> PlasticityFactors:
        """Take in one step of every life and return the factors for the next, [lives, layers]."""
        features = self._history.append(activity, performance, loss)
        actions = self.policy.actions(self._theta, features)
        return PlasticityFactors.unpack(self.policy.factors(actions))


Play = Callable[[PolicyLives, int], Tensor]
"""``play(lives, seed) -> fitness [len(lives)]``: live every life through a stream of ``seed``.

Lives ``i`` and ``i + len(lives) // 2`` are twins and must meet the same stream and noise.
"""


@dataclass(frozen=True)
class Generation:
    """What one generation of the evolution strategy led to."""

    theta: Tensor
    adam: AdamState
    fitness: float


def generation(
    play: Play,
    policy: MetaPolicy,
    theta: Float[Tensor, " size"],
    adam: AdamState,
    *,
    pairs: int,
    sigma: float,
    rate: float,
    history_length: int,
    seed: int,
) -> Generation:
    """Live ``pairs`` of twins through streams of ``seed`` and take one step uphill.

    The differences of fitness are divided by their root mean square, so that the step depends on
    no unit of fitness.

    Raises
    ------
    ShapeError, DataError
        If ``play`` returns another shape, or a fitness that is not finite.
    """
    noise = torch.randn(pairs, policy.size, generator=make_generator(seed))
    perturbed = torch.cat([theta + sigma * noise, theta - sigma * noise])
    fitness = play(PolicyLives(policy, perturbed, history_length), seed)
    if fitness.shape != (2 * pairs,):
        raise ShapeError(
            "the fitness has the wrong shape",
            got=str(tuple(fitness.shape)),
            expected=f"({2 * pairs},)",
            cure="return one number for each of the lives",
        )
    if not bool(torch.isfinite(fitness).all()):
        raise DataError("a fitness is NaN or infinite", cure="bound what a life can lose")
    fitness = fitness.to(theta.dtype)
    plus, minus = fitness[:pairs], fitness[pairs:]
    spread = (plus - minus).square().mean().sqrt().clamp_min(1e-12)
    gradient = antithetic_gradient(noise, plus / spread, minus / spread, sigma)
    theta, adam = adam_ascent(theta, gradient, adam, rate)
    return Generation(theta, adam, float(fitness.mean()))
