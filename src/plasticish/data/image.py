"""One image file in, three channels of bytes out, whatever kind of image it was."""

from __future__ import annotations

import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from plasticish.core import ConfigError, DataError

__all__ = ["MAX_PIXELS", "read_image"]

MAX_PIXELS = 100_000_000
"""A larger image is refused before its pixels are unpacked: a few bytes can claim gigabytes."""


def read_image(path: str | Path, size: int) -> UInt8[Tensor, "3 size size"]:
    """Read an image file as RGB bytes, its middle square scaled to ``size``.

    The picture is turned as its EXIF orientation says. 16-bit values are divided by 257, so that
    white stays white. What is transparent shows white. Grey, palette, CMYK and the rest become
    RGB; of several frames the first is taken. The shorter side is scaled to ``size``, and
    equal parts of the longer one are cut off at both ends.

    Parameters
    ----------
    path : path
        Any format that Pillow reads, but for EPS, which is a program rather than an image.
    size : int
        Height and width of the result, in pixels.

    Returns
    -------
    Tensor
        uint8 ``[3, size, size]``.

    Raises
    ------
    DataError
        If the file is missing, broken, truncated, not an image, or has over 100 million pixels.
    ConfigError
        If ``size`` is not positive.

    Examples
    --------
    >>> read_image("/nowhere.png", 32)
    Traceback (most recent call last):
        ...
    plasticish.core.errors.DataError: /nowhere.png cannot be read as an image: got no such file...
    """
    if size < 1:
        raise ConfigError("the image size is out of range", got=repr(size), expected=">= 1")
    path = Path(path)
    if not path.is_file():  # opening a pipe or a device could wait for ever
        raise _unreadable(path, "no such file" if not path.exists() else "not a regular file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on files that are read anyhow
            with Image.open(path, formats=_formats()) as image:
                _refuse_bomb(image.size)
                square = _middle_square(image, size)
    except DataError as error:
        raise _unreadable(path, str(error)) from None
    except Image.DecompressionBombError as error:
        raise _unreadable(path, f"over {MAX_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise _unreadable(path, "no known image format") from error
    except Exception as error:  # decoders of forty formats raise whatever a broken file makes them
        raise _unreadable(path, str(error) or type(error).__name__) from error
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in Image.ID if name != "EPS")  # would be run by Ghostscript


def _unreadable(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path} cannot be read as an image",
        got=reason,
        cure="give a whole image file of a format that Pillow reads, such as PNG or JPEG",
    )


def _refuse_bomb(size: tuple[int, int]) -> None:
    if size[0] * size[1] > MAX_PIXELS:
        raise DataError(f"{size[0]}x{size[1]} pixels, more than {MAX_PIXELS}")


def _middle_square(image: Image.Image, size: int) -> Image.Image:
    # JPEGs can be decoded at a fraction of their size; twice the target loses nothing visible.
    image.draft(None, (2 * size, 2 * size))
    image.load()
    with suppress(Exception):  # broken metadata does not break the picture
        image = ImageOps.exif_transpose(image)
    rgb = _as_rgb(image)
    width, height = rgb.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return rgb.resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F" or image.mode.startswith("I"):
        return _from_deep_grey(image).convert("RGB")
    if image.has_transparency_data:
        paint = image.convert("RGBA")
        ground = Image.new("RGBA", paint.size, "white")
        return Image.alpha_composite(ground, paint).convert("RGB")
    return image.convert("RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """Bring 16-bit, 32-bit and float grey values to bytes.

    Pillow's own conversion cuts them off at 255, which turns most 16-bit images white. Floats
    within [0, 1] are taken for a full range; other values that no 16-bit image could hold have no
    stated white, and are stretched over what the image uses.
    """
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise DataError("NaN or infinite pixels")
    low, high = 0.0, 1.0 if image.mode == "F" else 65535.0
    if values.min() < low or values.max() > high:
        low, high = float(values.min()), float(values.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    return Image.fromarray(np.rint((values - low) * scale).astype(np.uint8))
