"""The slow store: everything that was ever seen, as sums, turned into a readout during sleep."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    ConfigError,
    DataError,
    DeviceLike,
    LabelError,
    Persistent,
    Report,
    State,
    as_pair,
    check_features,
    check_labels,
    check_positive,
    resolve_device,
)

from .checks import check_whole, refuse_absurd
from .coactivity import CoactivitySums, Moments
from .expansion import RandomExpansion, default_width
from .readout import Readout, read_out

__all__ = ["AssociativeCortex"]

READOUT = ("weights", "bias", "known")


@LEARNERS.register("associative_cortex")
class AssociativeCortex(Persistent):
    r"""Hebbian co-activity and class sums, read out as a shrunken linear discriminant.

    Learning adds each example to :math:`G = \sum \varphi\varphi^T`,
    :math:`Q_c = \sum_{y=c}\varphi` and :math:`n_c`, where :math:`\varphi` is a fixed wide look at
    the features (:class:`~plasticish.memory.expansion.RandomExpansion`). Sleep turns the sums
    into a readout, the streaming linear discriminant [1]_ with ridge shrinkage [2]_:

    .. math::
        m_c = Q_c / n_c, \qquad S_w = (G - \textstyle\sum_c n_c m_c m_c^T) / n, \qquad
        w_c = (S_w + e\,\tfrac{\mathrm{tr} S_w}{H} I)^{-1} m_c, \qquad
        b_c = -\tfrac12 m_c^T w_c

    Priors are equal, so a class that was shown more often is not favoured. Any order of the
    stream gives the same readout to rounding; :meth:`merge` equals having seen both streams;
    :meth:`forget` takes an example out again.

    Parameters
    ----------
    in_dim : int
        Width of the features.
    expansion : int, optional
        Number of random units beside the features (0: a plain linear discriminant). ``None``
        fills the code up to 2,048 parts, with 512 units at least: narrow features need many
        (digits: 98.3 % with 256, 99.1 % with 2,048), wide ones few.
    num_classes : int, optional
        Fixes the classes; ``None`` lets them grow as labels appear.
    shrinkage : float, optional
        :math:`e > 0`. ``None`` chooses it at each sleep from the sums and counts
        (:func:`plasticish.memory.shrinkage.choose_shrinkage`): much while the covariance rests on
        few examples, little later.
    seed : int
        Of the random units. Cortices to be merged must share it.
    device : str or torch.device, optional
        Where the sums live.

    References
    ----------
    .. [1] T. L. Hayes, C. Kanan, "Lifelong machine learning with deep streaming linear
       discriminant analysis", CVPR Workshops 2020.
    .. [2] J. H. Friedman, "Regularized discriminant analysis", JASA 84 (1989).

    Examples
    --------
    >>> cortex = AssociativeCortex(in_dim=2, expansion=8)
    >>> _ = cortex.learn(([[1.0, 0.1], [0.9, 0.0], [0.1, 1.0], [0.0, 0.8]], [0, 0, 1, 1]))
    >>> cortex.sleep()["known_classes"]
    2
    >>> cortex.predict([[0.0, 1.0]])
    tensor([1])
    """

    kind = "associative_cortex"

    def __init__(
        self,
        in_dim: int,
        expansion: int | None = None,
        num_classes: int | None = None,
        *,
        shrinkage: float | None = None,
        seed: int = 0,
        device: DeviceLike = None,
    ) -> None:
        check_positive(shrinkage=1.0 if shrinkage is None else shrinkage)
        check_whole(in_dim=in_dim, num_classes=1 if num_classes is None else num_classes)
        if expansion is None:
            expansion = default_width(in_dim)
        if not isinstance(expansion, int) or expansion < 0:
            raise ConfigError("expansion is out of range", got=repr(expansion), expected=">= 0")
        self.device = resolve_device(device)
        self.in_dim, self.expansion, self.seed = in_dim, expansion, seed
        self.shrinkage, self._fixed_classes = shrinkage, num_classes
        self._encode = RandomExpansion(in_dim, expansion, seed, self.device)
        self._sums = CoactivitySums(self._encode, self.device)
        self._slept = False
        self._readout: Readout | None = None

    # ------------------------------------------------------------------ what is in it

    @property
    def num_classes(self) -> int:
        """Number of classes: fixed, or the largest label ever learned plus one."""
        return self._fixed_classes or len(self._sums.counts)

    @property
    def class_counts(self) -> Tensor:
        """Examples in the sums by class, int64 [classes]."""
        counts = torch.zeros(self.num_classes, dtype=torch.int64, device=self.device)
        counts[: len(self._sums.counts)] = self._sums.counts.long()
        return counts

    @property
    def seen(self) -> int:
        """Number of examples in the sums."""
        return int(self._sums.counts.sum())

    @property
    def known_classes(self) -> Int64[Tensor, " known"]:
        """Labels that the readout in force can give, ascending."""
        return self._current().known if self.ready else torch.zeros(0, dtype=torch.int64)

    @property
    def ready(self) -> bool:
        """Whether there is anything to read out."""
        return self.seen > 0 or self._readout is not None

    @property
    def slept(self) -> bool:
        """Whether a sleep has fixed the readout."""
        return self._slept

    def stats(self) -> Report:
        """Return counts and bytes as plain numbers."""
        return {
            "seen": self.seen,
            "classes": self.num_classes,
            "width": self._encode.out_dim,
            "slept": self._slept,
            "shrinkage": self._readout.shrinkage if self._slept and self._readout else None,
            "bytes": self._sums.nbytes,
        }

    # ------------------------------------------------------------------ learning

    def learn(self, batch: Batch) -> Report:
        """Add a batch ``(x [batch, in_dim], y [batch])`` to the sums.

        The readout in force stays until :meth:`sleep`.

        Raises
        ------
        ShapeError, DTypeError, DataError, LabelError
            Unusable input; nothing is learned.
        """
        return self._add(batch, 1.0)

    def forget(self, x: ArrayLike, y: ArrayLike) -> Report:
        """Take examples out of the sums, as if they had never been learned.

        Raises
        ------
        DataError
            If more examples of a class would go than were learned; nothing is changed.
        ShapeError, DTypeError, LabelError
            Unusable input.
        """
        return self._add((x, y), -1.0)

    def _add(self, batch: Batch, sign: float) -> Report:
        features, labels = as_pair(batch)
        x = check_features(features, self.in_dim, device=self.device)
        y = check_labels(labels, len(x), num_classes=self._fixed_classes, device=self.device)
        refuse_absurd(y)
        self._sums.add(x, y, sign)
        return self._changed()

    def _changed(self) -> Report:
        if not self._slept:
            self._readout = None
        return {"seen": self.seen, "classes": self.num_classes}

    def merge(self, other: AssociativeCortex) -> Report:
        """Add the sums of ``other``, as if its stream had been seen here too.

        Raises
        ------
        ConfigError
            If the two differ in width, expansion or seed, so that their sums mean other things.
        LabelError
            If ``other`` has classes that are unknown here.
        """
        mine, theirs = ((cortex.in_dim, cortex.expansion, cortex.seed) for cortex in (self, other))
        if mine != theirs or other is self:
            raise ConfigError(
                "these cortices cannot be merged",
                got="itself" if other is self else f"(in_dim, expansion, seed) = {theirs}",
                expected=f"another cortex with {mine}",
            )
        if self._fixed_classes is not None and other.num_classes > self._fixed_classes:
            raise LabelError(
                "the other cortex has classes that are unknown here",
                got=f"{other.num_classes} classes",
                expected=f"at most {self._fixed_classes}",
            )
        self._sums.merge(other._sums)
        return self._changed()

    def sleep(self) -> Report:
        """Turn the sums into the readout that holds until the next sleep.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        """
        self._readout = read_out(self._sums.moments(), self.shrinkage)
        self._slept = True
        return {
            "seen": self.seen,
            "known_classes": len(self._readout.known),
            "shrinkage": self._readout.shrinkage,
        }

    # ------------------------------------------------------------------ answering

    def evidence(self, x: ArrayLike) -> Float32[Tensor, "batch known"]:
        """Return the log evidence for each of :attr:`known_classes`, up to a constant a row.

        Until the first sleep the readout is made from the sums as they stand.

        Raises
        ------
        NotReadyError
            If nothing was ever learned.
        ShapeError, DTypeError, DataError
            Unusable queries.
        """
        readout = self._current()
        queries = check_features(x, self.in_dim, device=self.device)
        return torch.addmm(readout.bias, self._encode(queries), readout.weights)

    def predict_proba(self, x: ArrayLike) -> Float32[Tensor, "batch classes"]:
        """Return the posterior of each class under the discriminant; rows sum to one."""
        posterior = torch.softmax(self.evidence(x), dim=1)
        known = self._current().known
        full = posterior.new_zeros((len(posterior), max(self.num_classes, int(known.max()) + 1)))
        full[:, known] = posterior
        return full

    def predict(self, x: ArrayLike) -> Int64[Tensor, " batch"]:
        """Return the label with the strongest evidence."""
        strongest = self.evidence(x).argmax(dim=1)
        return self._current().known[strongest]

    def moments(self) -> Moments:
        """Return class means and within-class covariance of the rescaled features alone."""
        return self._sums.moments(self.in_dim)

    def expectations(self) -> Float32[Tensor, "classes in_dim"]:
        """Return what each class looks like on average, in rescaled features."""
        return self._sums.class_means()

    def _current(self) -> Readout:
        if self._readout is None:
            self._readout = read_out(self._sums.moments(), self.shrinkage)
        return self._readout

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "in_dim": self.in_dim,
            "expansion": self.expansion,
            "num_classes": self._fixed_classes,
            "shrinkage": self.shrinkage,
            "seed": self.seed,
            "device": str(self.device),
        }

    def export_state(self) -> State:
        """Return sums and readout."""
        sums = self._sums.export_state().tensors
        if not self._slept or self._readout is None:
            return State({"shrinkage": None}, sums)
        arrays = {name: getattr(self._readout, name) for name in READOUT}
        return State({"shrinkage": self._readout.shrinkage}, {**sums, **arrays})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        self._sums.import_state(state)
        shrinkage, self._readout = state.values["shrinkage"], None
        self._slept = shrinkage is not None
        if shrinkage is not None:
            put = {name: state.tensors[name].to(self.device) for name in READOUT}
            _check_readout(put, self.num_classes)
            self._readout = Readout(**put, shrinkage=float(shrinkage))


def _check_readout(arrays: dict[str, Tensor], classes: int) -> None:
    """Refuse a stored readout that answers with classes that are not there."""
    known = arrays["known"]
    labels = known.ndim == 1 and not known.is_floating_point()
    if not labels or bool(((known < 0) | (known >= classes)).any()):
        raise DataError(
            "the stored readout knows other classes",
            got=str(known.tolist()),
            expected=f"< {classes}",
        )
    if arrays["weights"].shape[1:] != known.shape or arrays["bias"].shape != known.shape:
        raise DataError("the stored readout does not fit its classes")
