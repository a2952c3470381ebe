"""What figures ask of what they draw: a few attributes, no class from the floors above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

__all__ = ["EvaluationLike", "HistoryLike"]


@runtime_checkable
class EvaluationLike(Protocol):
    """One look at the evaluation loaders."""

    @property
    def step(self) -> int:
        """Training steps taken before it."""
        ...

    @property
    def phase_end(self) -> bool:
        """Whether it closes a phase."""
        ...

    @property
    def accuracy(self) -> Mapping[str, float]:
        """Share correct in [0, 1], by loader."""
        ...


@runtime_checkable
class HistoryLike(Protocol):
    """A training history, such as :class:`plasticish.training.TrainingHistory`.

    It may also have ``accuracy_matrix``, R ``[phases, phases]``, which raises ``NotReadyError``
    where nothing was measured.
    """

    @property
    def phase_names(self) -> Sequence[str]:
        """The curriculum."""
        ...

    @property
    def series(self) -> Mapping[str, Sequence[float]]:
        """One value a step, by name; NaN where nothing was reported."""
        ...

    @property
    def boundaries(self) -> Sequence[int]:
        """Steps taken when each finished phase ended."""
        ...

    @property
    def evaluations(self) -> Sequence[EvaluationLike]:
        """Looks at the evaluation loaders, in order."""
        ...
