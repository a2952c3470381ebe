"""What ``plasticish train`` teaches: tasks in their order, the network for them, and the exam."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from plasticish.core import make_generator, spawn_seed, track
from plasticish.data import (
    BatchLoader,
    BodyTask,
    LabelledSet,
    Source,
    Task,
    class_splits,
    few_shot,
    load_dialogue,
    load_digits,
    load_fashion,
    next_character_tasks,
    robotics_tasks,
)
from plasticish.evaluation import ReturnScale, closed_loop_returns, return_scale
from plasticish.spiking.network_config import LiquidSpikingConfig
from plasticish.training.task_scores import Respond, Score, accuracy_score

from .train_config import TrainConfig

__all__ = ["Arena", "Course", "Lesson", "make_course"]

ASKED_TOGETHER = 512
FASHION_PER_CLASS = 400
NETWORKS: dict[str, dict[str, int]] = {
    "digits": {"units": 64, "backbone_units": 64, "steps": 6},
    "fashion": {"units": 96, "backbone_units": 96, "steps": 6},
    "llm": {"units": 64, "backbone_units": 64},
    "robotics": {"units": 64, "backbone_units": 64},
}
TOPICS = ("ai", "coding", "emotion", "trivia")
CONTEXT = 24
WINDOWS = 1500
EPISODES = 20
TRIALS = 20


@dataclass(frozen=True, eq=False)
class Lesson:
    """One task.

    Attributes
    ----------
    name : str
        What it is called in tables.
    train, val : loader
        What is learned, and what is asked.
    """

    name: str
    train: BatchLoader
    val: BatchLoader


@dataclass(frozen=True, eq=False)
class Course:
    """Everything a run needs beside its options.

    Attributes
    ----------
    title : str
        What is learned, in one line.
    measure : str
        What the score is called.
    mode : str
        As :class:`plasticish.training.ContinualLearningTrainer` has it.
    lessons : tuple of Lesson
        In their order.
    network : LiquidSpikingConfig
        What learns them.
    lr : float
        Of Adam.
    score : callable
        How it is asked.
    evaluate_every : int or None
        Epochs between looks within a task.
    """

    title: str
    measure: str
    mode: str
    lessons: tuple[Lesson, ...]
    network: LiquidSpikingConfig
    lr: float = 1e-3
    score: Score = accuracy_score
    evaluate_every: int | None = 1

    @property
    def names(self) -> list[str]:
        """Names of the tasks."""
        return [lesson.name for lesson in self.lessons]


class Windows(BatchLoader):
    """Windows of text ``[batch, time]`` with what comes next at each of their characters."""

    def __iter__(self) -> Any:
        for x, following in super().__iter__():
            yield x, torch.cat([x[:, 1:], following[:, None]], dim=1)


class Arena(BatchLoader):
    """Demonstrations that were held out, and the body to steer.

    Attributes
    ----------
    task : BodyTask
        The physics.
    scale : ReturnScale
        What random commands and the expert get.
    """

    def __init__(self, task: BodyTask, seed: int) -> None:
        super().__init__(task.test, ASKED_TOGETHER)
        self.task, self.starts = task, seed
        self.scale: ReturnScale = return_scale(task.body, episodes=TRIALS, seed=seed)

    def mean_return(self, respond: Respond, simulator: str = "batched") -> float:
        """Return the mean return of a policy in this body."""
        task = self.task
        returns = closed_loop_returns(
            respond, task.body, episodes=TRIALS, frames=task.frames, seed=self.starts,
            simulator=simulator,
        )  # fmt: skip
        return float(returns.mean())

    def share(self, value: float) -> float:
        """Return a return as a share of the expert's: 0 is random, 1 is the expert or better."""
        return min(max(self.scale.percent(value) / 100.0, 0.0), 1.0)


def next_character_score(respond: Respond, loader: Iterable[Any]) -> float:
    """Return the accuracy on the last character of each window: each is asked once, in context."""
    last = [(x, y[:, -1]) for x, y in loader]
    return accuracy_score(lambda x: respond(x)[:, -1], last)


def closed_loop_score(respond: Respond, loader: Iterable[Any]) -> float:
    """Return the mean return in the body of an :class:`Arena`, as a share of the expert's."""
    assert isinstance(loader, Arena)
    return loader.share(loader.mean_return(respond))


def make_course(config: TrainConfig) -> Course:
    """Load the data of a run and cut it into tasks.

    Raises
    ------
    PlasticishError
        If the data are not there.
    """
    return COURSES[config.task](config)


def _vision(config: TrainConfig) -> Course:
    if config.data == "digits":
        source = load_digits(seed=config.seed)
        title = "handwritten digits, five pairs of classes one after another"
    else:
        source = load_fashion()
        generator = make_generator(spawn_seed(config.seed, 1))
        train = _flat(few_shot(source.train, FASHION_PER_CLASS, generator))
        test = _flat(few_shot(source.test, FASHION_PER_CLASS // 2, generator))
        source = Source(train, test, source.name)
        title = "Fashion-MNIST, five pairs of classes one after another"
    width = int(source.train.inputs.shape[1])
    return Course(
        title=title,
        measure="accuracy",
        mode="class",
        lessons=_lessons(class_splits(source, 2), config.seed),
        network=LiquidSpikingConfig.vision(
            width, len(source.classes), **NETWORKS[config.data], seed=config.seed
        ),
    )


def _flat(images: LabelledSet) -> LabelledSet:
    return images.with_inputs(images.inputs.flatten(1))


def _lessons(tasks: Sequence[Task], seed: int, batch_size: int = 32) -> tuple[Lesson, ...]:
    return tuple(
        Lesson(
            task.name,
            BatchLoader(task.train, batch_size, seed=spawn_seed(seed, place)),
            BatchLoader(task.test, ASKED_TOGETHER),
        )
        for place, task in enumerate(tasks)
    )


def _llm(config: TrainConfig) -> Course:
    tasks = next_character_tasks(
        load_dialogue(TOPICS), CONTEXT, max_windows=WINDOWS, seed=config.seed
    )
    lessons = tuple(
        Lesson(
            task.name,
            Windows(task.train, 64, seed=spawn_seed(config.seed, place)),
            Windows(task.test, ASKED_TOGETHER),
        )
        for place, task in enumerate(tasks)
    )
    return Course(
        title="the next character of a dialogue, one topic after another",
        measure="next characters right",
        mode="domain",
        lessons=lessons,
        network=LiquidSpikingConfig.language(
            len(tasks[0].train.classes), **NETWORKS["llm"], seed=config.seed
        ),
        lr=3e-3,
        score=next_character_score,
    )


def _robotics(config: TrainConfig) -> Course:
    tasks = robotics_tasks("pendulum", episodes=EPISODES, test_episodes=5, seed=config.seed)
    lessons = tuple(
        Lesson(
            task.name,
            BatchLoader(task.train, 64, seed=spawn_seed(config.seed, place)),
            Arena(task, spawn_seed(config.seed, place, 9)),
        )
        for place, task in enumerate(track(tasks, "meeting the bodies"))
    )
    shown = tasks[0].train
    return Course(
        title="a pendulum swung up and held, its physics changing from task to task",
        measure="return (share of the expert's)",
        mode="domain",
        lessons=lessons,
        network=LiquidSpikingConfig.control(
            int(shown.inputs.shape[1]),
            len(shown.classes),
            discrete=True,
            **NETWORKS["robotics"],
            seed=config.seed,
        ),
        score=closed_loop_score,
        evaluate_every=max(1, (config.epochs or 1) // 2),
    )  # fmt: skip


COURSES: dict[str, Callable[[TrainConfig], Course]] = {
    "vision": _vision,
    "llm": _llm,
    "robotics": _robotics,
}
