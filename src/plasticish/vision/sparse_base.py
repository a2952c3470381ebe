"""The base of a triarchic brain: a wide sparse code whose units can be born from an input."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from plasticish.core import State, make_generator

__all__ = ["SparseBase"]

SAME = 0.9995  # cosine from which an input counts as the one that a unit was born from
ARRAYS = ("projection", "birth", "usage", "usual")


class SparseBase:
    """Projection, k winners, unit length; new units without a rebuild.

    Parameters
    ----------
    in_size, hidden_size, sparsity_k : int
        Inputs, units, winners.
    empty : bool
        Start with no unit at all, instead of random unit rows. A unit that is not born is silent.
    contrast : bool
        A winner answers with its lead over the strongest loser.
    seed : int
        Of the random rows.
    device : torch.device
        Where the rows live.

    Notes
    -----
    ``projection`` float32 ``[hidden_size, in_size]``; ``birth`` int64, when a unit was made from
    an input, on the caller's clock, -1 for the others; ``usage`` int64, how often a unit answered
    while learning; ``usual`` the running mean of the best response, by which an input is called
    unfamiliar.
    """

    def __init__(
        self,
        in_size: int,
        hidden_size: int,
        sparsity_k: int,
        *,
        empty: bool,
        contrast: bool,
        seed: int,
        device: torch.device,
    ) -> None:
        self.sparsity_k, self.empty, self.contrast = sparsity_k, empty, contrast
        self.size = 0  # rows in use when the base starts empty: they fill in order
        self.projection = torch.zeros(hidden_size, in_size, device=device)
        if not empty:
            # Unit rows, so that no unit wins by its length. Drawn on the CPU on purpose: the same
            # seed is the same brain on every device.
            rows = torch.randn(hidden_size, in_size, generator=make_generator(seed))
            self.projection.copy_(normalize(rows, dim=1))
        self.usage = torch.zeros(hidden_size, dtype=torch.int64, device=device)
        self.birth = torch.full((hidden_size,), -1, dtype=torch.int64, device=device)
        # In float64: a step of 1 % would round away before float32 has arrived.
        self.usual = torch.zeros((), dtype=torch.float64, device=device)

    @property
    def born(self) -> Bool[Tensor, " hidden"]:
        """Which units were made from an input."""
        return self.birth >= 0

    def responses(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch rows"]:
        """Return how each row answers; rows that cannot answer yet are left out at the end."""
        rows = max(self.size, self.sparsity_k + 1) if self.empty else len(self.projection)
        return x @ self.projection[:rows].T

    def twins(self, responses: Float[Tensor, "batch rows"]) -> Bool[Tensor, "batch rows"]:
        """Return which units were born from these very inputs."""
        return (responses > SAME) & self.born[: responses.shape[1]]

    def code(self, responses: Float[Tensor, "batch rows"]) -> Float[Tensor, "batch hidden"]:
        """Return the code: the k strongest responses at their places, at unit length."""
        best, places = responses.topk(self.sparsity_k + 1, dim=1)
        winners = places[:, :-1]
        activity = best[:, :-1] - best[:, -1:] if self.contrast else best[:, :-1]
        if self.empty:
            activity = activity * self.born[winners]
        code = responses.new_zeros(len(responses), len(self.projection))
        return code.scatter_(1, winners, normalize(activity, dim=1))

    def grow_if_unfamiliar(
        self, x: Float[Tensor, "batch width"], novelty: float, clock: int
    ) -> int:
        """Give the least familiar input a unit if it is completely unfamiliar; return how many.

        Unfamiliar means that the best response is below ``novelty`` times the usual one. The new
        row points at the input with the usual length: a unit of length one would answer an input
        of its own with ten times the response that any random row gives, and win everywhere.
        """
        best = self.responses(x).amax(dim=1)
        strangest = int(best.argmin())
        usual = float(self.usual)
        grown = 0
        if float(best[strangest]) < novelty * usual:
            grown = len(self.imprint(x[strangest : strangest + 1], clock, length=usual))
        mean = best.mean(dtype=torch.float64)
        self.usual = mean if usual == 0 else self.usual + 0.01 * (mean - self.usual)
        return grown

    def imprint(
        self, x: Float[Tensor, "batch width"], clock: int, length: float = 1.0
    ) -> Int[Tensor, " new"]:
        """Make units of these inputs out of those never used, and return their places.

        When none is left, nothing grows: a unit once used is never taken over.
        """
        free = (~self.born & (self.usage == 0)).nonzero().flatten()[: len(x)]
        self.projection[free] = length * x[: len(free)]
        self.birth[free] = clock
        self._measure()
        return free

    def prune(self, units: Bool[Tensor, " hidden"]) -> None:
        """Take units back, as if they had never been."""
        self.projection[units] = 0.0
        self.usage[units] = 0
        self.birth[units] = -1
        self._measure()

    def _measure(self) -> None:
        rows = self.born.nonzero()
        self.size = int(rows.max()) + 1 if len(rows) else 0

    def count(self, code: Float[Tensor, "batch hidden"]) -> None:
        """Count which units answered."""
        self.usage += (code != 0).sum(dim=0)

    def export_state(self) -> State:
        """Return the rows and counts."""
        return State(tensors={name: getattr(self, name).clone() for name in ARRAYS})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        for name in ARRAYS:
            setattr(self, name, getattr(self, name).copy_(state.tensors[name]))
        self._measure()
