"""Checks of numbers that only the memories make."""

from __future__ import annotations

from jaxtyping import Int64
from torch import Tensor

from plasticish.core import ConfigError, LabelError, check_positive

__all__ = ["MOST_CLASSES", "check_whole", "refuse_absurd"]

MOST_CLASSES = 100_000  # a vote is a row of that many numbers; a label beyond is a slip


def check_whole(**values: int) -> None:
    """Raise :class:`ConfigError` for the first value that is not an integer > 0."""
    check_positive(**values)
    for name, value in values.items():
        if not isinstance(value, int):
            raise ConfigError(
                f"{name} is not whole",
                got=repr(value),
                expected="an integer > 0",
                cure="wrap it in int(...)",
            )


def refuse_absurd(labels: Int64[Tensor, " batch"]) -> None:
    """Raise :class:`LabelError` for a label that no numbering of classes would reach."""
    if int(labels.max()) >= MOST_CLASSES:
        raise LabelError(
            "a label is absurdly large",
            got=str(int(labels.max())),
            expected=f"labels < {MOST_CLASSES}",
            cure="number the classes from 0",
        )
