"""What the scenarios of continual learning share: streams, rows and their training, peers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from plasticish.core import make_generator, spawn_seed
from plasticish.data import LabelledSet, Source, Task, batches, class_splits
from plasticish.memory import TaskBuffer
from plasticish.metrics import (
    average_accuracy,
    average_incremental_accuracy,
    backward_transfer,
    forgetting,
    retention,
)
from plasticish.spiking.continual import ContinualLearningSTDP
from plasticish.spiking.models import build_model

from ..peers import avalanche, avalanche_continual
from ..scenario import Findings, Metric
from ..timing import side_by_side

__all__ = [
    "AVALANCHE",
    "JOINT",
    "METRICS",
    "MODES",
    "OURS",
    "OVER",
    "PARTS",
    "Life",
    "Setting",
    "add_rows",
    "baselines",
    "figures_of",
    "kept",
    "live_in_avalanche",
    "measure",
    "row_name",
    "step_ratio",
    "take_through",
]

OURS, JOINT = "ours", "joint (all data at once)"
MODES = ("class", "domain", "task")
STEP, OVER = "ms a step", "x Avalanche EWC+Replay"
METRICS = (
    Metric("ACC"),
    Metric("forgetting", higher_is_better=False),
    Metric("AIA"),
    Metric("BWT"),
    Metric(STEP, "ms", 2, higher_is_better=None),
    Metric(OVER, "x", 2, higher_is_better=False, tolerance=0.3, relative=True),
)

_PLAIN = {"asymmetric": False, "dark_weight": 0.5}
_RESERVOIR = ("reservoir", False)
_BALANCED = ("class_balanced", True)
PARTS: Mapping[str, tuple[dict[str, Any], tuple[str, bool]]] = {
    "naive": ({"replay": None, "consolidation_strength": 0.0, **_PLAIN}, _RESERVOIR),
    "EWC": ({"replay": None, **_PLAIN}, _RESERVOIR),
    "replay": ({"replay": "er", "consolidation_strength": 0.0, **_PLAIN}, _RESERVOIR),
    "EWC+replay": ({"replay": "er", **_PLAIN}, _RESERVOIR),
    "DER++": ({"replay": "der++", "consolidation_strength": 0.0, **_PLAIN}, _RESERVOIR),
    OURS: ({}, _BALANCED),
}
"""Row to: arguments of the learner, and policy and distinctness of its buffer."""

AVALANCHE = {f"Avalanche {name}": name for name in avalanche_continual.STRATEGIES}


@dataclass(frozen=True)
class Setting:
    """What every row of a table has in common.

    Attributes
    ----------
    classes_per_task, epochs, batch, buffer : int
        Of the stream and the learners.
    tasks : int or None
        How many tasks are taken; None for all.
    hidden : tuple of int
        Widths of the hidden layers.
    lr : float
        Of plain stochastic gradient descent.
    avalanche_strength : float
        Of Avalanche's EWC: the best of 1, 10, 100 and 1,000 on held-out training data.
    """

    classes_per_task: int = 2
    epochs: int = 5
    batch: int = 16
    buffer: int = 200
    tasks: int | None = None
    hidden: tuple[int, ...] = (256,)
    lr: float = 0.1
    avalanche_strength: float = 1.0

    def stream(self, source: Source, seed: int) -> list[Task]:
        """Return the tasks in the class order of a seed."""
        draw = make_generator(spawn_seed(seed, 1))
        return class_splits(source, self.classes_per_task, generator=draw)[: self.tasks]

    def model(self, tasks: Sequence[Task], mode: str) -> dict[str, Any]:
        """Return the spec of the network."""
        width = tasks[0].train.inputs[0].numel()
        shared = mode == "domain"
        outputs = self.classes_per_task if shared else len(tasks[0].train.classes)
        return {"kind": "mlp", "sizes": [width, *self.hidden, outputs]}


def row_name(row: str, mode: str) -> str:
    """Return a row of the table: what is done, and how it is asked."""
    return f"{row}, {mode}-incremental"


def baselines(rows: Sequence[str], modes: Sequence[str] = MODES) -> list[str]:
    """Return the rows that are not ours."""
    return [row_name(row, mode) for mode in modes for row in rows if row != OURS]


def labels(task: Task, part: LabelledSet, mode: str) -> Tensor:
    """Return the labels of a part of a task: its own, or the places within the task."""
    if mode != "domain":
        return part.labels
    return (part.labels[:, None] == torch.tensor(task.classes)).long().argmax(dim=1)


@dataclass
class Life:
    """What one row did with one seed."""

    matrix: list[list[float]] = field(default_factory=list)
    seconds: float = 0.0
    steps: int = 0


Answer = Callable[[Tensor, int], Tensor]


def examine(answer: Answer, tasks: Sequence[Task], mode: str) -> list[float]:
    """Return the accuracy on the test part of every task."""
    return [
        float((answer(task.test.inputs, j) == labels(task, task.test, mode)).float().mean())
        for j, task in enumerate(tasks)
    ]


def live(row: str, tasks: Sequence[Task], mode: str, setting: Setting, seed: int) -> Life:
    """Take one of :data:`PARTS` through the tasks."""
    arguments, (policy, distinct) = PARTS[row]
    buffer = TaskBuffer(setting.buffer, policy, distinct=distinct, seed=spawn_seed(seed, 3))
    learner = ContinualLearningSTDP(
        setting.model(tasks, mode), mode=mode, buffer=buffer, seed=seed, **arguments
    )
    optimizer = torch.optim.SGD(learner.model.parameters(), lr=setting.lr)
    draw, life = make_generator(spawn_seed(seed, 2)), Life()
    for number, task in enumerate(tasks):
        y = labels(task, task.train, mode)
        rows = LabelledSet(task.train.inputs, y, task.train.classes, task.name)
        for _ in range(setting.epochs):
            for batch in batches(rows, setting.batch, draw):
                start = time.perf_counter()
                learner.train_step(*batch, optimizer=optimizer, task=number)
                life.seconds += time.perf_counter() - start
                life.steps += 1
        learner.end_task(number, (task.train.inputs, y))

        def answer(x: Tensor, j: int) -> Tensor:
            return learner.predict(x, j if mode == "task" else None)

        row_of_matrix = examine(answer, tasks[: number + 1], mode)
        life.matrix.append([*row_of_matrix, *[float("nan")] * (len(tasks) - number - 1)])
    return life


def live_in_avalanche(
    name: str,
    tasks: Sequence[Task],
    mode: str,
    setting: Setting,
    seed: int,
    plugins: Sequence[Any] = (),
) -> Life:
    """Take one of Avalanche's strategies through the tasks, the same network and batches."""
    model = build_model(setting.model(tasks, mode), seed)
    made = avalanche_continual.strategy(
        name,
        model,
        lr=setting.lr,
        batch_size=setting.batch,
        epochs=setting.epochs,
        memory=setting.buffer,
        strength=setting.avalanche_strength,
        extra=plugins,
    )

    def answer(x: Tensor, j: int) -> Tensor:
        with torch.no_grad():
            outputs: Tensor = model.eval()(x)
        return outputs.argmax(dim=1)

    return take_through(made, answer, tasks, mode, setting.epochs, setting.batch, seed)


def take_through(
    made: Any,
    answer: Answer,
    tasks: Sequence[Task],
    mode: str,
    epochs: int,
    batch: int,
    seed: int,
) -> Life:
    """Train a strategy of Avalanche task after task, and ask it about all so far."""
    life = Life()
    targets = [labels(task, task.train, mode) for task in tasks]
    for number, experience in enumerate(avalanche_continual.experiences(tasks, targets)):
        start = time.perf_counter()
        # Its data loader shuffles by the global generator.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(spawn_seed(seed, 4, number))
            avalanche.train(made, experience)
        life.seconds += time.perf_counter() - start
        life.steps += epochs * -(-len(tasks[number].train) // batch)
        row_of_matrix = examine(answer, tasks[: number + 1], mode)
        life.matrix.append([*row_of_matrix, *[float("nan")] * (len(tasks) - number - 1)])
    return life


def joint(tasks: Sequence[Task], mode: str, setting: Setting, seed: int) -> Life:
    """Train the same network on all tasks at once, as many epochs."""
    model: nn.Module = build_model(setting.model(tasks, mode), seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=setting.lr)
    classes = torch.zeros(len(tasks), len(tasks[0].train.classes), dtype=torch.bool)
    for number, task in enumerate(tasks):
        classes[number, list(task.classes)] = True
    x = torch.cat([task.train.inputs for task in tasks])
    y = torch.cat([labels(task, task.train, mode) for task in tasks])
    whose = torch.cat([torch.full((len(t.train),), i) for i, t in enumerate(tasks)])
    draw, life = make_generator(spawn_seed(seed, 2)), Life()

    def outputs(rows: Tensor, tasks_of: Tensor) -> Tensor:
        logits: Tensor = model(rows)
        return logits.masked_fill(~classes[tasks_of], -torch.inf) if mode == "task" else logits

    for _ in range(setting.epochs):
        for some in torch.split(torch.randperm(len(x), generator=draw), setting.batch):
            start = time.perf_counter()
            optimizer.zero_grad()
            nn.functional.cross_entropy(outputs(x[some], whose[some]), y[some]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            life.seconds += time.perf_counter() - start
            life.steps += 1

    @torch.no_grad()
    def answer(rows: Tensor, j: int) -> Tensor:
        return outputs(rows, torch.full((len(rows),), j)).argmax(dim=1)

    life.matrix = [examine(answer, tasks, mode)] * len(tasks)
    return life


def measure(
    row: str, source: Callable[[int], Source], mode: str, setting: Setting, seeds: Sequence[int]
) -> list[Life]:
    """Return one life a seed of any row of a table."""
    lives = []
    for seed in seeds:
        tasks = setting.stream(source(seed), seed)
        if row in AVALANCHE:
            lives.append(live_in_avalanche(AVALANCHE[row], tasks, mode, setting, seed))
        elif row == JOINT:
            lives.append(joint(tasks, mode, setting, seed))
        else:
            lives.append(live(row, tasks, mode, setting, seed))
    return lives


def add_rows(
    findings: Findings,
    source: Callable[[int], Source],
    mode: str,
    setting: Setting,
    seeds: Sequence[int],
    rows: Sequence[str] = (*PARTS, JOINT),
) -> None:
    """Measure rows and add them; Avalanche's too where it is here and the mode is its own."""
    for row in rows:
        if row in AVALANCHE and avalanche.available():
            continue
        lives = measure(row, source, mode, setting, seeds)
        figures = figures_of(lives)
        if row == JOINT:  # it met everything at once, so nothing could be lost
            figures = {name: figures[name] for name in ("ACC", STEP)}
        findings.add(row_name(row, mode), **figures)


def figures_of(lives: Sequence[Life]) -> dict[str, list[float]]:
    """Return what every row of a table shows, one value a seed."""
    matrices = [life.matrix for life in lives]
    return {
        "ACC": [100 * average_accuracy(R) for R in matrices],
        "forgetting": [100 * forgetting(R) for R in matrices],
        "AIA": [100 * average_incremental_accuracy(R) for R in matrices],
        "BWT": [100 * backward_transfer(R) for R in matrices],
        STEP: [1000 * life.seconds / life.steps for life in lives],
    }


def kept(R: Sequence[Sequence[float]]) -> float:
    """Return the percentage that the first task keeps of its accuracy."""
    return 100 * retention(R)[0]


def step_ratio(source: Source, setting: Setting, repeats: int, seed: int = 0) -> float:
    """Return the time of a step of ours over one of Avalanche's EWC+Replay, side by side.

    The whole stream; what either does between tasks is in it, as its user waits for it.
    """
    tasks = setting.stream(source, seed)
    live(OURS, tasks[:2], "class", setting, seed)  # what the first call of all loads is not in it
    times = side_by_side(
        {
            "ours": lambda: live(OURS, tasks, "class", setting, seed),
            "theirs": lambda: live_in_avalanche("EWC+Replay", tasks, "class", setting, seed),
        },
        repeats,
    )
    return times["ours"].best / times["theirs"].best
