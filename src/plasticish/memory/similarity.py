"""How alike two memories are: a metric (mean and projection), rounding of keys, and unit rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from plasticish.core import ConfigError, DataError, DeviceLike, DTypeError, ShapeError

__all__ = [
    "Metric",
    "inverse_norms",
    "key_type",
    "round_keys",
    "similarity_of",
    "unit_rows",
    "unround_keys",
]

REDUCE_ELEMENTS = 1 << 21  # rows compared at once: 8 MiB of float32, which stays in the cache


@dataclass(frozen=True)
class Metric:
    r"""Similarity is the cosine of ``(x - mean) @ transform`` and ``(key - mean) @ transform``.

    Attributes
    ----------
    transform : Tensor [input_dim, rank] or None
        Float32; ``None`` leaves the axes as they are.
    mean : Tensor [input_dim] or None
        Float32; ``None`` is zero.
    """

    transform: Tensor | None = None
    mean: Tensor | None = None

    @classmethod
    def checked(
        cls, transform: Tensor | None, mean: Tensor | None, width: int, device: DeviceLike
    ) -> Metric:
        """Return the metric, or refuse what is not finite float arrays of the right shape."""
        if transform is not None:
            if transform.ndim != 2 or transform.shape[0] != width or transform.shape[1] < 1:
                raise ShapeError(
                    "the metric's transform has the wrong shape",
                    got=str(tuple(transform.shape)),
                    expected=f"({width}, rank)",
                )
            transform = _finite("transform", transform, device)
        if mean is not None:
            if mean.shape != (width,):
                raise ShapeError(
                    "the metric's mean has the wrong shape",
                    got=str(tuple(mean.shape)),
                    expected=f"({width},)",
                )
            mean = _finite("mean", mean, device)
        return cls(transform, mean)

    @property
    def is_plain(self) -> bool:
        """Whether this is the cosine of the raw vectors."""
        return self.transform is None and self.mean is None

    def rank(self, width: int) -> int:
        """Width of the projected vectors."""
        return width if self.transform is None else self.transform.shape[1]

    def project(self, x: Float32[Tensor, "batch width"]) -> Float32[Tensor, "batch rank"]:
        """Return ``(x - mean) @ transform``."""
        centred = x if self.mean is None else x - self.mean
        return centred if self.transform is None else centred @ self.transform


def _finite(name: str, value: Tensor, device: DeviceLike) -> Tensor:
    if not value.is_floating_point():
        raise DTypeError(f"the metric's {name} is not real", got=str(value.dtype))
    value = value.detach().to(device=device, dtype=torch.float32, copy=True)
    if not bool(torch.isfinite(value).all()):
        raise DataError(f"the metric's {name} contains NaN or infinity", expected="finite numbers")
    return value


def unit_rows(x: Float32[Tensor, "batch width"]) -> Float32[Tensor, "batch width"]:
    """Return rows of length one; a zero row stays zero, so that it resembles nothing.

    Examples
    --------
    >>> unit_rows(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    # Dividing by the largest entry first keeps the squares of very large or small rows in range.
    peak = x.abs().amax(dim=1, keepdim=True)
    scaled = x / torch.where(peak > 0, peak, 1.0)
    norm = torch.linalg.vector_norm(scaled, dim=1, keepdim=True)
    return scaled / torch.where(norm > 0, norm, 1.0)


def round_keys(
    x: Float32[Tensor, "batch width"], dtype: torch.dtype
) -> tuple[Float[Tensor, "batch width"], Float32[Tensor, " batch"]]:
    """Return keys in ``dtype`` and a power of two a row, so that no row over- or underflows.

    float16 ends at 65,504 and fades below 6e-5. Multiplying each row by the power of two that puts
    its largest entry between 2**14 and 2**15 is exact, and costs four bytes a memory.

    Examples
    --------
    >>> keys, scale = round_keys(torch.tensor([[3e6, 1.0]]), torch.float16)
    >>> unround_keys(keys, scale).int()
    tensor([[3000320,       1]], dtype=torch.int32)
    """
    exponent = torch.frexp(x.abs().amax(dim=1)).exponent - 15
    # Beyond 2**126 a power of two or its inverse leaves float32; the rest then sits in the key.
    exponent = exponent.clamp(-126, 126)
    scale = torch.ldexp(torch.ones(len(x), device=x.device), exponent)
    return (x / scale[:, None]).to(dtype), scale


def unround_keys(
    keys: Float[Tensor, "batch width"], scale: Float32[Tensor, " batch"]
) -> Float32[Tensor, "batch width"]:
    """Return what :func:`round_keys` stored, as float32."""
    return keys.float() * scale[:, None]


def inverse_norms(rows: Float[Tensor, "batch width"]) -> Float32[Tensor, " batch"]:
    """Return one over the length of each row, zero for a zero row."""
    norms = torch.linalg.vector_norm(rows.float(), dim=1)
    return torch.where(norms > 0, 1.0 / norms, 0.0)


def similarity_of(
    queries: Float32[Tensor, "batch width"],
    rows: Float[Tensor, "memories width"],
    inverse: Float32[Tensor, " memories"],
    chosen: Int64[Tensor, "batch chosen"],
) -> Float32[Tensor, "batch chosen"]:
    """Return the cosine of each unit query with its chosen rows, in float32.

    A product and a sum along the row, not a matrix product: the figure for a pair then depends on
    that pair alone, so equal keys tie exactly, in a batch of one as in a batch of a thousand.
    """
    wide = max(1, REDUCE_ELEMENTS // rows.shape[1])
    tall = max(1, wide // max(1, chosen.shape[1]))
    out = queries.new_empty(chosen.shape)
    for i in range(0, chosen.shape[0], tall):
        for j in range(0, chosen.shape[1], wide):
            part = rows[chosen[i : i + tall, j : j + wide]].float()
            torch.sum(
                part.mul_(queries[i : i + tall, None]), -1, out=out[i : i + tall, j : j + wide]
            )
    return out.mul_(inverse[chosen]).clamp_(-1.0, 1.0)


def key_type(name: str) -> torch.dtype:
    """Return the torch type of a key type's name."""
    types = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
    if name not in types:
        raise ConfigError("unknown key_dtype", got=repr(name), expected=f"one of {list(types)}")
    return types[name]
