"""The exams of a stream of tasks: every known task's validation loader, asked in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..core import as_batches, spawn_seed
from ..core.evaluating import evaluation_mode
from ..spiking.continual_input import as_model_input
from ..spiking.continual_loss import among
from .generators import isolated_rng, seeded
from .loaders import lent
from .task_scores import Criterion, Respond, Score, mean_loss, scored

__all__ = ["Exams", "evaluating", "model_generators", "tensors_of"]

T = TypeVar("T")


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode without gradients, and each part back as it was.

    Examples
    --------
    >>> model = nn.Dropout(0.5)
    >>> with evaluating(model):
    ...     model.training
    False
    >>> model.training
    True
    """
    with evaluation_mode(model), torch.no_grad():
        yield


def model_generators(model: nn.Module) -> list[torch.Generator]:
    """Return the generators that the parts of a model hold, such as that of a noisy encoder."""
    held = (value for module in model.modules() for value in vars(module).values())
    return [value for value in held if isinstance(value, torch.Generator)]


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of all parameters and buffers by name."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: tensor.detach().clone() for name, tensor in named}


class Exams:
    """What a learner is asked, task by task; asking changes neither it nor any generator.

    Parameters
    ----------
    model : nn.Module
        What the learner trains.
    answer : callable
        ``answer(x, task)``, the outputs of the learner as it is.
    score : callable
        ``score(respond, loader)`` in [0, 1].
    seed : int
        Of everything random in a loader, a model or a score.

    Attributes
    ----------
    loaders : dict of str to loader
        By the name of the task.
    """

    def __init__(
        self, model: nn.Module, answer: Callable[[Any, str], Tensor], score: Score, seed: int
    ) -> None:
        self.model, self.answer, self.score, self.seed = model, answer, score, seed
        self.loaders: dict[str, Iterable[Any]] = {}

    def ask(self, task: str, loader: Iterable[Any] | None = None) -> float:
        """Return the score on a learned task; ``loader`` takes the place of the known one."""
        return self._scored(task, loader, lambda x: self.answer(x, task))

    def loss(self, task: str, criterion: Criterion, loader: Iterable[Any]) -> float:
        """Return the mean loss on a learned task."""
        return self._alone(
            loader, lambda: mean_loss(lambda x: self.answer(x, task), loader, criterion)
        )

    def ask_ahead(
        self, task: str, weights: Mapping[str, Tensor] | None = None, *, own_classes: bool
    ) -> float:
        """Return the score on a task that is not learned yet, among all outputs.

        Parameters
        ----------
        task : str
            Whose loader is known.
        weights : mapping of str to Tensor, optional
            Asked with these in the place of the model's own, which stay untouched.
        own_classes : bool
            Ask among the classes of the task only.
        """
        asked = self.loaders[task]
        classes = self._alone(asked, lambda: self._classes(task)) if own_classes else None
        state = tensors_of(self.model) if weights is None else dict(weights)

        def respond(x: Any) -> Tensor:
            inputs = as_model_input(torch.as_tensor(x)).to(next(iter(state.values())).device)
            outputs: Tensor = functional_call(self.model, state, (inputs,))
            if classes is None:
                return outputs
            mask = torch.zeros(outputs.shape[-1], dtype=torch.bool, device=outputs.device)
            mask[classes] = True
            return among(outputs, mask)

        return self._scored(task, None, respond)

    def _classes(self, task: str) -> Tensor | None:
        labels = torch.cat(
            [torch.as_tensor(y).flatten() for _, y in as_batches(self.loaders[task])]
        )
        return None if labels.is_floating_point() else torch.unique(labels)

    def _scored(self, task: str, loader: Iterable[Any] | None, respond: Respond) -> float:
        asked = self.loaders[task] if loader is None else loader
        return self._alone(asked, lambda: scored(self.score, respond, asked, task))

    def _alone(self, loader: Iterable[Any], work: Callable[[], T]) -> T:
        seed = spawn_seed(self.seed, 4)
        own = model_generators(self.model)
        with evaluating(self.model), isolated_rng(seed), seeded(own, seed), lent(loader, seed):
            return work()
