"""The trainers: a run folder, saved after every step, that a new process resumes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from plasticish.core import make_generator
from plasticish.core.checkpoint import MANIFEST, load_checkpoint
from plasticish.training import (
    ContinualLearningTrainer,
    PhaseConfig,
    PlasticTrainer,
    ShardedTrainer,
    TriarchicTrainer,
    resume,
)
from plasticish.training.run_folder import RunFolder
from plasticish.vision import PlasticBrain, TriarchicBrain

from ..small_learners import CLASSES, WIDTH, rows
from ._killing import Course, Place, Tell, Victim, digest_of

__all__ = ["TRAINER_VICTIMS", "look_at_run", "place_of_run", "saved_after_every_step"]

EXAMPLES, BATCH = 64, 8
POSITION = ("phase", "epoch", "batch")


def look_at_run(folder: Path) -> tuple[Place, str]:
    """Return how far the run in a folder is, and a digest of all that it is but its seconds."""
    checkpoint = load_checkpoint(folder / "checkpoint")
    history = {**checkpoint.state["history"], "elapsed_s": 0.0}
    values = {**checkpoint.state, "history": history, "config": checkpoint.config}
    return _place(checkpoint.state), digest_of(values, checkpoint.tensors)


def place_of_run(folder: Path) -> Place:
    """Return how far the run in a folder is, reading no array."""
    return _place(json.loads((folder / "checkpoint" / MANIFEST).read_bytes())["state"])


def _place(state: Mapping[str, Any]) -> Place:
    return tuple(int(state["position"][name]) for name in POSITION)


@contextmanager
def saved_after_every_step(
    tell: Tell, place_of: Callable[[Path], Place] = place_of_run
) -> Iterator[None]:
    """Have every trainer save after every step, and tell of every save that returned."""
    save, save_if_due = RunFolder.save, RunFolder.save_if_due

    def told(self: RunFolder) -> None:
        save(self)
        if self.folder is not None:
            tell(place_of(self.folder))

    def at_once(self: RunFolder) -> bool:
        told(self)
        return True

    RunFolder.save, RunFolder.save_if_due = told, at_once  # type: ignore[method-assign]
    try:
        yield
    finally:
        RunFolder.save, RunFolder.save_if_due = save, save_if_due  # type: ignore[method-assign]


class TrainerVictim(Victim):
    """A curriculum with order, augmentation and dropout drawn at random, in a run folder."""

    def __init__(
        self, name: str, begin: Callable[[Path], Any], again: Callable[[Path], Any]
    ) -> None:
        self.name, self.begin, self.again = name, begin, again

    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Begin or resume, as whoever wrote the program would."""
        begun = (folder / "checkpoint" / "checkpoint.json").exists()
        with saved_after_every_step(tell):
            (self.again if begun else self.begin)(folder)

    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Read the checkpoint."""
        return look_at_run(folder)


def _loader(labels: tuple[int, ...], seed: int) -> DataLoader[Any]:
    x, y = rows(EXAMPLES, seed, labels)
    return DataLoader(TensorDataset(x, y), BATCH, shuffle=True)


def _noisy(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return x + 0.1 * torch.rand_like(x) + 0.1 * torch.rand(x.shape, generator=generator)


def _phases() -> list[PhaseConfig]:
    noisy = partial(_noisy, generator=make_generator(0))
    return [
        PhaseConfig("A", 2, _loader((0, 1), 1), consolidate_after=True),
        PhaseConfig("B", 1, _loader((2, 3), 2), transform_fn=noisy, consolidate_after=True),
        PhaseConfig("C", 1, _loader((0, 1, 2, 3), 3)),
    ]


def _exam() -> dict[str, Any]:
    return {"exam": _loader(tuple(range(CLASSES)), 4)}


def _plastic(folder: Path) -> None:
    brain = PlasticBrain(WIDTH, 32, 6, memory_size=100, expansion=24)
    PlasticTrainer(brain, _phases(), _exam(), run_folder=folder, eval_every=7, seed=3).train()


def _sharded(folder: Path) -> None:
    brain = PlasticBrain(WIDTH, 32, 6, memory_size=100, expansion=24)
    ShardedTrainer(brain, _phases(), _exam(), run_folder=folder, shards=4, seed=3).train()


def _triarchic(folder: Path) -> None:
    brain = TriarchicBrain(WIDTH, 64, CLASSES, 4)
    TriarchicTrainer(brain, None, _phases(), _exam(), run_folder=folder, seed=3).train()


def _resumed(folder: Path) -> None:
    resume(folder, _phases(), _exam()).train()


def _model() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(WIDTH, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 4))


def _continual(folder: Path, again: bool) -> None:
    model = _model()
    if again:
        trainer = ContinualLearningTrainer.resume(folder, model)
    else:
        trainer = ContinualLearningTrainer(model, replay_buffer_size=20, run_folder=folder, seed=3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for task, labels in enumerate([(0, 1), (2, 3)]):
        loaders = _loader(labels, task), _loader(labels, 9 + task)
        trainer.train_on_task(task, *loaders, 2, optimizer, nn.CrossEntropyLoss())


TRAINER_VICTIMS: Mapping[str, Callable[[], Victim]] = {
    "PlasticTrainer": partial(TrainerVictim, "PlasticTrainer", _plastic, _resumed),
    "ShardedTrainer": partial(TrainerVictim, "ShardedTrainer", _sharded, _resumed),
    "TriarchicTrainer": partial(TrainerVictim, "TriarchicTrainer", _triarchic, _resumed),
    "ContinualLearningTrainer": partial(
        TrainerVictim,
        "ContinualLearningTrainer",
        partial(_continual, again=False),
        partial(_continual, again=True),
    ),
}
"""Every trainer."""
