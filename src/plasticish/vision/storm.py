"""Knowing a storm from a lesson: familiar labels whose inputs have all shifted the same way."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from plasticish.core import State

__all__ = ["StormSense"]

ARRAYS = ("expectation", "count", "drift", "spread", "last", "texture")


class StormSense:
    """Unexpected uncertainty: does what carries a familiar label look as it always did?

    For each label the mean input ``m_y`` is kept (its expectation). The residuals
    ``r = x - m_y`` of familiar labels are summed with a leak ``f`` of ``memory`` examples. While
    nothing has changed residuals point everywhere, and

    ``T = |sum f_i r_i|^2 / sum f_i^2 |r_i|^2``

    has mean 1 and variance ``2 / d`` (a chi-square over its ``d`` degrees of freedom), where
    ``d = tr(S)^2 / tr(S^2)`` is the effective dimension of the residuals, ``S`` their covariance.
    A common shift ``s`` adds about ``memory * |s|^2 / |r|^2`` to T. The score is
    ``(T - 1) / sqrt(2 / d)``: standard deviations from calm, whatever the eyes.

    A new label raises no alarm (nothing is expected of it), nor do hard examples (they differ in
    every direction); an inverted or resized stream does. Labels that merely change places among
    themselves do not: their shifts cancel out.

    Parameters
    ----------
    width : int
        Width of the inputs.
    out_size : int
        Number of labels.
    memory : int
        Time constant of the leak, in examples.
    familiar : int
        A label is familiar once it was learned so many times.
    threshold : float or None
        Score above which a storm is on; None: never.
    device : torch.device
        Where the sums live.

    Notes
    -----
    Yu & Dayan (2005), Uncertainty, neuromodulation, and attention: norepinephrine reports that
    the world has changed, as distinct from an error that was to be expected.
    """

    def __init__(
        self,
        width: int,
        out_size: int,
        *,
        memory: int,
        familiar: int,
        threshold: float | None,
        device: torch.device,
    ) -> None:
        self.memory, self.familiar, self.threshold = memory, familiar, threshold
        # All sums in float64: they go on for life, and a mean of a million moves by less than
        # float32 can tell.
        self.expectation = torch.zeros(out_size, width, dtype=torch.float64, device=device)
        self.count = torch.zeros(out_size, dtype=torch.int64, device=device)
        self.drift = torch.zeros(width, dtype=torch.float64, device=device)
        self.spread = torch.zeros((), dtype=torch.float64, device=device)
        self.last = torch.zeros(
            width, dtype=torch.float64, device=device
        )  # the latest calm residual
        # Calm residuals: how many, sum of |r|^2, sum of (r_i . r_{i+1})^2.
        self.texture = torch.zeros(3, dtype=torch.float64, device=device)

    def is_familiar(self, y: Int[Tensor, " batch"]) -> Tensor:
        """Return for every label, bool ``[batch]``, whether anything is expected of it."""
        return self.count[y] >= self.familiar

    @property
    def ratio(self) -> float:
        """The T of the class: about 1 in calm, 1 too before anything was felt."""
        spread = float(self.spread)
        return float(self.drift.square().sum()) / spread if spread > 0 else 1.0

    @property
    def dimension(self) -> float:
        """Effective dimension of the calm residuals, at least 1."""
        count, square, cross = self.texture.tolist()
        # tr(S)^2 over tr(S^2), the latter from pairs of neighbours, which are independent.
        return max(1.0, square**2 / (count * cross)) if count > 1 and cross > 0 else 1.0

    @property
    def score(self) -> float:
        """Standard deviations by which the recent familiar inputs have shifted."""
        return (self.ratio - 1.0) * math.sqrt(self.dimension / 2.0)

    @property
    def is_calm(self) -> bool:
        """Whether nothing speaks for a drift: the score is within one standard deviation."""
        return self.score <= 1.0

    def sense(self, x: Float[Tensor, "batch width"], y: Int[Tensor, " batch"]) -> bool:
        """Take the batch into the sums, and return whether a storm is on."""
        known = self.is_familiar(y)
        residual = x[known] - self.expectation[y[known]]
        if len(residual):
            # Leaked before the batch is added: within a batch no example is older than another.
            keep = math.exp(-len(residual) / self.memory)
            self.drift = keep * self.drift + residual.sum(0)
            self.spread = keep**2 * self.spread + residual.square().sum()
        storm = self.threshold is not None and self.score > self.threshold
        if len(residual) and not storm:
            self._feel_texture(residual)
        return storm

    def _feel_texture(self, residual: Float[Tensor, "familiar width"]) -> None:
        before = torch.cat([self.last[None], residual[:-1]])
        square = residual.square().sum()
        cross = (residual * before).sum(dim=1).square().sum()
        self.texture = self.texture + torch.stack([square.new_tensor(len(residual)), square, cross])
        self.last = residual[-1].clone()

    def learn(self, x: Float[Tensor, "batch width"], y: Int[Tensor, " batch"]) -> None:
        """Move the expectations to the running means of everything learned."""
        count = torch.bincount(y, minlength=len(self.count))
        total = torch.zeros_like(self.expectation).index_add_(0, y, x.double())
        self.count += count
        step = total - count[:, None] * self.expectation
        self.expectation += step / self.count.clamp(min=1)[:, None]

    def reset(self) -> None:
        """Forget the recent drift, keep the expectations."""
        self.drift.zero_()
        self.spread.zero_()

    def export_state(self) -> State:
        """Return the sums."""
        return State(tensors={name: getattr(self, name).clone() for name in ARRAYS})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        for name in ARRAYS:
            getattr(self, name).copy_(state.tensors[name])
