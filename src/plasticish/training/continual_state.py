"""Optimizers and modules as state that a checkpoint can hold: JSON and arrays, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..core import CheckpointError, State

__all__ = ["export_optimizer", "import_optimizer"]

_TENSOR = "tensor"  # {"tensor": key} stands for the array of that name
_TUPLE = "tuple"


def export_optimizer(optimizer: torch.optim.Optimizer) -> State:
    """Return everything in the ``state_dict`` of an optimizer, moments and options alike.

    Raises
    ------
    CheckpointError
        If it holds something that is neither a number, a string, a tensor nor a list of those.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> optimizer = torch.optim.SGD([weight], lr=0.5, momentum=0.9)
    >>> weight.sum().backward()
    >>> optimizer.step()
    >>> sorted(export_optimizer(optimizer).tensors)
    ['state.0.momentum_buffer']
    """
    whole = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    groups = [_pack(group, f"groups.{i}", tensors) for i, group in enumerate(whole["param_groups"])]
    # JSON has no integers for keys.
    state = {str(i): _pack(slot, f"state.{i}", tensors) for i, slot in whole["state"].items()}
    values = {"class": type(optimizer).__name__, "groups": groups, "state": state}
    return State(values, tensors)


def import_optimizer(optimizer: torch.optim.Optimizer, state: State) -> None:
    """Put back what :func:`export_optimizer` returned, into one over the same parameters.

    Raises
    ------
    CheckpointError
        If the optimizer is of another class or over other parameters; it is left as it was.
    """
    expected, name = state.values["class"], type(optimizer).__name__
    sizes = [len(group["params"]) for group in optimizer.param_groups]
    saved = [len(group["params"]) for group in state.values["groups"]]
    if name != expected or sizes != saved:
        raise CheckpointError(
            "the optimizer differs from that of the run",
            got=f"{name} over {sizes} parameters",
            expected=f"{expected} over {saved}",
            cure="resume with the optimizer the run was begun with",
        )
    try:
        optimizer.load_state_dict(
            {
                "state": {int(i): _unpack(v, state) for i, v in state.values["state"].items()},
                "param_groups": [_unpack(group, state) for group in state.values["groups"]],
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError("the saved optimizer is damaged", got=str(error)) from error


def _pack(value: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        tensors[name] = value
        return {_TENSOR: name}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _pack(part, f"{name}.{key}", tensors) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_pack(part, f"{name}.{i}", tensors) for i, part in enumerate(value)]
        return {_TUPLE: parts} if isinstance(value, tuple) else parts
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise CheckpointError(
        "this optimizer cannot be saved",
        got=f"{type(value).__name__} in {name}",
        expected="numbers, strings and tensors",
        cure="use another optimizer, or train without a run_folder",
    )


def _unpack(value: Any, state: State) -> Any:
    if isinstance(value, dict):
        if set(value) == {_TENSOR}:
            return state.tensors[value[_TENSOR]].clone()
        if set(value) == {_TUPLE}:
            return tuple(_unpack(part, state) for part in value[_TUPLE])
        return {key: _unpack(part, state) for key, part in value.items()}
    return [_unpack(part, state) for part in value] if isinstance(value, list) else value
