"""One task after another with any torch module, and what is left of each at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from ..core import ConfigError, check_positive, spawn_seed
from ..spiking.continual import ContinualLearningSTDP
from .arguments import check_every
from .history import TrainingHistory
from .saved_tasks import load_tasks
from .task_matrix import TaskMatrix
from .task_run import TaskRun, check_linear, check_loader
from .task_scores import Criterion, Score, accuracy_score
from .task_stream import TaskStream

__all__ = ["ContinualLearningTrainer", "TaskEvaluation"]

TaskId = int | str


class TaskEvaluation(NamedTuple):
    """What :meth:`ContinualLearningTrainer.evaluate_all_tasks` returns.

    Attributes
    ----------
    results : dict of task id to dict of str to float
        ``accuracy`` now (the score, where another one was given), ``loss`` now, ``as_learned``
        (right after the task), and ``forgetting`` (the best before now, less now).
    avg_acc : float
        Mean accuracy over the tasks asked.
    avg_forgetting : float
        Mean forgetting over them, the task learned last left out: nothing came after it.
    """

    results: dict[TaskId, dict[str, float]]
    avg_acc: float
    avg_forgetting: float


class ContinualLearningTrainer:
    """Train a module on tasks that come one after another, and measure what it forgets.

    Parameters
    ----------
    model : nn.Module
        What is trained, by any optimizer over its parameters.
    consolidation_strength : float
        How firmly weights that mattered to earlier tasks are held; 0 holds none.
    use_experience_replay : bool
        Whether a few examples of earlier tasks are kept and rehearsed.
    replay_buffer_size : int
        Examples kept, of all tasks together.
    use_meta_plasticity : bool
        Whether a controller learns how plastic each Linear layer should be.
    meta_lr : float
        How fast the controller learns that.
    mode : {"class", "domain", "task"}
        Class-incremental (always asked among all classes), domain-incremental (the same classes
        in other circumstances), or task-incremental (asked among the classes of the task only).
    replay : {"der++", "er"}
        How they are rehearsed: with their labels and the answers of the time (dark experience
        replay), or with their labels alone.
    evaluate_every : int or None
        All known tasks are also asked after every so many epochs, for the learning curves; None
        asks after each task only.
    score : callable
        ``score(respond, val_loader)`` in [0, 1]; by default the accuracy. ``respond`` maps inputs
        to outputs of the model; the loader is the one that was given, so that it may carry a
        simulator to act in.
    run_folder : path, optional
        Where checkpoints go, of which :meth:`resume` goes on.
    checkpoint_every_s : float
        Seconds between them, at least; 0 saves after every step.
    seed : int
        Of the order of batches, of what is kept and rehearsed, and of dropout.
    clock : callable
        Seconds; where it jumps back, no time has passed.

    Raises
    ------
    ConfigError
        If an argument is out of range, or plasticity is asked of a model without Linear layers.

    Notes
    -----
    A task is asked about among the classes seen so far (those of the task, in task mode); before
    it was learned, for forward transfer, it and the untrained model are asked among all outputs.

    Batch *b* of epoch *e* of a task depends on the seed and on nothing else, and all that changes
    is in one checkpoint. A run that was stopped anywhere, by Ctrl-C, ``kill -9`` or a power cut,
    therefore goes on bit for bit: build model and optimizer as before, call :meth:`resume` in
    place of the constructor, and :meth:`train_on_task` for every task from the first. Those that
    are finished return what they came to, at once.

    Examples
    --------
    >>> import torch
    >>> from plasticish.data import BatchLoader, class_splits, load_digits
    >>> model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    >>> trainer = ContinualLearningTrainer(model, replay_buffer_size=200, seed=0)
    >>> optimizer, criterion = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    >>> tasks = class_splits(load_digits())[:2]
    >>> for task_id, task in enumerate(tasks):
    ...     train, val = BatchLoader(task.train, 32, seed=0), BatchLoader(task.test, 256)
    ...     accuracy = trainer.train_on_task(task_id, train, val, 3, optimizer, criterion)
    >>> exams = {i: BatchLoader(task.test, 256) for i, task in enumerate(tasks)}
    >>> results, average, forgetting = trainer.evaluate_all_tasks(exams, criterion)
    >>> sorted(results[0]), trainer.matrix.R.shape
    (['accuracy', 'as_learned', 'forgetting', 'loss'], torch.Size([2, 2]))
    """

    def __init__(
        self,
        model: nn.Module,
        consolidation_strength: float = 1000.0,
        use_experience_replay: bool = True,
        replay_buffer_size: int = 1000,
        use_meta_plasticity: bool = True,
        *,
        meta_lr: float = 1e-3,
        mode: str = "class",
        replay: str = "der++",
        evaluate_every: int | None = 1,
        score: Score = accuracy_score,
        run_folder: str | Path | None = None,
        checkpoint_every_s: float = 60.0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if use_meta_plasticity:
            check_linear(model, "meta-plasticity")
        self.model = model
        self.learner = ContinualLearningSTDP(
            model,
            consolidation_strength,
            use_meta_plasticity=use_meta_plasticity,
            mode=mode,
            buffer=_buffer(replay_buffer_size, seed) if use_experience_replay else None,
            replay=replay if use_experience_replay else None,
            seed=seed,
        )
        if self.learner.meta is not None:
            check_positive(meta_lr=meta_lr)
            self.learner.meta.controller.meta_lr = meta_lr
        settings = {
            "consolidation_strength": consolidation_strength,
            "use_experience_replay": use_experience_replay,
            "replay_buffer_size": replay_buffer_size,
            "use_meta_plasticity": use_meta_plasticity,
            "meta_lr": meta_lr,
            "mode": mode,
            "replay": replay,
            "evaluate_every": evaluate_every,
            "seed": seed,
        }
        self.stream = TaskStream(
            self.learner,
            score=score,
            evaluate_every=check_every(evaluate_every),
            settings=settings,
            run_folder=run_folder,
            checkpoint_every_s=checkpoint_every_s,
            seed=seed,
            clock=clock,
        )

    @classmethod
    def resume(
        cls,
        run_folder: str | Path,
        model: nn.Module,
        *,
        score: Score = accuracy_score,
        checkpoint_every_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> ContinualLearningTrainer:
        """Return a trainer that stands where the run in ``run_folder`` was left.

        Parameters
        ----------
        run_folder : path
            The folder of a run that was finished, interrupted or killed.
        model : nn.Module
            Built as it was when the run was begun, plasticity included; its weights come from the
            run.
        score, checkpoint_every_s, clock
            As in the constructor; all else is as the run was begun with.

        Raises
        ------
        CheckpointError
            If no run was begun there, it is damaged, or the model differs from its own.
        """
        saved = load_tasks(run_folder)
        trainer = cls(
            model,
            score=score,
            run_folder=run_folder,
            checkpoint_every_s=checkpoint_every_s,
            clock=clock,
            **saved.settings,
        )
        trainer.stream.take_up(saved)
        return trainer

    @property
    def history(self) -> TrainingHistory:
        """Losses of all steps, and all looks at the tasks, for tables and figures."""
        return self.stream.history

    @property
    def matrix(self) -> TaskMatrix:
        """R of the tasks finished so far, with ACC, forgetting, BWT and FWT.

        Raises
        ------
        NotReadyError
            If there is none.
        """
        stream = self.stream
        names = self.history.phase_names[: len(stream.rows)]
        return TaskMatrix.of(stream.rows, stream.ahead, stream.untrained, names)

    def train_on_task(
        self,
        task_id: TaskId,
        train_loader: Iterable[Any],
        val_loader: Iterable[Any],
        num_epochs: int,
        optimizer: torch.optim.Optimizer,
        criterion: Criterion,
    ) -> float:
        """Learn one task, protect what it taught, and ask about all tasks so far.

        Parameters
        ----------
        task_id : int or str
            What the task is called; each once.
        train_loader, val_loader : re-iterable of (inputs, labels)
            A ``DataLoader``, a list of batches, or a :class:`plasticish.data.BatchLoader`. The
            second is kept, to ask again after each later task.
        num_epochs : int
            Passes over ``train_loader``.
        optimizer : torch.optim.Optimizer
            Over the parameters of the model; one for all tasks, or a new one each.
        criterion : callable
            ``criterion(outputs, labels)``, one number: the mean loss of the batch.

        Returns
        -------
        float
            The score on the task, right after it.

        Raises
        ------
        DataError, ShapeError, DTypeError, ConfigError
            If a loader is empty or spent after one pass, the task was learned before, inputs or
            loss are not finite, or the criterion returns a vector. What is known beforehand is
            refused before anything is changed; a bad batch later on is refused before it is
            learned, and a mended loader may go on from there.
        KeyboardInterrupt
            After Ctrl-C, once the step in hand is finished and saved.
        CheckpointError
            If the run folder is another run's, or the tasks are not those the run was begun with.
        """
        task = TaskRun(str(task_id), train_loader, val_loader, num_epochs, optimizer, criterion)
        return self.stream.learn(task)

    def evaluate_all_tasks(
        self, task_dataloaders: Mapping[TaskId, Iterable[Any]], criterion: Criterion
    ) -> TaskEvaluation:
        """Ask about tasks that were learned, with data of the caller's choice.

        Parameters
        ----------
        task_dataloaders : mapping of task id to loader
            Of each task to be asked about, such as the validation loaders.
        criterion : callable
            As in :meth:`train_on_task`.

        Returns
        -------
        TaskEvaluation
            ``(results, avg_acc, avg_forgetting)``. Nothing is changed by asking.

        Raises
        ------
        ConfigError, DataError
            If a task was never learned, or a loader is empty.
        """
        learned = self.history.phase_names[: len(self.stream.rows)]
        asked = {task_id: str(task_id) for task_id in task_dataloaders}
        unknown = [name for name in asked.values() if name not in learned]
        if unknown or not asked:
            raise ConfigError(
                "there is no such task" if unknown else "no task was asked about",
                got=", ".join(map(repr, unknown)) or "no loader",
                expected="some of: " + (", ".join(map(repr, learned)) or "none was learned yet"),
                cure="ask with the task ids that train_on_task was given",
            )
        for task_id, loader in task_dataloaders.items():
            check_loader(loader, f"the loader of task {task_id!r}")
        results = {
            task_id: self._result(name, task_dataloaders[task_id], criterion)
            for task_id, name in asked.items()
        }
        earlier = [r["forgetting"] for i, r in results.items() if asked[i] != learned[-1]]
        return TaskEvaluation(
            results,
            sum(r["accuracy"] for r in results.values()) / len(results),
            sum(earlier) / len(earlier) if earlier else 0.0,
        )

    def _result(self, name: str, loader: Iterable[Any], criterion: Criterion) -> dict[str, float]:
        place = self.history.phase_names.index(name)
        now = self.stream.exams.ask(name, loader)
        earlier = [row[place] for row in self.stream.rows[place:-1]]
        return {
            "accuracy": now,
            "loss": self.stream.exams.loss(name, criterion, loader),
            "as_learned": self.stream.rows[place][place],
            # Of the task learned last there is no earlier look: it forgot nothing.
            "forgetting": max(earlier) - now if earlier else 0.0,
        }


def _buffer(size: int, seed: int) -> dict[str, Any]:
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ConfigError(
            "replay_buffer_size is out of range",
            got=repr(size),
            expected="at least 1 example",
            cure="to keep none, say use_experience_replay=False",
        )
    # An example that is shown in every epoch is one example still.
    policy = {"policy": "class_balanced", "distinct": True}
    return {"capacity": size, **policy, "seed": spawn_seed(seed, 1)}
