"""A scenario: one question with a permanent id, a stated protocol, seeds and goals.

A scenario is a function from a :class:`Context` to :class:`Findings`; the decorator
:func:`scenario` registers it. Ids never change and are never reused, so that a result file of
today can be compared with one of next year.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plasticish.core import ConfigError, PlasticishError, Registry

__all__ = [
    "SCENARIOS",
    "Context",
    "Findings",
    "Goal",
    "Metric",
    "Scenario",
    "UnavailableError",
    "scenario",
]

_MACHINE_UNITS = frozenset({"ms", "s", "min", "/s", "MB", "GB"})
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*")


class UnavailableError(PlasticishError, RuntimeError):
    """A scenario cannot run here; the message says what it lacks."""


@dataclass(frozen=True)
class Metric:
    """One column of a scenario's table.

    Attributes
    ----------
    name : str
        Heading, such as ``"ACC"``.
    unit : str
        ``"%"`` for shares (values are percentages), ``"s"``, ``"/s"``, ``"GB"``, ``"x"``, ….
    digits : int
        Decimals shown.
    higher_is_better : bool or None
        Direction of a regression; None for a column that only describes.
    tolerance : float
        Change for the worse that :func:`plasticish.bench.compare` lets pass, in the unit, or as a
        share of the old value where ``relative``.
    relative : bool
        Whether ``tolerance`` is a share: right for speeds, which depend on the machine.

    Examples
    --------
    >>> ACC, rate = Metric("ACC", tolerance=0.5), Metric("r", "/s", tolerance=0.3, relative=True)
    >>> ACC.loss(98.0, 97.75), ACC.allowed(98.0), rate.allowed(-1000.0)
    (0.25, 0.5, 300.0)
    >>> ACC.of_machine, rate.of_machine
    (False, True)
    """

    name: str
    unit: str = "%"
    digits: int = 1
    higher_is_better: bool | None = True
    tolerance: float = 0.5
    relative: bool = False

    @property
    def of_machine(self) -> bool:
        """Whether it is a time, a speed (also one over another) or a size in memory."""
        return self.relative or self.unit in _MACHINE_UNITS

    def loss(self, before: float, after: float) -> float:
        """Return by how much ``after`` is worse; negative where it is better."""
        return before - after if self.higher_is_better else after - before

    def allowed(self, before: float) -> float:
        """Return the loss that is let pass, in the unit."""
        return self.tolerance * (abs(before) if self.relative else 1.0)


@dataclass(frozen=True)
class Goal:
    """A figure to reach.

    Attributes
    ----------
    row, metric : str
        Which figure.
    op : str
        ``">="`` or ``"<="``.
    bound : float
        What it has to reach at least.
    aim : float, optional
        What would be better still.
    statistic : {"mean", "sd", "min", "max", "range"}
        What is taken over the seeds.

    Examples
    --------
    >>> Goal("brain", "ACC", ">=", 98.8).reached(99.0)
    True
    """

    row: str
    metric: str
    op: str
    bound: float
    aim: float | None = None
    statistic: str = "mean"

    def __post_init__(self) -> None:
        if self.op not in (">=", "<=") or self.statistic not in _STATISTICS:
            raise ConfigError(
                "this goal cannot be judged",
                got=f"{self.op!r} on the {self.statistic!r}",
                expected=f"'>=' or '<=' on one of: {', '.join(_STATISTICS)}",
            )

    def measure(self, values: Sequence[float]) -> float:
        """Return the statistic that is judged."""
        return _STATISTICS[self.statistic](values)

    def reached(self, value: float, bound: float | None = None) -> bool:
        """Return whether ``value`` reaches the bound (or another one, such as the aim)."""
        bound = self.bound if bound is None else bound
        return value >= bound if self.op == ">=" else value <= bound


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    return float((sum((v - centre) ** 2 for v in values) / (len(values) - 1)) ** 0.5)


_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": mean,
    "sd": deviation,
    "min": min,
    "max": max,
    "range": lambda values: max(values) - min(values),
}


@dataclass(frozen=True)
class Context:
    """What a scenario is given.

    Attributes
    ----------
    seeds : tuple of int
        One run each; they decide class orders, splits and learners.
    quick : bool
        A short run to see that it works and to compare with earlier short runs; its figures are
        no measurement.
    data_root : Path or None
        Where data beyond the bundled lies.
    cache : Path or None
        Folder of the feature cache; None is the library's own.
    """

    seeds: tuple[int, ...]
    quick: bool = False
    data_root: Path | None = None
    cache: Path | None = None


@dataclass
class Findings:
    """What a scenario found: rows of metrics, one value a seed, and what a reader must know.

    Examples
    --------
    >>> findings = Findings()
    >>> findings.add("ncm", ACC=[90.1, 91.2])
    >>> findings.rows["ncm"]["ACC"]
    (90.1, 91.2)
    """

    rows: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: str, /, **metrics: Sequence[float] | float) -> None:
        """Add figures to a row; a single number is a figure that has no seeds.

        Names of metrics that are no Python names go in as ``add(row, **{"s / 1000": [...]})``.
        """
        for name, values in metrics.items():
            several = (values,) if isinstance(values, int | float) else tuple(values)
            self.rows.setdefault(row, {})[name] = tuple(float(value) for value in several)


@dataclass(frozen=True)
class Scenario:
    """A registered scenario; the fields are the arguments of :func:`scenario`."""

    id: str
    title: str
    question: str
    protocol: str
    data: str
    metrics: tuple[Metric, ...]
    # Not compared: a module that is loaded again registers an equal scenario, not a second one.
    run: Callable[[Context], Findings] = field(compare=False)
    goals: tuple[Goal, ...] = ()
    baselines: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    quick_seeds: tuple[int, ...] = (0,)
    requires_data: bool = False
    seeds_apart: bool = False

    @property
    def of_machine(self) -> bool:
        """Whether any of its figures is of the machine, so that nothing may run beside it."""
        return any(metric.of_machine for metric in self.metrics)

    def metric(self, name: str) -> Metric:
        """Return the metric called ``name``."""
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise ConfigError(f"{self.id} states no such metric", got=repr(name))


SCENARIOS: Registry[Scenario] = Registry("scenario", "plasticish.scenarios")
"""Every scenario by its permanent id."""


def scenario(
    id: str,
    *,
    title: str,
    question: str,
    protocol: str,
    data: str,
    metrics: Sequence[Metric],
    goals: Sequence[Goal] = (),
    baselines: Sequence[str] = (),
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    quick_seeds: Sequence[int] = (0,),
    requires_data: bool = False,
    seeds_apart: bool = False,
) -> Callable[[Callable[[Context], Findings]], Scenario]:
    """Register the decorated function as a scenario.

    Parameters
    ----------
    id : str
        ``"area/name"``, lower case with dashes; permanent.
    title, question : str
        For the heading of its table.
    protocol : str
        Everything needed to do it again: increments, passes, batch size, what is held out.
    data : str
        Name of the data.
    metrics : sequence of Metric
        Columns.
    goals : sequence of Goal
        Figures to reach.
    baselines : sequence of str
        Rows that are not ours.
    seeds, quick_seeds : sequence of int
        Of a full and of a quick run.
    requires_data : bool
        Whether it needs data that is not bundled.
    seeds_apart : bool
        Whether every figure has one value a seed that depends on no other seed, so that seeds can
        be run side by side.

    Raises
    ------
    ConfigError
        If the id is taken or malformed.
    """
    if not _ID.fullmatch(id):
        raise ConfigError("this is no scenario id", got=repr(id), expected="such as 'see/few-shot'")

    def register(run: Callable[[Context], Findings]) -> Scenario:
        return SCENARIOS.add(
            id,
            Scenario(
                id,
                title,
                question,
                " ".join(protocol.split()),
                data,
                tuple(metrics),
                run,
                tuple(goals),
                tuple(baselines),
                tuple(seeds),
                tuple(quick_seeds),
                requires_data,
                seeds_apart,
            ),
        )

    return register
