"""As much of Avalanche as its plugins meet: the loop of a strategy, in the order of its callbacks.

Written from its documentation, so that our plugins are tested where Avalanche is not installed.
Where it is, the same tests run against Avalanche itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["Naive", "experiences", "modules"]


class SupervisedPlugin:
    """Every callback does nothing by default."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("before_", "after_")):
            return lambda strategy, **options: None
        raise AttributeError(name)


class Rows:
    """A data set of (input, label, task)."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        self.inputs, self.labels = inputs, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int, int]:
        return self.inputs[index], int(self.labels[index]), 0

    def eval(self) -> Rows:
        return self


class SupervisedTemplate:
    """The loop, for one experience at a time."""

    def __init__(
        self,
        *,
        model: nn.Module,
        optimizer: Any,
        criterion: Any = nn.functional.cross_entropy,
        train_mb_size: int = 1,
        train_epochs: int = 1,
        eval_mb_size: int = 1,
        device: Any = "cpu",
        plugins: Sequence[Any] = (),
        evaluator: Any = None,
    ) -> None:
        self.model, self.optimizer, self._criterion = model, optimizer, criterion
        self.train_mb_size, self.train_epochs = train_mb_size, train_epochs
        self.device, self.plugins = torch.device(device), list(plugins)
        self._stop_training = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_before_", "_after_")):
            return lambda **options: self._tell(name[1:], **options)
        raise AttributeError(name)

    def _tell(self, event: str, **options: Any) -> None:
        for plugin in self.plugins:
            getattr(plugin, event)(self, **options)

    @property
    def mb_x(self) -> Tensor:
        return self.mbatch[0]

    @property
    def mb_y(self) -> Tensor:
        return self.mbatch[1]

    @property
    def mb_task_id(self) -> Tensor:
        return self.mbatch[2]

    def _unpack_minibatch(self) -> None:
        self.mbatch = list(self.mbatch)

    def criterion(self) -> Tensor:
        return self._criterion(self.mb_output, self.mb_y)

    def forward(self) -> Tensor:
        return self.model(self.mb_x)

    def _after_training_exp(self, **options: Any) -> None:
        self._tell("after_training_exp", **options)

    def train(self, experience: Any, shuffle: bool = True) -> None:
        self.experience = experience
        self.model.train()
        self.dataloader = torch.utils.data.DataLoader(
            experience.dataset, self.train_mb_size, shuffle=shuffle
        )
        self._before_training_exp()
        for _ in range(self.train_epochs):
            self.training_epoch()
        self._after_training_exp()

    def training_epoch(self, **options: Any) -> None:
        for self.mbatch in self.dataloader:  # noqa: B020
            self._unpack_minibatch()
            self._before_training_iteration()
            self.optimizer.zero_grad()
            self.mb_output = self.forward()
            self.loss = self.criterion()
            self._before_backward()
            self.loss.backward()
            self._before_update()
            self.optimizer.step()
            self._after_update()
            self._after_training_iteration()


class Naive(SupervisedTemplate):
    """Plain descent."""


def experiences(parts: Sequence[tuple[Tensor, Tensor]]) -> list[Any]:
    """Return each part as an experience."""
    return [SimpleNamespace(dataset=Rows(x, y)) for x, y in parts]


def modules() -> dict[str, ModuleType]:
    """Return the modules that are imported from, by name."""
    contents = {
        "avalanche": {},
        "avalanche.models": {"avalanche_forward": lambda model, x, tasks: model(x)},
        "avalanche.training": {},
        "avalanche.training.plugins": {"SupervisedPlugin": SupervisedPlugin},
        "avalanche.training.templates": {"SupervisedTemplate": SupervisedTemplate},
    }
    made = {}
    for name, attributes in contents.items():
        made[name] = ModuleType(name)
        vars(made[name]).update(attributes)
    return made
