"""How a brain of the command line sees: through pretrained eyes, or as the bundled digits are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from plasticish.core import check_images
from plasticish.data import read_image
from plasticish.vision import FeatureCache, PretrainedEyes

__all__ = ["DigitSight", "Sight", "make_sight", "read_pictures"]

SIDE = 8
INK = 0.25  # of the darkest stroke: what is fainter is taken for paper


@runtime_checkable
class Sight(Protocol):
    """Images to features."""

    width: int
    image_size: int

    def __call__(self, images: Tensor) -> Tensor:
        """Return features ``[batch, width]`` of images ``[batch, channels, height, width]``."""
        ...


class DigitSight:
    """Sees an image as the bundled digits are: 8×8 grey values, light strokes on a dark ground.

    An image whose border is light is taken for ink on paper and inverted. The ground is brought
    to 0 and the strongest stroke to 1, what is drawn is cut out as a centred square, and that is
    averaged down to 8×8. An image of 8×8 pixels is only made grey: it is a digit already.

    Examples
    --------
    >>> paper = torch.ones(1, 1, 32, 32)
    >>> paper[:, :, 8:24, 15:17] = 0.0  # a one
    >>> DigitSight()(paper).reshape(8, 8)[0].tolist()
    [0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0]
    """

    width = SIDE * SIDE
    image_size = 64

    def __call__(self, images: Tensor) -> Tensor:
        """Return features in [0, 1], float32 ``[batch, 64]``."""
        red_green_blue = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
        grey = (check_images(images) * red_green_blue).sum(dim=1)
        if grey.shape[1:] == (SIDE, SIDE):
            return grey.reshape(-1, self.width)
        # One by one: each has a cut of its own, and nobody shows thousands.
        return torch.stack([_as_digit(image) for image in grey])


def _as_digit(grey: Tensor) -> Tensor:
    border = torch.cat([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    if float(border.median()) > 0.5:
        grey, border = 1.0 - grey, 1.0 - border
    grey = (grey - border.median()).clamp(min=0.0)
    strongest = float(grey.max())
    if strongest <= 0.0:
        return grey.new_zeros(SIDE * SIDE)
    grey = grey / strongest
    rows, columns = (
        axis.nonzero().flatten() for axis in ((grey > INK).any(1), (grey > INK).any(0))
    )
    height, width = (int(axis[-1] - axis[0]) + 1 for axis in (rows, columns))
    cut = grey[int(rows[0]) : int(rows[0]) + height, int(columns[0]) : int(columns[0]) + width]
    side = max(height, width, SIDE)
    square = grey.new_zeros(side, side)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = cut
    return adaptive_avg_pool2d(square[None], SIDE).flatten()


def make_sight(config: Mapping[str, Any] | None, cache: FeatureCache | None = None) -> Sight:
    """Return the eyes of a configuration, or the sight of digits where it is None.

    Raises
    ------
    ConfigError, DataError, DownloadError, MissingExtraError
        As :class:`plasticish.vision.PretrainedEyes`.
    """
    if config is None:
        return DigitSight()
    return PretrainedEyes(**config, cache=cache)


def read_pictures(path: Path, sight: Sight, size: int | None) -> Tensor:
    """Read one image file as a batch of one, as big as the images this brain was taught with.

    Parameters
    ----------
    path : Path
        The file.
    sight : Sight
        What is to see it.
    size : int or None
        Height and width to read it at; by default what the sight was made for.

    Raises
    ------
    DataError
        If it is not a readable image.
    """
    if isinstance(sight, DigitSight):
        size = SIDE if _pixels(path) == (SIDE, SIDE) else sight.image_size
    return read_image(path, size or sight.image_size)[None]


def _pixels(path: Path) -> tuple[int, int] | None:
    with suppress(Exception), Image.open(path) as image:  # read_image says what is wrong with it
        return image.size
    return None
