"""What a run of ``plasticish train`` came to: ``metrics.json``, two pictures, and a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from plasticish.core import CheckpointError, write_atomically
from plasticish.training.continual import ContinualLearningTrainer
from plasticish.visualization import save_figure
from plasticish.visualization.continual import plot_accuracy_matrices, plot_learning_curves

from .output import Output, percent
from .report_table import fate_cells, kept_cell
from .train_config import TrainConfig
from .train_course import Arena, Course

__all__ = ["draw", "load_report", "make_report", "print_report", "save_report"]

FILE = "metrics.json"
FORMAT = "plasticish-train-metrics"
TITLES = {"with": "with continual learning", "without": "without"}
HEADINGS = {"with": "continual", "without": "naive"}


def make_report(
    config: TrainConfig, course: Course, runs: Mapping[str, ContinualLearningTrainer]
) -> dict[str, Any]:
    """Return the numbers of a run, as JSON can hold them.

    Returns
    -------
    dict
        ``format``, ``format_version``, ``title``, ``measure``, ``mode``, ``tasks`` (names),
        ``epochs``, ``examples``, ``buffer`` (examples kept at the end, or None), ``seed``, and
        ``learners``: for ``with`` and ``without`` the matrix ``R`` (None where not measured), the
        scores ``untrained``, what is read off them, ``steps``, ``seconds``, and for bodies the
        mean ``returns`` at the end with the ``simulator`` that measured them.
    """
    buffer = None
    if "with" in runs and config.use_replay:
        buffer = len(runs["with"].learner.buffer)
    return {
        "format": FORMAT,
        "format_version": 1,
        "title": course.title,
        "measure": course.measure,
        "mode": course.mode,
        "tasks": course.names,
        "epochs": config.epochs,
        "examples": sum(len(lesson.train.dataset) for lesson in course.lessons),
        "buffer": buffer,
        "seed": config.seed,
        "learners": {who: _learner(course, trainer) for who, trainer in runs.items()},
    }


def _learner(course: Course, trainer: ContinualLearningTrainer) -> dict[str, Any]:
    values = trainer.matrix.to_dict()
    del values["tasks"]
    history = trainer.history
    values |= {"steps": len(history), "seconds": round(history.elapsed_s, 2)}
    arenas = [lesson.val for lesson in course.lessons if isinstance(lesson.val, Arena)]
    if arenas:
        values |= _returns(arenas, trainer)
    return values


def _returns(arenas: list[Arena], trainer: ContinualLearningTrainer) -> dict[str, Any]:
    """Return the mean returns at the end, in the original simulator where it is installed."""
    from importlib.util import find_spec

    simulator = "batched" if find_spec("gymnasium") is None else "gymnasium"
    means = [arena.mean_return(trainer.learner.scores, simulator) for arena in arenas]
    return {
        "simulator": simulator,
        "returns": [round(value, 3) for value in means],
        "returns_of_the_expert": [round(arena.scale.expert, 3) for arena in arenas],
        "returns_at_random": [round(arena.scale.random, 3) for arena in arenas],
    }


def save_report(report: Mapping[str, Any], folder: Path) -> None:
    """Write ``metrics.json``.

    Raises
    ------
    CheckpointError
        If it cannot be written.
    """
    text = json.dumps(report, indent=2, allow_nan=False, ensure_ascii=False)
    write_atomically(folder / FILE, (text + "\n").encode())


def load_report(folder: Path) -> dict[str, Any] | None:
    """Read what :func:`save_report` wrote, or None of a run that is not finished.

    Raises
    ------
    CheckpointError
        If it is damaged.
    """
    try:
        report = json.loads((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"the run {folder} is damaged", got=f"{FILE} is no JSON") from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise CheckpointError(f"the run {folder} is damaged", got=f"{FILE} of something else")
    return report


def draw(course: Course, runs: Mapping[str, ContinualLearningTrainer], folder: Path) -> None:
    """Write ``accuracy_matrix.png`` and ``learning_curves.png``.

    Raises
    ------
    CheckpointError
        If they cannot be written.
    """
    title = course.title[:1].upper() + course.title[1:]
    matrices = {TITLES[who]: trainer.matrix.R for who, trainer in runs.items()}
    histories = {TITLES[who]: trainer.history for who, trainer in runs.items()}
    save_figure(
        plot_accuracy_matrices(matrices, course.names, measure=course.measure, title=title),
        folder / "accuracy_matrix.png",
    )
    save_figure(
        plot_learning_curves(histories, measure=course.measure, title=title),
        folder / "learning_curves.png",
    )


def print_report(report: Mapping[str, Any], folder: Path, output: Output) -> None:
    """Print what a run came to, and where it is."""
    output.say(_table(report))
    output.say()
    for line in _findings(report):
        output.say(line)
    output.say()
    steps = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    steps.add_row("the matrix", str(folder / "accuracy_matrix.png"))
    steps.add_row("the course of it", str(folder / "learning_curves.png"))
    steps.add_row("the numbers", str(folder / FILE))
    output.say(steps)


def _table(report: Mapping[str, Any]) -> Table:
    learners = report["learners"]
    bodies = any("returns" in learner for learner in learners.values())
    table = Table(box=None, padding=(0, 1 if bodies else 2, 0, 0), header_style="dim")
    table.add_column("\ntask", no_wrap=True, overflow="ellipsis")
    for who in learners:
        table.add_column(f"{HEADINGS[who]}\nas learned", justify="right", no_wrap=True)
        table.add_column("\nnow", justify="right", no_wrap=True)
        table.add_column("\nkept", justify="right", no_wrap=True)
        if "returns" in learners[who]:
            table.add_column("\nreturn", justify="right", no_wrap=True)
    for place, name in enumerate(report["tasks"]):
        row: list[Text] = [Text(name)]
        for learner in learners.values():
            row += _fate(learner, place)
        table.add_row(*row)
    if len(report["tasks"]) > 1:
        total = [Text("all", style="bold")]
        for learner in learners.values():
            kept = kept_share_of(learner)
            total += [Text(""), Text(percent(learner["average_accuracy"]), style="bold")]
            total += [kept_cell(kept, bold=True)]
            total += [Text("")] * ("returns" in learner)
        table.add_row(*total)
    return table


def _fate(learner: Mapping[str, Any], place: int) -> list[Text]:
    R, last = learner["R"], len(learner["R"]) - 1
    kept = learner["retention"][place] if place < last else None
    cells = fate_cells(R[place][place], R[last][place], kept)
    if "returns" in learner:
        cells.append(Text(f"{learner['returns'][place]:,.0f}", style="dim"))
    return cells


def kept_share_of(learner: Mapping[str, Any]) -> float | None:
    """Return the share kept of all tasks but the last: a ratio of means.

    Examples
    --------
    >>> kept_share_of({"R": [[0.8, None], [0.4, 1.0]]})
    0.5
    """
    R, earlier = learner["R"], range(len(learner["R"]) - 1)
    learned = sum(R[j][j] for j in earlier)
    return sum(R[-1][j] for j in earlier) / learned if learned else None


def _findings(report: Mapping[str, Any]) -> list[str]:
    learners, lines = report["learners"], []
    if len(report["tasks"]) > 1:
        lines += [_kept(who, learner) for who, learner in learners.items()]
    lines.append("")
    seconds = sum(learner["seconds"] for learner in learners.values())
    passes = "one pass" if report["epochs"] == 1 else f"{report['epochs']} passes"
    rehearsed = "" if report["buffer"] is None else f", {report['buffer']:,} kept to rehearse"
    lines.append(
        f"[dim]{report['measure'].capitalize()} in %. {report['examples']:,} examples, {passes} "
        f"over each task{rehearsed}; {seconds:.0f} s.[/]"
    )
    lines.append(f"[dim]{MODES[report['mode']]}[/]")
    lines += _about_returns(learners)
    return lines


def _kept(who: str, learner: Mapping[str, Any]) -> str:
    kept, points = percent(kept_share_of(learner), 0), percent(learner["forgetting"])
    line = f"{kept} % of what came before the last task is kept; forgetting {points} points."
    if who == "with":
        return f"[bold]With continual learning {line}[/]"
    return f"Without, the same network on the same batches: {line}"


def _about_returns(learners: Mapping[str, Any]) -> list[str]:
    learner = learners[next(iter(learners))]
    if "returns" not in learner:
        return []
    best = ", ".join(f"{value:,.0f}" for value in learner["returns_of_the_expert"])
    whose = "Gymnasium's own" if learner["simulator"] == "gymnasium" else "our"
    return [
        f"[dim]100 % is the return of an expert who knows the physics ({best}), 0 that of random "
        f"commands. Returns at the end are from {whose} simulator.[/]"
    ]


MODES = {
    "class": "Class-incremental: always asked among all classes so far, never told the task.",
    "domain": "Domain-incremental: the same answers in other circumstances, never told the task.",
}
