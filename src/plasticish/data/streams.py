"""Streams: the classes of a source one group after another, and batches out of a set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from plasticish.core import ConfigError, make_generator, spawn_seed

from .labelled import ClassKey, LabelledSet, Source, Task, class_index

__all__ = [
    "CIFAR10_ANIMALS",
    "CIFAR10_VEHICLES",
    "BatchLoader",
    "batches",
    "class_phases",
    "class_splits",
    "transformed_task",
]

CIFAR10_ANIMALS = (2, 3, 4, 5, 6, 7)
"""Labels of the animals of CIFAR-10: bird, cat, deer, dog, frog, horse."""

CIFAR10_VEHICLES = (0, 1, 8, 9)
"""Labels of the vehicles of CIFAR-10: airplane, automobile, ship, truck."""


def class_splits(
    source: Source,
    classes_per_task: int = 2,
    order: Sequence[ClassKey] | None = None,
    generator: torch.Generator | None = None,
) -> list[Task]:
    """Cut a source into tasks of a few classes each: a class-incremental stream.

    Labels stay those of the source, so a learner is always asked among all classes. If the
    classes do not divide evenly, the last task has fewer.

    Parameters
    ----------
    source : Source
        What to cut.
    classes_per_task : int
        Classes in a task.
    order : sequence of int or str, optional
        Classes in the order in which they come, each once; may leave some out. By default the
        order of their labels.
    generator : torch.Generator, optional
        Draws a random order instead.

    Returns
    -------
    list of Task

    Raises
    ------
    ConfigError
        If a class is unknown or comes twice, or both an order and a generator are given.

    Examples
    --------
    >>> from plasticish.data import load_digits
    >>> [task.classes for task in class_splits(load_digits())]
    [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)]
    """
    if classes_per_task < 1:
        raise ConfigError(
            "classes_per_task is out of range", got=repr(classes_per_task), expected="at least 1"
        )
    labels = _class_order(source, order, generator)
    cuts = range(0, len(labels), classes_per_task)
    return [_task(source, labels[cut : cut + classes_per_task]) for cut in cuts]


def class_phases(source: Source, groups: Mapping[str, Sequence[ClassKey]]) -> list[Task]:
    """Cut a source into named phases: a curriculum.

    Parameters
    ----------
    source : Source
        What to cut.
    groups : mapping of str to sequence of int or str
        For every phase its classes, by label or name, in the order in which phases come. A class
        may come back in a later phase.

    Raises
    ------
    ConfigError
        If a class is unknown or comes twice in a phase, or a phase has none.

    Examples
    --------
    >>> from plasticish.data import load_digits
    >>> phases = class_phases(load_digits(), {"round": ["0", "6", "8", "9"], "straight": [1, 7]})
    >>> [(phase.name, phase.classes) for phase in phases]
    [('round', (0, 6, 8, 9)), ('straight', (1, 7))]
    """
    return [_task(source, _class_order(source, keys, None), name) for name, keys in groups.items()]


def transformed_task(task: Task, transform: Callable[[Tensor], Tensor], name: str) -> Task:
    """Return the task seen through ``transform``: a storm, if it inverts the colours.

    Examples
    --------
    >>> from plasticish.data import invert_tensor, load_digits
    >>> task = class_splits(load_digits())[0]
    >>> storm = transformed_task(task, invert_tensor, "storm")
    >>> bool(torch.allclose(storm.test.inputs, 1 - task.test.inputs))
    True
    """
    train = task.train.map_inputs(transform, description=name)
    test = task.test
    test = test.map_inputs(transform, description=name) if len(test) else test
    return Task(name, task.classes, train, test)


def batches(
    dataset: LabelledSet, batch_size: int, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield ``(inputs, labels)`` over every row once; the last batch may be smaller.

    Parameters
    ----------
    dataset : LabelledSet
        What to read; an empty set yields nothing.
    batch_size : int
        Rows in a batch.
    generator : torch.Generator, optional
        Shuffles the rows; without one they come in their stored order.

    Examples
    --------
    >>> data = LabelledSet(torch.eye(5), torch.arange(5), tuple("abcde"), "toy")
    >>> [labels.tolist() for _, labels in batches(data, 2)]
    [[0, 1], [2, 3], [4]]
    """
    if batch_size < 1:
        raise ConfigError("batch_size is out of range", got=repr(batch_size), expected=">= 1")
    return _batches(dataset, batch_size, generator)


def _batches(
    dataset: LabelledSet, batch_size: int, generator: torch.Generator | None
) -> Iterator[tuple[Tensor, Tensor]]:
    if generator is None:
        for start in range(0, len(dataset), batch_size):
            rows = slice(start, start + batch_size)  # a view: nothing is copied
            yield dataset.inputs[rows], dataset.labels[rows]
        return
    order = torch.randperm(len(dataset), generator=generator, device=generator.device)
    order = order.to(dataset.labels.device)
    for start in range(0, len(dataset), batch_size):
        chosen = order[start : start + batch_size]
        yield dataset.inputs[chosen], dataset.labels[chosen]


class BatchLoader:
    """Batches that can be gone through again and again, as a training loop of epochs wants.

    The order of epoch ``e`` depends on ``seed`` and ``e`` alone, so a run that was stopped can
    take up any epoch where it left it: set ``epoch``, iterate, and skip what was seen.

    Parameters
    ----------
    dataset : LabelledSet
        What to read.
    batch_size : int
        Rows in a batch.
    seed : int, optional
        Shuffles anew in every epoch; without one rows come in their stored order.

    Attributes
    ----------
    epoch : int
        Number of the epoch that the next ``iter()`` begins.

    Examples
    --------
    >>> data = LabelledSet(torch.eye(5), torch.arange(5), tuple("abcde"), "toy")
    >>> loader = BatchLoader(data, 2, seed=0)
    >>> len(loader), sum(len(labels) for _, labels in loader), loader.epoch
    (3, 5, 1)
    """

    def __init__(self, dataset: LabelledSet, batch_size: int, seed: int | None = None) -> None:
        if batch_size < 1:
            raise ConfigError("batch_size is out of range", got=repr(batch_size), expected=">= 1")
        if seed is not None:
            make_generator(seed)  # refuses a seed that is not usable, before anything is read
        self.dataset, self.batch_size, self.seed, self.epoch = dataset, batch_size, seed, 0

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        generator = None
        if self.seed is not None:
            generator = make_generator(spawn_seed(self.seed, self.epoch))
        self.epoch += 1
        return batches(self.dataset, self.batch_size, generator)


def _class_order(
    source: Source, order: Sequence[ClassKey] | None, generator: torch.Generator | None
) -> tuple[int, ...]:
    if order is None:
        count = len(source.classes)
        if generator is None:
            return tuple(range(count))
        return tuple(torch.randperm(count, generator=generator, device=generator.device).tolist())
    if generator is not None:
        raise ConfigError(
            "an order and a generator exclude each other",
            got="both",
            cure="give the order to fix it, or the generator to draw it",
        )
    labels = tuple(class_index(source, key) for key in order)
    if not labels or len(set(labels)) != len(labels):
        raise ConfigError(
            "the order of classes is not usable",
            got=str(list(order)),
            expected="at least one class, and each once",
        )
    return labels


def _task(source: Source, labels: tuple[int, ...], name: str = "") -> Task:
    return Task(
        name=name or "+".join(source.classes[label] for label in labels),
        classes=labels,
        train=source.train.of_classes(labels),
        test=source.test.of_classes(labels),
    )
