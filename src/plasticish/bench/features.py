"""The images of a scenario, seen once by the default eyes and kept: all scenarios share them."""

from __future__ import annotations

from dataclasses import replace

from plasticish.core import DataError
from plasticish.data import LabelledSet, Source, load_cifar10
from plasticish.vision import FeatureCache, PretrainedEyes

from .scenario import Context, UnavailableError

__all__ = ["LAST_LAYER", "LAST_THREE", "cifar10_images", "default_eyes", "narrowed", "seen"]

LAST_LAYER = 1280
"""Width of the last layer of EfficientNet-Lite0, which is last among the columns."""
LAST_THREE = 192 + 320 + 1280
"""Width of its last three stages."""


def default_eyes(context: Context) -> PretrainedEyes:
    """Return the default eyes with all their stages, behind the feature cache."""
    cache = FeatureCache(context.cache)
    return PretrainedEyes("efficientnet_lite0", stages="all", cache=cache)


def cifar10_images(context: Context, quick: tuple[int, int] = (24, 12)) -> Source:
    """Return the CIFAR-10 images that are here; a quick run gets a few a class.

    Parameters
    ----------
    context : Context
        Of the run.
    quick : (int, int)
        Training and test images of a class in a quick run.

    Raises
    ------
    UnavailableError
        If they are not here.
    """
    try:
        source = load_cifar10(context.data_root)
    except DataError as error:
        raise UnavailableError("the CIFAR-10 files are not here", cure=str(error)) from error
    if not context.quick:
        return source
    return replace(
        source, train=_thinned(source.train, quick[0]), test=_thinned(source.test, quick[1])
    )


def _thinned(part: LabelledSet, per_class: int) -> LabelledSet:
    """Return the first ``per_class`` rows of every class."""
    rows = [
        (part.labels == label).nonzero().flatten()[:per_class] for label in range(len(part.classes))
    ]
    return part.subset([int(row) for chosen in rows for row in chosen])


def seen(context: Context, source: Source) -> Source:
    """Return the features of all stages of a source of images."""
    return source.map_inputs(default_eyes(context), batch_size=1024)


def narrowed(source: Source, width: int) -> Source:
    """Return the last ``width`` columns of a source of features: its last stages."""

    def last_columns(part: LabelledSet) -> LabelledSet:
        return part.with_inputs(part.inputs[:, -width:].contiguous())

    return replace(source, train=last_columns(source.train), test=last_columns(source.test))
