"""The loop over a stream of tasks: epochs, steps, looks at every task so far, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import torch

from ..core import Checkpoint, CheckpointError, ConfigError, State, as_pair, forward, spawn_seed
from ..spiking.continual import ContinualLearningSTDP
from ..spiking.optimizer_state import pack_optimizer
from .display import TrainingDisplay
from .evaluation import Evaluation
from .exams import Exams, evaluating, model_generators, tensors_of
from .generators import isolated_rng, seeded
from .history import TrainingHistory
from .interrupt import InterruptGuard
from .loaders import fingerprint, replayed
from .resumable import Position
from .run_folder import RunFolder
from .saved_tasks import KIND, SavedTasks
from .task_run import TaskRun, empty, first_pair
from .task_scores import Score, try_out

__all__ = ["TaskStream"]


class TaskStream:
    """Where a stream of tasks stands, and how it goes on; bit for bit, wherever it was stopped.

    Parameters
    ----------
    learner : ContinualLearningSTDP
        Who learns.
    score : callable
        ``score(respond, loader)`` in [0, 1].
    evaluate_every : int or None
        Epochs between looks within a task.
    settings : mapping
        What decides the results, for the checkpoint.
    run_folder, checkpoint_every_s, clock
        As in :class:`plasticish.training.ContinualLearningTrainer`.
    seed : int
        Of all that is random.

    Attributes
    ----------
    tasks : list of dict
        :meth:`TaskRun.describe` of every task that was begun.
    rows : list of list of float
        The scores on all tasks so far, after each finished task.
    ahead, untrained : list of float
        The score on each task just before it was learned, and that of the untrained model.
    history : TrainingHistory
        Losses of all steps, and all looks.
    """

    def __init__(
        self,
        learner: ContinualLearningSTDP,
        *,
        score: Score,
        evaluate_every: int | None,
        settings: Mapping[str, Any],
        run_folder: str | Path | None = None,
        checkpoint_every_s: float = 60.0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.learner, self.evaluate_every = learner, evaluate_every
        self.settings, self.seed, self.clock = dict(settings), seed, forward(clock)
        self.history, self.position = TrainingHistory(), Position()
        self.tasks: list[dict[str, Any]] = []
        self.rows: list[list[float]] = []
        self.ahead: list[float] = []
        self.untrained: list[float] = []
        self.initial = tensors_of(learner.model)
        self.exams = Exams(learner.model, learner.scores, score, seed)
        self.run = RunFolder(run_folder, checkpoint_every_s, self.pack, self.clock)
        self._optimizer: torch.optim.Optimizer | None = None
        self._saved: SavedTasks | None = None
        self._started = 0.0

    def learn(self, task: TaskRun) -> float:
        """Learn a task from where it stands to its end, or remember how it ended.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C, once the step in hand is finished and saved.
        """
        place = self._place(task)
        if place < len(self.rows):
            return self._recall(task, place)
        self._try(task)
        self._started = self.clock() - self.history.elapsed_s
        self.run.open()
        try:
            self._admit(task, place)
            with InterruptGuard() as guard, TrainingDisplay() as display:
                self._learn(task, guard, display)
            self.run.save()
        finally:
            self.run.release()
            self._stamp()
        if guard.requested:
            where = "" if self.run.folder is None else f"; all is saved in {self.run.folder}"
            raise KeyboardInterrupt(f"stopped after step {len(self.history)}{where}")
        return self.rows[-1][-1]

    def take_up(self, saved: SavedTasks) -> None:
        """Stand where a saved run stood; each optimizer follows with its task.

        Raises
        ------
        CheckpointError
            If the model differs from that of the run.
        """
        values = saved.state.values
        try:
            self.learner.import_state(saved.state.part("learner"))
            self.history = TrainingHistory.from_state(saved.state.part("history"))
            self.position = Position(**values["position"])
            self.rows = [list(row) for row in values["rows"]]
            self.ahead, self.untrained = list(values["ahead"]), list(values["untrained"])
        except (LookupError, AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                "the model does not fit the run",
                got=" ".join(str(error).split())[:300],
                cure="build the model as it was when the run was begun",
            ) from error
        self.initial = dict(saved.state.part("initial").tensors)
        self.tasks, self._saved, self.run.mine = [*saved.tasks], saved, True

    def pack(self) -> Checkpoint:
        """Return everything the stream needs to go on, as one checkpoint."""
        self._stamp()
        name, optimizer = self._packed_optimizer()
        parts = {
            "learner": self.learner.export_state(),
            "history": self.history.export_state(),
            "initial": State({}, self.initial),
            "optimizer": optimizer,
        }
        state = State.nest(parts)
        return Checkpoint(
            kind=KIND,
            config={"settings": self.settings, "tasks": self.tasks},
            state={
                **state.values,
                "position": asdict(self.position),
                "rows": self.rows,
                "ahead": self.ahead,
                "untrained": self.untrained,
                "optimizer_class": name,
            },
            tensors=state.tensors,
            seed=self.seed,
        )

    def _stamp(self) -> None:
        self.history.elapsed_s = self.clock() - self._started

    def _packed_optimizer(self) -> tuple[str, State]:
        if self._optimizer is not None:
            return type(self._optimizer).__name__, pack_optimizer(self._optimizer)
        if self._saved is not None:  # resumed, and its task has not come yet
            saved = self._saved.state
            return saved.values["optimizer_class"], saved.part("optimizer")
        return "", State()

    def _place(self, task: TaskRun) -> int:
        """Return which task of the stream this is, refusing one that is out of its turn."""
        place = len(self.exams.loaders)
        if task.name in self.exams.loaders:
            if task.name != self.history.phase_names[-1] or len(self.rows) == len(self.tasks):
                raise ConfigError(
                    f"task {task.name!r} was learned already",
                    got=repr(task.name),
                    expected="a task id that was not given before",
                    cure="call a repetition by another id, so that tables can tell them apart",
                )
            return place - 1  # it was stopped in its middle
        if place > len(self.rows):
            raise ConfigError(
                f"task {self.history.phase_names[-1]!r} is not finished",
                got=repr(task.name),
                cure="call train_on_task for it again first; it goes on where it was stopped",
            )
        return place

    def _recall(self, task: TaskRun, place: int) -> float:
        """Take note of a task that was finished before the run was resumed."""
        assert self._saved is not None
        self._saved.check(task, place)
        if place == len(self.tasks) - 1:  # as the task left it, for those that share it
            self._saved.restore_optimizer(task.optimizer)
            self._optimizer = task.optimizer
        self.exams.loaders[task.name] = task.val
        return self.rows[place][place]

    def _try(self, task: TaskRun) -> None:
        """See that the model can learn the task, on one batch of each loader."""
        task.check_optimizer(self.learner.model)
        if task.name in self.exams.loaders:
            return
        seed = spawn_seed(self.seed, self.position.phase)
        for loader, name in ((task.train, "train"), (task.val, "validation")):
            batches = replayed(loader, seed, self._epochs_before())
            try:
                x, y = first_pair(batches, f"the {name} loader of task {task.name!r}")
            finally:
                batches.close()  # type: ignore[attr-defined]  # hands the generators back
            with evaluating(self.learner.model), isolated_rng(seed):
                try_out(self.learner.model, x, y, task.criterion)

    def _admit(self, task: TaskRun, place: int) -> None:
        if place == len(self.tasks):
            self.tasks.append(task.describe())
            self.history.phase_names.append(task.name)
        elif self._saved is not None and task.name not in self.exams.loaders:
            self._saved.check(task, place)
            self._saved.restore_optimizer(task.optimizer)
        self.exams.loaders[task.name] = task.val
        self._optimizer = task.optimizer

    def _learn(self, task: TaskRun, guard: InterruptGuard, display: TrainingDisplay) -> None:
        position, batches = self.position, len(task.phase())
        if len(self.ahead) == position.phase:
            self._measure_ahead(task)
        done = position.epoch * batches + position.batch
        display.start(task.name, batches * task.epochs or None, done)
        while position.epoch < task.epochs:
            self._run_epoch(task, guard, display)
            if guard.requested:
                return
        if position.epoch == task.epochs:
            with isolated_rng(spawn_seed(self.seed, position.phase, task.epochs)):
                self.learner.end_task(task.name, self._once(task))
            position.next_epoch()  # so that what follows may fail and be tried again
        self.rows.append(list(self._look(phase_end=True).values()))
        self.history.boundaries.append(len(self.history))
        position.next_phase()

    def _measure_ahead(self, task: TaskRun) -> None:
        own = self.learner.mode == "task"
        untrained = self.exams.ask_ahead(task.name, self.initial, own_classes=own)
        self.ahead.append(self.exams.ask_ahead(task.name, own_classes=own))
        self.untrained.append(untrained)

    def _epochs_before(self) -> int:
        return sum(int(task["epochs"]) for task in self.tasks[: self.position.phase])

    def _epoch_seed(self, epoch: int) -> int:
        return spawn_seed(self.seed, self.position.phase, epoch)

    def _once(self, task: TaskRun) -> Iterable[Any]:
        """Return the batches of the task once more, in an order of their own."""
        return replayed(task.train, self._epoch_seed(task.epochs), self._epochs_before())

    def _run_epoch(self, task: TaskRun, guard: InterruptGuard, display: TrainingDisplay) -> None:
        position = self.position
        seed = self._epoch_seed(position.epoch)
        own = model_generators(self.learner.model)
        batches = replayed(task.train, seed, self._epochs_before() + position.epoch)
        try:
            self._skip(task, batches)
            for index in count(position.batch):
                batch = next(batches, None)
                if batch is None:
                    break
                draw = spawn_seed(seed, 3, index)
                with isolated_rng(draw), seeded(own, draw):
                    report = self._step(task, *as_pair(batch))
                display.step(report)
                if guard.requested:
                    return
                self.run.save_if_due()
        finally:
            batches.close()  # type: ignore[attr-defined]  # hands the loader's generators back
        if position.batch == 0:
            raise empty(f"the train loader of task {task.name!r}")
        every, done = self.evaluate_every, position.epoch + 1
        if every is not None and done % every == 0 and done < task.epochs:
            self._look(phase_end=False)
        position.next_epoch()

    def _skip(self, task: TaskRun, batches: Iterable[Any]) -> None:
        """Go past what was learned before, and see that it is what was learned before."""
        seen = 0
        for _, batch in zip(range(self.position.batch), batches, strict=False):
            seen = fingerprint(*as_pair(batch), seen)
        if seen != self.position.fingerprint:
            raise CheckpointError(
                f"the train loader of task {task.name!r} does not give the same batches again",
                cure="give the same data, and let its order come from torch's generators",
            )

    def _step(self, task: TaskRun, x: Any, y: Any) -> Mapping[str, Any]:
        report = self.learner.train_step(
            x, y, optimizer=task.optimizer, criterion=task.criterion, task=task.name
        )
        labels = torch.as_tensor(y)
        if not labels.is_floating_point():
            report = {**report, "accuracy": report["performance"]}
        classes = labels.ndim == 1 and not labels.is_floating_point()
        position = self.position
        self.history.add_step(
            position.phase, position.epoch, labels.tolist() if classes else [], report, len(labels)
        )
        position.next_batch(fingerprint(x, y, position.fingerprint))
        return report

    def _look(self, *, phase_end: bool) -> dict[str, float]:
        """Ask about every task so far, and write it down."""
        scores = {name: self.exams.ask(name) for name in self.history.phase_names}
        look = Evaluation(len(self.history), self.position.phase, phase_end, scores)
        self.history.evaluations.append(look)
        return scores
