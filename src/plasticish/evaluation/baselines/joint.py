"""The usual upper mark for a linear readout: logistic regression that sees everything at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int64
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from plasticish.core import ConfigError, Report

from .base import Baseline
from .transformed import signed_sqrt

__all__ = ["JointLogistic"]


class JointLogistic(Baseline):
    """Multinomial logistic regression on all rows at once: not a stream learner, a mark.

    It keeps every row, and fits when asked. Features are standardised; the inverse penalty ``C``,
    and whether features are first power-transformed, are chosen on a stratified held-out part of
    what it was given to learn, then everything is fitted again.

    Parameters
    ----------
    strengths : sequence of float
        Values of ``C`` to choose from.
    power_transform : sequence of bool
        Whether to try :func:`signed_sqrt`.
    held_out : float
        Share of the rows for the choice.
    max_iter : int
        Steps of L-BFGS.
    seed : int
        Of the split.

    References
    ----------
    Cox (1958), The regression analysis of binary sequences.

    Examples
    --------
    >>> joint = JointLogistic(strengths=[1.0], power_transform=[False])
    >>> _ = joint.learn(([[0.0], [1.0], [2.0], [8.0], [9.0], [10.0]], [0, 0, 0, 1, 1, 1]))
    >>> joint.predict([[3.0], [7.0]])
    tensor([0, 1])
    """

    def __init__(
        self,
        strengths: Sequence[float] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
        power_transform: Sequence[bool] = (False, True),
        held_out: float = 0.2,
        max_iter: int = 300,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not strengths or not power_transform or not 0 < held_out < 1:
            raise ConfigError(
                "nothing to choose from",
                got=f"{len(strengths)} strengths, {len(power_transform)} transforms, {held_out}",
                expected="at least one of each, and a held-out share between 0 and 1",
            )
        self.strengths, self.power_transform = tuple(strengths), tuple(power_transform)
        self.held_out, self.max_iter, self.seed = held_out, max_iter, seed
        self.choice: tuple[float, bool] | None = None
        self._parts: list[tuple[Tensor, Tensor]] = []
        self._model: Pipeline | None = None

    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        self._parts.append((x.clone(), y.clone()))
        self._model = None

    def sleep(self) -> Report:
        """Choose and fit (done on demand by ``predict`` otherwise)."""
        if self._parts:
            self._fitted()
        strength, power = self.choice or (None, None)
        return {"strength": strength, "power_transform": power}

    def _fitted(self) -> Pipeline:
        if self._model is None:
            x = torch.cat([part for part, _ in self._parts])
            y = torch.cat([part for _, part in self._parts]).numpy()
            self.choice = self._choose(x, y)
            strength, power = self.choice
            self._model = self._fit(_view(x, power), y, strength)
        return self._model

    def _choose(self, x: Tensor, y: npt.NDArray[Any]) -> tuple[float, bool]:
        options = [(c, power) for power in self.power_transform for c in self.strengths]
        smallest = np.unique(y, return_counts=True)[1].min()
        if len(options) == 1 or smallest < 2:
            return options[0]
        held_count = max(int(self.held_out * len(y)), len(np.unique(y)))
        fit, held = train_test_split(
            np.arange(len(y)), test_size=held_count, stratify=y, random_state=self.seed
        )

        def held_out_accuracy(option: tuple[float, bool]) -> float:
            seen = _view(x, option[1])
            return float(self._fit(seen[fit], y[fit], option[0]).score(seen[held], y[held]))

        return max(options, key=held_out_accuracy)

    def _fit(
        self,
        x: npt.NDArray[Any],
        y: npt.NDArray[Any],
        strength: float,
    ) -> Pipeline:
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=strength, max_iter=self.max_iter)
        )
        with warnings.catch_warnings():
            # A weak penalty may not settle in max_iter steps; the held-out part judges it as it is.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(x, y)

    def _scores(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch classes"]:
        if int((self.counts > 0).sum()) == 1:  # logistic regression needs two classes
            return torch.zeros(len(x), self.num_classes)
        model = self._fitted()
        strength_power = self.choice
        assert strength_power is not None  # set by _fitted
        labels = torch.from_numpy(model.predict(_view(x, strength_power[1]))).long()
        return torch.nn.functional.one_hot(labels, self.num_classes).float()


def _view(x: Tensor, power: bool) -> npt.NDArray[Any]:
    view: npt.NDArray[Any] = (signed_sqrt(x) if power else x).numpy()
    return view
