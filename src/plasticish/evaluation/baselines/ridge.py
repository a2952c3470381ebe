"""Ridge regression onto one-hot labels from running sums, plain and on a random ReLU code."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from plasticish.core import Report, check_positive, make_generator

from .base import Baseline, grown

__all__ = ["RanPAC", "StreamingRidge"]


def _solve_ridge(gram: Tensor, targets: Tensor, penalty: float) -> Tensor | None:
    """Return ``(G + penalty I)^-1 Q`` as ``[width, classes]``, or None if that is not definite."""
    damped = gram.clone()
    damped.diagonal().add_(penalty)
    factor, failed = torch.linalg.cholesky_ex(damped)
    return None if bool(failed) else torch.cholesky_solve(targets, factor)


class StreamingRidge(Baseline):
    r"""Ridge regression onto one-hot labels: :math:`W = (G + \lambda I)^{-1} Q`.

    :math:`G = \sum x x^\top` and :math:`Q = \sum x\,\mathrm{onehot}(y)^\top` are running sums over
    the features with a constant 1 beside them, so the order of the stream does not matter. The
    constant is penalised too; its effect is one part in the number of examples.

    Parameters
    ----------
    penalty : float
        :math:`\lambda > 0`.

    References
    ----------
    Hoerl & Kennard (1970), Ridge regression: biased estimation for nonorthogonal problems.

    Examples
    --------
    >>> ridge = StreamingRidge(penalty=0.1)
    >>> _ = ridge.learn(([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]))
    >>> ridge.predict([[2.0], [8.0]])
    tensor([0, 1])
    """

    def __init__(self, penalty: float = 1.0) -> None:
        super().__init__()
        check_positive(penalty=penalty)
        self.penalty = penalty
        self.gram = torch.zeros(0, 0, dtype=torch.float64)
        self.targets = torch.zeros(0, 0, dtype=torch.float64)
        self._weight: Tensor | None = None

    def encode(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch code"]:
        """Return what the regression sees of each row, float64."""
        return torch.cat([x.double(), torch.ones(len(x), 1, dtype=torch.float64)], dim=1)

    def _code_width(self, width: int) -> int:
        return width + 1

    def _grow(self, classes: int, width: int) -> None:
        code = self._code_width(width)
        if not self.targets.numel():
            self.gram = torch.zeros(code, code, dtype=torch.float64)
        self.targets = grown(self.targets.reshape(code, -1).T, classes).T.contiguous()

    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        self._add(self.encode(x), y)

    def _add(self, code: Tensor, y: Tensor) -> None:
        self.gram.addmm_(code.T, code)
        self.targets.index_add_(1, y, code.T)
        self._weight = None

    def sleep(self) -> Report:
        """Solve for the weights (done on demand by ``predict`` otherwise)."""
        if self.num_classes:
            self._solve()
        return {"penalty": self.penalty}

    def _solve(self) -> Tensor:
        if self._weight is None:
            self._weight = self._ridge(self.gram, self.targets)
        return self._weight

    def _ridge(self, gram: Tensor, targets: Tensor) -> Tensor:
        weight = _solve_ridge(gram, targets, self.penalty)
        # A penalty lost in the rounding of large sums leaves the least-norm solution.
        return torch.linalg.pinv(gram, hermitian=True) @ targets if weight is None else weight

    def _scores(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch classes"]:
        return self.encode(x) @ self._solve()


class RanPAC(StreamingRidge):
    r"""Ridge on a fixed random ReLU projection, the penalty chosen on examples held out.

    :math:`h = \max(0, x W_{rand})`, :math:`W_{rand} \sim N(0, 1)` of ``projections`` columns; then
    ridge on :math:`h`. As in the paper a fifth of the examples is held out to choose
    :math:`\lambda` from :math:`10^{-8} \dots 10^8` by squared error, and the readout then uses all.
    The paper holds out of the current task and keeps its rows for the choice; here the fifth comes
    from the whole stream, as sums, which give the same squared error and store no row:
    :math:`\lVert Y - HW\rVert^2 = n - 2\,\mathrm{tr}(W^\top Q) + \mathrm{tr}(W^\top G W)`.

    Parameters
    ----------
    projections : int
        Width M of the random code.
    seed : int
        Of the projection and of the choice of held-out rows.

    References
    ----------
    McDonnell, Gong, Parvaneh, Abbasnejad & van den Hengel (2023), RanPAC: random projections and
    pre-trained models for continual learning. NeurIPS.

    Examples
    --------
    >>> ranpac = RanPAC(projections=50)
    >>> _ = ranpac.learn((torch.eye(4).repeat(5, 1), torch.arange(4).repeat(5)))
    >>> ranpac.predict(torch.eye(4))
    tensor([0, 1, 2, 3])
    """

    held_out_share = 0.2

    def __init__(self, projections: int = 2000, seed: int = 0) -> None:
        super().__init__()
        check_positive(projections=projections)
        self.projections = projections
        self._generator = make_generator(seed)
        self._projection = torch.zeros(0, projections)
        self._held_gram = torch.zeros(projections, projections, dtype=torch.float64)
        self._held_targets = torch.zeros(projections, 0, dtype=torch.float64)
        self._held_count = 0

    def encode(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch code"]:
        """Return the random ReLU code of each row, float64."""
        return (x @ self._projection).relu().double()

    def _code_width(self, width: int) -> int:
        return self.projections

    def _grow(self, classes: int, width: int) -> None:
        if not len(self._projection):
            self._projection = torch.randn(width, self.projections, generator=self._generator)
        super()._grow(classes, width)
        self._held_targets = grown(self._held_targets.T, classes).T.contiguous()

    def _learn(self, x: Float[Tensor, "batch width"], y: Int64[Tensor, " batch"]) -> None:
        code = self.encode(x)
        held = torch.rand(len(y), generator=self._generator) < self.held_out_share
        self._add(code[~held], y[~held])
        self._held_gram.addmm_(code[held].T, code[held])
        self._held_targets.index_add_(1, y[held], code[held].T)
        self._held_count += int(held.sum())

    def _held_out_error(self, penalty: float) -> float:
        weight = _solve_ridge(self.gram, self.targets, penalty)
        if weight is None:
            return float("inf")
        quadratic = (weight * (self._held_gram @ weight)).sum()
        return float(self._held_count - 2 * (weight * self._held_targets).sum() + quadratic)

    def _solve(self) -> Tensor:
        if self._weight is None:
            if self._held_count:
                penalties = [10.0**power for power in range(-8, 9)]
                self.penalty = min(penalties, key=self._held_out_error)
            self._weight = self._ridge(
                self.gram + self._held_gram, self.targets + self._held_targets
            )
        return self._weight
