"""One learner over one stream of tasks, and what there is to say about it afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float64
from torch import Tensor

from plasticish.core import ConfigError, Report, check_positive, forward, track
from plasticish.data import LabelledSet, Task, batches
from plasticish.metrics import (
    average_accuracy,
    average_incremental_accuracy,
    backward_transfer,
    forgetting,
)

__all__ = ["StreamLearner", "StreamReport", "accuracy_on", "run_stream"]

_PREDICT_ROWS = 1024


@runtime_checkable
class StreamLearner(Protocol):
    """The part of the learner protocol that a stream needs."""

    def learn(self, batch: tuple[Any, Any]) -> Report:
        """Learn one batch."""
        ...

    def predict(self, x: Any) -> Tensor:
        """Return a label for each row."""
        ...

    def sleep(self) -> Report:
        """Consolidate."""
        ...


@dataclass(frozen=True)
class StreamReport:
    """What a learner did on a stream. All accuracies are shares in [0, 1].

    Attributes
    ----------
    tasks : tuple of str
        Names, in the order they came.
    accuracy_matrix : tuple of tuple of float or None
        ``R[i][j]``: accuracy on the test set of task j after learning task i, None where it was
        not measured (above the diagonal, unless ``ahead`` was asked for). The learner is never
        told which task a test row is from: it answers over every class it knows.
    average_accuracy, average_incremental_accuracy, backward_transfer, forgetting : float
        ACC, AIA, BWT and forgetting of that matrix; the last two are 0 for a single task.
    final_accuracy : float
        Share of all test rows answered rightly at the end (tasks weigh by their size).
    seconds_learn, seconds_sleep, seconds_predict : float
        Time spent in each; loading data is not in it.
    examples : int
        Examples learned, each epoch counted.
    batch_size, epochs : int
        As given.
    sleep : str or None
        When the learner slept.
    """

    tasks: tuple[str, ...]
    accuracy_matrix: tuple[tuple[float | None, ...], ...]
    average_accuracy: float
    average_incremental_accuracy: float
    backward_transfer: float
    forgetting: float
    final_accuracy: float
    seconds_learn: float
    seconds_sleep: float
    seconds_predict: float
    examples: int
    batch_size: int
    epochs: int
    sleep: str | None

    def matrix(self) -> Float64[Tensor, "tasks tasks"]:
        """Return R as a tensor, NaN where it was not measured."""
        return _tensor(self.accuracy_matrix)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return asdict(self)


class _Stopwatch:
    """Adds up the seconds of the calls that pass through it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock, self.spent = forward(clock), 0.0

    def __call__(self, call: Callable[..., Any], *args: Any) -> Any:
        start = self.clock()
        answer = call(*args)
        self.spent += self.clock() - start
        return answer


def accuracy_on(learner: StreamLearner, test: LabelledSet) -> float:
    """Return the share of ``test`` that the learner answers rightly."""
    return _hits(learner, test, _Stopwatch(time.perf_counter)) / len(test)


def _hits(learner: StreamLearner, test: LabelledSet, watch: _Stopwatch) -> int:
    hits = 0
    for x, y in batches(test, _PREDICT_ROWS):
        hits += int((watch(learner.predict, x).cpu() == y).sum())
    return hits


def run_stream(
    learner: StreamLearner,
    tasks: Sequence[Task],
    *,
    batch_size: int = 64,
    sleep: str | None = "task",
    generator: torch.Generator | None = None,
    epochs: int = 1,
    ahead: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> StreamReport:
    """Teach ``learner`` the tasks one after another, and test it on them after each.

    Parameters
    ----------
    learner : StreamLearner
        Anything with ``learn``, ``predict`` and ``sleep``; it is changed.
    tasks : sequence of Task
        In the order in which they come.
    batch_size : int
        Rows a batch; the last batch of a task may be smaller.
    sleep : {"task", "end", None}
        Sleep after every task, once after the last one, or never.
    generator : torch.Generator, optional
        Shuffles the rows within each task; without one they come as they are stored.
    epochs : int
        Passes over each task before the next one comes; 1 is a stream.
    ahead : bool
        Test tasks before they were learned as well: wanted where tasks share classes (a storm),
        idle where each brings its own.
    clock : callable
        Gives seconds; an argument so that a test can hold it.

    Raises
    ------
    ConfigError
        If there are no tasks, or a setting is out of range.

    Examples
    --------
    >>> from plasticish.data import class_splits, load_digits
    >>> from plasticish.evaluation import NCM
    >>> report = run_stream(NCM(), class_splits(load_digits()))
    >>> len(report.accuracy_matrix), report.examples
    (5, 1347)
    """
    if not tasks or sleep not in ("task", "end", None):
        raise ConfigError(
            "this is not a stream",
            got=f"{len(tasks)} tasks, sleep={sleep!r}",
            expected="at least one task, and sleep 'task', 'end' or None",
        )
    check_positive(batch_size=batch_size, epochs=epochs)
    learning, sleeping, predicting = (_Stopwatch(clock) for _ in range(3))
    matrix: list[tuple[float | None, ...]] = []
    hits: list[int] = []
    for number, task in enumerate(track(tasks, f"teaching {type(learner).__name__}")):
        for _ in range(epochs):
            for batch in batches(task.train, batch_size, generator):
                learning(learner.learn, batch)
        if sleep == "task" or (sleep == "end" and number == len(tasks) - 1):
            sleeping(learner.sleep)
        asked = tasks if ahead else tasks[: number + 1]
        hits = [_hits(learner, other.test, predicting) for other in asked]
        shares = [hit / len(other.test) for hit, other in zip(hits, asked, strict=True)]
        matrix.append((*shares, *[None] * (len(tasks) - len(asked))))
    sizes = sum(len(task.test) for task in tasks)
    return StreamReport(
        **_summary(matrix),
        tasks=tuple(task.name for task in tasks),
        accuracy_matrix=tuple(matrix),
        final_accuracy=sum(hits) / sizes,
        seconds_learn=learning.spent,
        seconds_sleep=sleeping.spent,
        seconds_predict=predicting.spent,
        examples=epochs * sum(len(task.train) for task in tasks),
        batch_size=batch_size,
        epochs=epochs,
        sleep=sleep,
    )


def _tensor(matrix: Sequence[Sequence[float | None]]) -> Float64[Tensor, "tasks tasks"]:
    rows = [[float("nan") if value is None else value for value in row] for row in matrix]
    return torch.tensor(rows, dtype=torch.float64)


def _summary(matrix: Sequence[Sequence[float | None]]) -> dict[str, float]:
    R = _tensor(matrix)
    return {
        "average_accuracy": average_accuracy(R),
        "average_incremental_accuracy": average_incremental_accuracy(R),
        "backward_transfer": backward_transfer(R),
        "forgetting": forgetting(R),
    }
