"""RiverClassifier: a plastic brain that learns one dictionary at a time, as River's models do.

This module needs the extra ``river``; nothing else of the package does.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import ConfigError, State, import_extra
from plasticish.memory.checks import check_whole

from .classifier import PlasticClassifier

__all__ = ["RiverClassifier"]

_SETTINGS = ("max_features", "expansion", "hidden_dim", "sparsity_k", "num_layers", "memory_size",
             "sleep_every", "seed")  # fmt: skip

_base: Any = import_extra("river.base", "river", "a classifier for River")


class RiverClassifier(_base.Classifier):  # type: ignore[misc]
    """A classifier for River: classes and features may come at any time.

    A feature that comes gets the next free column, one that is missing counts as 0. The brain looks
    at directions, so scale first: ``preprocessing.StandardScaler() | RiverClassifier()``.

    Parameters
    ----------
    max_features : int
        Room for different features, >= 1.
    expansion, hidden_dim, sparsity_k, num_layers, memory_size
        As for :class:`PlasticClassifier`.
    sleep_every : int
        Examples between two sleeps.
    seed : int
        Of every random draw.

    Raises
    ------
    MissingExtraError
        When this module is imported and River is not installed.

    Examples
    --------
    >>> model = RiverClassifier(max_features=2)
    >>> for _ in range(3):
    ...     model.learn_one({"warm": 1.0, "wet": 0.0}, "summer")
    ...     model.learn_one({"warm": -1.0, "wet": 0.5}, "winter")
    >>> model.predict_one({"warm": 0.9})
    'summer'
    """

    def __init__(
        self,
        max_features: int = 64,
        expansion: int = 256,
        hidden_dim: int = 256,
        sparsity_k: int = 16,
        num_layers: int = 1,
        memory_size: int = 10000,
        sleep_every: int = 256,
        seed: int = 0,
    ) -> None:
        check_whole(max_features=max_features)
        self.max_features = max_features
        self.expansion, self.hidden_dim, self.sparsity_k = expansion, hidden_dim, sparsity_k
        self.num_layers, self.memory_size = num_layers, memory_size
        self.sleep_every, self.seed = sleep_every, seed
        self._columns: dict[Hashable, int] = {}
        self._labels: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._model = PlasticClassifier(
            expansion,
            hidden_dim,
            sparsity_k,
            num_layers,
            memory_size,
            sleep_every=sleep_every,
            random_state=seed,
        )

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: Mapping[Hashable, float], y: Any) -> None:
        """Learn one example.

        Parameters
        ----------
        x : mapping of feature to number
            Finite numbers.
        y : hashable
            Its label; a new one is welcome at any time.

        Raises
        ------
        ConfigError
            If there is no room for a feature that comes.
        ValueError, TypeError
            If a feature is no finite number; nothing is learned.
        """
        columns = dict(self._columns)
        for feature in sorted(x.keys() - columns.keys(), key=repr):
            columns[feature] = len(columns)
        if len(columns) > self.max_features:
            raise ConfigError(
                "there are more features than room for them",
                got=f"{len(columns)} different ones",
                expected=f"at most max_features={self.max_features}",
                cure="make the model with more room",
            )
        number = self._numbers.get(y, len(self._labels))
        self._model.partial_fit(self._row(x, columns), [number])
        self._columns = columns
        if number == len(self._labels):
            self._labels.append(y)
            self._numbers[y] = number

    def predict_proba_one(self, x: Mapping[Hashable, float]) -> dict[Any, float]:
        """Return the probability of each label; none before anything was learned.

        Raises
        ------
        ValueError, TypeError
            If a feature is no finite number.
        """
        if not self._labels:
            return {}
        (probabilities,) = self._model.predict_proba(self._row(x, self._columns))
        return dict(zip(self._labels, probabilities.tolist(), strict=True))

    def sleep(self) -> Mapping[str, Any]:
        """Consolidate now; see :meth:`PlasticClassifier.sleep`."""
        return self._model.sleep()

    def __getstate__(self) -> dict[str, Any]:
        # Equal models have equal pickles, which those of tensors are not.
        state = self._model.export_state()
        return {
            "settings": {name: getattr(self, name) for name in _SETTINGS},
            "columns": self._columns,
            "labels": self._labels,
            "values": state.values,
            "arrays": {name: tensor.numpy() for name, tensor in state.tensors.items()},
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        RiverClassifier.__init__(self, **state["settings"])
        self._columns, self._labels = dict(state["columns"]), list(state["labels"])
        self._numbers = {label: number for number, label in enumerate(self._labels)}
        arrays = state["arrays"].items()
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays}
        self._model.import_state(State(state["values"], tensors))

    def _row(
        self, x: Mapping[Hashable, float], columns: Mapping[Hashable, int]
    ) -> npt.NDArray[np.float32]:
        row = np.zeros((1, self.max_features), np.float32)
        for feature, value in x.items():
            if feature in columns:
                row[0, columns[feature]] = value
        return row
