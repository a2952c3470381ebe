"""The gate that every public input passes: checked once, whole, before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from .errors import ConfigError, DataError, DTypeError, LabelError, ShapeError

__all__ = ["ArrayLike", "check_features", "check_images", "check_labels", "check_positive"]

ArrayLike = Tensor | npt.NDArray[Any] | Sequence[Any]
"""What is taken for an array of numbers: a tensor, an array, or sequences of numbers."""


def _as_tensor(x: ArrayLike, name: str) -> Tensor:
    if isinstance(x, Tensor):
        if x.layout != torch.strided:
            raise DTypeError(
                f"{name} are a sparse tensor",
                got=str(x.layout),
                expected="a dense one",
                cure="make it dense with x.to_dense()",
            )
        return x.detach()
    try:
        array = np.asarray(x)
        if array.dtype.kind in "biufc":
            # torch takes neither backward strides nor a foreign byte order, and warns of an array
            # that it may not write to.
            native = array.astype(array.dtype.newbyteorder("="), copy=False)
            array = np.require(native, requirements=["C", "W"])
        return torch.as_tensor(array)
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"{name} are not numbers",
            got=type(x).__name__,
            expected="a tensor or an array",
            cure="convert them with torch.as_tensor(x), and mind rows of unequal length",
        ) from error


def _check_finite(x: Tensor, name: str) -> None:
    # One reduction instead of an elementwise mask: a sum is finite iff (almost surely) all are;
    # only a suspicious sum pays for the exact look.
    if not bool(torch.isfinite(x.sum())) and not bool(torch.isfinite(x).all()):
        rows = (~torch.isfinite(x.flatten(1)).all(dim=1)).nonzero().flatten()
        raise DataError(
            f"{name} contain NaN or infinity",
            got=f"{len(rows)} bad row(s), the first at index {int(rows[0])}",
            expected="finite numbers",
            cure="drop or mend those rows; nothing was learned from this batch",
        )


def check_features(
    x: ArrayLike, width: int | None, *, device: torch.device | str = "cpu", name: str = "features"
) -> Tensor:
    """Return ``x`` as a finite float32 tensor ``[batch, width]`` on ``device``.

    Raises
    ------
    ShapeError, DTypeError, DataError
        Wrong axes or width; not real numbers; NaN, infinity or an empty batch.

    Examples
    --------
    >>> check_features([[1, 2], [3, 4]], width=2).dtype
    torch.float32
    """
    tensor = _as_tensor(x, name)
    expected = f"(batch, {width})" if width else "(batch, width)"
    if tensor.ndim != 2 or (width is not None and tensor.shape[1] != width):
        raise ShapeError(
            f"{name} have the wrong shape",
            got=str(tuple(tensor.shape)),
            expected=expected,
            cure=_CURES.get(tensor.ndim, "check the eyes or in_dim"),
        )
    return _finite_floats(tensor, device, name)


_CURES = {
    0: "give one row an example",
    1: "add a batch axis with x[None]",
    3: "if this is one image, add a batch axis with x[None]",
    4: "images become features by going through eyes first: eyes(images)",
}


def check_images(x: ArrayLike, *, device: torch.device | str = "cpu") -> Tensor:
    """Return images as finite float32 ``[batch, 3, height, width]`` in [0, 1].

    uint8 images are divided by 255; a single grey channel is repeated three times.

    Raises
    ------
    ShapeError, DTypeError, DataError
        Wrong axes; not real numbers; NaN, values outside [0, 1], or an empty batch.
    """
    tensor = _as_tensor(x, "images")
    if tensor.ndim != 4 or tensor.shape[1] not in (1, 3) or 0 in tensor.shape[2:]:
        raise ShapeError(
            "images have the wrong shape",
            got=str(tuple(tensor.shape)),
            expected="(batch, 3, height, width) or (batch, 1, height, width)",
            cure="put channels first with x.permute(0, 3, 1, 2), and add a batch axis with x[None]",
        )
    is_bytes = tensor.dtype == torch.uint8
    images = _finite_floats(tensor, device, "images")
    if is_bytes:
        images = images / 255.0
    low, high = float(images.amin()), float(images.amax())
    if low < -1e-4 or high > 1 + 1e-4:
        raise DataError(
            "images are out of range",
            got=f"[{low:.3g}, {high:.3g}]",
            expected="floats in [0, 1], or uint8",
            cure="do not normalise images beforehand: the eyes do that as their backbone wants",
        )
    return images.expand(-1, 3, -1, -1)


def _finite_floats(tensor: Tensor, device: torch.device | str, name: str) -> Tensor:
    if tensor.is_complex():
        raise DTypeError(
            f"{name} are complex",
            got=str(tensor.dtype),
            expected="real numbers",
            cure="take x.real or x.abs()",
        )
    if tensor.shape[0] == 0:
        raise DataError(
            f"{name} are an empty batch",
            got="0 rows",
            expected="at least one",
            cure="leave empty batches out",
        )
    tensor = tensor.to(device=device, dtype=torch.float32)
    _check_finite(tensor, name)
    return tensor


def check_labels(
    y: ArrayLike,
    batch: int,
    *,
    num_classes: int | None = None,
    device: torch.device | str = "cpu",
    cure: str = "build it with num_classes=None, and its classes grow as labels appear",
) -> Tensor:
    """Return labels as int64 ``[batch]``, each ``>= 0`` and, if fixed, ``< num_classes``.

    ``cure`` is what the error advises where a label is not below ``num_classes``.

    Raises
    ------
    ShapeError, DTypeError, LabelError
        Not one label a row; not integers; negative, or unknown to a fixed-class learner.

    Examples
    --------
    >>> check_labels([0, 2], 2)
    tensor([0, 2])
    """
    tensor = _as_tensor(y, "labels")
    if tensor.ndim != 1 or tensor.shape[0] != batch:
        raise ShapeError(
            "labels do not match the batch",
            got=str(tuple(tensor.shape)),
            expected=f"({batch},)",
            cure="give one label a row",
        )
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise DTypeError(
            "labels are not integers",
            got=str(tensor.dtype),
            expected="int64",
            cure="convert them with y.long(), or use PlasticClassifier, which takes any label",
        )
    labels = tensor.to(device=device, dtype=torch.int64)
    low, high = int(labels.min()), int(labels.max())
    if low < 0:
        raise LabelError(
            "a label is negative",
            got=str(low),
            expected="labels >= 0",
            cure="number the classes from 0, or use PlasticClassifier, which takes any label",
        )
    if num_classes is not None and high >= num_classes:
        raise LabelError(
            "a label is unknown to this fixed-class learner",
            got=str(high),
            expected=f"0 <= label < {num_classes}",
            cure=cure,
        )
    return labels


def check_positive(**values: float) -> None:
    """Raise :class:`ConfigError` for the first named value that is not a finite number > 0."""
    for name, value in values.items():
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not 0 < value < float("inf"):  # an int may be too large for any float
            raise ConfigError(f"{name} is out of range", got=repr(value), expected="a number > 0")
