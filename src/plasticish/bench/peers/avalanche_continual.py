"""Avalanche's strategies against forgetting, on any module, task after task."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from plasticish.data import Task

from .avalanche import load, silent

__all__ = ["STRATEGIES", "experiences", "strategy"]

STRATEGIES = ("Naive", "EWC", "Replay", "EWC+Replay")


def experiences(tasks: Sequence[Task], labels: Sequence[Tensor]) -> list[Any]:
    """Return the training part of each task as an Avalanche experience, in order.

    Parameters
    ----------
    tasks : sequence of Task
        What comes.
    labels : sequence of Tensor
        Labels of the training rows of each, as the mode wants them.
    """
    benchmarks, utils = load("benchmarks"), load("benchmarks.utils")
    data = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for task, y in zip(tasks, labels, strict=True):
            rows = torch.utils.data.TensorDataset(task.train.inputs, y)
            rows.targets = y.tolist()  # type: ignore[attr-defined]  # where it looks for labels
            data.append(utils.as_classification_dataset(rows))
        stream = benchmarks.benchmark_from_datasets(train=data)
    return list(stream.train_stream)


def strategy(
    name: str,
    model: nn.Module,
    *,
    lr: float,
    batch_size: int,
    epochs: int,
    memory: int,
    strength: float,
    extra: Sequence[Any] = (),
) -> Any:
    """Return one of :data:`STRATEGIES` on ``model`` under plain gradient descent.

    ``extra`` are plugins from elsewhere.
    """
    plugins = load("training.plugins")
    chosen = list(extra)
    if "EWC" in name:
        chosen.append(plugins.EWCPlugin(ewc_lambda=strength, mode="separate"))
    if "Replay" in name:
        chosen.append(plugins.ReplayPlugin(mem_size=memory))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load("training.supervised").Naive(
            model=model,
            optimizer=torch.optim.SGD(model.parameters(), lr=lr),
            criterion=nn.CrossEntropyLoss(),
            train_mb_size=batch_size,
            train_epochs=epochs,
            evaluator=silent(),
            plugins=chosen,
        )
