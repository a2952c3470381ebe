"""What ``learn`` and ``resume`` share: a configured run is taken to its end and reported."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import typer

from plasticish.core import Engine, make_engine, quiet
from plasticish.data import LabelledSet, Source
from plasticish.evaluation import NaiveSoftmax
from plasticish.training import PlasticTrainer, ShardedTrainer, TrainingHistory
from plasticish.training import resume as resume_run
from plasticish.vision import FeatureCache, PlasticBrain, PretrainedEyes

from .course import Course, make_course
from .live import LiveTable
from .opening import RUN, load_exam, open_mind, save_exam
from .output import Output
from .report import make_report, save_report
from .report_picture import draw_report
from .report_table import print_report
from .rival import load_rival, save_rival, teach_rival
from .run_config import RunConfig
from .seeing import Looking
from .sight import Sight, make_sight

__all__ = ["INTERRUPTED_CODE", "finish", "show", "take_course"]

NAIVE = "naive"
INTERRUPTED_CODE = 130  # 128 + SIGINT, as shells have it
CHECKPOINT_EVERY_S = 20.0


class StoppedError(Exception):
    """Ctrl-C: the run folder can be resumed."""


def take_course(folder: Path, config: RunConfig, source: Source, output: Output) -> dict[str, Any]:
    """Teach what the run in ``folder`` was configured for, from where it stands; return its report.

    Parameters
    ----------
    folder : Path
        The run folder, in which ``config.json`` stands already.
    config : RunConfig
        What it says.
    source : Source
        What it learns from, with the labels of ``config.classes``.
    output : Output
        How to speak meanwhile.

    Raises
    ------
    StoppedError
        On Ctrl-C.
    PlasticishError
        Anything unusable.
    """
    try:
        sight = make_sight(config.eyes, FeatureCache() if config.cache and config.eyes else None)
        parent = None if config.parent is None else Path(config.parent)
        with make_engine(config.engine, config.workers) as engine:
            looking = Looking(sight, output, engine) if source.is_images else None
            course = make_course(config, source, looking, load_exam(parent, config.classes))
            history = _train(folder, config, course, sight, engine, output)
        if history.interrupted:
            raise StoppedError
        seen = None if looking is None else looking.report()
        return _conclude(folder, config, course, history, seen)
    except KeyboardInterrupt:
        raise StoppedError from None


def _train(
    folder: Path, config: RunConfig, course: Course, sight: Sight, engine: Engine, output: Output
) -> TrainingHistory:
    with LiveTable(course, enabled=output.live) as live, quiet():
        options: dict[str, Any] = {
            "callbacks": [live],
            "checkpoint_every_s": CHECKPOINT_EVERY_S,
        }
        exams = course.exam_loaders()
        if config.shards is not None:
            options["engine"] = engine
        if (folder / RUN / "checkpoint.json").exists():
            return resume_run(folder, course.phases, exams, **options).train()
        brain = _brain(config, sight)
        options |= {"run_folder": folder, "seed": config.seed}
        if config.shards is None:
            return PlasticTrainer(brain, course.phases, exams, **options).train()
        options["shards"] = config.shards
        return ShardedTrainer(brain, course.phases, exams, **options).train()


def _brain(config: RunConfig, sight: Sight) -> PlasticBrain:
    if config.parent is not None:
        return open_mind(Path(config.parent)).brain
    eyes = sight if isinstance(sight, PretrainedEyes) else None
    return PlasticBrain(in_dim=config.width, eyes=eyes, seed=config.seed)


def _conclude(
    folder: Path,
    config: RunConfig,
    course: Course,
    history: TrainingHistory,
    looking: dict[str, Any] | None,
) -> dict[str, Any]:
    rival = NaiveSoftmax()
    if config.parent is not None and (Path(config.parent) / NAIVE).is_dir():
        rival = load_rival(Path(config.parent) / NAIVE)
    matrices = {"naive": teach_rival(rival, course)}
    if config.parent is None:
        matrices["naive_standardised"] = teach_rival(NaiveSoftmax("zscore"), course)
    save_rival(rival, folder / NAIVE)
    save_exam(_everything_asked(course, config.classes), folder)
    report = make_report(config, course, history, matrices, looking)
    draw_report(report, folder / "report.png")
    save_report(report, folder)  # last: it says that all is there
    shutil.rmtree(folder / RUN, ignore_errors=True)  # the brain once more, and as large
    return report


def _everything_asked(course: Course, classes: tuple[str, ...]) -> LabelledSet:
    exams = [exam for name, exam in course.exams.items() if name not in course.untested]
    exams = exams or list(course.exams.values())
    return replace(
        exams[0],
        inputs=torch.cat([exam.inputs for exam in exams]),
        labels=torch.cat([exam.labels for exam in exams]),
        classes=classes,
    )


def finish(folder: Path, config: RunConfig, source: Source, output: Output) -> None:
    """Take the course and print the report; on Ctrl-C say how to go on, and leave."""
    classes = len(config.order)
    output.remark(
        f"{config.source}: {len(source.train):,} examples of {classes} classes to learn, "
        f"{len(source.test):,} to be asked about; into {folder}"
    )
    try:
        with output.working():
            report = take_course(folder, config, source, output)
    except StoppedError:
        print(
            f"plasticish: stopped; go on with: plasticish resume {shlex.quote(str(folder))}",
            file=sys.stderr,
        )
        raise typer.Exit(INTERRUPTED_CODE) from None
    show(report, folder, output)


def show(report: dict[str, Any], folder: Path, output: Output) -> None:
    """Print a report, for people or for programs."""
    output.emit({"run": str(folder), **report})
    if not output.json:
        print_report(report, folder, output)
