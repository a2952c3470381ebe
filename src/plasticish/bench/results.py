"""Results as files: one JSON a scenario, written whole or not at all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from plasticish.core import DataError, write_atomically

from .scenario import Findings, Goal, Metric, Scenario, deviation, mean

__all__ = [
    "QUICK_RESULTS",
    "RESULTS",
    "GoalOutcome",
    "Result",
    "load_result",
    "load_results",
    "make_result",
    "save_result",
]

SCHEMA = 1
RESULTS = Path("benchmarks/results")
"""Where results lie, from the root of the repository."""
QUICK_RESULTS = Path("benchmarks/quick")
"""Where the figures of quick runs lie that later quick runs are compared with."""


@dataclass(frozen=True)
class GoalOutcome:
    """A goal and what became of it; ``value`` is None if the row was not measured."""

    goal: Goal
    value: float | None

    @property
    def reached(self) -> bool:
        """Whether the bound was reached."""
        return self.value is not None and self.goal.reached(self.value)

    @property
    def aim_reached(self) -> bool | None:
        """Whether the aim was reached; None if there is none."""
        if self.goal.aim is None:
            return None
        return self.value is not None and self.goal.reached(self.value, self.goal.aim)


@dataclass(frozen=True)
class Result:
    """One run of a scenario, as its file has it.

    Attributes
    ----------
    rows : mapping
        Row to metric to values, one a seed.
    seconds : float
        Wall time of the whole run.
    environment : mapping
        Versions, cores and threads.
    cpu_seconds : float or None
        CPU time of the whole run, with that of processes it started: a busy machine adds to
        ``seconds`` and not to this. None if it was not noted.
    """

    id: str
    title: str
    question: str
    protocol: str
    data: str
    seeds: tuple[int, ...]
    quick: bool
    metrics: tuple[Metric, ...]
    baselines: tuple[str, ...]
    rows: Mapping[str, Mapping[str, tuple[float, ...]]]
    goals: tuple[Goal, ...]
    notes: tuple[str, ...]
    seconds: float
    environment: Mapping[str, Any] = field(default_factory=dict)
    cpu_seconds: float | None = None

    def mean(self, row: str, metric: str) -> float:
        """Return the mean of one figure over the seeds."""
        return mean(self.rows[row][metric])

    def outcomes(self) -> tuple[GoalOutcome, ...]:
        """Return what became of each goal."""
        found = []
        for goal in self.goals:
            values = self.rows.get(goal.row, {}).get(goal.metric)
            found.append(GoalOutcome(goal, goal.measure(values) if values else None))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the result file."""
        content = {name: value for name, value in asdict(self).items() if name != "goals"}
        content["schema"] = SCHEMA
        content["seconds"] = round(self.seconds, 2)
        if self.cpu_seconds is not None:
            content["cpu_seconds"] = round(self.cpu_seconds, 2)
        content["rows"] = {
            row: {
                metric: {
                    "values": [_rounded(value) for value in values],
                    "mean": _rounded(mean(values)),
                    "sd": _rounded(deviation(values)),
                }
                for metric, values in metrics.items()
            }
            for row, metrics in self.rows.items()
        }
        content["goals"] = [
            {
                **asdict(outcome.goal),
                "value": None if outcome.value is None else _rounded(outcome.value),
                "reached": outcome.reached,
                "aim_reached": outcome.aim_reached,
            }
            for outcome in self.outcomes()
        ]
        return content


def _rounded(value: float) -> float:
    """Return six significant digits: more than any figure here means, and stable to read."""
    return float(f"{value:.6g}")


def make_result(
    scenario: Scenario,
    findings: Findings,
    *,
    seeds: tuple[int, ...],
    quick: bool,
    seconds: float,
    cpu_seconds: float,
    environment: Mapping[str, Any],
) -> Result:
    """Join what was asked with what was found.

    Raises
    ------
    ConfigError
        If the findings hold a metric that the scenario does not state.
    DataError
        If a figure is missing or not finite.
    """
    for row, metrics in findings.rows.items():
        for name, values in metrics.items():
            scenario.metric(name)
            if not values or not all(math.isfinite(value) for value in values):
                raise DataError(
                    f"{scenario.id} found no figure for {row} / {name}",
                    got=", ".join(map(str, values)) or "no values",
                    expected="finite numbers",
                )
    return Result(
        id=scenario.id,
        title=scenario.title,
        question=scenario.question,
        protocol=scenario.protocol,
        data=scenario.data,
        seeds=seeds,
        quick=quick,
        metrics=scenario.metrics,
        baselines=tuple(name for name in scenario.baselines if name in findings.rows),
        rows=findings.rows,
        goals=scenario.goals,
        notes=tuple(findings.notes),
        seconds=seconds,
        environment=environment,
        cpu_seconds=cpu_seconds,
    )


def result_path(id: str, folder: Path = RESULTS) -> Path:
    """Return the file of a scenario; the slash of the id becomes a folder."""
    return folder / f"{id}.json"


def save_result(result: Result, folder: Path = RESULTS) -> Path:
    """Write the result and return its path.

    Raises
    ------
    CheckpointError
        If the disk is full or the folder cannot be written.
    """
    path = result_path(result.id, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A figure that is not finite is an error of the scenario, and JSON has no word for it.
    text = json.dumps(result.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, (text + "\n").encode())
    return path


def load_result(id: str, folder: Path = RESULTS) -> Result:
    """Read the result of a scenario.

    Raises
    ------
    DataError
        If there is none, or the file is damaged, foreign or of a newer schema.
    """
    path = result_path(id, folder)
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(
            f"there is no result of {id}", got=error.strerror or "", cure=f"plasticish bench {id}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"the result of {id} is damaged", got="no JSON") from error
    return _parse(content, id)


def load_results(folder: Path = RESULTS) -> dict[str, Result]:
    """Return every result in ``folder``, by id."""
    ids = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.json"))
    return {id: load_result(id, folder) for id in sorted(ids)}


def _parse(content: Any, id: str) -> Result:
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise DataError(
            f"the result of {id} has another schema",
            got=repr(schema),
            expected=str(SCHEMA),
            cure="run the scenario again with this version",
        )
    try:
        content.pop("schema")
        goal_fields = Goal.__dataclass_fields__
        content["goals"] = tuple(
            Goal(**{name: goal[name] for name in goal_fields}) for goal in content["goals"]
        )
        content["metrics"] = tuple(Metric(**metric) for metric in content["metrics"])
        content["rows"] = {
            row: {metric: tuple(map(float, cell["values"])) for metric, cell in metrics.items()}
            for row, metrics in content["rows"].items()
        }
        for name in ("seeds", "baselines", "notes"):
            content[name] = tuple(content[name])
        result = Result(**content)
        result.outcomes()  # what cannot be judged is not ours
        return result
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(f"the result of {id} is damaged", got=str(error)) from error
