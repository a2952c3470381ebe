"""A configured run of ``plasticish train`` is taken to its end, twice, and reported."""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
import typer

from plasticish.core import CheckpointError, ConfigError, one_thread
from plasticish.spiking.integration import integrate_stdp_into_model
from plasticish.spiking.network import LiquidSpikingNetwork
from plasticish.training.continual import ContinualLearningTrainer
from plasticish.training.resumable import CHECKPOINT

from .output import Output
from .run_claim import claim, clear, refuse_taken
from .train_config import TrainConfig
from .train_course import Course, make_course
from .train_report import draw, load_report, make_report, print_report, save_report

__all__ = ["INTERRUPTED_CODE", "begin", "finish", "take_up"]

INTERRUPTED_CODE = 130  # 128 + SIGINT, as shells have it
CHECKPOINT_EVERY_S = 10.0
WITHOUT = "without"  # the folder of the unprotected network, while it is trained
# The report first, which says that all is there; the configuration stays until it is replaced.
OURS = ("metrics.json", "accuracy_matrix.png", "learning_curves.png", CHECKPOINT, WITHOUT)


def begin(
    config: TrainConfig, out: Path | None, held: ExitStack, *, force: bool
) -> tuple[Path, TrainConfig]:
    """Check everything and make the run folder with its ``config.json``.

    Nobody else can work in the folder until ``held`` is closed.

    Raises
    ------
    PlasticishError
        If an option is out of range, or the folder is taken; no folder was made then.
    """
    settled = config.settled()
    folder = _free_folder(settled.task) if out is None else out
    _refuse_taken(folder, force)
    held.enter_context(claim(folder))
    _refuse_taken(folder, force)  # by one that was quicker
    if force:
        clear(folder, OURS)
    settled.save(folder)
    return folder, settled


def take_up(folder: Path, given: TrainConfig) -> TrainConfig:
    """Return what the run in ``folder`` was begun with.

    Raises
    ------
    CheckpointError, ConfigError
        If there is none; if an option was given that says something else.
    """
    begun, default = TrainConfig.load(folder), TrainConfig()
    for field in fields(TrainConfig):
        now, was = getattr(given, field.name), getattr(begun, field.name)
        if now not in (was, getattr(default, field.name)):
            raise ConfigError(
                f"the run {folder} goes on as it was begun",
                got=f"{field.name} {now}",
                expected=str(was),
                cure="leave that option out, or begin a new run",
            )
    return begun


def finish(folder: Path, config: TrainConfig, output: Output) -> None:
    """Train from where the run stands to its end and print the report; on Ctrl-C say how to go on.

    Raises
    ------
    typer.Exit
        With code 130, on Ctrl-C.
    """
    report = load_report(folder)
    if report is not None:
        output.remark(f"{folder} is finished already")
    else:
        try:
            # A process may take this lock twice: ``begin`` has, a run that goes on has not.
            with claim(folder), output.working(), one_thread():
                report = _take_course(folder, config, output)
        except KeyboardInterrupt:
            name = shlex.quote(str(folder))
            print(
                f"plasticish: stopped; go on with: plasticish train --resume {name}",
                file=sys.stderr,
            )
            raise typer.Exit(INTERRUPTED_CODE) from None
    output.emit({"run": str(folder), **report})
    print_report(report, folder, output)


def _take_course(folder: Path, config: TrainConfig, output: Output) -> dict[str, Any]:
    course = make_course(config)
    examples = sum(len(lesson.train.dataset) for lesson in course.lessons)
    output.remark(f"{course.title}: {examples:,} examples in {len(course.lessons)} tasks")
    runs = {}
    if config.continual_learning:
        output.remark("with continual learning")
        runs["with"] = _train(folder, config, course, protected=True)
        output.remark("without: the same network on the same batches, unprotected")
    inner = folder / WITHOUT if config.continual_learning else folder
    runs["without"] = _train(inner, config, course, protected=False)
    report = make_report(config, course, runs)
    draw(course, runs, folder)
    save_report(report, folder)  # last: it says that all is there
    shutil.rmtree(folder / WITHOUT, ignore_errors=True)
    return report


def _train(
    folder: Path, config: TrainConfig, course: Course, *, protected: bool
) -> ContinualLearningTrainer:
    """Train one network on the whole course, from where its folder stands."""
    model = _model(config, course, protected=protected)
    if (folder / CHECKPOINT / "checkpoint.json").exists():
        trainer = ContinualLearningTrainer.resume(
            folder, model, score=course.score, checkpoint_every_s=CHECKPOINT_EVERY_S
        )
    else:
        trainer = ContinualLearningTrainer(
            model,
            config.consolidation_strength if protected else 0.0,
            config.use_replay and protected,
            config.replay_buffer_size or 1,
            config.use_meta_plasticity and protected,
            meta_lr=config.meta_lr,
            mode=course.mode,
            evaluate_every=course.evaluate_every,
            score=course.score,
            run_folder=folder,
            checkpoint_every_s=CHECKPOINT_EVERY_S,
            seed=config.seed,
        )
    optimizer = torch.optim.Adam(model.parameters(), lr=course.lr)
    criterion = torch.nn.CrossEntropyLoss()
    for lesson in course.lessons:
        trainer.train_on_task(
            lesson.name, lesson.train, lesson.val, config.epochs or 1, optimizer, criterion
        )
    return trainer


def _model(config: TrainConfig, course: Course, *, protected: bool) -> LiquidSpikingNetwork:
    model = LiquidSpikingNetwork(course.network)
    if protected and config.use_stdp:
        integrate_stdp_into_model(model, config.stdp_type, config.stdp_learning_rate)
    return model


def _free_folder(task: str) -> Path:
    base, number = Path("runs") / f"train-{task}", 2
    folder = base
    while folder.exists():
        folder, number = base.with_name(f"{base.name}-{number}"), number + 1
    return folder


def _refuse_taken(out: Path, force: bool) -> None:
    refuse_taken(out, _is_readable, "plasticish train --resume", force=force)


def _is_readable(folder: Path) -> bool:
    try:
        TrainConfig.load(folder)
    except CheckpointError:
        return False
    return True
