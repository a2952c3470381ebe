"""Training runs in processes of their own, to be killed.

``-m training.killed FOLDER`` reads a line for each run it is to begin (``begin``) or go on with
(``resume``), and forks: importing torch anew for each victim would take most of the time.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial

import torch
from torch.utils.data import DataLoader, TensorDataset

from plasticish.training import (
    Callback,
    PhaseConfig,
    PlasticTrainer,
    Trainer,
    TransformedLoader,
    resume,
)

from .fake import FakeBrain, batched, clusters


class Slow(Callback):
    """Give the killer a chance to hit any moment of a step, a save or a phase end."""

    def on_step(self, trainer, report):
        print(len(trainer.history), flush=True)
        time.sleep(0.004)


def curriculum():
    shuffled = DataLoader(TensorDataset(*clusters([0, 1], 64)), 8, shuffle=True)
    own = batched(*clusters([2, 3], 64, seed=1), 8)
    return [
        PhaseConfig("A", 2, shuffled, consolidate_after=True),
        PhaseConfig("B", 2, own, consolidate_after=True),
        PhaseConfig("C", 2, shuffled, mode="panic", transform_fn=partial(jitter, generator=NOISE)),
    ]


NOISE = torch.Generator()  # one that a transform owns, like that of add_noise


def jitter(x, generator):
    return x + 0.1 * torch.rand_like(x) + 0.1 * torch.rand(x.shape, generator=generator)


TEST = batched(*clusters([0, 1, 2, 3], 64, seed=2), 16)
EVAL = {"test": TEST, "storm": TransformedLoader(TEST, partial(jitter, generator=NOISE))}


def begin(folder, callbacks=(), every_s=60.0) -> Trainer:
    return PlasticTrainer(
        FakeBrain(),
        curriculum(),
        EVAL,
        run_folder=folder,
        checkpoint_every_s=every_s,
        eval_every=7,
        callbacks=callbacks,
        seed=3,
    )


def again(folder, callbacks=(), every_s=60.0) -> Trainer:
    return resume(
        folder,
        curriculum(),
        EVAL,
        brain=FakeBrain(),
        callbacks=callbacks,
        checkpoint_every_s=every_s,
    )


def run(folder, command) -> None:
    trainer = begin(folder, [Slow()], 0) if command == "begin" else again(folder, [Slow()], 0)
    trainer.train()
    print("done", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(sys.argv[1], line.strip())
            os._exit(0)
        print("child", child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)
