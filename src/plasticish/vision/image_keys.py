"""The name of an image in the cache: a digest of what the eyes would see, and of which eyes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import torch
from torch import Tensor

from ..core import check_images

__all__ = ["image_keys", "parts"]

_PART = 1 << 23  # values of images that are floats at one time (32 MiB)


def parts(images: Tensor) -> Iterator[slice]:
    """Yield slices of ``images`` that are small enough to be turned into floats at once."""
    step = max(1, _PART // max(1, 3 * images[0, 0].numel()))
    for start in range(0, len(images), step):
        yield slice(start, start + step)


def image_keys(images: Tensor, identity: str) -> list[bytes]:
    """Return 16 bytes an image: a digest of the eyes' ``identity``, the shape and the pixels.

    Float images that are exactly ``k / 255`` share the key of the uint8 image that they came from:
    the eyes see the same numbers.

    Raises
    ------
    ShapeError, DTypeError, DataError
        As :func:`plasticish.core.check_images`.

    Examples
    --------
    >>> black = torch.zeros(1, 3, 8, 8, dtype=torch.uint8)
    >>> image_keys(black, "a") == image_keys(black.float(), "a")
    True
    >>> image_keys(black, "a") == image_keys(black, "b")
    False
    """
    shape = f"|{tuple(images.shape[1:])}|"
    as_bytes = blake2b(f"{identity}{shape}uint8|".encode(), digest_size=16)
    as_floats = blake2b(f"{identity}{shape}float32|".encode(), digest_size=16)
    keys: list[bytes] = []
    for part in parts(images):
        checked = check_images(images[part])  # every image passes the gate, in the cache or not
        floats = checked[:, : images.shape[1]].flatten(1)
        pixels = (floats * 255).round().to(torch.uint8)
        exact = (pixels / 255.0 == floats).all(dim=1).tolist()
        rows = zip(exact, pixels.numpy(), floats.contiguous().numpy(), strict=True)
        for is_exact, row_bytes, row_floats in rows:  # a digest is sequential by nature
            digest = (as_bytes if is_exact else as_floats).copy()
            digest.update(row_bytes if is_exact else row_floats)
            keys.append(digest.digest())
    return keys
