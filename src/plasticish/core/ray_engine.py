"""The engine of a cluster: Ray's tasks. It needs the extra ``ray``, and nothing else does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from .engines import ENGINES, Engine, Stop, WorkerError, attempt, unpacked
from .optional import import_extra

__all__ = ["RayEngine"]

T = TypeVar("T")
R = TypeVar("R")

POLL_S = 0.2


@ENGINES.register("ray")
class RayEngine(Engine):
    """Spreads items over a Ray cluster, one core each.

    It joins the cluster that ``ray.init`` was called for, or that the variable ``RAY_ADDRESS``
    names; without either it starts one on this machine and ends it with :meth:`close`. The
    machines of a cluster need the same version of plasticish.

    Parameters
    ----------
    workers : int, optional
        The most items at work at once; by default as many as the cluster has cores.
    retries : int
        As of :class:`Engine`.

    Raises
    ------
    MissingExtraError
        Without the extra ``ray``.
    """

    name = "ray"

    def __init__(self, workers: int | None = None, **options: Any) -> None:
        super().__init__(workers, **options)
        if "ray" not in sys.modules and "RAY_ADDRESS" not in os.environ:
            # A cluster that is started here listens to this machine alone; read on import.
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        self._ray: Any = import_extra("ray", "ray", "the engine 'ray'")
        self._asked, self._ours = workers, False

    def unordered(
        self, function: Callable[[T], R], items: Sequence[T], *, stop: Stop | None = None
    ) -> Iterator[tuple[int, R]]:
        """Yield position and result of each item as it is done; see :meth:`Engine.unordered`."""
        ray = self._ray
        self._join()
        task = ray.remote(num_cpus=1, max_retries=self.retries)(attempt)
        positions = iter(range(len(items)))
        pending: dict[Any, int] = {}
        try:
            while True:
                # No more than can be at work: each waits with its data in the cluster's memory.
                while len(pending) < self.workers and (at := next(positions, None)) is not None:
                    pending[task.remote(function, items[at])] = at
                if not pending or (stop is not None and stop()):
                    return
                for reference in ray.wait(list(pending), timeout=POLL_S)[0]:
                    position = pending.pop(reference)
                    yield position, unpacked(self._fetched(reference, position))
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)

    def _fetched(self, reference: Any, position: int) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            raise WorkerError(
                "workers die of one piece of work, or cannot read it",
                got=f"item {position}: {type(error).__name__}: {error}",
                expected=f"at most {self.retries} deaths",
                cure="give it fewer workers, or the cluster the same version of plasticish",
            ) from error

    def _join(self) -> None:
        ray = self._ray
        if not ray.is_initialized():
            local = "RAY_ADDRESS" not in os.environ
            ray.init(
                num_cpus=self.workers if local else None,
                include_dashboard=False if local else None,
                log_to_driver=False,
                logging_level="ERROR",
                configure_logging=False,
            )
            self._ours = True
        if self._asked is None:
            self.workers = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def close(self) -> None:
        """Leave the cluster, if this engine joined it, and end it, if it was started here."""
        if self._ours:
            self._ray.shutdown()
            self._ours = False
