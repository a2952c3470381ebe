"""The state of a torch optimizer as plain values and tensors, for a checkpoint without pickle."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plasticish.core import DataError, State

__all__ = ["pack_optimizer", "unpack_optimizer"]


def pack_optimizer(optimizer: torch.optim.Optimizer) -> State:
    """Return what an optimizer remembers.

    Examples
    --------
    >>> model = torch.nn.Linear(2, 1)
    >>> pack_optimizer(torch.optim.SGD(model.parameters(), lr=0.1)).values["groups"][0]["lr"]
    0.1
    """
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, dict[str, object]] = {}
    for index, entries in state["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{index}/{name}"] = value.detach().clone()
            else:
                numbers.setdefault(str(index), {})[name] = value
    groups = [
        {name: list(v) if isinstance(v, tuple) else v for name, v in group.items()}
        for group in state["param_groups"]
    ]
    return State({"groups": groups, "numbers": numbers}, tensors)


def unpack_optimizer(optimizer: torch.optim.Optimizer, state: State) -> None:
    """Put back what :func:`pack_optimizer` returned into an optimizer over the same parameters.

    Raises
    ------
    DataError
        If it was over other parameters.
    """
    entries: dict[int, dict[str, object]] = {}
    for key, tensor in state.tensors.items():
        index, name = key.split("/", 1)
        entries.setdefault(int(index), {})[name] = tensor.clone()
    for index, numbers in state.values["numbers"].items():
        entries.setdefault(int(index), {}).update(numbers)
    groups = [
        {name: tuple(v) if name == "betas" else v for name, v in group.items()}
        for group in state.values["groups"]
    ]
    groups = _fitted(groups, optimizer.state_dict()["param_groups"])
    try:
        optimizer.load_state_dict({"state": entries, "param_groups": groups})
    except ValueError as error:
        raise DataError(
            "the state of the optimizer does not fit",
            got=str(error),
            cure="build the optimizer over the same parameters as before",
        ) from error


def _fitted(stored: list[dict[str, Any]], own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the stored settings; what an older torch did not have yet stays as it was built."""
    if len(stored) != len(own) or not all(
        "params" in one and one.keys() <= mine.keys() for one, mine in zip(stored, own, strict=True)
    ):
        raise DataError(
            "the settings of the optimizer do not fit",
            got=str([sorted(group) for group in stored]),
            expected=str([sorted(group) for group in own]),
            cure="build the optimizer as before",
        )
    return [{**mine, **one} for one, mine in zip(stored, own, strict=True)]
