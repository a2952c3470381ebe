"""A reader: what it does with bytes from outside, sound ones to begin with, and what it may raise.

The readers themselves stand in the modules whose names begin with ``of_``; each is registered by
:func:`reader`, so that one list serves tests, runs and engines.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from plasticish.core import PlasticishError, Registry

__all__ = ["READERS", "Reader", "load_readers", "reader"]

Read = Callable[[bytes, Path], object]
Corpus = Callable[[Path], Iterable[bytes]]


@dataclass(frozen=True)
class Reader:
    """One way into the product.

    Attributes
    ----------
    name : str
        Permanent.
    corpus : callable
        From an empty folder to sound inputs, made by the product itself.
    read : callable
        Takes an input and an empty folder, the only one it may write to.
    parts : int
        How many parts an input has; see :func:`plasticish.bench.fuzzing.split`.
    errors : tuple of exception classes
        What it may raise.
    patience_s : float
        CPU time that one input may take, in s.
    works : bool
        Whether what it starts may go on for as long as it likes; it is then interrupted as by
        Ctrl-C, and has to end.
    needs : str, optional
        A package that it stands on and that is an extra.
    modules : tuple of str
        What it imports when first needed: loaded before anything is watched, for an import that is
        interrupted stays half done for all later inputs.
    """

    name: str
    corpus: Corpus
    read: Read
    parts: int = 1
    errors: tuple[type[BaseException], ...] = (PlasticishError,)
    patience_s: float = 10.0
    works: bool = False
    needs: str | None = None
    modules: tuple[str, ...] = ()

    def available(self) -> bool:
        """Whether the package of an extra that it stands on is installed."""
        return self.needs is None or find_spec(self.needs) is not None

    def load(self) -> None:
        """Import what it needs."""
        for module in self.modules:
            importlib.import_module(module)


READERS: Registry[Reader] = Registry("reader")
"""Every reader by name."""


def reader(name: str, corpus: Corpus, **fields: Any) -> Callable[[Read], Read]:
    """Register the decorated function; ``fields`` are those of :class:`Reader` with a default."""

    def register(read: Read) -> Read:
        READERS.add(name, Reader(name, corpus, read, **fields))
        return read

    return register


def load_readers() -> None:
    """Import every module of readers, so that they are registered."""
    for module in ("data", "learners", "files", "talk", "commands"):
        importlib.import_module(f"{__package__}.of_{module}")
