"""One look at the evaluation loaders."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Evaluation"]

NAN = math.nan


@dataclass(frozen=True)
class Evaluation:
    """One look at the evaluation loaders.

    Attributes
    ----------
    step : int
        Training steps taken before it.
    phase : int
        Index of the phase it was taken in.
    phase_end : bool
        Whether it closes the phase.
    accuracy : mapping of str to float
        Share correct in [0, 1], by loader.
    per_class : mapping of str to mapping of int to float
        The same for each label, by loader.
    """

    step: int
    phase: int
    phase_end: bool
    accuracy: Mapping[str, float]
    per_class: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; NaN becomes None."""
        return {
            "step": self.step,
            "phase": self.phase,
            "phase_end": self.phase_end,
            "accuracy": {name: to_json(v) for name, v in self.accuracy.items()},
            "per_class": {
                loader: {str(label): to_json(v) for label, v in scores.items()}
                for loader, scores in self.per_class.items()
            },
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Evaluation:
        """Read what :meth:`to_dict` returned."""
        return cls(
            step=int(values["step"]),
            phase=int(values["phase"]),
            phase_end=bool(values["phase_end"]),
            accuracy={k: from_json(v) for k, v in values["accuracy"].items()},
            per_class={
                loader: {int(label): from_json(v) for label, v in scores.items()}
                for loader, scores in values["per_class"].items()
            },
        )


def to_json(value: float) -> float | None:
    """JSON has no NaN: not measured is null."""
    return value if math.isfinite(value) else None


def from_json(value: float | None) -> float:
    """Read what :func:`to_json` returned."""
    return NAN if value is None else float(value)
