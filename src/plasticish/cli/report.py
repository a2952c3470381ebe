"""What a run came to: the brain and the naive network on the same stream, as one plain object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from plasticish.core import CheckpointError, write_atomically
from plasticish.metrics import average_accuracy, average_incremental_accuracy, forgetting
from plasticish.training import TrainingHistory

from .course import KNOWN_BEFORE, Course
from .run_config import RunConfig

__all__ = ["brain_matrix", "load_report", "make_report", "save_report"]

FORMAT = "plasticish-report"
FILE = "report.json"
Matrix = Sequence[Sequence[float | None]]


def brain_matrix(
    history: TrainingHistory, exams: Sequence[str], known_before: float | None
) -> list[list[float | None]]:
    """Return R[i][j] in [0, 1] of a finished run, None for what was not learned yet.

    Parameters
    ----------
    history : TrainingHistory
        Of the run.
    exams : sequence of str
        Names of the exams, in the order in which their phases came.
    known_before : float or None
        What the brain scored on the exam ``known before`` before the first phase.
    """
    scores = history.eval_accuracy
    rows: list[list[float]] = [] if known_before is None else [[known_before]]
    lead = len(rows)
    phases = range(len(exams) - lead)
    rows += [[scores[name][phase] for name in exams[: phase + 1 + lead]] for phase in phases]
    return [[*row, *[None] * (len(exams) - len(row))] for row in rows]


def make_report(
    config: RunConfig,
    course: Course,
    history: TrainingHistory,
    rivals: Mapping[str, Matrix],
    looking: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the report of a finished run, as JSON can hold it.

    Parameters
    ----------
    config, course, history
        The run.
    rivals : mapping of str to matrix
        Accuracy matrices of other learners on the same stream; the first is shown beside.
    looking : mapping, optional
        What turning images into features took.
    """
    names = list(course.exams)
    matrices = {"brain": brain_matrix(history, names, config.known_before), **rivals}
    return {
        "format": FORMAT,
        "format_version": 1,
        "source": config.source,
        "classes": list(config.classes),
        "learned": [config.classes[label] for label in config.order],
        "epochs": config.epochs,
        "examples": config.epochs * sum(len(task.train) for task in course.tasks),
        "tested_on": sum(len(exam) for exam in course.exams.values()),
        "phases": _phases(config, course, matrices),
        "learners": {learner: _overall(matrix) for learner, matrix in matrices.items()},
        "matrices": {learner: [list(row) for row in m] for learner, m in matrices.items()},
        "seconds_learning": history.elapsed_s,
        "looking": None if looking is None else dict(looking),
    }


def _phases(
    config: RunConfig, course: Course, matrices: Mapping[str, Matrix]
) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "classes": [config.classes[label] for label in sorted(set(exam.labels.tolist()))],
            "new": name != KNOWN_BEFORE,
            "untested": name in course.untested,
            **{learner: _fate(matrix, i) for learner, matrix in matrices.items()},
        }
        for i, (name, exam) in enumerate(course.exams.items())
    ]


def _fate(matrix: Matrix, task: int) -> dict[str, float | None]:
    learned, now = matrix[task][task], matrix[-1][task]
    kept = now / learned if learned and now is not None else None
    return {"as_learned": learned, "now": now, "retention": kept}


def _overall(matrix: Matrix) -> dict[str, float | None]:
    R = torch.tensor(
        [[float("nan") if value is None else value for value in row] for row in matrix],
        dtype=torch.float64,
    )
    alone = len(R) < 2
    learned, now = R.diagonal()[:-1].sum(), R[-1, :-1].sum()
    return {
        "average_accuracy": float(average_accuracy(R)),
        "average_incremental_accuracy": float(average_incremental_accuracy(R)),
        # One task cannot be forgotten for another.
        "forgetting": None if alone else float(forgetting(R)),
        # Of all tasks but the last; a ratio of means, as a task hardly learned has little to say.
        "retention": None if alone or learned == 0 else float(now / learned),
    }


def save_report(report: Mapping[str, Any], folder: Path) -> None:
    """Write ``report.json`` into the run folder."""
    write_atomically(folder / FILE, (json.dumps(report, indent=2, allow_nan=False) + "\n").encode())


def load_report(folder: Path) -> dict[str, Any] | None:
    """Return the report of a run folder, or None if it has none yet.

    Raises
    ------
    CheckpointError
        If it is damaged.
    """
    try:
        values = json.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{folder / FILE} cannot be read", got=str(error)) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise CheckpointError(f"{folder / FILE} is not a report")
    return values
