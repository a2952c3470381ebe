"""Small streams of tasks, in this process and in others that are to be killed.

``-m training.task_runs FOLDER`` reads a line for each run it is to begin (``begin``) or go on with
(``resume``), and forks: importing torch anew for each victim would take most of the time.
"""

from __future__ import annotations

import os
import signal
import sys
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from plasticish.core import make_generator
from plasticish.training.continual import ContinualLearningTrainer

from .fake import batched, clusters

NAMES = ("A", "B", "C")
EPOCHS = 2
STEPS = 8  # a task: 32 examples in batches of 8, twice


def make_model(seed=0):
    """A network with dropout, so that a resume which lost its randomness would show."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 6))


def tasks():
    """Name, train and validation loader: shuffled by torch's generator, by a seed, and by one."""
    train = [clusters([2 * t, 2 * t + 1], 32, seed=t) for t in range(3)]
    own = DataLoader(TensorDataset(*train[2]), 8, shuffle=True, generator=make_generator(5))
    loaders = [
        DataLoader(TensorDataset(*train[0]), 8, shuffle=True),
        batched(*train[1], 8),
        own,
    ]
    exams = [batched(*clusters([2 * t, 2 * t + 1], 32, seed=9 + t), 16) for t in range(3)]
    return list(zip(NAMES, loaders, exams, strict=True))


def make_optimizer(model, kind="adam"):
    if kind == "adam":
        return torch.optim.Adam(model.parameters(), lr=0.02, betas=(0.8, 0.99))
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


def begin(folder=None, every_s=0.0, **options):
    options = {"consolidation_strength": 10.0, "replay_buffer_size": 20, **options}
    return ContinualLearningTrainer(
        make_model(),
        use_meta_plasticity=False,
        run_folder=folder,
        checkpoint_every_s=every_s,
        seed=3,
        **options,
    )


def again(folder, every_s=0.0):
    return ContinualLearningTrainer.resume(folder, make_model(7), checkpoint_every_s=every_s)


def train(trainer, optimizer=None, stop_at=None, told=None, epochs=EPOCHS):
    """Go through all tasks with one optimizer; press Ctrl-C within step ``stop_at``."""
    optimizer = optimizer or make_optimizer(trainer.model)

    def after(*_):
        step = len(trainer.history) + 1
        if told is not None:
            told(step)
        if step == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    optimizer.register_step_post_hook(after)
    for name, loader, exam in tasks():
        trainer.train_on_task(name, loader, exam, epochs, optimizer, nn.CrossEntropyLoss())
    return optimizer


def run(folder, command):
    def told(step):
        print(step, flush=True)
        time.sleep(0.004)  # a chance to be hit at any moment of a step or a save

    train(begin(folder) if command == "begin" else again(folder), told=told)
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
