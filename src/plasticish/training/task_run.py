"""One task as ``train_on_task`` is given it, looked at before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..core import ConfigError, DataError, DTypeError, as_pair
from .phase import PhaseConfig

__all__ = ["TaskRun", "check_linear", "check_loader", "first_pair"]


@dataclass(frozen=True, eq=False)
class TaskRun:
    """The arguments of one ``train_on_task``.

    Raises
    ------
    ConfigError, DataError, DTypeError
        If a loader is empty or spent after one pass, the epochs are no count, or the optimizer is
        none.
    """

    name: str
    train: Iterable[Any]
    val: Iterable[Any]
    epochs: int
    optimizer: Any  # a torch.optim.Optimizer, and said so if it is none
    criterion: Any

    def __post_init__(self) -> None:
        check_loader(self.train, f"the train loader of task {self.name!r}")
        check_loader(self.val, f"the validation loader of task {self.name!r}")
        self.phase()  # refuses epochs that are no count, and a name of no letters
        if not isinstance(self.optimizer, torch.optim.Optimizer):
            raise DTypeError(
                "this is no optimizer",
                got=type(self.optimizer).__name__,
                expected="a torch.optim.Optimizer over model.parameters()",
            )
        if not callable(self.criterion):
            raise DTypeError(
                "this is no criterion",
                got=type(self.criterion).__name__,
                expected="criterion(outputs, labels), the mean loss",
            )

    def phase(self) -> PhaseConfig:
        """Return the task as a phase of a curriculum."""
        return PhaseConfig(self.name, self.epochs, self.train)

    def describe(self) -> dict[str, Any]:
        """Return what a resumed run must have in common with this task, as JSON can hold it."""
        return {"name": self.name, "epochs": self.epochs, "batches": len(self.phase())}

    def check_optimizer(self, model: nn.Module) -> None:
        """Refuse an optimizer that holds no parameter of ``model``.

        Raises
        ------
        ConfigError
            If it would not change the model.
        """
        held = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        if held.isdisjoint(id(p) for p in model.parameters()):
            raise ConfigError(
                "the optimizer holds no parameter of the model",
                got=f"{len(held)} parameters of something else",
                expected="those of model.parameters()",
                cure="build it once the model is final: replacing a layer makes new parameters",
            )


def check_linear(model: nn.Module, purpose: str) -> None:
    """Refuse a model without a Linear layer, where plasticity is asked for.

    Raises
    ------
    ConfigError
        If there is none.

    Examples
    --------
    >>> check_linear(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "meta-plasticity")
    """
    if not any(isinstance(module, nn.Linear) for module in model.modules()):
        raise ConfigError(
            f"{purpose} has no layer to work on",
            got=f"{type(model).__name__} without an nn.Linear",
            expected="at least one nn.Linear",
            cure="give a model with Linear layers, or switch it off",
        )


def check_loader(loader: Any, name: str) -> None:
    """Refuse what cannot be gone through again and again, and what is known to be empty.

    Raises
    ------
    ConfigError, DataError
        If it is an iterator or no loader at all; if its length is 0.
    """
    if isinstance(loader, Iterator) or not isinstance(loader, Iterable):
        raise ConfigError(
            f"{name} cannot be gone through again",
            got=type(loader).__name__,
            expected="a DataLoader, a list of batches, or a BatchLoader",
        )
    if isinstance(loader, Sized) and not len(loader):
        raise empty(name)


def first_pair(batches: Iterator[Any], name: str) -> tuple[Any, Any]:
    """Return the first pair of a loader.

    Raises
    ------
    DataError
        If there is none, or it is no pair.
    """
    for batch in batches:
        return as_pair(batch)
    raise empty(name)


def empty(name: str) -> DataError:
    """Return the error of a loader without batches."""
    return DataError(
        f"{name} is empty",
        got="0 batches",
        expected="at least one",
        cure="give a loader with data in it",
    )
