"""Sources by name, as the command line takes them: ``digits``, ``cifar10``, ``folder:PATH``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plasticish.core import ConfigError, Registry

from .cifar10 import load_cifar10
from .digits import load_digits
from .fashion import load_fashion
from .folder import load_folder
from .labelled import Source

__all__ = ["SOURCES", "LoadOptions", "load_source"]


@dataclass(frozen=True)
class LoadOptions:
    """What a loader may be asked for besides its argument; each takes what concerns it.

    Attributes
    ----------
    download : bool
        Whether files may be fetched.
    image_size : int
        Height and width to which images of many sizes are brought, in pixels.
    test_share : float
        Part to hold out where a source comes unsplit, in [0, 1).
    seed : int
        Decides what is held out.
    """

    download: bool = False
    image_size: int = 128
    test_share: float = 0.25
    seed: int = 0


SourceLoader = Callable[[str, LoadOptions], Source]
"""Takes what stood behind the colon ("" if nothing did) and the options."""

SOURCES: Registry[SourceLoader] = Registry("source", "plasticish.sources")
"""Every source by name; add your own with ``SOURCES.add(name, loader)``."""


def load_source(spec: str, options: LoadOptions | None = None) -> Source:
    """Load a source that is given as ``name`` or ``name:argument``.

    Parameters
    ----------
    spec : str
        ``digits``; ``cifar10`` or ``cifar10:ROOT``; ``fashion`` or ``fashion:ROOT``;
        ``folder:PATH``; or a name that was added to :data:`SOURCES`.
    options : LoadOptions, optional
        Downloading, image size, what is held out.

    Raises
    ------
    ConfigError
        If the name is unknown, or its argument is missing or superfluous.
    DataError, DownloadError
        If it cannot be read or fetched.

    Examples
    --------
    >>> load_source("digits").classes[:3]
    ('0', '1', '2')
    >>> load_source("digitz")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: unknown source: got 'digitz', expected one of: cifar10, \
digits, fashion, folder
    """
    name, _, argument = spec.partition(":")
    return SOURCES[name](argument, options or LoadOptions())


@SOURCES.register("digits")
def _digits(argument: str, options: LoadOptions) -> Source:
    if argument:
        raise ConfigError("digits take no argument", got=f"'digits:{argument}'", expected="digits")
    return load_digits(seed=options.seed, test_share=options.test_share)


@SOURCES.register("cifar10")
def _cifar10(argument: str, options: LoadOptions) -> Source:
    return load_cifar10(argument or None, options.download)


@SOURCES.register("fashion")
def _fashion(argument: str, options: LoadOptions) -> Source:
    return load_fashion(argument or None, options.download)


@SOURCES.register("folder")
def _folder(argument: str, options: LoadOptions) -> Source:
    if not argument:
        raise ConfigError("folder needs a path", got="'folder'", expected="folder:PATH")
    return load_folder(argument, options.image_size, options.test_share, seed=options.seed)
