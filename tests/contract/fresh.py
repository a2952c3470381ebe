"""Digests of every learner and every trainer, from a process of its own.

``-m contract.fresh FOLDER`` lets all of them live, prints one line of JSON, and leaves their
checkpoints in the folder. All in one process: importing torch anew for each would take most of
the time.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from plasticish.training import PhaseConfig, PlasticTrainer, ShardedTrainer, TriarchicTrainer
from plasticish.vision import PlasticBrain, TriarchicBrain
from training import task_runs
from training.fake import batched, clusters

from . import learners, sequences, talkers

TEST = batched(*clusters([0, 1, 2, 3], 32, seed=2), 16)


def noisy(x: torch.Tensor) -> torch.Tensor:
    """Add noise of the global generator, which a trainer has to seed."""
    return x + 0.1 * torch.rand_like(x)


def phases(**last: Any) -> list[PhaseConfig]:
    """A shuffled phase, one that sleeps, and one that is transformed."""
    return [
        PhaseConfig("A", 2, batched(*clusters([0, 1], 32), 8)),
        PhaseConfig("B", 1, batched(*clusters([2, 3], 32, seed=1), 8)),
        PhaseConfig("C", 1, batched(*clusters([0, 1], 32), 8), transform_fn=noisy, **last),
    ]


def plastic_trainer(folder: Path) -> Iterator[Any]:
    brain = PlasticBrain(8, memory_size=60, num_layers=1, expansion=16, seed=3)
    trainer = PlasticTrainer(
        brain,
        phases(consolidate_after=True),
        {"test": TEST},
        run_folder=folder,
        eval_every=3,
        seed=3,
    )
    yield from (trainer.train()._comparable(), brain.export_state(), brain.predict_proba(QUERIES))


def sharded_trainer(folder: Path) -> Iterator[Any]:
    brain = PlasticBrain(8, memory_size=60, num_layers=1, expansion=16, seed=3)
    trainer = ShardedTrainer(
        brain, phases(consolidate_after=True), {"test": TEST}, run_folder=folder, shards=2, seed=3
    )
    yield from (trainer.train()._comparable(), brain.export_state(), brain.predict_proba(QUERIES))


def triarchic_trainer(folder: Path) -> Iterator[Any]:
    brain = TriarchicBrain(8, 64, 4, 4, seed=3)
    trainer = TriarchicTrainer(brain, None, phases(), TEST, run_folder=folder, seed=3)
    yield from (trainer.train()._comparable(), brain.export_state(), brain.predict(QUERIES))


def continual_trainer(folder: Path) -> Iterator[Any]:
    trainer = task_runs.begin(folder)
    task_runs.train(trainer)
    done = trainer.stream.pack()
    history = {**done.state["history"], "elapsed_s": 0}
    yield from ({**done.state, "history": history}, dict(done.tensors), trainer.matrix.R)


QUERIES = clusters([0, 1, 2, 3], 9, seed=5)[0]
TRAINERS: dict[str, Callable[[Path], Iterator[Any]]] = {
    "PlasticTrainer": plastic_trainer,
    "ShardedTrainer": sharded_trainer,
    "TriarchicTrainer": triarchic_trainer,
    "ContinualLearningTrainer": continual_trainer,
}


def parts(thing: Any) -> Iterator[bytes]:
    """Yield everything of a thing as bytes: what differs by a bit differs here."""
    if isinstance(thing, torch.Tensor):
        yield f"{thing.dtype}{tuple(thing.shape)}".encode()
        yield thing.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(thing, dict):
        for key in sorted(thing):
            yield key.encode()
            yield from parts(thing[key])
    elif hasattr(thing, "tensors"):
        yield json.dumps(thing.values, sort_keys=True).encode()
        yield from parts(dict(thing.tensors))
    else:
        yield json.dumps(thing, default=repr).encode()


def digest(*things: Any) -> str:
    done = hashlib.sha256()
    for thing in things:
        for part in parts(thing):
            done.update(part)
    return done.hexdigest()


def lived() -> Iterator[tuple[str, Any, list[Any]]]:
    """Yield every learner after its life, by name, with what it answers."""
    asked, _ = learners.examples(9, 8)
    for name, case in learners.CASES.items():
        one = learners.live(case.make(0))
        yield name, one, learners.answers(one, asked).tolist()
    for name, make in sequences.SEQUENCES.items():
        one = sequences.live(make(0))
        yield name, one, sequences.answers(one)
    for name, born in talkers.TALKERS.items():
        one = talkers.live(born())
        yield name, one, talkers.answers(one)


def everything(folder: Path) -> dict[str, str]:
    """Return a digest of state, answers and checkpoint of each, and what each trainer left."""
    digests = {}
    for name, learner, said in lived():
        saved = learner.save(folder / name)
        files = {str(p.relative_to(saved)): p for p in saved.rglob("*") if p.is_file()}
        kept = [(place, files[place].read_bytes().hex()) for place in sorted(files)]
        digests[name] = digest(learner.export_state(), said, kept)
    for name, train in TRAINERS.items():
        digests[name] = digest(*train(folder / name))
    return digests


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(everything(Path(sys.argv[1]))))
