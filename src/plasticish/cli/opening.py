"""Opening a brain that was taught before, with the names of its classes and the eyes it needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plasticish.core import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from plasticish.data import LabelledSet
from plasticish.training import inspect_run
from plasticish.vision import PlasticBrain

from .run_config import FILE, RunConfig

__all__ = ["EXAM", "Mind", "load_exam", "open_mind", "save_exam"]

BRAIN, EXAM, RUN = "brain", "exam", "checkpoint"
EXAM_KIND = "exam"
ASKED_A_CLASS = 100  # test examples of a class kept for later: enough to see forgetting


@dataclass(frozen=True, eq=False)
class Mind:
    """A taught brain.

    Attributes
    ----------
    brain : PlasticBrain
        With whatever eyes its checkpoint names.
    classes : tuple of str
        Names by label.
    eyes : dict or None
        Configuration of its eyes; None for a brain of 8×8 digits.
    image_size : int or None
        Height and width in pixels at which it reads an image.
    run : Path or None
        The run folder it is from.
    path : Path
        Where the brain itself lies.
    """

    brain: PlasticBrain
    classes: tuple[str, ...]
    eyes: dict[str, Any] | None
    image_size: int | None
    run: Path | None
    path: Path

    def name(self, label: int) -> str:
        """Return the name of a class."""
        return self.classes[label] if label < len(self.classes) else f"class {label}"


def open_mind(path: Path) -> Mind:
    """Open a run folder, or the folder of a brain.

    Raises
    ------
    CheckpointError
        If it is neither, unfinished, damaged, or of another kind.
    """
    run = _run_of(path)
    if run is None:
        return _bare(path)
    config = RunConfig.load(run)
    if not (run / BRAIN).exists():
        raise CheckpointError(
            f"the run {run} is not finished",
            got=_progress(run),
            cure=f"go on with it first: plasticish resume {run}",
        )
    brain = PlasticBrain.load(run / BRAIN)
    return Mind(brain, config.classes, config.eyes, config.image_size, run, run / BRAIN)


def _run_of(path: Path) -> Path | None:
    if (path / FILE).is_file():
        return path
    inside = path.name == BRAIN and (path.parent / FILE).is_file()
    return path.parent if inside else None


def _bare(path: Path) -> Mind:
    brain = PlasticBrain.load(path)
    eyes = None if brain.eyes is None else brain.eyes.config()
    names = tuple(f"class {label}" for label in range(brain.num_classes))
    return Mind(brain, names, eyes, None, None, path)


def _progress(run: Path) -> str:
    try:
        found = inspect_run(run)
    except CheckpointError:
        return "stopped before the first phase"
    return f"{found['position']['phase']} of {len(found['phases'])} phases"


def save_exam(exam: LabelledSet, run: Path) -> None:
    """Keep some test features of each class, so that a later run can say what was forgotten."""
    rows = [
        (exam.labels == label).nonzero().flatten()[:ASKED_A_CLASS]
        for label in sorted(set(exam.labels.tolist()))
    ]
    kept = exam.subset([int(i) for part in rows for i in part])
    tensors = {"inputs": kept.inputs, "labels": kept.labels}
    save_checkpoint(run / EXAM, Checkpoint(EXAM_KIND, {"classes": list(exam.classes)}, {}, tensors))


def load_exam(run: Path | None, classes: tuple[str, ...]) -> LabelledSet | None:
    """Return the exam of a run, with ``classes`` as the names; None if it has none.

    Raises
    ------
    CheckpointError
        If it is damaged.
    """
    if run is None or not (run / EXAM).is_dir():
        return None
    saved = load_checkpoint(run / EXAM, EXAM_KIND)
    return LabelledSet(saved.tensors["inputs"], saved.tensors["labels"], classes, "known before")
