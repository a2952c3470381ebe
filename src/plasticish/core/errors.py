"""The tree of errors: every one says what was wrong, what came, what was expected and the cure.

Each error is also the builtin that a caller would reach for, so ``except ValueError`` keeps
working for people who have never heard of plasticish.
"""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DTypeError",
    "DataError",
    "DownloadError",
    "LabelError",
    "MissingExtraError",
    "NotReadyError",
    "PlasticishError",
    "ShapeError",
]


class PlasticishError(Exception):
    """Root of every error that plasticish raises on purpose.

    Parameters
    ----------
    what : str
        What was wrong, in one clause.
    got, expected, cure : str, optional
        What came in, what would have been right, and what to do about it.

    Examples
    --------
    >>> raise ShapeError("features have the wrong width", got="(4, 3)", expected="(batch, 8)",
    ...                  cure="check the eyes")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ShapeError: features have the wrong width: got (4, 3), expected \
(batch, 8). Check the eyes.
    """

    def __init__(self, what: str, *, got: str = "", expected: str = "", cure: str = "") -> None:
        self.what, self.got, self.expected, self.cure = what, got, expected, cure
        details = ", ".join(
            f"{label} {value}" for label, value in (("got", got), ("expected", expected)) if value
        )
        text = f"{what}: {details}" if details else what
        if cure:
            text = f"{text.rstrip('.')}. {cure[0].upper()}{cure[1:].rstrip('.')}."
        super().__init__(text)


class ShapeError(PlasticishError, ValueError):
    """An array has the wrong number of axes, or an axis the wrong length."""


class DTypeError(PlasticishError, TypeError):
    """An array or argument has the wrong type."""


class DataError(PlasticishError, ValueError):
    """Values that no learner may see: NaN, infinity, an empty batch, an unreadable file."""


class LabelError(PlasticishError, ValueError):
    """A label is not an integer, is out of range, or is unknown to a fixed-class learner."""


class ConfigError(PlasticishError, ValueError):
    """An argument or setting is outside the range in which it has a meaning."""


class NotReadyError(PlasticishError, RuntimeError):
    """The learner has not seen anything yet that would let it answer."""


class CheckpointError(PlasticishError, OSError):
    """A checkpoint is missing, foreign, truncated, from a newer version, or cannot be written."""


class DownloadError(PlasticishError, OSError):
    """A file could not be fetched, or its checksum is wrong."""


class MissingExtraError(PlasticishError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""
