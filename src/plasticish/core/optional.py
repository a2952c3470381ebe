"""Extras are imported when first needed, and name themselves when they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from .errors import MissingExtraError

__all__ = ["import_extra"]


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Import ``module``, or say which extra brings it.

    Raises
    ------
    MissingExtraError
        If the module cannot be imported.

    Examples
    --------
    >>> import_extra("no_such_module", "eyes", "another backbone")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.MissingExtraError: another backbone needs the package 'no_such_module'. \
Install it with: pip install "plasticish[eyes]".
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{purpose} needs the package {module!r}",
            cure=f'install it with: pip install "plasticish[{extra}]"',
        ) from error
