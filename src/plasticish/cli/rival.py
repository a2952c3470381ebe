"""The naive network on the very same batches: what happens to a learner without protection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from plasticish.core import Checkpoint, load_checkpoint, save_checkpoint
from plasticish.evaluation import NaiveSoftmax, accuracy_on

from .course import KNOWN_BEFORE, Course

__all__ = ["load_rival", "save_rival", "teach_rival"]

KIND = "naive_network"


def teach_rival(rival: NaiveSoftmax, course: Course) -> list[list[float | None]]:
    """Teach the rival the course, batch for batch as the brain was taught, and examine it.

    Returns
    -------
    list of list
        The accuracy matrix R[i][j] in [0, 1], None for what was not learned yet; with an exam on
        what was known before, that is the first row and column.
    """
    names = list(course.exams)
    rows: list[list[float | None]] = []
    epoch = 0
    if KNOWN_BEFORE in course.exams:
        rows.append(_examine(rival, course, names[:1]))
    for phase in course.phases:
        for _ in range(phase.epochs):
            # The trainer counts epochs through the whole course, and so draws the same orders.
            loader = phase.loader
            loader.epoch = epoch  # type: ignore[attr-defined]
            for batch in loader:
                rival.learn(batch)
            epoch += 1
        rows.append(_examine(rival, course, names[: len(rows) + 1]))
    return rows


def _examine(rival: NaiveSoftmax, course: Course, asked: Sequence[str]) -> list[float | None]:
    known = [accuracy_on(rival, course.exams[name]) if rival.num_classes else 0.0 for name in asked]
    return [*known, *[None] * (len(course.exams) - len(asked))]


def save_rival(rival: NaiveSoftmax, path: Path) -> None:
    """Keep the rival, so that it can be taught on when the brain is."""
    values = {k: v for k, v in vars(rival).items() if not isinstance(v, Tensor)}
    tensors = {k: v for k, v in vars(rival).items() if isinstance(v, Tensor)}
    save_checkpoint(path, Checkpoint(KIND, {}, values, tensors))


def load_rival(path: Path) -> NaiveSoftmax:
    """Read what :func:`save_rival` wrote.

    Raises
    ------
    CheckpointError
        If it is missing or damaged.
    """
    saved = load_checkpoint(path, KIND)
    rival = NaiveSoftmax()
    vars(rival).update({**saved.state, **saved.tensors})
    rival.counts = rival.counts.to(torch.int64)
    return rival
