"""Pictures of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..core import ShapeError
from .style import bare

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["denormalize_imagenet", "draw_image"]

# The channel means and deviations that ImageNet backbones are fed with.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def denormalize_imagenet(tensor: Tensor) -> Tensor:
    """Undo ImageNet's normalisation, for images that were prepared for a backbone elsewhere.

    plasticish itself keeps images as floats in [0, 1] until the eyes normalise them.

    Parameters
    ----------
    tensor : Tensor ``[3, h, w]`` or ``[batch, 3, h, w]``
        Normalised images.

    Returns
    -------
    Tensor
        The same shape, in [0, 1] (clipped).

    Raises
    ------
    ShapeError
        If the channels are not the third axis from the end.

    Examples
    --------
    >>> denormalize_imagenet(torch.zeros(3, 1, 1)).flatten()
    tensor([0.4850, 0.4560, 0.4060])
    """
    if tensor.ndim not in (3, 4) or tensor.shape[-3] != 3:
        raise ShapeError(
            "images have the wrong shape",
            got=str(tuple(tensor.shape)),
            expected="(3, height, width) or (batch, 3, height, width)",
        )
    mean = torch.tensor(_MEAN, dtype=torch.float32, device=tensor.device)[:, None, None]
    std = torch.tensor(_STD, dtype=torch.float32, device=tensor.device)[:, None, None]
    return (tensor.float() * std + mean).clamp(0.0, 1.0)


def draw_image(axis: Axes, image: Any) -> None:
    """Show one image ``[channels, h, w]``, float in [0, 1] or uint8, without a frame."""
    tensor = torch.as_tensor(image).detach().cpu()
    picture = tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor.float()
    shown = picture.clamp(0, 1).permute(1, 2, 0).numpy()
    if shown.shape[2] == 1:
        axis.imshow(shown[:, :, 0], cmap="gray", vmin=0, vmax=1, aspect="equal")
    else:
        axis.imshow(shown, aspect="equal")
    bare(axis)
