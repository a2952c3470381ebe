"""Saving and loading of the continual learner, a module of the user's own among what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from plasticish.core import CheckpointError, Persistent, State, load_checkpoint
from plasticish.core.restoring import restoring
from plasticish.memory import ElasticWeights, TaskBuffer

from .continual_meta import MetaGate
from .local_learning import LocalLearning
from .optimizer_state import pack_optimizer, unpack_optimizer
from .plasticity_state import export_plasticity, import_plasticity
from .rehearsal import Rehearsal
from .task_table import TaskTable

__all__ = ["ContinualState"]

# Not typing.Self: the run-time type checks of the tests cannot resolve it on a method.
L = TypeVar("L", bound="ContinualState")


class ContinualState(Persistent):
    """What a continual learner is made of, and how it is written down; a base, not a learner."""

    model: nn.Module
    elastic: ElasticWeights
    buffer: TaskBuffer
    rehearsal: Rehearsal
    meta: MetaGate | None
    tasks: TaskTable
    steps: int
    consolidation_with_replay: float
    sleep_steps: int
    lr: float
    seed: int
    _spec: dict[str, Any] | None
    _optimizer: torch.optim.Optimizer
    _input_shape: tuple[int, ...] | None
    _output_shape: tuple[int, ...]
    _rested: bool
    _indices: bool

    @property
    def mode(self) -> str:
        """How the tasks are told apart: ``"class"``, ``"domain"`` or ``"task"``."""
        return self.rehearsal.mode

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments; ``model`` is None where no spec was given."""
        return {
            "model": self._spec,
            "consolidation_strength": self.elastic.strength,
            "plasticity_decay": self.elastic.decay,
            "importance_update_rate": self.elastic.rate,
            "use_meta_plasticity": self.meta is not None,
            "mode": self.rehearsal.mode,
            "buffer": self.buffer.config(),
            "replay": self.rehearsal.replay,
            "asymmetric": self.rehearsal.asymmetric,
            "dark_weight": self.rehearsal.dark_weight,
            "replay_weight": self.rehearsal.replay_weight,
            "consolidation_with_replay": self.consolidation_with_replay,
            "replay_rows": self.rehearsal.replay_rows,
            "sleep_steps": self.sleep_steps,
            "lr": self.lr,
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return weights, springs, buffer, optimizer, tasks and what steers plasticity."""
        life = {
            "steps": self.steps,
            "rested": self._rested,
            "input": None if self._input_shape is None else list(self._input_shape),
            "output": list(self._output_shape),
            **self.tasks.values(),
        }
        weights = {name: t.detach().clone() for name, t in self.model.state_dict().items()}
        parts = {
            "life": State(life, {"classes": self.tasks.classes.clone()}),
            "model": State({}, weights),
            "elastic": self.elastic.export_state(),
            "buffer": self.buffer.export_state(),
            "optimizer": pack_optimizer(self._optimizer),
        }
        if self.meta is not None:
            parts["meta"] = self.meta.controller.export_state()
        if LocalLearning.find(self.model) is not None:
            parts["plasticity"] = export_plasticity(self.model)
        return State.nest(parts)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        life = state.part("life")
        self.model.load_state_dict(dict(state.part("model").tensors))
        self.elastic.import_state(state.part("elastic"))
        self.buffer.import_state(state.part("buffer"))
        unpack_optimizer(self._optimizer, state.part("optimizer"))
        if self.meta is not None:
            self.meta.controller.import_state(state.part("meta"))
        if LocalLearning.find(self.model) is not None:
            import_plasticity(self.model, state.part("plasticity"))
        self.tasks = TaskTable.restored(life.values, life.tensors["classes"])
        self.steps, self._rested = life.values["steps"], life.values["rested"]
        shape = life.values["input"]
        self._input_shape = None if shape is None else tuple(shape)
        self._output_shape = tuple(life.values["output"])

    @classmethod
    def load(cls: type[L], path: str | Path, *, model: nn.Module | None = None) -> L:
        """Read what :meth:`save` wrote; it goes on bit for bit.

        Parameters
        ----------
        path : path
            The folder.
        model : nn.Module, optional
            The module, built as it was, where the learner was not given a spec of it; its weights
            are replaced by the saved ones.

        Raises
        ------
        CheckpointError
            If the checkpoint cannot be used, or holds a module of your own and none is given.
        """
        checkpoint = load_checkpoint(path, cls.kind)
        config = dict(checkpoint.config)
        if config.get("model", "") is None and model is None:
            raise CheckpointError(
                f"the checkpoint {path} holds the weights of a module of your own",
                cure="build the module as it was, and give it: load(path, model=module)",
            )
        if model is not None:
            config["model"] = model
        with restoring(f"the checkpoint {path}", cls.__name__, checkpoint.tensors):
            learner = cls(**config)
            learner.import_state(State(checkpoint.state, checkpoint.tensors))
        return learner
