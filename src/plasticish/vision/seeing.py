"""The seeing half of a brain: from images, or from features, to what its parts work on."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float32
from torch import Tensor

from plasticish.core import ArrayLike, ConfigError, ShapeError, check_features, check_images
from plasticish.memory.similarity import unit_rows

from .eyes import PretrainedEyes

__all__ = ["Seeing"]


class Seeing:
    """Turns inputs into features at unit root-mean-square; makes its eyes when first needed."""

    in_dim: int
    device: torch.device
    eyes: PretrainedEyes | None

    def see(self, x: ArrayLike) -> Float32[Tensor, "batch in_dim"]:
        """Return features at unit root-mean-square, from features or (through eyes) from images.

        Raises
        ------
        ShapeError, DTypeError, DataError
            Unusable input, or eyes whose width is not ``in_dim``.
        """
        if getattr(x, "ndim", 2) == 4:
            images = check_images(x)
            x = self._eyes()(images)
        features = check_features(x, self.in_dim, device=self.device)
        return unit_rows(features) * math.sqrt(self.in_dim)

    def _eyes(self) -> PretrainedEyes:
        if self.eyes is None:
            eyes = PretrainedEyes(device=self.device)
            self._check_eyes(eyes)
            self.eyes = eyes
        return self.eyes

    def _check_eyes(self, eyes: PretrainedEyes) -> None:
        if not hasattr(eyes, "width"):
            raise ConfigError(
                "these are no eyes",
                got=repr(eyes),
                expected="a PretrainedEyes",
                cure="make them first: PretrainedEyes(name)",
            )
        if eyes.width != self.in_dim:
            raise ShapeError(
                "these eyes do not fit the brain",
                got=f"features of width {eyes.width}",
                expected=f"in_dim = {self.in_dim}",
                cure=f"build the brain with in_dim={eyes.width}, or give it other eyes",
            )
