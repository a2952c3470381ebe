"""CIFAR-10 as the loaders of a curriculum: vehicles, animals, and a storm of inverted colours."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from plasticish.core import make_generator
from plasticish.data import (
    CIFAR10_ANIMALS,
    CIFAR10_VEHICLES,
    BatchLoader,
    few_shot,
    invert_tensor,
    load_cifar10,
)
from plasticish.training import TransformedLoader

__all__ = ["ANIMALS", "CLASSES", "VEHICLES", "create_cifar10_loaders"]

ANIMALS, VEHICLES = CIFAR10_ANIMALS, CIFAR10_VEHICLES
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def create_cifar10_loaders(
    batch_size: int = 64,
    *,
    root: str | Path | None = None,
    download: bool = True,
    per_class: int | None = None,
    seed: int = 0,
) -> dict[str, TransformedLoader]:
    """Return the loaders of the curriculum vehicles, animals, storm.

    Each gives images as floats in [0, 1], ``[batch, 3, 32, 32]``, with labels ``[batch]``, and can
    be gone through again; those that begin with ``test_`` come in a fixed order.

    Parameters
    ----------
    batch_size : int
        Images in a batch.
    root : path, optional
        Folder of the binary files; by default ``$PLASTICISH_DATA`` or the cache of this user.
    download : bool
        Fetch the 162 MB archive if they are nowhere.
    per_class : int, optional
        Use so many images a class only, for a quick look.
    seed : int
        Of the order of the training images.

    Returns
    -------
    dict of str to loader
        ``train_`` and ``test_`` with ``vehicles``, ``animals``, ``mixed``; ``storm_vehicles`` and
        ``storm_animals`` (training images, colours inverted), and the same of the test images as
        ``test_storm_vehicles`` and ``test_storm_animals``.
    """
    source = load_cifar10(root, download)
    train, test = source.train, source.test
    if per_class is not None:
        train = few_shot(train, per_class, make_generator(seed))
        test = few_shot(test, per_class, make_generator(seed))
    groups = {"vehicles": VEHICLES, "animals": ANIMALS, "mixed": VEHICLES + ANIMALS}
    loaders = {}
    for name, classes in groups.items():
        shown = BatchLoader(train.of_classes(classes), batch_size, seed=seed)
        asked = BatchLoader(test.of_classes(classes), batch_size)
        loaders[f"train_{name}"] = TransformedLoader(shown, as_floats)
        loaders[f"test_{name}"] = TransformedLoader(asked, as_floats)
        if name != "mixed":
            loaders[f"storm_{name}"] = TransformedLoader(shown, invert_tensor)
            loaders[f"test_storm_{name}"] = TransformedLoader(asked, invert_tensor)
    return loaders


def as_floats(images: Tensor) -> Tensor:
    """Return the images as they are: the loader has made them floats in [0, 1] already."""
    return images
