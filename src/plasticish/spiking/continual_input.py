"""The gate of the continual learner: any input that a torch module may take, checked whole."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from plasticish.core import (
    ArrayLike,
    DataError,
    ShapeError,
    check_features,
    check_labels,
)

__all__ = ["as_model_input", "check_inputs", "check_targets"]


def check_inputs(
    x: ArrayLike, shape: tuple[int, ...] | None, *, indices: bool, device: torch.device
) -> Tensor:
    """Return inputs ``[batch, *shape]``: bytes as they are, anything else as finite float32.

    Parameters
    ----------
    x : array
        One row an example.
    shape : tuple of int or None
        What an example looks like; None before the first came.
    indices : bool
        Whether the model reads whole numbers (symbols) as such: they stay int64 then.
    device : torch.device
        Where they go.

    Raises
    ------
    ShapeError, DTypeError, DataError
        If they are not that.
    """
    tensor = x.detach() if isinstance(x, Tensor) else _from_array(x)
    if tensor is None or tensor.layout != torch.strided or tensor.ndim < 2 or tensor.is_complex():
        # Not a batch of anything: core says what is wrong with it.
        return check_features(x, shape[0] if shape and len(shape) == 1 else None, device=device)
    if shape is not None and tuple(tensor.shape[1:]) != shape:
        raise ShapeError(
            "inputs have the wrong shape",
            got=str(tuple(tensor.shape)),
            expected=f"(batch, {', '.join(map(str, shape))})",
            cure="give the model what it was made for; one example needs a batch axis: x[None]",
        )
    if not len(tensor):
        raise DataError("inputs are an empty batch", got="0 rows", cure="leave empty batches out")
    whole = not tensor.is_floating_point() and tensor.dtype != torch.bool
    if tensor.dtype == torch.uint8 or (whole and indices):
        return tensor.to(device=device, dtype=None if tensor.dtype == torch.uint8 else torch.int64)
    flat = check_features(tensor.flatten(1), None, device=device, name="inputs")
    return flat.reshape(tensor.shape)


def _from_array(x: ArrayLike) -> Tensor | None:
    try:
        array = np.asarray(x)
    except ValueError:  # rows of unequal length
        return None
    if array.dtype.kind not in "biuf":
        return None
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return torch.as_tensor(np.require(native, requirements=["C", "W"]))


def as_model_input(x: Tensor) -> Tensor:
    """Return what a model reads: bytes become floats in [0, 1], all else stays.

    Examples
    --------
    >>> as_model_input(torch.tensor([[0, 255]], dtype=torch.uint8))
    tensor([[0., 1.]])
    """
    return x.float() / 255.0 if x.dtype == torch.uint8 else x


def check_targets(y: ArrayLike, inputs: Tensor, output: tuple[int, ...], *, values: bool) -> Tensor:
    """Return targets, one row an input: classes as int64, or values as finite float32.

    Parameters
    ----------
    y : array
        Classes ``[batch]``, ``[batch, time]`` if the model answers at each time, or, where they
        may be, values ``[batch, *output]``.
    inputs : Tensor
        The checked inputs.
    output : tuple of int
        What the model answers to one example; the last axis are the classes.
    values : bool
        Whether targets may be values.

    Raises
    ------
    ShapeError, DTypeError, LabelError, DataError
        If they are not that.
    """
    batch, device = len(inputs), inputs.device
    tensor = y.detach() if isinstance(y, Tensor) else _from_array(y)
    cure = "give the model an output for every class"
    if tensor is None or tensor.ndim == 0:
        return check_labels(y, batch, num_classes=output[-1], device=device, cure=cure)
    if values and tensor.is_floating_point():
        if tuple(tensor.shape) != (batch, *output):
            raise ShapeError(
                "targets do not match what the model answers",
                got=str(tuple(tensor.shape)),
                expected=str((batch, *output)),
                cure="give one row of values an example, or classes as int64",
            )
        flat = check_features(tensor.flatten(1), None, device=device, name="targets")
        return flat.reshape(tensor.shape)
    if len(output) > 1 and tuple(tensor.shape) == (batch, *output[:-1]):
        flat = tensor.flatten()
        labels = check_labels(flat, len(flat), num_classes=output[-1], device=device, cure=cure)
        return labels.reshape(tensor.shape)
    return check_labels(tensor, batch, num_classes=output[-1], device=device, cure=cure)
