"""What weather does to images: colours inverted, noise, blur.

Images are floats in [0, 1] (or uint8) until the eyes normalise them; a transform that met
normalised values would invert around the wrong middle without a word, so values out of range
are refused.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError, check_positive

__all__ = ["add_noise", "blur_image", "invert_colors", "invert_tensor"]


def invert_tensor(values: Tensor) -> Tensor:
    """Return ``1 - values`` for floats in [0, 1], or ``255 - values`` for uint8; any shape.

    Raises
    ------
    DTypeError, DataError
        Neither floats nor uint8; NaN, or values outside [0, 1].

    Examples
    --------
    >>> invert_tensor(torch.tensor([0.0, 0.25]))
    tensor([1.0000, 0.7500])
    >>> invert_tensor(torch.tensor([0, 200], dtype=torch.uint8))
    tensor([255,  55], dtype=torch.uint8)
    """
    _check_tensor(values)
    if values.dtype == torch.uint8:
        return 255 - values
    return 1 - _checked(values)


def invert_colors(images: Tensor) -> Tensor:
    """Return the photographic negative: the storm of the curriculum.

    Parameters
    ----------
    images : Tensor
        ``[..., channels, height, width]``, floats in [0, 1] or uint8; one or three channels.

    Returns
    -------
    Tensor
        Of the same shape and type.

    Raises
    ------
    ShapeError, DTypeError, DataError
        Not images; neither floats nor uint8; NaN, or values outside [0, 1].

    Examples
    --------
    >>> invert_colors(torch.zeros(1, 3, 2, 2)).unique()
    tensor([1.])
    """
    _check_axes(images)
    return invert_tensor(images)


def add_noise(images: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """Add independent Gaussian noise to every value and clip to [0, 1].

    Parameters
    ----------
    images : Tensor
        ``[..., channels, height, width]``, floats in [0, 1] or uint8.
    std : float
        Standard deviation, in units of the full range; 0 changes nothing.
    generator : torch.Generator
        Draws the noise.

    Returns
    -------
    Tensor
        Floats in [0, 1] of the same shape (uint8 comes back as float32).

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`invert_colors`; ``std`` negative or not finite.

    Examples
    --------
    >>> from plasticish.core import make_generator
    >>> noisy = add_noise(torch.full((1, 3, 8, 8), 0.5), 0.1, make_generator(0))
    >>> bool(0.05 < noisy.std() < 0.15)
    True

    As the transform of a phase:

    >>> from functools import partial
    >>> fog = partial(add_noise, std=0.1, generator=make_generator(0))
    >>> fog(torch.zeros(1, 3, 2, 2)).shape
    torch.Size([1, 3, 2, 2])
    """
    if not math.isfinite(std) or std < 0:
        raise ConfigError("std is out of range", got=repr(std), expected="a number >= 0")
    clean = _as_floats(images)
    noise = torch.randn(clean.shape, generator=generator, device=generator.device)
    return (clean + std * noise.to(clean)).clamp(0, 1)


def blur_image(images: Tensor, sigma: float = 1.0, kernel: int | None = None) -> Tensor:
    r"""Blur with a Gaussian, :math:`k(d) \propto \exp(-d^2 / 2\sigma^2)`, in both directions.

    Borders are continued by their outermost pixel, so an even surface stays as it is.

    Parameters
    ----------
    images : Tensor
        ``[..., channels, height, width]``, floats in [0, 1] or uint8.
    sigma : float
        Width of the Gaussian in pixels.
    kernel : int, optional
        Odd number of pixels the Gaussian is cut to; by default three sigmas to either side.

    Returns
    -------
    Tensor
        Floats in [0, 1] of the same shape (uint8 comes back as float32).

    Raises
    ------
    ShapeError, DTypeError, DataError, ConfigError
        As :func:`invert_colors`; ``sigma`` not positive, ``kernel`` not odd.

    Examples
    --------
    >>> dot = torch.zeros(1, 1, 5, 5)
    >>> dot[..., 2, 2] = 1
    >>> blurred = blur_image(dot)
    >>> bool(blurred.amax() < 0.2) and bool(blurred[..., 2, 2] == blurred.amax())
    True
    """
    check_positive(sigma=sigma)
    size = 2 * math.ceil(3 * sigma) + 1 if kernel is None else kernel
    if size < 1 or size % 2 == 0:
        raise ConfigError("kernel is out of range", got=repr(kernel), expected="an odd number >= 1")
    clean = _as_floats(images)
    steps = torch.arange(size, dtype=clean.dtype, device=clean.device) - size // 2
    weights = torch.softmax(-(steps**2) / (2 * sigma**2), dim=0)  # sums to one by construction
    flat = clean.reshape(-1, 1, *clean.shape[-2:])
    half = size // 2
    flat = conv2d(pad(flat, (0, 0, half, half), mode="replicate"), weights[None, None, :, None])
    flat = conv2d(pad(flat, (half, half, 0, 0), mode="replicate"), weights[None, None, None])
    return flat.clamp(0, 1).reshape(clean.shape)


def _checked(values: Tensor) -> Tensor:
    """Return floats in [0, 1] as they are; refuse everything else."""
    if not values.is_floating_point():
        raise DTypeError(
            "images are not floats", got=str(values.dtype), expected="floats in [0, 1], or uint8"
        )
    if values.numel() == 0:
        return values
    low, high = float(values.amin()), float(values.amax())
    if not (low >= -1e-4 and high <= 1 + 1e-4):  # written so that NaN is refused too
        raise DataError(
            "images are out of range",
            got=f"[{low:.3g}, {high:.3g}]",
            expected="floats in [0, 1], or uint8",
            cure="transform images before they are normalised: the eyes do that themselves",
        )
    return values.clamp(0, 1)  # what rounding put a hair outside


def _as_floats(images: Tensor) -> Tensor:
    _check_axes(images)
    return images / 255 if images.dtype == torch.uint8 else _checked(images)


def _check_tensor(values: Tensor) -> None:
    if not isinstance(values, Tensor):
        raise DTypeError(
            "images are not a tensor",
            got=type(values).__name__,
            expected="a Tensor of floats in [0, 1] or uint8",
            cure="convert an array with torch.as_tensor(x), channels first",
        )


def _check_axes(images: Tensor) -> None:
    _check_tensor(images)
    if images.ndim < 3 or images.shape[-3] not in (1, 3):
        raise ShapeError(
            "images have the wrong shape",
            got=str(tuple(images.shape)),
            expected="(..., 3, height, width) or (..., 1, height, width)",
            cure="put channels first with x.permute(0, 3, 1, 2)",
        )
