"""CIFAR-10 in its official binary layout: a label byte, then 32×32 red, green and blue bytes."""

from __future__ import annotations

import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from plasticish.core import DataError, DownloadError

from .download import ENVIRONMENT, fetch, find_folder, not_found
from .labelled import LabelledSet, Source

__all__ = ["load_cifar10"]

ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
FOLDER = "cifar-10-batches-bin"
TEST, NAMES = "test_batch.bin", "batches.meta.txt"
MEMBERS = frozenset({*(f"data_batch_{i}.bin" for i in range(1, 6)), TEST, NAMES})
ROW = 1 + 3 * 32 * 32
MAX_MEMBER = 10_000 * ROW
MAX_ARCHIVE = 1 << 28
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def load_cifar10(root: str | Path | None = None, download: bool = False) -> Source:
    """Return CIFAR-10, or any part of it in the same layout.

    Looked for in ``$PLASTICISH_DATA/cifar-10-batches-bin`` and then in the cache folder of the
    user. Train is every ``data_batch_*.bin``, however many rows they have; test is
    ``test_batch.bin``; names come from ``batches.meta.txt``, and are the usual ten without it.

    Parameters
    ----------
    root : path, optional
        Look only here: the folder of the files, or the folder that holds
        ``cifar-10-batches-bin``.
    download : bool
        Fetch the official archive (162 MB) if it is not there, and check it before unpacking.

    Returns
    -------
    Source
        Images uint8 ``[n, 3, 32, 32]``.

    Raises
    ------
    DataError
        If it is not there, or a file is truncated or foreign.
    DownloadError
        If it cannot be fetched or is not what was published.

    References
    ----------
    Krizhevsky, A. (2009). Learning Multiple Layers of Features from Tiny Images.

    Examples
    --------
    >>> load_cifar10("/nowhere")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.DataError: CIFAR-10 was not found: ...
    """
    folder, places = find_folder(FOLDER, root, _holds)
    if folder is None:
        if not download:
            raise not_found("CIFAR-10", FOLDER, places)
        folder = _download(places[-1])
    classes = _read_names(folder / NAMES)
    train = _read_batches(_train_files(folder), classes, "cifar10 train")
    test = _read_batches([folder / TEST], classes, "cifar10 test")
    return Source(train, test, "cifar10")


def _holds(folder: Path) -> bool:
    return (folder / TEST).is_file() and bool(_train_files(folder))


def _train_files(folder: Path) -> list[Path]:
    files = [path for path in folder.glob("data_batch_*.bin") if path.is_file()]
    # In the order of their numbers: 10 comes after 2.
    return sorted(files, key=lambda path: [int(n) for n in re.findall(r"\d+", path.stem)])


def _read_names(path: Path) -> tuple[str, ...]:
    if not path.exists():
        return CLASSES
    try:
        text = path.read_bytes()[: 1 << 16].decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read", got=str(error), expected="text") from error
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not 1 <= len(names) <= 256 or len(set(names)) != len(names):
        raise DataError(
            f"{path} does not name the classes",
            got=f"{len(names)} lines, {len(set(names))} different",
            expected="one name a line, each once, at most 256",
        )
    return names


def _read_batches(files: Sequence[Path], classes: tuple[str, ...], name: str) -> LabelledSet:
    parts = [_read_rows(path, len(classes)) for path in files]
    count = sum(map(len, parts))
    images = torch.empty(count, 3, 32, 32, dtype=torch.uint8)
    labels = torch.empty(count, dtype=torch.int64)
    start = 0
    for part in parts:
        stop = start + len(part)
        labels[start:stop] = torch.from_numpy(part[:, 0])
        images[start:stop] = torch.from_numpy(part[:, 1:]).reshape(-1, 3, 32, 32)
        start = stop
    return LabelledSet(images, labels, classes, name)


def _read_rows(path: Path, classes: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    try:
        raw = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read", got=error.strerror or str(error)) from error
    if not len(raw) or len(raw) % ROW:
        raise DataError(
            f"{path} is truncated or is not CIFAR-10",
            got=f"{len(raw)} bytes",
            expected=f"a multiple of {ROW} (1 label and 3x32x32 pixels a row)",
            cure="delete it and download it again",
        )
    rows = raw.reshape(-1, ROW)
    high = int(rows[:, 0].max())
    if high >= classes:
        raise DataError(
            f"{path} is not CIFAR-10",
            got=f"label {high} in row {int(rows[:, 0].argmax())}",
            expected=f"labels below {classes}",
        )
    return rows


def _download(folder: Path) -> Path:
    """Fetch, check and unpack beside ``folder``, which then appears complete, in one rename."""
    if folder.exists() and any(folder.iterdir()):
        raise DownloadError(
            f"{folder} is in the way", got="files that are not CIFAR-10", cure="move it away"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{FOLDER}.") as scratch:
            archive = fetch(URL, Path(scratch) / ARCHIVE, md5=MD5, max_bytes=MAX_ARCHIVE)
            fresh = Path(scratch) / FOLDER
            fresh.mkdir()
            unpack(archive, fresh)
            fresh.rename(folder)
    except DownloadError:
        raise
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        if _holds(folder):  # another process was quicker; its files are as good
            return folder
        raise DownloadError(
            f"CIFAR-10 could not be put into {folder}",
            got=str(error),
            cure=f"free space, choose another folder, or set {ENVIRONMENT}",
        ) from error
    return folder


def unpack(archive: Path, fresh: Path) -> None:
    """Unpack the expected files of the archive, and no others."""
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            name = Path(member.name).name
            # The name on disk is one of ours, so no member can be written anywhere else.
            wanted = member.name == f"{FOLDER}/{name}" and name in MEMBERS
            if wanted and member.isreg() and member.size <= MAX_MEMBER:
                source = tar.extractfile(member)
                assert source is not None  # a regular member always has content
                with source, (fresh / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    missing = sorted(MEMBERS - {path.name for path in fresh.iterdir()})
    if missing:
        raise DownloadError(
            f"{archive} lacks files", got="no " + ", ".join(missing), expected="all of CIFAR-10"
        )
