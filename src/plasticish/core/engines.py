"""Where independent pieces of work are done: here one after another, or on many workers at once.

An engine applies a function to items and changes nothing about the results: each item is worked
on alone, on one thread, whichever engine does it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from .errors import ConfigError, PlasticishError
from .progress import track
from .registry import Registry
from .threads import one_thread

__all__ = ["ENGINES", "Engine", "Failure", "SequentialEngine", "WorkerError", "make_engine"]

T = TypeVar("T")
R = TypeVar("R")
E = TypeVar("E", bound="Engine")
Stop = Callable[[], bool]

RETRIES = 2


class WorkerError(PlasticishError, RuntimeError):
    """A worker died more often than is put up with, or raised what cannot be handed over."""


@dataclass(frozen=True)
class Failure:
    """What an item raised on a worker, on its way to whoever asked for it.

    Attributes
    ----------
    error : Exception
        What was raised.
    traceback : str
        Where, as the worker saw it.
    """

    error: Exception
    traceback: str

    def reraise(self) -> None:
        """Raise the error here, with the traceback of the worker as its cause."""
        raise self.error from WorkerError("on the worker:\n" + self.traceback)


def attempt(function: Callable[[T], R], item: T) -> R | Failure:
    """Work on one item as every engine does: on one thread, with the error as a value."""
    from traceback import format_exc

    with one_thread():
        try:
            return function(item)
        except Exception as error:
            return Failure(error, format_exc())


class Engine(ABC):
    """Applies a function to items, on some number of workers.

    Use it as a context manager: workers start when the first item comes and stay until the end
    of the block.

    Parameters
    ----------
    workers : int, optional
        How many items are worked on at once; by default one a core that this process may use (or,
        of a cluster, one a core it has).
    retries : int
        How often an item whose worker died (killed, out of memory, a lost machine) is given to
        another. An item that raises is not tried again: it would raise again.

    Examples
    --------
    >>> with make_engine("sequential") as engine:
    ...     list(engine.map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    name: ClassVar[str]

    def __init__(self, workers: int | None = None, *, retries: int = RETRIES) -> None:
        for name, value, least in (("workers", workers, 1), ("retries", retries, 0)):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < least
            ):
                raise ConfigError(
                    f"{name} is out of range", got=repr(value), expected=f"an integer >= {least}"
                )
        self.workers = workers if workers is not None else len(os.sched_getaffinity(0))
        self.retries = retries

    @abstractmethod
    def unordered(
        self, function: Callable[[T], R], items: Sequence[T], *, stop: Stop | None = None
    ) -> Iterator[tuple[int, R]]:
        """Yield position and result of each item as soon as it is done.

        Parameters
        ----------
        function : callable
            A function of a module, so that a worker can import it.
        items : sequence
            What it is applied to; items and results have to be picklable.
        stop : callable, optional
            Asked several times a second; once it says yes, what is in hand is given up and
            nothing more is yielded.

        Raises
        ------
        WorkerError
            If the workers of one item died once more than ``retries``.
        Exception
            What the function raised, with the worker's traceback as its cause.
        """

    def map(
        self, function: Callable[[T], R], items: Sequence[T], *, description: str = "working"
    ) -> Iterator[R]:
        """Yield ``function(item)`` in the order of the items, with a bar of what is done.

        Parameters and errors are those of :meth:`unordered`.
        """
        waiting: dict[int, R] = {}
        due = 0
        done = self.unordered(function, items)
        for position, result in track(done, description, total=len(items)):
            waiting[position] = result
            while due in waiting:
                yield waiting.pop(due)
                due += 1

    def close(self) -> None:  # noqa: B027 - an engine without workers has none to let go
        """Let the workers go; the engine can be used again and starts new ones then."""

    def __enter__(self: E) -> E:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


ENGINES: Registry[type[Engine]] = Registry("engine", "plasticish.engines")
"""Every engine by its permanent name."""


@ENGINES.register("sequential")
class SequentialEngine(Engine):
    """Does one item after another in this process; the others give what it gives."""

    name = "sequential"

    def unordered(
        self, function: Callable[[T], R], items: Sequence[T], *, stop: Stop | None = None
    ) -> Iterator[tuple[int, R]]:
        """Yield position and result of each item; see :meth:`Engine.unordered`."""
        for position, item in enumerate(items):
            if stop is not None and stop():
                return
            yield position, unpacked(attempt(function, item))


def unpacked(result: R | Failure) -> R:
    """Return a result, or raise what it failed with."""
    if isinstance(result, Failure):
        result.reraise()
    return result  # type: ignore[return-value]


def make_engine(name: str = "sequential", workers: int | None = None, **options: Any) -> Engine:
    """Return the engine of that name.

    Parameters
    ----------
    name : {"sequential", "processes", "ray"}
        Or what a package announces in the group ``plasticish.engines``.
    workers : int, optional
        How many items are worked on at once.
    **options
        Further arguments of the engine, such as ``retries``.

    Raises
    ------
    ConfigError
        If there is no such engine, or an option is out of range.
    MissingExtraError
        If the engine needs a package that is not installed.

    Examples
    --------
    >>> make_engine("processes", 2).workers
    2
    """
    return ENGINES[name](workers, **options)
