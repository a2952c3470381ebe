"""A course of lessons: the features of a source, cut into phases, with what is asked after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from plasticish.core import DataError
from plasticish.data import BatchLoader, LabelledSet, Source, Task, class_splits
from plasticish.training import PhaseConfig

from .run_config import RunConfig

__all__ = ["KNOWN_BEFORE", "Course", "make_course", "relabelled"]

KNOWN_BEFORE = "known before"
ASKED_TOGETHER = 512


@dataclass(frozen=True, eq=False)
class Course:
    """What one run teaches and asks.

    Attributes
    ----------
    tasks : tuple of Task
        Over features; every label is that of the brain.
    phases : tuple of PhaseConfig
        One a task.
    exams : dict of str to LabelledSet
        What is asked at the end of each phase: ``known before`` first, if a brain was taught on,
        then each task's test set, by name.
    untested : tuple of str
        Tasks without a test example, which are examined on what they were taught.
    """

    tasks: tuple[Task, ...]
    phases: tuple[PhaseConfig, ...]
    exams: dict[str, LabelledSet]
    untested: tuple[str, ...]

    def exam_loaders(self) -> dict[str, BatchLoader]:
        """Return the exams as loaders, in a fixed order."""
        return {name: BatchLoader(exam, ASKED_TOGETHER) for name, exam in self.exams.items()}


def relabelled(source: Source, classes: tuple[str, ...]) -> Source:
    """Return the source with labels that are positions in ``classes``, which holds all its names.

    Examples
    --------
    >>> data = LabelledSet(torch.eye(2), torch.tensor([0, 1]), ("dog", "owl"), "pets")
    >>> relabelled(Source(data, data, "pets"), ("owl", "cat", "dog")).train.labels.tolist()
    [2, 0]
    """
    mapping = torch.tensor([classes.index(name) for name in source.classes])

    def moved(part: LabelledSet) -> LabelledSet:
        return LabelledSet(part.inputs, mapping[part.labels], classes, part.name)

    return Source(moved(source.train), moved(source.test), source.name)


def make_course(
    config: RunConfig,
    source: Source,
    look: Callable[[Tensor], Tensor] | None,
    known: LabelledSet | None,
) -> Course:
    """Turn a source into a course.

    Parameters
    ----------
    config : RunConfig
        How it is to be taught.
    source : Source
        With the labels of the brain.
    look : callable, optional
        Images to features; None where the source is features.
    known : LabelledSet, optional
        An exam on what the brain knew before.
    """
    if look is not None:
        source = _seen(source, look)
    tasks = class_splits(source, config.classes_per_task, order=config.order)
    empty = [task.name for task in tasks if not len(task.train)]
    if empty:
        raise DataError("there is nothing to learn from", got=f"no example of {empty[0]}")
    exams = {} if known is None else {KNOWN_BEFORE: known}
    exams |= {task.name: task.test if len(task.test) else task.train for task in tasks}
    loaders = (BatchLoader(task.train, config.batch_size, seed=config.seed) for task in tasks)
    return Course(
        tasks=tuple(tasks),
        phases=tuple(
            PhaseConfig(task.name, config.epochs, loader)
            for task, loader in zip(tasks, loaders, strict=True)
        ),
        exams=exams,
        untested=tuple(task.name for task in tasks if not len(task.test)),
    )


def _seen(source: Source, look: Callable[[Tensor], Tensor]) -> Source:
    train = source.train.with_inputs(look(source.train.inputs))
    test = source.test.with_inputs(
        look(source.test.inputs) if len(source.test) else train.inputs[:0]
    )
    return Source(train, test, source.name)
