"""The controller of meta-plasticity: it watches a learner and says how plastic each layer be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from plasticish.core import (
    ConfigError,
    Persistent,
    ShapeError,
    State,
    check_positive,
    make_generator,
    spawn_seed,
    track,
)

from .controller_history import ControllerHistory
from .evolution import AdamState
from .meta_checks import check_activity, check_number, check_whole
from .meta_history import MetaHistory
from .meta_policy import OUTPUTS, MetaPolicy
from .meta_training import Play, generation
from .plasticity_factors import PlasticityFactors
from .reinforce import change_reward, score_gradient

__all__ = ["MetaPlasticityController"]


class MetaPlasticityController(Persistent):
    r"""Learned control of how plastic each layer is (metaplasticity, Abraham & Bear 1996).

    After every step the controller is told how active the layers were and how well it went, and
    gives the factors for the next step (:class:`~plasticish.modulation.meta_policy.MetaPolicy`).
    It starts from a prior, *surprise raises plasticity, calm lowers it* (Pearce & Hall 1980), and
    learns in two ways:

    Online, by REINFORCE (Williams 1992). Through each horizon of :math:`h` steps, Gaussian
    noise :math:`\varepsilon` is added to the actions of the policy; the next horizon has
    :math:`-\varepsilon`, then fresh noise is drawn. The reward :math:`R` is the change from the
    previous horizon to this one of performance less loss, in standard errors, clipped to ±3;
    its running mean is the baseline :math:`b`. The credit is spread evenly over the horizon:

    .. math:: \theta \leftarrow \theta + \eta\,(R - b)\,\frac1h \sum_{t}
              \varepsilon^T\,\frac{\partial a_t}{\partial \theta}

    A pair of opposite horizons sees the second difference of performance, in which any linear
    trend cancels.

    Beforehand, by an evolution strategy on whole lives (:meth:`fit`; Salimans et al. 2017).

    Parameters
    ----------
    num_layers : int
        Layers to be steered; one, if none are named.
    hidden_dim : int
        Hidden units of the policy.
    history_length : int
        Steps remembered, at least two horizons.
    meta_lr : float
        Rate :math:`\eta` of online learning, >= 0; 0 freezes the policy.
    horizon : int, optional
        Steps :math:`h` over which a factor is credited; by default 10, or half of a history that
        is shorter than 20.
    bounds : pair of float
        Smallest and largest factor, around 1.
    exploration : float
        Standard deviation :math:`\sigma` of the noise in the log factors, >= 0; 0 gives the
        policy's own factors, and nothing is learned online.
    seed : int
        Of the policy's hidden units and of the noise.

    References
    ----------
    Abraham, W. C. & Bear, M. F. (1996). Metaplasticity: the plasticity of synaptic plasticity.
    Trends in Neurosciences 19.
    Pearce, J. M. & Hall, G. (1980). A model for Pavlovian learning. Psychological Review 87.
    Williams, R. J. (1992). Simple statistical gradient-following algorithms for connectionist
    reinforcement learning. Machine Learning 8.
    Salimans, T. et al. (2017). Evolution strategies as a scalable alternative to reinforcement
    learning. arXiv:1703.03864.

    Examples
    --------
    >>> controller = MetaPlasticityController(num_layers=2, exploration=0.0)
    >>> for step in range(200):
    ...     calm = controller.observe(torch.ones(2), performance=0.9, loss=0.1 + 0.01 * (step % 2))
    >>> surprised = controller.observe(torch.ones(2), performance=0.2, loss=2.0)
    >>> bool((surprised.learning_rate > 5 * calm.learning_rate).all())
    True
    """

    kind = "meta_plasticity_controller"

    def __init__(
        self,
        num_layers: int = 1,
        hidden_dim: int = 128,
        history_length: int = 100,
        meta_lr: float = 1e-3,
        *,
        horizon: int | None = None,
        bounds: Sequence[float] = (0.1, 10.0),
        exploration: float = 0.1,
        seed: int = 0,
    ) -> None:
        check_whole(num_layers=num_layers, hidden_dim=hidden_dim)
        check_whole(history_length=history_length, least=2)
        horizon = min(10, history_length // 2) if horizon is None else horizon
        check_whole(horizon=horizon)
        if 2 * horizon > history_length:
            raise ConfigError(
                "the history is too short for the horizon",
                got=f"history_length={history_length}, horizon={horizon}",
                expected="history_length >= 2 * horizon",
                cure="the change of performance is judged from one horizon to the next",
            )
        for name, value in (("meta_lr", meta_lr), ("exploration", exploration)):
            if value != 0:
                check_positive(**{name: value})
        if len(bounds) != 2:
            raise ConfigError("bounds are not a pair", got=repr(bounds), expected="(low, high)")
        self.policy = MetaPolicy(num_layers, hidden_dim, (float(bounds[0]), float(bounds[1])))
        self.history_length, self.horizon = history_length, horizon
        self.meta_lr, self.exploration, self.seed = meta_lr, exploration, seed
        self.theta = self.policy.initial(spawn_seed(seed, 0))
        self.steps, self.generations = 0, 0
        self._adam = AdamState.zero(self.policy.size)
        self._generator = make_generator(spawn_seed(seed, 1))
        self._baseline, self._horizons = 0.0, 0
        self._begin()

    @property
    def num_layers(self) -> int:
        """Number of layers that are steered."""
        return self.policy.num_layers

    def _begin(self) -> None:
        self._window = MetaHistory(1, self.num_layers, self.history_length)
        self._given = torch.zeros(0, self.num_layers, len(OUTPUTS))
        self._surprises = torch.zeros(0)
        self._noise = torch.zeros(self.num_layers, len(OUTPUTS))
        self._seen = torch.zeros(0, self.num_layers, self.policy.shapes["skip"][1])

    # ------------------------------------------------------------------ what it says

    @property
    def factors(self) -> PlasticityFactors:
        """The factors in force, each [num_layers]; all 1 before the first step."""
        if not len(self._given):
            return PlasticityFactors.ones(self.num_layers)
        return PlasticityFactors.unpack(self._given[-1].clone())

    @property
    def history(self) -> ControllerHistory:
        """What was observed and given over the last ``history_length`` steps."""
        values = self._window.values[0].T.clone()
        return ControllerHistory(
            torch.arange(self.steps - len(values), self.steps) + 1,
            values[:, 0],
            values[:, 1],
            self._surprises.clone(),
            values[:, 2:],
            *self._given.clone().unbind(-1),
        )

    # ------------------------------------------------------------------ learning online

    def observe(self, activity: Any, performance: Any, loss: Any) -> PlasticityFactors:
        """Take in what a step led to, learn from it, and return the factors for the next step.

        Parameters
        ----------
        activity : array of shape (num_layers,)
            Mean activity of each layer in the step, in any unit.
        performance : float
            Higher is better: accuracy, reward, ….
        loss : float
            Lower is better; ``-performance`` if there is no other.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Wrong number of layers, no numbers, NaN or infinity; nothing is changed.
        """
        row = check_activity(activity, self.num_layers)
        performance = check_number("performance", performance)
        loss = check_number("loss", loss)
        features = self._window.append(row[None], torch.tensor([performance]), torch.tensor([loss]))
        if len(self._seen) == self.horizon:
            self._credit()
        if not len(self._seen):
            self._explore()
        self._seen = torch.cat([self._seen, features])
        actions = self.policy.actions(self.theta[None], features)[0]
        given = self.policy.factors(actions + self.exploration * self._noise)
        self.steps += 1
        self._given = torch.cat([self._given, given[None]])[-self.history_length :]
        self._surprises = torch.cat([self._surprises, self._window.surprise])
        self._surprises = self._surprises[-self.history_length :]
        return self.factors

    def _explore(self) -> None:
        # Every second horizon answers the one before it with the opposite noise.
        if self._horizons % 2:
            self._noise = -self._noise
        else:
            self._noise = torch.randn(self._noise.shape, generator=self._generator)
        self._horizons += 1

    def _credit(self) -> None:
        seen, self._seen = self._seen, self._seen[:0]
        if self._window.values.shape[2] < 2 * self.horizon or not self.meta_lr * self.exploration:
            return
        advantage = change_reward(self._window.values[0, :2], self.horizon) - self._baseline
        self._baseline += 0.05 * advantage
        gradient = score_gradient(self.policy, self.theta, seen, self._noise)
        self.theta = self.theta + self.meta_lr * advantage * gradient

    # ------------------------------------------------------------------ learning beforehand

    def fit(
        self,
        play: Play,
        generations: int,
        *,
        pairs: int = 32,
        sigma: float = 0.1,
        rate: float = 0.03,
        checkpoint: str | Path | None = None,
    ) -> list[float]:
        """Learn the policy on a distribution of lives, and return each generation's mean fitness.

        Goes on from the generations lived so far up to ``generations`` in all, so that a run that
        was cut short, loaded from ``checkpoint`` and called again alike ends with the same bits.

        Parameters
        ----------
        play : callable
            ``play(lives, seed) -> fitness [len(lives)]``, higher is better: lets each of the
            ``lives`` (:class:`~plasticish.modulation.meta_training.PolicyLives`) steer a learner
            through a stream made from ``seed``. Lives ``i`` and ``i + len(lives) // 2`` are twins
            and must meet the same stream.
        generations : int
            Generations to reach in all.
        pairs : int
            Twins a generation.
        sigma : float
            Standard deviation of the perturbations of the parameters.
        rate : float
            Step of Adam in the first generation; it falls linearly to none at the end, which
            averages the noise of the last generations out.
        checkpoint : path, optional
            Folder to save to after each generation.

        Raises
        ------
        ConfigError, ShapeError, DataError
            Unusable arguments, or fitness of the wrong shape or not finite.
        """
        check_whole(generations=generations, pairs=pairs)
        check_positive(sigma=sigma, rate=rate)
        reached = []
        for index in track(range(self.generations, generations), "meta-training"):
            done = generation(
                play,
                self.policy,
                self.theta,
                self._adam,
                pairs=pairs,
                sigma=sigma,
                rate=rate * (1.0 - index / generations),
                history_length=self.history_length,
                seed=spawn_seed(self.seed, 2, index),
            )
            self.theta, self._adam, self.generations = done.theta, done.adam, index + 1
            reached.append(done.fitness)
            if checkpoint is not None:
                self.save(checkpoint)
        return reached

    def newborn(self, seed: int | None = None) -> MetaPlasticityController:
        """Return a controller with this one's policy and none of its life.

        Parameters
        ----------
        seed : int, optional
            Of the newborn's noise; by default this one's.
        """
        config = {**self.config(), **({} if seed is None else {"seed": seed})}
        child = type(self)(**config)
        child.theta = self.theta.clone()
        child.generations, child._adam = self.generations, self._adam
        return child

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "num_layers": self.num_layers,
            "hidden_dim": self.policy.hidden_dim,
            "history_length": self.history_length,
            "meta_lr": self.meta_lr,
            "horizon": self.horizon,
            "bounds": list(self.policy.bounds),
            "exploration": self.exploration,
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return policy, optimiser, history, the horizon under way, and the generator."""
        values = {
            "steps": self.steps,
            "generations": self.generations,
            "adam_steps": self._adam.steps,
            "baseline": self._baseline,
            "horizons": self._horizons,
        }
        tensors = {
            "theta": self.theta,
            "adam_mean": self._adam.mean,
            "adam_square": self._adam.square,
            "given": self._given,
            "surprises": self._surprises,
            "noise": self._noise,
            "seen": self._seen,
            "generator": self._generator.get_state(),
        }
        window = {f"window/{name}": tensor for name, tensor in self._window.tensors().items()}
        return State(values, {**tensors, **window})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        values, tensors = state.values, state.tensors
        theta = tensors["theta"]
        if theta.shape != self.theta.shape:
            raise ShapeError(
                "the policy has another size",
                got=str(tuple(theta.shape)),
                expected=str(tuple(self.theta.shape)),
            )
        self.steps, self.generations = int(values["steps"]), int(values["generations"])
        self._baseline, self._horizons = float(values["baseline"]), int(values["horizons"])
        self.theta = theta.clone()
        moments = (tensors["adam_mean"].clone(), tensors["adam_square"].clone())
        self._adam = AdamState(*moments, int(values["adam_steps"]))
        self._given, self._surprises = tensors["given"].clone(), tensors["surprises"].clone()
        self._noise, self._seen = tensors["noise"].clone(), tensors["seen"].clone()
        self._window.restore(**state.part("window").tensors)
        self._generator.set_state(tensors["generator"])
