"""Running Hebbian sums: what fired together, and with which class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from plasticish.core import DataError, State

from .expansion import RandomExpansion

__all__ = ["CoactivitySums", "Moments"]

PENDING = 512  # rows gathered before one large product; many small ones are memory-bound
# Means over deviations from which a column counts as steady: it would round the same way in every
# product, and a million small errors of one sign are a large one. Others are best left as they are:
# what varies rounds up as often as down, and zeros are exact.
STEADY = 32.0
PANELS = 8  # column panels of the symmetric sum, of which the upper part is never computed


@dataclass(frozen=True)
class Moments:
    """The sums turned into moments, in float64.

    Attributes
    ----------
    means : Tensor [classes, width]
        Mean code of each class; zero for a class with no example.
    within : Tensor [width, width]
        Covariance of the code around the mean of its own class.
    counts : Tensor [classes]
        Examples of each class.
    """

    means: Tensor
    within: Tensor
    counts: Tensor

    @property
    def known(self) -> Tensor:
        """Labels that have at least one example, int64."""
        return (self.counts > 0).nonzero().flatten()

    @property
    def total(self) -> float:
        """Number of examples."""
        return float(self.counts.sum())


class CoactivitySums:
    r"""The sums :math:`G = \sum \varphi\varphi^T`, :math:`Q_c = \sum_{y=c} \varphi`, :math:`n_c`.

    Each example adds the product of what fired with what fired (Hebb 1949) and nothing else, so
    the order of a stream does not matter, two sums add up, and an example can be taken out again.
    Products are float32, their accumulation float64; a column that hardly varies is multiplied
    around its mean, and the rest of the product added in float64. Class sums of the features are
    always up to date; the rest waits in a small buffer of raw rows until one large product is worth
    its memory traffic. Looking at the sums never empties it: what is learned afterwards would
    otherwise round differently for having been looked at.

    Parameters
    ----------
    encode : RandomExpansion
        From features to code.
    device : torch.device
        Where the sums live.
    """

    def __init__(self, encode: RandomExpansion, device: torch.device) -> None:
        self._encode, self._device = encode, device
        width = encode.out_dim
        self._coactivity = torch.zeros(width, width, dtype=torch.float64, device=device)
        self._class_sums = torch.zeros(0, width, dtype=torch.float64, device=device)
        self.counts = torch.zeros(0, dtype=torch.float64, device=device)
        self._waiting: list[tuple[Tensor, Tensor, float]] = []

    @property
    def nbytes(self) -> int:
        """Bytes that the sums hold."""
        return self._coactivity.nbytes + self._class_sums.nbytes

    def add(self, x: Tensor, y: Tensor, sign: float = 1.0) -> None:
        """Add rows ``x`` with labels ``y``, or take them out with ``sign=-1``.

        Raises
        ------
        DataError
            If more examples of a class would go than ever came; nothing is changed.
        """
        classes = max(len(self.counts), int(y.max()) + 1)
        change = torch.bincount(y, minlength=classes).double() * sign
        counts = _grown(self.counts, classes) + change
        if bool((counts < 0).any()):
            worst = int(counts.argmin())
            raise DataError(
                "more examples would be forgotten than were learned",
                got=f"{int(-change[worst])} of class {worst}",
                expected=f"at most {int(counts[worst] - change[worst])}",
            )
        self.counts, self._class_sums = counts, _grown(self._class_sums, classes)
        features = self._encode.rescale(x).double() * sign
        self._class_sums[:, : self._encode.in_dim].index_add_(0, y, features)
        self._waiting.append((x.clone(), y.clone(), sign))
        self._flush_if_many()

    def _flush_if_many(self) -> None:
        if sum(len(rows) for rows, _, _ in self._waiting) >= PENDING:
            self._add_waiting(self._coactivity, self._class_sums)
            self._waiting = []

    def _add_waiting(self, coactivity: Tensor, class_sums: Tensor) -> None:
        """Add what waits to these sums, whose width may be the features' alone."""
        if not self._waiting:
            return
        x, y, sign = self._joined()
        features = self._encode.in_dim
        for some in torch.split(torch.arange(len(x), device=x.device), PENDING):
            code = self._encode(x[some])[:, : len(coactivity)]
            signs = sign[some, None]
            signed = code[:, features:] * signs
            class_sums[:, features:].index_add_(0, y[some], signed.double())
            _add_products(coactivity, code, signs)

    def _joined(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return rows, labels and signs of what waits."""
        nothing = torch.zeros(0, self._encode.in_dim, device=self._device)
        x = torch.cat([nothing, *(rows for rows, _, _ in self._waiting)])
        y = torch.cat([nothing[:, 0].long(), *(labels for _, labels, _ in self._waiting)])
        sign = [nothing.new_full((len(rows),), sign) for rows, _, sign in self._waiting]
        return x, y, torch.cat([nothing[:, 0], *sign])

    def merge(self, other: CoactivitySums) -> None:
        """Add the sums of ``other``, as if its stream had been seen here too."""
        classes = max(len(self.counts), len(other.counts))
        self._coactivity += other._coactivity.to(self._device)
        self._class_sums = _grown(self._class_sums, classes)
        self._class_sums[: len(other.counts)] += other._class_sums.to(self._device)
        self.counts = _grown(self.counts, classes).clone()
        self.counts[: len(other.counts)] += other.counts.to(self._device)
        self._waiting += [
            (x.to(self._device), y.to(self._device), sign) for x, y, sign in other._waiting
        ]
        self._flush_if_many()

    def moments(self, width: int | None = None) -> Moments:
        """Return means and within-class covariance of the first ``width`` parts of the code."""
        width = self._encode.out_dim if width is None else width
        sums = self._class_sums[:, :width].clone()
        within = self._coactivity[:width, :width].clone()
        self._add_waiting(within, sums)
        within.tril_()
        within += within.tril(-1).T
        counts = self.counts
        means = sums / counts.clamp(min=1)[:, None]
        within -= (means.T * counts) @ means
        within /= counts.sum().clamp(min=1)
        return Moments(means, within, counts.clone())

    def class_means(self) -> Tensor:
        """Return the mean of the rescaled features, by class, as float32."""
        means = self._class_sums[:, : self._encode.in_dim] / self.counts.clamp(min=1)[:, None]
        return means.float()

    def export_state(self) -> State:
        """Return the sums."""
        # What waits is exported as it waits: adding it up early would round differently from a
        # run that was never interrupted.
        x, y, sign = self._joined()
        return State(
            {},
            {
                "coactivity": self._coactivity,
                "class_sums": self._class_sums,
                "counts": self.counts,
                "waiting_x": x,
                "waiting_y": y,
                "waiting_sign": sign,
            },
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        # Copied: the sums are added to in place, and whoever exported them may still learn.
        put = {key: tensor.to(self._device, copy=True) for key, tensor in state.tensors.items()}
        if put["coactivity"].shape != self._coactivity.shape:
            raise DataError(
                "the stored sums have another width",
                got=str(tuple(put["coactivity"].shape)),
                expected=str(tuple(self._coactivity.shape)),
            )
        self._coactivity, self._class_sums = put["coactivity"], put["class_sums"]
        self.counts = put["counts"]
        self._waiting = []
        if len(put["waiting_x"]):
            self._waiting = _runs(put["waiting_x"], put["waiting_y"], put["waiting_sign"])


def _add_products(total: Tensor, code: Tensor, sign: Tensor) -> None:
    r"""Add :math:`\sum_i s_i \varphi_i \varphi_i^T` to the lower panels of a symmetric total.

    With :math:`d = \varphi - m` around any :math:`m`, and :math:`e = \sum s d`, it is
    :math:`\sum s\, d d^T + m e^T + (e + m \sum s)\, m^T`.
    """
    spread, mean = torch.std_mean(code, dim=0, correction=0)
    mean = mean.where(mean.abs() > STEADY * spread, 0.0)
    shifted = bool(mean.any())
    away = code - mean if shifted else code
    signed = away * sign
    mean, rest = mean.double(), signed.sum(dim=0, dtype=torch.float64)
    left = torch.stack([mean, rest + sign.sum(dtype=torch.float64) * mean], dim=1)
    right = torch.stack([rest, mean])
    panel = -(-code.shape[1] // PANELS)
    for start in range(0, code.shape[1], panel):
        stop = start + panel
        # Only on and below the diagonal panels: the sum is symmetric, half is enough.
        part = total[start:, start:stop]
        part += away[:, start:].T @ signed[:, start:stop]
        if shifted:
            part.addmm_(left[start:], right[:, start:stop])


def _runs(x: Tensor, y: Tensor, sign: Tensor) -> list[tuple[Tensor, Tensor, float]]:
    """Cut rows where their sign changes."""
    _, lengths = torch.unique_consecutive(sign, return_counts=True)
    cuts = lengths.tolist()
    parts = (torch.split(part, cuts) for part in (x, y, sign))
    return [(rows, labels, float(signs[0])) for rows, labels, signs in zip(*parts, strict=True)]


def _grown(tensor: Tensor, rows: int) -> Tensor:
    if len(tensor) >= rows:
        return tensor
    fresh = tensor.new_zeros((rows, *tensor.shape[1:]))
    fresh[: len(tensor)] = tensor
    return fresh
