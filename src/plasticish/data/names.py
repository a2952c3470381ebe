"""First names and surnames of the United States census of 1990, out of the package ``names``.

The package (MIT) holds them as files, a name a line with how frequent it is, the most frequent
first; only the files are read.
"""

from __future__ import annotations

import importlib.resources

from plasticish.core import ConfigError, MissingExtraError

__all__ = ["load_first_names", "load_surnames"]


def load_first_names() -> list[str]:
    """Return the first names, each once, in lower case: women's and then men's, popular first.

    Raises
    ------
    MissingExtraError
        If the package is not installed.

    Examples
    --------
    >>> found = load_first_names()
    >>> len(found), found[:3]
    (5163, ['mary', 'patricia', 'linda'])
    """
    return list(dict.fromkeys([*_read("dist.female.first"), *_read("dist.male.first")]))


def load_surnames(count: int | None = None) -> list[str]:
    """Return surnames in lower case, popular first.

    Parameters
    ----------
    count : int, optional
        How many; all 88,799 by default.

    Raises
    ------
    ConfigError
        If there are not so many.
    MissingExtraError
        If the package is not installed.

    Examples
    --------
    >>> load_surnames(3)
    ['smith', 'johnson', 'williams']
    """
    found = _read("dist.all.last")
    if count is not None and not 0 < count <= len(found):
        raise ConfigError(
            "there are not so many surnames", got=repr(count), expected=f"1 to {len(found)}"
        )
    return found[:count]


def _read(file: str) -> list[str]:
    try:
        text = importlib.resources.files("names").joinpath(file).read_text(encoding="ascii")
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise MissingExtraError(
            "the bundled names need the package 'names'", cure="install it with: pip install names"
        ) from error
    return [line.split()[0].lower() for line in text.splitlines() if line.strip()]
