"""The eyes: a frozen pretrained network that turns images into features, and never learns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor, nn

from ..core import (
    ArrayLike,
    ConfigError,
    DeviceLike,
    ShapeError,
    check_images,
    resolve_device,
    track,
)
from ..memory.checks import check_whole
from .backbones import Backbone, build_backbone
from .feature_cache import FeatureCache
from .image_keys import image_keys, parts
from .stages import Stages, choose_stages, list_stages
from .weights import weights_digest

__all__ = ["PretrainedEyes"]

# Raised whenever the arithmetic of the eyes changes, so that no cache mixes old and new features.
_RECIPE = 1
_MANY_BATCHES = 32
_STORED_TOGETHER = 256


class PretrainedEyes(nn.Module):
    """Frozen eyes: images in, features out; nothing in them ever changes.

    Images are uint8, or floats in [0, 1] (never normalised by the caller), of any resolution, with
    three channels or a single grey one. They are stretched to the square that the backbone wants,
    smoothed first where that shrinks them, and normalised as it was trained.

    Parameters
    ----------
    backbone : str
        ``"efficientnet_lite0"`` (weights installed with the package, 1280 features, 128 px), any
        name in :data:`EYES`, or a timm name such as ``"resnet18"`` (512 features, 224 px), which
        needs the extra ``eyes`` and fetches its weights unless ``weights`` is given.
    stages : str, int or sequence of int
        Which pooled stages are concatenated, shallow to deep: ``"last"``; ``"all"``; ``"last3"``
        or ``3`` for the last three; or their indices. All stages of EfficientNet-Lite0 are 2,048
        features (24 + 40 + 80 + 112 + 192 + 320 + 1280).
    weights : path, optional
        A local ``.safetensors`` or ``.pth`` file (tensors only; a classifier head is dropped).
    image_size : int, optional
        Side of the square in pixels; by default what the backbone was made for.
    device : str, torch.device or None
        Where the network runs. Features come back on the same device.
    batch_size : int
        Images that go through the network together.
    cache : FeatureCache, optional
        Where features are kept over epochs and runs.

    Attributes
    ----------
    width : int
        Features an image.
    stage_widths : tuple of int
        Features of each chosen stage, in the order of concatenation.
    identity : str
        Digest of backbone, weights, stages, size and preprocessing: equal identities see alike.

    Raises
    ------
    ConfigError
        Unknown backbone or stages, or a size that is not positive.
    DataError
        A weights file that is unreadable or another network's.
    DownloadError
        No network, and weights that would have to come from the hub.

    Notes
    -----
    A convolution may round differently when a batch has another size or composition, so features
    computed twice can differ in the last bits. With a cache the value kept first is the one that
    every later call returns, bit for bit.

    Examples
    --------
    >>> eyes = PretrainedEyes("efficientnet_lite0", stages="all", image_size=64)
    >>> eyes.width, eyes.stage_widths
    (2048, (24, 40, 80, 112, 192, 320, 1280))
    >>> eyes(torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 2048])
    """

    def __init__(
        self,
        backbone: str = "resnet18",
        stages: Stages = "last",
        *,
        weights: str | Path | None = None,
        image_size: int | None = None,
        device: DeviceLike = None,
        batch_size: int = 16,
        cache: FeatureCache | None = None,
    ) -> None:
        super().__init__()
        check_whole(batch_size=batch_size)
        if image_size is not None:
            check_whole(image_size=image_size)
        where = resolve_device(device)
        path = None if weights is None else Path(weights).expanduser().absolute()
        built = build_backbone(backbone, path, image_size)
        self.backbone = backbone
        self.stages = list_stages(stages)
        self.weights = None if path is None else str(path)
        self.image_size = built.image_size
        self.batch_size = int(batch_size)
        self.cache = cache
        self._interpolation = built.interpolation
        self._net = built.net.eval().requires_grad_(False)
        self._mean: Tensor
        self._std: Tensor
        self.register_buffer("_mean", torch.tensor(built.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("_std", torch.tensor(built.std).view(1, 3, 1, 1), persistent=False)
        widths = self._probe()
        self._chosen = choose_stages(self.stages, len(widths))
        self.stage_widths = tuple(widths[index] for index in self._chosen)
        self.width = sum(self.stage_widths)
        self.identity = _identity(built, backbone, self._chosen)
        self.to(where)

    @property
    def device(self) -> torch.device:
        """Where the network runs and features come back."""
        return self._mean.device

    def config(self) -> dict[str, Any]:
        """Return what rebuilds these eyes: ``PretrainedEyes(**eyes.config())``.

        Device, batch size and cache belong to the machine and are not part of it.
        """
        return {
            "backbone": self.backbone,
            "stages": list(self.stages) if isinstance(self.stages, tuple) else self.stages,
            "weights": self.weights,
            "image_size": self.image_size,
        }

    def train(self, mode: bool = True) -> PretrainedEyes:
        """Stay frozen: eyes have no training mode, so a parent's ``train()`` is ignored."""
        return super().train(False)

    def forward(self, images: ArrayLike) -> Float[Tensor, "batch width"]:
        """Return features ``[batch, width]`` in float32, from the cache where it has them.

        Each distinct image is computed once, even when it occurs several times in ``images``.

        Parameters
        ----------
        images : array
            uint8, or floats in [0, 1]; ``[batch, 3, height, width]`` or one grey channel.

        Raises
        ------
        ShapeError, DTypeError, DataError
            As :func:`plasticish.core.check_images`; nothing is computed then.
        """
        tensor = _gate(images)
        if self.cache is None:
            return self._look(tensor)
        return self._through(self.cache, tensor)

    def look(self, images: ArrayLike) -> Float[Tensor, "batch width"]:
        """Return features as ``eyes(images)`` does, but compute them, whatever the cache holds."""
        return self._look(_gate(images))

    def _look(self, images: Tensor) -> Tensor:
        for part in parts(images):  # all is checked before anything is computed
            check_images(images[part], device=images.device)
        features = torch.empty(len(images), self.width, device=self.device)
        for rows, seen in self._batches(images, torch.arange(len(images))):
            features[rows.to(self.device)] = seen
        return features

    def _through(self, cache: FeatureCache, images: Tensor) -> Tensor:
        keys = image_keys(images, self.identity)
        first: dict[bytes, int] = {}  # each distinct image, and the row that it came in first
        for row, key in enumerate(keys):
            first.setdefault(key, row)
        distinct, rows = list(first), torch.tensor(list(first.values()))
        table, known = cache.lookup(distinct, self.width)
        missing = (~known).nonzero().flatten()
        pending: list[Tensor] = []
        for slots_seen, seen in self._batches(images[rows[missing].to(images.device)], missing):
            table[slots_seen] = seen.cpu()
            pending.append(slots_seen)
            if sum(map(len, pending)) >= _STORED_TOGETHER:
                self._keep(cache, distinct, table, pending)
        self._keep(cache, distinct, table, pending)
        if len(distinct) < len(keys):
            slots = {key: slot for slot, key in enumerate(distinct)}
            table = table[torch.tensor([slots[key] for key in keys])]
        return table.to(self.device)

    @staticmethod
    def _keep(cache: FeatureCache, keys: list[bytes], table: Tensor, pending: list[Tensor]) -> None:
        if pending:
            slots = torch.cat(pending)
            cache.store([keys[slot] for slot in slots.tolist()], table[slots])
            pending.clear()

    def _batches(self, images: Tensor, names: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield ``(names of the batch, its features)``; images become floats a batch at a time."""
        starts: Any = range(0, len(images), self.batch_size)
        if len(starts) >= _MANY_BATCHES:
            starts = track(starts, "looking at images", total=len(starts))
        for start in starts:
            rows = slice(start, start + self.batch_size)
            yield names[rows], self._encode(check_images(images[rows], device=self.device))

    @torch.inference_mode()
    def _encode(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch out"]:
        stages = self._stages(self._prepare(images))
        return torch.cat([stages[index] for index in self._chosen], dim=1)

    def _prepare(self, images: Tensor) -> Tensor:
        side = self.image_size
        if images.shape[2:] != (side, side):
            if self._interpolation == "nearest":
                images = functional.interpolate(images, size=(side, side), mode="nearest")
            else:
                # Without smoothing a large photograph would be sampled, not seen; an enlarged
                # one needs none, and is faster without.
                images = functional.interpolate(
                    images,
                    size=(side, side),
                    mode=self._interpolation,
                    align_corners=False,
                    antialias=max(images.shape[2:]) > side,
                ).clamp(0, 1)  # bicubic overshoots
        return (images - self._mean) / self._std

    def _stages(self, prepared: Tensor) -> Sequence[Tensor]:
        found = self._net(prepared)
        return [found] if isinstance(found, Tensor) else list(found)

    @torch.inference_mode()
    def _probe(self) -> list[int]:
        grey = torch.full((1, 3, self.image_size, self.image_size), 0.5)
        try:
            stages = self._stages(self._prepare(grey))
        except RuntimeError as error:
            raise ConfigError(
                f"the backbone {self.backbone!r} cannot look at images of this size",
                got=f"image_size={self.image_size} ({str(error).splitlines()[0]})",
                cure="take a larger image_size, or leave it out",
            ) from error
        if not stages or any(stage.ndim != 2 for stage in stages):
            raise ShapeError(
                f"the backbone {self.backbone!r} hands out the wrong shape",
                got=", ".join(str(tuple(stage.shape)) for stage in stages) or "no stage",
                expected="(batch, width) a stage",
                cure="pool over height and width",
            )
        return [stage.shape[1] for stage in stages]


def _identity(built: Backbone, name: str, chosen: tuple[int, ...]) -> str:
    parts = {
        "recipe": _RECIPE,
        "backbone": name,
        "weights": built.digest or weights_digest(built.net),
        "stages": chosen,
        "image_size": built.image_size,
        "mean": built.mean,
        "std": built.std,
        "interpolation": built.interpolation,
    }
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _gate(images: ArrayLike) -> Tensor:
    """Return ``images`` as a tensor that can be cut into batches, its axes checked."""
    if isinstance(images, np.ndarray) and images.dtype.kind in "biuf":
        images = torch.as_tensor(np.ascontiguousarray(images))  # torch has no negative strides
    if not isinstance(images, Tensor):
        return check_images(images)
    if images.ndim != 4 or len(images) == 0 or images.layout != torch.strided:
        check_images(images)
    return images.detach()
