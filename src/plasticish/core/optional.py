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
        If the module is not there, or fails while it is imported.

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
    except Exception as error:  # such as a torchvision that was built for another torch
        raise MissingExtraError(
            f"{purpose} needs the package {module!r}, which is there and fails to load",
            got=f"{type(error).__name__}: {error}",
            cure=f"install builds of torch and of what {module} stands on that belong together",
        ) from error
