"""Anybody's own pictures: a folder with one sub-folder a class."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import torch

from plasticish.core import ConfigError, DataError, make_generator, track

from .image import read_image
from .labelled import LabelledSet, Source
from .split import stratified_split

__all__ = ["SkippedImagesWarning", "load_folder"]

NAMED = 5
"""How many skipped files a warning names."""


class SkippedImagesWarning(UserWarning):
    """Some files of a folder were not readable as images and were left out."""


@dataclass(frozen=True)
class _Listing:
    """Files and their labels, in a fixed order."""

    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]


def load_folder(
    path: str | Path, size: int = 128, test_share: float = 0.25, *, seed: int = 0
) -> Source:
    """Read a folder of images with one sub-folder a class.

    Sub-folders are classes in the order of their names; deeper folders belong to the class above
    them; names that begin with a dot are passed over. A folder that holds only ``train`` and
    ``test``, each with such sub-folders, is taken as split already.

    Every image becomes RGB and a square of ``size`` pixels, as :func:`read_image` says. What
    cannot be read is skipped, and one warning at the end says how many and names the first few;
    so is a class of which nothing could be read.

    Parameters
    ----------
    path : path
        The folder.
    size : int
        Height and width of the images, in pixels.
    test_share : float
        Part of every class that is held out for testing, in [0, 1); a class of one image has none.
    seed : int
        Decides which images are held out. The same files and seed give the same split.

    Returns
    -------
    Source
        Images uint8 ``[n, 3, size, size]``, named after the folder.

    Warns
    -----
    SkippedImagesWarning
        If a file was not readable as an image.

    Raises
    ------
    DataError
        If the folder is missing or cannot be read, or holds no image in a sub-folder.
    ConfigError
        If ``size`` or ``test_share`` is out of range.
    """
    if size < 1 or not 0 <= test_share < 1:
        raise ConfigError(
            "the folder cannot be read like that",
            got=f"size {size}, test_share {test_share}",
            expected="size >= 1 and 0 <= test_share < 1",
        )
    folder = Path(path).expanduser()
    skipped: list[str] = []
    halves = _split_already(folder)
    if halves is None:
        whole = _read(folder, _list_classes(folder), size, skipped)
        whole = _drop_empty(whole, folder, skipped)
        train, test = stratified_split(whole, test_share, make_generator(seed))
    else:
        train, test = _read_halves(*halves, size, skipped)
    _report(folder, skipped, len(train) + len(test))
    name = folder.resolve().name or "folder"
    train, test = replace(train, name=f"{name} train"), replace(test, name=f"{name} test")
    return Source(train, test, name)


def _read_halves(
    train_folder: Path, test_folder: Path, size: int, skipped: list[str]
) -> tuple[LabelledSet, LabelledSet]:
    train = _read(train_folder, _list_classes(train_folder), size, skipped)
    train = _drop_empty(train, train_folder, skipped)
    listing = _list_classes(test_folder)
    unknown = sorted(set(listing.classes) - set(train.classes))
    if unknown:
        raise DataError(
            f"{test_folder} tests classes that {train_folder} does not teach",
            got=", ".join(unknown),
            expected=", ".join(train.classes),
        )
    labels = tuple(train.classes.index(listing.classes[label]) for label in listing.labels)
    test = _read(test_folder, _Listing(train.classes, listing.files, labels), size, skipped)
    return train, test


def _split_already(folder: Path) -> tuple[Path, Path] | None:
    names = {child.name for child in _children(folder) if child.is_dir()}
    train, test = folder / "train", folder / "test"
    if names != {"train", "test"}:
        return None
    if not all(any(child.is_dir() for child in _children(half)) for half in (train, test)):
        return None  # a class that happens to be called "train"
    return train, test


def _children(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        _refuse(folder, error)
    return [child for child in found if not child.name.startswith(".")]


def _refuse(folder: Path, error: OSError) -> NoReturn:
    raise DataError(
        f"the folder {folder} cannot be read",
        got=error.strerror or str(error),
        expected="a folder with one sub-folder of images a class",
        cure="check the path, and that you may read it",
    ) from error


def _list_classes(folder: Path) -> _Listing:
    children = [child for child in _children(folder) if child.is_dir()]
    found = [(label, file) for label, child in enumerate(children) for file in _files(child)]
    if not found:
        raise _no_images(folder, f"{len(children)} sub-folder(s) without a file")
    return _Listing(
        classes=tuple(child.name for child in children),
        files=tuple(file for _, file in found),
        labels=tuple(label for label, _ in found),
    )


def _files(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        _refuse(Path(error.filename or folder), error)

    # Links to folders are not followed: they may lead in circles, or to the same images again.
    found: list[Path] = []
    for base, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(base, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _read(folder: Path, listing: _Listing, size: int, skipped: list[str]) -> LabelledSet:
    images = torch.empty(len(listing.files), 3, size, size, dtype=torch.uint8)
    kept: list[int] = []
    for row, file in enumerate(track(listing.files, f"reading {folder.name}")):
        try:
            images[len(kept)] = read_image(file, size)
        except DataError as error:
            skipped.append(f"{file.relative_to(folder)} ({error.got})")
        else:
            kept.append(row)
    labels = torch.tensor(listing.labels, dtype=torch.int64)[kept]
    return LabelledSet(images[: len(kept)], labels, listing.classes, folder.name)


def _drop_empty(dataset: LabelledSet, folder: Path, skipped: Sequence[str]) -> LabelledSet:
    """Close the ranks of the labels over classes of which nothing could be read."""
    present = dataset.labels.bincount().nonzero().flatten()
    if not len(present):
        raise _no_images(folder, f"{len(skipped)} unreadable file(s), such as {skipped[0]}")
    classes = tuple(dataset.classes[int(label)] for label in present)
    labels = torch.searchsorted(present, dataset.labels)
    return replace(dataset, labels=labels, classes=classes)


def _no_images(folder: Path, got: str) -> DataError:
    return DataError(
        f"{folder} holds no images of classes",
        got=got,
        expected="one sub-folder a class, with images in it",
        cure="put the images of each class into a sub-folder that bears its name",
    )


def _report(folder: Path, skipped: Sequence[str], read: int) -> None:
    if skipped:
        more = f", and {len(skipped) - NAMED} more" if len(skipped) > NAMED else ""
        warnings.warn(
            f"{len(skipped)} of {len(skipped) + read} files in {folder} are not readable images "
            f"and were skipped: {', '.join(skipped[:NAMED])}{more}",
            SkippedImagesWarning,
            stacklevel=3,
        )
