"""Several learners, several class orders, one table of means and deviations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

import torch

from plasticish.core import ConfigError, make_generator, spawn_seed, track
from plasticish.data import Source, class_splits

from .stream import StreamLearner, StreamReport, run_stream

__all__ = ["Comparison", "Spread", "class_orders", "compare"]

METRICS = (
    "average_accuracy",
    "average_incremental_accuracy",
    "backward_transfer",
    "forgetting",
    "final_accuracy",
    "seconds_learn",
    "seconds_sleep",
    "seconds_predict",
)


@dataclass(frozen=True)
class Spread:
    """One figure over several seeds.

    Attributes
    ----------
    values : tuple of float
        One a seed or class order.

    Examples
    --------
    >>> Spread((1.0, 3.0)).mean, round(Spread((1.0, 3.0)).sd, 3)
    (2.0, 1.414)
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean."""
        return fmean(self.values)

    @property
    def sd(self) -> float:
        """The sample standard deviation; 0 for a single value."""
        return stdev(self.values) if len(self.values) > 1 else 0.0

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.sd:.4f}"


@dataclass(frozen=True)
class Comparison:
    """Learners beside each other on the same streams.

    Attributes
    ----------
    orders : tuple of tuple of int
        The class orders, one a run.
    reports : mapping of str to list of StreamReport
        By learner, one report an order.
    """

    orders: tuple[tuple[int, ...], ...]
    reports: Mapping[str, Sequence[StreamReport]] = field(default_factory=dict)

    def spread(self, learner: str, metric: str) -> Spread:
        """Return one metric of one learner over the orders."""
        return Spread(tuple(float(getattr(r, metric)) for r in self.reports[learner]))

    def rows(self) -> dict[str, dict[str, Spread]]:
        """Return every metric of every learner."""
        return {name: {m: self.spread(name, m) for m in METRICS} for name in self.reports}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "orders": [list(order) for order in self.orders],
            "reports": {n: [r.to_dict() for r in rs] for n, rs in self.reports.items()},
        }


def class_orders(num_classes: int, seeds: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return one random order of the classes for each seed.

    Examples
    --------
    >>> [sorted(order) for order in class_orders(3, [0, 1])]
    [[0, 1, 2], [0, 1, 2]]
    """
    return tuple(
        tuple(torch.randperm(num_classes, generator=make_generator(seed)).tolist())
        for seed in seeds
    )


def compare(
    factories: Mapping[str, Callable[[int], StreamLearner]],
    source: Source | Callable[[int], Source],
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    classes_per_task: int = 2,
    batch_size: int = 64,
    sleep: str | None = "task",
) -> Comparison:
    """Run every learner over the same class-incremental streams, one fresh learner a seed.

    Parameters
    ----------
    factories : mapping of str to callable
        By name, what builds a fresh learner from a seed.
    source : Source or callable
        Train and test sets, or what makes them from a seed (another split each time). The seed
        also decides the class order and the order within each task.
    seeds : sequence of int
        One run each.
    classes_per_task, batch_size, sleep
        As :func:`plasticish.data.class_splits` and :func:`run_stream` take them.

    Raises
    ------
    ConfigError
        If there is nobody or no seed to compare.

    Examples
    --------
    >>> from plasticish.data import load_digits
    >>> from plasticish.evaluation import NCM
    >>> result = compare({"ncm": lambda seed: NCM()}, load_digits(), seeds=[0, 1])
    >>> 0.8 < result.spread("ncm", "average_accuracy").mean < 0.95
    True
    """
    if not factories or not seeds:
        raise ConfigError(
            "nothing to compare",
            got=f"{len(factories)} learners, {len(seeds)} seeds",
            expected="at least one of each",
        )
    sources = [source(seed) if callable(source) else source for seed in seeds]
    orders = class_orders(len(sources[0].classes), seeds)
    reports: dict[str, list[StreamReport]] = {name: [] for name in factories}
    runs = [(index, name) for index in range(len(seeds)) for name in factories]
    for index, name in track(runs, "comparing"):
        reports[name].append(
            run_stream(
                factories[name](seeds[index]),
                class_splits(sources[index], classes_per_task, order=orders[index]),
                batch_size=batch_size,
                sleep=sleep,
                # The same rows in the same order for every learner of this seed.
                generator=make_generator(spawn_seed(seeds[index], 1)),
            )
        )
    return Comparison(orders, reports)
