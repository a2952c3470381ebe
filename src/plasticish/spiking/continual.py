"""The continual learner: any torch module that takes tasks one after another and keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from plasticish.core import (
    LEARNERS,
    ArrayLike,
    Batch,
    CheckpointError,
    ConfigError,
    NotReadyError,
    Persistent,
    Report,
    ShapeError,
    State,
    as_batches,
    as_pair,
    check_positive,
    load_checkpoint,
    spawn_seed,
)
from plasticish.memory import ElasticWeights, Replay, TaskBuffer, fisher_diagonal

from .continual_input import as_model_input, check_inputs, check_targets
from .continual_loss import Criterion, among, dark_experience, supervised
from .models import ModelSpec, build_model
from .optimizer_state import pack_optimizer, unpack_optimizer

__all__ = ["ContinualLearningSTDP", "ContinualMode", "ReplayKind", "TaskId"]

ContinualMode = Literal["class", "domain", "task"]
ReplayKind = Literal["er", "der++"]
TaskId = int | str


@LEARNERS.register("continual_learner")
class ContinualLearningSTDP(Persistent):
    kind = "continual_learner"

    def __init__(
        self,
        model: nn.Module | ModelSpec,
        consolidation_strength: float = 1000.0,
        plasticity_decay: float = 0.95,
        importance_update_rate: float = 1.0,
        use_meta_plasticity: bool = False,
        *,
        mode: str = "class",
        buffer: TaskBuffer | Mapping[str, Any] | None = None,
        replay: str | None = "der++",
        asymmetric: bool = True,
        dark_weight: float = 0.5,
        replay_weight: float = 1.0,
        replay_rows: int | None = None,
        lr: float = 0.05,
        seed: int = 0,
    ) -> None:
        self._check(mode, replay, lr, replay_rows)
        self._spec = None if isinstance(model, nn.Module) else dict(model)
        self.model = model if isinstance(model, nn.Module) else build_model(model, seed)
        self.mode, self.replay, self.asymmetric = mode, replay, asymmetric
        self.dark_weight, self.replay_weight = dark_weight, replay_weight
        self.replay_rows, self.lr, self.seed = replay_rows, lr, seed
        self.use_meta_plasticity = use_meta_plasticity
        self.elastic = ElasticWeights(
            consolidation_strength, decay=plasticity_decay, rate=importance_update_rate
        )
        if buffer is None:
            buffer = {
                "capacity": 1000,
                "policy": "class_balanced",
                "distinct": True,
                "seed": spawn_seed(seed, 1),
            }
        self.buffer = buffer if isinstance(buffer, TaskBuffer) else TaskBuffer(**buffer)
        self.tasks: list[TaskId] = []
        self.ended: list[TaskId] = []
        self.steps = 0
        self._input_shape: tuple[int, ...] | None = None
        self._output_shape: tuple[int, ...] = ()
        self._task_classes = torch.zeros(0, 0, dtype=torch.bool)
        self._rested = True
        self._indices = any(isinstance(m, nn.Embedding) for m in self.model.modules())
        self._optimizer = torch.optim.SGD(self._trained(), lr=lr)

    @staticmethod
    def _check(mode: str, replay: str | None, lr: float, rows: int | None) -> None:
        if mode not in get_args(ContinualMode):
            raise ConfigError(
                "unknown mode",
                got=repr(mode),
                expected="one of: " + ", ".join(get_args(ContinualMode)),
            )
        if replay is not None and replay not in get_args(ReplayKind):
            raise ConfigError(
                "unknown replay",
                got=repr(replay),
                expected="None or one of: " + ", ".join(get_args(ReplayKind)),
            )
        check_positive(lr=lr, replay_rows=1 if rows is None else rows)

    def _trained(self) -> list[nn.Parameter]:
        trained = [p for p in self.model.parameters() if p.requires_grad]
        if not trained:
            raise ConfigError(
                "the model has no trainable parameter",
                cure="set requires_grad on what should learn",
            )
        return trained

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    # ------------------------------------------------------------------ learning

    def learn(self, batch: Batch) -> Report:
        x, y = as_pair(batch)
        return self.train_step(x, y)

    def train_step(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        criterion: Criterion | None = None,
        task: TaskId | None = None,
    ) -> Report:
        inputs, output = self._checked(x)
        targets = check_targets(y, inputs, output, values=self.mode == "domain")
        number = self._task_number(task)
        optimizer = optimizer or self._optimizer
        self._enter(number, task, inputs, targets, output)
        draws = self._draws(len(inputs))
        self.model.train()
        outputs = self.model(as_model_input(torch.cat([inputs, *[d.inputs for d in draws]])))
        new, *replayed = outputs.split([len(inputs), *[len(d.inputs) for d in draws]])
        terms = self._terms(new, targets, number, draws, replayed, criterion)
        loss = torch.stack(list(terms.values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        self._pull(optimizer)
        if self.replay is not None:
            self.buffer.add(inputs, targets, new.detach(), number)
        self.steps += 1
        self._rested = False
        return {"loss": loss.item(), **{name: term.item() for name, term in terms.items()}}

    def _checked(self, x: ArrayLike) -> tuple[Tensor, tuple[int, ...]]:
        inputs = check_inputs(x, self._input_shape, indices=self._indices, device=self.device)
        if self._input_shape is not None:
            return inputs, self._output_shape
        try:
            with self._evaluating(), torch.no_grad():
                output = self.model(as_model_input(inputs[:1]))
        except (RuntimeError, ValueError, IndexError) as error:
            raise ShapeError(
                "inputs have the wrong shape",
                got=str(tuple(inputs.shape)),
                expected=f"what the model takes ({error})",
            ) from error
        return inputs, tuple(output.shape[1:])

    def _task_number(self, task: TaskId | None) -> int:
        if task is None:
            if self.mode == "task":
                raise ConfigError("task mode needs a task", cure="say which with task=...")
            return len(self.ended)
        if task in self.ended:
            raise ConfigError(f"the task {task!r} has ended", cure="give a new task a new id")
        return self.tasks.index(task) if task in self.tasks else len(self.tasks)

    def _enter(
        self,
        number: int,
        task: TaskId | None,
        inputs: Tensor,
        targets: Tensor,
        output: tuple[int, ...],
    ) -> None:
        """Take note of what is new about a checked batch: shapes, the task, its classes."""
        self._input_shape, self._output_shape = tuple(inputs.shape[1:]), output
        if number >= len(self.tasks):
            self.tasks.append(number if task is None else task)
        known = self._task_classes
        if len(known) < len(self.tasks):
            grown = torch.zeros(len(self.tasks), output[-1], dtype=torch.bool, device=inputs.device)
            grown[: len(known)] = known.reshape(len(known), output[-1])
            self._task_classes = grown
        if not targets.is_floating_point():
            self._task_classes[number, targets.flatten()] = True

    def _draws(self, rows: int) -> list[Replay]:
        if self.replay is None or not len(self.buffer):
            return []
        count = self.replay_rows or rows
        return [self.buffer.sample(count) for _ in range(2 if self.replay == "der++" else 1)]

    def _terms(
        self,
        new: Tensor,
        targets: Tensor,
        number: int,
        draws: list[Replay],
        replayed: list[Tensor],
        criterion: Criterion | None,
    ) -> dict[str, Tensor]:
        classes = not targets.is_floating_point()
        mask = self._mask(targets, number) if classes else None
        terms = {"new": supervised(among(new, mask), targets, criterion)}
        if draws:
            labels, tasks = draws[-1].labels, draws[-1].tasks
            seen = self._row_mask(tasks) if classes else None
            terms["replay"] = self.replay_weight * supervised(
                among(replayed[-1], seen), labels, criterion
            )
        if len(draws) > 1 and draws[0].logits is not None:
            terms["dark"] = self.dark_weight * dark_experience(replayed[0], draws[0].logits)
        return terms

    def _mask(self, targets: Tensor, number: int) -> Tensor:
        if self.mode == "task":
            return self._task_classes[number]
        if self.asymmetric and self.mode == "class" and self.replay is not None:
            mask = torch.zeros_like(self._task_classes[0])
            mask[targets.flatten()] = True
            return mask
        return self._task_classes.any(dim=0)

    def _row_mask(self, tasks: Tensor) -> Tensor:
        return self._task_classes[tasks] if self.mode == "task" else self._task_classes.any(dim=0)

    def _pull(self, optimizer: torch.optim.Optimizer) -> None:
        if not self.elastic.tasks or not self.elastic.strength:
            return
        rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
        names = {name: rates.get(id(p), 0.0) for name, p in self.model.named_parameters()}
        self.elastic.pull(self.model, names)

    # ------------------------------------------------------------------ consolidation

    def compute_parameter_importance(
        self, dataloader: Any, num_samples: int = 1000
    ) -> dict[str, Tensor]:
        pairs = [(as_model_input(self._checked(x)[0]), y) for x, y in as_batches(dataloader)]
        importance = fisher_diagonal(self.model, pairs, num_samples)
        self.elastic.consolidate(self.model, importance)
        return importance

    def end_task(self, task: TaskId | None = None, dataloader: Any = None) -> Report:
        number = self._task_number(task)
        if number >= len(self.tasks):
            raise NotReadyError("nothing was learned of this task", cure="train on it first")
        if self.elastic.strength and dataloader is not None:
            self.compute_parameter_importance(dataloader)
        self.ended.append(self.tasks[number])
        return {"task": self.tasks[number], "tasks": len(self.tasks)}

    def sleep(self) -> Report:
        if not self.steps:
            raise NotReadyError("nothing to consolidate yet", cure="call learn((x, y)) first")
        if self._rested:
            return {"replayed": 0}
        if self.elastic.strength and self.replay is not None:
            held = self.buffer.everything()
            self.compute_parameter_importance((held.inputs, held.labels))
        self._rested = True
        return {"replayed": 0}

    # ------------------------------------------------------------------ answers

    @torch.no_grad()
    def scores(self, x: ArrayLike, task: TaskId | None = None) -> Float[Tensor, "batch ..."]:
        if self._input_shape is None:
            raise NotReadyError("nothing has been learned yet", cure="call learn((x, y)) first")
        inputs, _ = self._checked(x)
        with self._evaluating():
            outputs: Tensor = self.model(as_model_input(inputs))
        if not bool(self._task_classes.any()):
            return outputs
        if self.mode != "task":
            return among(outputs, self._task_classes.any(dim=0))
        if task not in self.tasks:
            raise ConfigError(
                "this task is unknown",
                got=repr(task),
                expected="one of: " + ", ".join(map(repr, self.tasks)),
            )
        return among(outputs, self._task_classes[self.tasks.index(task)])

    def predict(self, x: ArrayLike, task: TaskId | None = None) -> Tensor:
        scores = self.scores(x, task)
        return scores.argmax(dim=-1) if bool(self._task_classes.any()) else scores

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        modes = {module: module.training for module in self.model.modules()}
        self.model.eval()
        try:
            yield
        finally:
            for module, training in modes.items():
                module.training = training

    def stats(self) -> Report:
        return {
            "steps": self.steps,
            "tasks": len(self.tasks),
            "classes": int(self._task_classes.any(dim=0).sum()) if self.tasks else 0,
            "buffer": len(self.buffer),
            "consolidations": self.elastic.tasks,
        }

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        return {
            "model": self._spec,
            "consolidation_strength": self.elastic.strength,
            "plasticity_decay": self.elastic.decay,
            "importance_update_rate": self.elastic.rate,
            "use_meta_plasticity": self.use_meta_plasticity,
            "mode": self.mode,
            "buffer": self.buffer.config(),
            "replay": self.replay,
            "asymmetric": self.asymmetric,
            "dark_weight": self.dark_weight,
            "replay_weight": self.replay_weight,
            "replay_rows": self.replay_rows,
            "lr": self.lr,
            "seed": self.seed,
        }

    def export_state(self) -> State:
        weights = {name: t.detach().clone() for name, t in self.model.state_dict().items()}
        return State.nest(
            {
                "model": State({}, weights),
                "elastic": self.elastic.export_state(),
                "buffer": self.buffer.export_state(),
                "optimizer": pack_optimizer(self._optimizer),
                "tasks": State(
                    {
                        "names": list(self.tasks),
                        "ended": list(self.ended),
                        "steps": self.steps,
                        "rested": self._rested,
                        "input": None if self._input_shape is None else list(self._input_shape),
                        "output": list(self._output_shape),
                    },
                    {"classes": self._task_classes.clone()},
                ),
            }
        )

    def import_state(self, state: State) -> None:
        tasks = state.part("tasks")
        self.model.load_state_dict(dict(state.part("model").tensors))
        self.elastic.import_state(state.part("elastic"))
        self.buffer.import_state(state.part("buffer"))
        unpack_optimizer(self._optimizer, state.part("optimizer"))
        self.tasks, self.ended = list(tasks.values["names"]), list(tasks.values["ended"])
        self.steps, self._rested = tasks.values["steps"], tasks.values["rested"]
        shape = tasks.values["input"]
        self._input_shape = None if shape is None else tuple(shape)
        self._output_shape = tuple(tasks.values["output"])
        self._task_classes = tasks.tensors["classes"].clone()

    @classmethod
    def load(cls, path: str | Path, *, model: nn.Module | None = None) -> ContinualLearningSTDP:
        checkpoint = load_checkpoint(path, cls.kind)
        config = dict(checkpoint.config)
        if "model" in config and config["model"] is None and model is None:
            raise CheckpointError(
                f"the checkpoint {path} holds the weights of a module of your own",
                cure="build the module as it was, and give it: load(path, model=module)",
            )
        if model is not None:
            config["model"] = model
        try:
            learner = cls(**config)
            learner.import_state(State(checkpoint.state, checkpoint.tensors))
        except (LookupError, AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                f"the checkpoint {path} does not fit {cls.__name__}",
                got=str(error),
                cure="it was written by another version or altered by hand",
            ) from error
        return learner
