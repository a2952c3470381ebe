"""The engine of one machine: worker processes, each with a pipe of its own.

A pool of the standard library is broken as a whole when one of its workers is killed, and does
not say which item that worker had. Here each worker has one item at a time, so that exactly that
item goes to another.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from .engines import ENGINES, Engine, Failure, Stop, WorkerError, attempt, unpacked
from .messages import read_message, write_message

__all__ = ["ProcessEngine"]

T = TypeVar("T")
R = TypeVar("R")

POLL_S = 0.2
PATIENCE_S = 2.0


class _Worker:
    """One process, and what it is at work on."""

    def __init__(self) -> None:
        # Started afresh, not forked: a fork copies locks that threads of torch may hold.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        # Ctrl-C reaches every process of the terminal; workers leave it to the one that asked.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.position: int | None = None

    def give(self, position: int, message: bytes) -> None:
        self.position = position
        with suppress(OSError):  # it is dead already, which `take` will notice
            self.pipe.send_bytes(message)

    def take(self) -> Any:
        """Return what it found; raise EOFError if it died."""
        try:
            return read_message(self.pipe.recv_bytes())
        except OSError as error:
            raise EOFError from error

    def end(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(PATIENCE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()


@ENGINES.register("processes")
class ProcessEngine(Engine):
    """Spreads items over processes of this machine, one thread each.

    A script that uses it needs the usual ``if __name__ == "__main__":`` around its start, since
    each worker imports the script.

    Parameters
    ----------
    workers, retries
        As of :class:`Engine`.
    """

    name = "processes"

    def __init__(self, workers: int | None = None, **options: Any) -> None:
        super().__init__(workers, **options)
        self._workers: list[_Worker] = []

    def unordered(
        self, function: Callable[[T], R], items: Sequence[T], *, stop: Stop | None = None
    ) -> Iterator[tuple[int, R]]:
        """Yield position and result of each item as it is done; see :meth:`Engine.unordered`."""
        waiting, deaths = deque(range(len(items))), [0] * len(items)
        try:
            while waiting or any(worker.position is not None for worker in self._workers):
                if stop is not None and stop():
                    return
                self._hand_out(function, items, waiting)
                for worker in self._ready():
                    position = worker.position
                    assert position is not None
                    try:
                        result = worker.take()
                    except EOFError:
                        deaths[position] += 1
                        self._bury(worker, position, deaths[position])
                        waiting.appendleft(position)
                        continue
                    worker.position = None
                    yield position, unpacked(result)
        finally:  # whatever is in hand belongs to nobody any more
            for worker in [worker for worker in self._workers if worker.position is not None]:
                self._workers.remove(worker)
                worker.end()

    def _hand_out(
        self, function: Callable[[T], R], items: Sequence[T], waiting: deque[int]
    ) -> None:
        while waiting:
            idle = next((worker for worker in self._workers if worker.position is None), None)
            if idle is None:
                if len(self._workers) >= self.workers:
                    return
                idle = _Worker()
                self._workers.append(idle)
            position = waiting.popleft()
            idle.give(position, write_message((function, items[position])))

    def _ready(self) -> list[_Worker]:
        busy = {worker.pipe: worker for worker in self._workers if worker.position is not None}
        return [busy[pipe] for pipe in wait(list(busy), POLL_S) if isinstance(pipe, Connection)]

    def _bury(self, worker: _Worker, position: int, deaths: int) -> None:
        worker.process.join(PATIENCE_S)
        status = worker.process.exitcode
        self._workers.remove(worker)
        worker.end()
        if deaths > self.retries:
            raise WorkerError(
                "workers die of one piece of work",
                got=f"{deaths} deaths on item {position}, the last with exit status {status}",
                expected=f"at most {self.retries}",
                cure="a status of -9 is often too little memory: use fewer workers",
            )

    def close(self) -> None:
        """Let the workers go."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.end()


def _serve(pipe: Connection) -> None:
    """Work on what comes through the pipe until its other end is closed."""
    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        pipe.send_bytes(_answer(message))


def _answer(message: bytes) -> bytes:
    from .progress import quiet

    with quiet():
        try:
            function, item = read_message(message)
        except Exception as error:
            unknown = WorkerError(
                "a worker cannot read its work",
                got=f"{type(error).__name__}: {error}",
                cure="give a function of a module that every worker can import",
            )
            return write_message(Failure(unknown, ""))
        result = attempt(function, item)
    return _packed(result)


def _packed(result: Any) -> bytes:
    try:
        message = write_message(result)
        if isinstance(result, Failure):
            read_message(message)  # an error may be written and yet not be read again
    except Exception as error:
        if isinstance(result, Failure):
            told = f"{type(result.error).__name__}: {result.error}"
            return write_message(Failure(WorkerError(told), result.traceback))
        told = f"{type(error).__name__}: {error}"
        return write_message(Failure(WorkerError("a result cannot be handed over", got=told), ""))
    return message
