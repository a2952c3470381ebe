"""PlasticClassifier: a plastic brain as a scikit-learn classifier."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from plasticish.core import (
    LEARNERS,
    Batch,
    NotReadyError,
    Persistent,
    Report,
    ShapeError,
    State,
    as_pair,
    check_features,
)
from plasticish.memory.checks import check_whole
from plasticish.vision import PlasticBrain

from .labels import LabelBook

__all__ = ["PlasticClassifier"]

ROWS = 64  # queries answered together, always so many: a product may round by its shape


@LEARNERS.register("plastic_classifier")
class PlasticClassifier(ClassifierMixin, BaseEstimator, Persistent):  # type: ignore[misc]
    r"""A classifier that goes on learning, new classes included, and does not forget.

    Behind it stands a :class:`~plasticish.vision.PlasticBrain`. A row :math:`x` reaches it as
    :math:`[x, s]` with :math:`s` the root-mean-square length of the first rows: the brain looks at
    directions only, and beside a constant the length of a row is one.

    Parameters
    ----------
    expansion : int
        Random units of the cortex beside the features.
    hidden_dim, sparsity_k, num_layers : int
        Of the blocks.
    memory_size : int
        The most examples kept one by one.
    batch_size : int
        Rows that :meth:`fit` and :meth:`partial_fit` learn together.
    sleep_every : int or None
        :meth:`partial_fit` sleeps whenever so many rows came since the last sleep; ``None``
        leaves it to :meth:`sleep`. A class that came since is known to the hippocampus already.
    random_state : int, RandomState or None
        Of every random draw. Unlike elsewhere the default is fixed: 0.
    device : str, torch.device or None
        Where the brain lives.

    Attributes
    ----------
    classes_ : array [classes]
        Every label known, ascending; grows with :meth:`partial_fit`.
    n_features_in_ : int
        Width of a row.
    brain_ : PlasticBrain
        The learner itself.

    Examples
    --------
    >>> model = PlasticClassifier(expansion=16)
    >>> _ = model.fit([[0.0, 1.0], [0.1, 0.9], [1.0, 0.0], [0.9, 0.2]], ["a", "a", "b", "b"])
    >>> _ = model.partial_fit([[-1.0, -1.0]], ["new"])
    >>> model.predict([[-1.0, -0.9], [1.0, 0.1]]).tolist()
    ['new', 'b']
    """

    kind: ClassVar[str] = "plastic_classifier"

    # scikit-learn has a constructor take anything; what it cannot use is refused by the fit.
    def __init__(
        self,
        expansion: Any = 1024,
        hidden_dim: Any = 1024,
        sparsity_k: Any = 64,
        num_layers: Any = 1,
        memory_size: Any = 60000,
        *,
        batch_size: Any = 256,
        sleep_every: Any = 256,
        random_state: Any = 0,
        device: Any = None,
    ) -> None:
        self.expansion = expansion
        self.hidden_dim = hidden_dim
        self.sparsity_k = sparsity_k
        self.num_layers = num_layers
        self.memory_size = memory_size
        self.batch_size = batch_size
        self.sleep_every = sleep_every
        self.random_state = random_state
        self.device = device

    # ------------------------------------------------------------------ learning

    def fit(self, X: Any, y: Any) -> PlasticClassifier:
        """Forget everything, learn these rows in one pass, and sleep.

        Parameters
        ----------
        X : array [rows, features]
            Finite numbers.
        y : array [rows]
            Numbers or strings.

        Raises
        ------
        ValueError, TypeError
            Unusable input, in scikit-learn's words.
        """
        rows, labels = self._checked(X, y, reset=True)
        self._start(rows)
        self._take_in(rows, labels, LabelBook().extended(labels))
        self.sleep()
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> PlasticClassifier:
        """Go on learning; what was learned before stays.

        Parameters
        ----------
        X, y : array
            As in :meth:`fit`. Labels never seen before are welcome at any call.
        classes : array, optional
            Labels to be expected, as scikit-learn passes them to the first call. They get a
            column in :meth:`predict_proba` at once; others may still come later.

        Raises
        ------
        ValueError, TypeError
            Unusable input; nothing is learned.
        """
        first = not self._fitted
        rows, labels = self._checked(X, y, reset=first)
        book = LabelBook() if first else self._book
        if classes is not None:
            book = book.extended(np.asarray(classes))
        book = book.extended(labels)
        if first:
            self._start(rows)
        self._take_in(rows, labels, book)
        if self.sleep_every is not None and self._awake >= self.sleep_every:
            self.sleep()
        return self

    def learn(self, batch: Batch) -> Report:
        """Learn one batch ``(x, y)``: :meth:`partial_fit`, with the errors of this library."""
        x, y = as_pair(batch)
        rows = check_features(x, self.n_features_in_ if self._fitted else None).numpy()
        labels = np.asarray(y)
        if labels.shape != (len(rows),):
            raise ShapeError(
                "labels do not match the batch",
                got=str(labels.shape),
                expected=f"({len(rows)},)",
                cure="give one label a row",
            )
        self.partial_fit(rows, labels)
        return {"seen": self.brain_.seen, "classes": len(self.classes_)}

    def sleep(self) -> Report:
        """Turn what was learned one by one into knowledge.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        """
        if not self._fitted:
            raise NotReadyError("the classifier has learned nothing yet", cure="fit it first")
        self._awake = 0
        return self.brain_.sleep()

    @property
    def _fitted(self) -> bool:
        return hasattr(self, "brain_")

    def _checked(
        self, X: Any, y: Any, reset: bool
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any]]:
        every = 1 if self.sleep_every is None else self.sleep_every
        check_whole(batch_size=self.batch_size, sleep_every=every)
        # What is too large for float32 becomes infinite here, and is refused as that.
        with np.errstate(over="ignore", invalid="ignore"):
            rows, labels = validate_data(self, X, y, dtype=np.float32, reset=reset)
        check_classification_targets(labels)
        return rows, labels

    def _start(self, rows: npt.NDArray[np.float32]) -> None:
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        length = math.sqrt(np.square(rows, dtype=np.float64).sum() / len(rows))
        self._constant = min(length, 1e38) or 1.0
        self._awake = 0
        self.brain_ = PlasticBrain(
            rows.shape[1] + 1,
            self.hidden_dim,
            self.sparsity_k,
            self.num_layers,
            self.memory_size,
            expansion=self.expansion,
            device=self.device,
            seed=self._seed,
        )

    def _take_in(
        self, rows: npt.NDArray[np.float32], labels: npt.NDArray[Any], book: LabelBook
    ) -> None:
        x, y = self._inputs(rows), torch.from_numpy(book.numbers(labels))
        for i in range(0, len(x), self.batch_size):
            self.brain_.train_step(x[i : i + self.batch_size], y[i : i + self.batch_size])
        self._awake += len(x)
        self._book = book
        self.classes_ = book.arrived[book.order]

    def _inputs(self, rows: npt.NDArray[np.float32]) -> Tensor:
        constant = np.full((len(rows), 1), self._constant, dtype=np.float32)
        return torch.from_numpy(np.concatenate([rows, constant], axis=1))

    # ------------------------------------------------------------------ answering

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the probability of each of :attr:`classes_`, [rows, classes].

        Raises
        ------
        NotFittedError, ValueError, TypeError
            Nothing was learned, or unusable input, in scikit-learn's words.
        """
        check_is_fitted(self, "brain_")
        with np.errstate(over="ignore", invalid="ignore"):
            rows = validate_data(self, X, dtype=np.float32, reset=False)
        x = self._inputs(rows)
        missing = -len(x) % ROWS
        padded = torch.cat([x, x[-1:].expand(missing, -1)])
        parts = [self.brain_.predict_proba(part) for part in torch.split(padded, ROWS)]
        proba = torch.cat(parts)[: len(x)].double().cpu().numpy()
        full = np.zeros((len(x), len(self.classes_)))
        full[:, : proba.shape[1]] = proba
        ordered: npt.NDArray[np.float64] = full[:, self._book.order]
        ordered /= ordered.sum(axis=1, keepdims=True)
        return ordered

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the most probable label of each row."""
        strongest = self.predict_proba(X).argmax(axis=1)
        labels: npt.NDArray[Any] = self.classes_[strongest]
        return labels

    def stats(self) -> Report:
        """Return plain numbers about the inside."""
        if not self._fitted:
            return {"seen": 0, "classes": 0}
        return {**self.brain_.stats(), "classes": len(self.classes_), "awake": self._awake}

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments; a RandomState is kept as the seed drawn from it."""
        fixed = self.random_state is None or isinstance(self.random_state, int)
        drawn = self._seed if self._fitted else None
        return {
            **self.get_params(deep=False),
            "random_state": self.random_state if fixed else drawn,
            "device": None if self.device is None else str(self.device),
        }

    def export_state(self) -> State:
        """Return the brain, the labels and what scikit-learn knows about the columns."""
        if not self._fitted:
            return State({"self": None})
        names = getattr(self, "feature_names_in_", None)
        own = {
            "brain": self.brain_.config(),
            "labels": self._book.arrived.tolist(),
            "dtype": self._book.arrived.dtype.str,
            "features": self.n_features_in_,
            "names": None if names is None else names.tolist(),
            "seed": self._seed,
            "constant": self._constant,
            "awake": self._awake,
        }
        return State.nest({"self": State(own), "brain": self.brain_.export_state()})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        own = state.values["self"]
        if own is None:
            return
        brain = PlasticBrain(**own["brain"])
        brain.import_state(state.part("brain"))
        self._book = LabelBook(np.array(own["labels"], dtype=np.dtype(own["dtype"])))
        self.classes_ = self._book.arrived[self._book.order]
        self.n_features_in_ = int(own["features"])
        if own["names"] is not None:
            self.feature_names_in_ = np.array(own["names"], dtype=object)
        self._seed, self._awake = int(own["seed"]), int(own["awake"])
        self._constant = float(own["constant"])
        self.brain_ = brain
