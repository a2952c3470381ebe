"""Knowing a storm from a lesson: familiar labels whose inputs have all shifted the same way."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from plasticish.core import State

__all__ = ["StormSense"]


class StormSense:
    """Unexpected uncertainty: does what carries a familiar label look as it always did?

    For each label the mean input ``m_y`` is kept (its expectation). The residuals
    ``r = x - m_y`` of familiar labels are summed with a leak of ``memory`` examples, and so are
    their squared lengths with twice the leak. While nothing has changed residuals point
    everywhere and

    ``score = |sum of f_i r_i|^2 / sum of f_i^2 |r_i|^2``

    has mean 1 (the square of a sum of independent terms with mean zero); a common shift ``d``
    adds about ``memory * |d|^2 / |r|^2`` to it. A new label raises no alarm (nothing is expected
    of it), nor do hard examples (they differ in every direction); an inverted or resized stream
    does. Labels that merely change places among themselves do not: their shifts cancel out.

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
    device : torch.device
        Where the sums live.

    Notes
    -----
    Yu & Dayan (2005), Uncertainty, neuromodulation, and attention: norepinephrine reports that
    the world has changed, as distinct from an error that was to be expected.
    """

    def __init__(
        self, width: int, out_size: int, memory: int, familiar: int, device: torch.device
    ) -> None:
        self.memory, self.familiar = memory, familiar
        self.expectation = torch.zeros(out_size, width, device=device)
        self.count = torch.zeros(out_size, dtype=torch.int64, device=device)
        self.drift = torch.zeros(width, device=device)
        self.spread = torch.zeros((), device=device)

    def is_familiar(self, y: Int[Tensor, " batch"]) -> Tensor:
        """Return for every label, bool ``[batch]``, whether anything is expected of it."""
        return self.count[y] >= self.familiar

    @property
    def score(self) -> float:
        """Common shift of the recent familiar inputs; about 1 in calm, 0 before anything."""
        spread = float(self.spread)
        return float(self.drift.square().sum()) / spread if spread > 0 else 0.0

    def sense(self, x: Float[Tensor, "batch width"], y: Int[Tensor, " batch"]) -> float:
        """Take the batch into the sums, and return the score that stands then."""
        known = self.is_familiar(y)
        if bool(known.any()):
            residual = x[known] - self.expectation[y[known]]
            # Leaked before the batch is added: within a batch no example is older than another.
            keep = math.exp(-len(residual) / self.memory)
            self.drift = keep * self.drift + residual.sum(0)
            self.spread = keep**2 * self.spread + residual.square().sum()
        return self.score

    def learn(self, x: Float[Tensor, "batch width"], y: Int[Tensor, " batch"]) -> None:
        """Move the expectations to the running means of everything learned."""
        count = torch.bincount(y, minlength=len(self.count))
        total = torch.zeros_like(self.expectation).index_add_(0, y, x)
        self.count += count
        step = total - count[:, None] * self.expectation
        self.expectation += step / self.count.clamp(min=1)[:, None]

    def reset(self) -> None:
        """Forget the recent drift, keep the expectations."""
        self.drift.zero_()
        self.spread.zero_()

    def export_state(self) -> State:
        """Return the sums."""
        names = ("expectation", "count", "drift", "spread")
        return State(tensors={name: getattr(self, name).clone() for name in names})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        for name in ("expectation", "count", "drift", "spread"):
            getattr(self, name).copy_(state.tensors[name])
