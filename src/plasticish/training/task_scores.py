"""How good a model is at a task: its accuracy, its loss, or whatever a score of one's own says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..core import DataError, DTypeError, ShapeError, as_batches, check_features
from ..spiking.continual_input import as_model_input

__all__ = [
    "Criterion",
    "Respond",
    "Score",
    "accuracy_score",
    "loss_of",
    "mean_loss",
    "scored",
    "try_out",
]

Respond = Callable[[Any], Tensor]
"""Inputs to the outputs of the model, in evaluation mode and without gradients."""

Score = Callable[[Respond, Iterable[Any]], float]
"""``score(respond, val_loader)`` in [0, 1], 1 being best; the loader is what the user gave."""

Criterion = Callable[[Tensor, Tensor], Tensor]


def accuracy_score(respond: Respond, loader: Iterable[Any]) -> float:
    """Return the share of labels that have the largest output.

    Parameters
    ----------
    respond : callable
        Inputs to outputs ``[batch, ..., classes]``.
    loader : iterable of (inputs, labels)
        Labels int64 ``[batch, ...]``: one an example, or one a position of a sequence.

    Raises
    ------
    DataError, ShapeError
        If the loader is empty; if the outputs do not fit the labels.

    Examples
    --------
    >>> accuracy_score(lambda x: x, [(torch.eye(2), torch.tensor([0, 0]))])
    0.5
    """
    right = asked = 0
    for x, y in as_batches(loader):
        labels = torch.as_tensor(y)
        answers = respond(x).argmax(dim=-1).cpu()
        if answers.shape != labels.shape:
            raise ShapeError(
                "the outputs do not fit the labels",
                got=f"answers {tuple(answers.shape)} to labels {tuple(labels.shape)}",
                expected="outputs [batch, ..., classes] and labels [batch, ...]",
                cure="give the trainer a score of your own, score(respond, loader)",
            )
        right += int((answers == labels.cpu()).sum())
        asked += labels.numel()
    if not asked:
        raise _nothing()
    return right / asked


def mean_loss(respond: Respond, loader: Iterable[Any], criterion: Criterion) -> float:
    """Return the mean of the criterion over a loader, each batch weighed by its examples.

    Raises
    ------
    DataError
        If the loader is empty.

    Examples
    --------
    >>> loss = torch.nn.CrossEntropyLoss()
    >>> round(mean_loss(lambda x: 0 * x, [(torch.eye(2), torch.tensor([0, 0]))], loss), 4)
    0.6931
    """
    total, count = 0.0, 0
    for x, y in as_batches(loader):
        loss = loss_of(respond(x), torch.as_tensor(y), criterion)
        total += float(loss) * len(y)
        count += len(y)
    if not count:
        raise _nothing()
    return total / count


def loss_of(outputs: Tensor, labels: Tensor, criterion: Criterion) -> Tensor:
    """Return the loss as the learner takes it: positions of a sequence count as examples.

    Raises
    ------
    DTypeError, ShapeError
        If the criterion does not return one number.

    Examples
    --------
    >>> outputs, labels = torch.zeros(2, 5, 4), torch.zeros(2, 5, dtype=torch.int64)
    >>> round(float(loss_of(outputs, labels, torch.nn.CrossEntropyLoss())), 4)
    1.3863
    """
    labels = labels.to(outputs.device)
    if not labels.is_floating_point():
        outputs, labels = outputs.reshape(-1, outputs.shape[-1]), labels.reshape(-1)
    loss = criterion(outputs, labels)
    if not isinstance(loss, Tensor):
        raise DTypeError(
            "the criterion does not return a tensor",
            got=type(loss).__name__,
            expected="a loss that can be differentiated",
        )
    if loss.ndim:
        raise ShapeError(
            "the criterion returns a vector",
            got=str(tuple(loss.shape)),
            expected="one number, the mean loss of the batch",
            cure="build it with reduction='mean'",
        )
    return loss


def try_out(model: nn.Module, x: Any, y: Any, criterion: Criterion) -> None:
    """Take the loss of one batch, so that what does not fit is known before anything is learned.

    Raises
    ------
    DataError, DTypeError, ShapeError
        If inputs or loss are not finite, or the criterion does not return one number.

    Examples
    --------
    >>> try_out(nn.Linear(2, 3), torch.ones(4, 2), torch.zeros(4).long(), nn.CrossEntropyLoss())
    """
    inputs, labels = torch.as_tensor(x), torch.as_tensor(y)
    if inputs.is_floating_point():
        check_features(inputs.flatten(1), None, name="inputs")
    device = next(model.parameters()).device
    loss = loss_of(model(as_model_input(inputs).to(device)), labels, criterion)
    if not bool(torch.isfinite(loss)):
        raise DataError(
            "the loss is not finite",
            got=str(float(loss)),
            expected="a number",
            cure="look at the labels and at the weights for what the criterion cannot take",
        )


def scored(score: Score, respond: Respond, loader: Iterable[Any], task: str) -> float:
    """Return what ``score`` says of a task, refusing what is not in [0, 1].

    Raises
    ------
    DataError
        If it is not a finite number in [0, 1].

    Examples
    --------
    >>> scored(lambda respond, loader: 0.25, lambda x: x, [], "A")
    0.25
    """
    value = float(score(respond, loader))
    if not 0.0 <= value <= 1.0:  # NaN too
        raise DataError(
            f"the score on task {task!r} is out of range",
            got=repr(value),
            expected="a number in [0, 1], 1 being best",
            cure="scale it, such as a return by that of the expert",
        )
    return value


def _nothing() -> DataError:
    return DataError(
        "there is nothing to evaluate on",
        got="0 batches",
        expected="at least one",
        cure="give a loader with data in it; an iterator that was used up has none",
    )
