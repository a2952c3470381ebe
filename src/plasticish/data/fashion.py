"""Fashion-MNIST: idx files, packed with gzip or plain."""

from __future__ import annotations

import gzip
import math
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from plasticish.core import DataError

from .download import fetch, find_folder, not_found
from .labelled import LabelledSet, Source

__all__ = ["load_fashion", "read_idx"]

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
FOLDER = "fashion-mnist"
SYSTEM = (Path("/usr/share/datasets/fashion-mnist"),)  # Debian's dataset-fashion-mnist
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
MD5 = {
    f"train-{IMAGES}": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    f"train-{LABELS}": "25c81989df183df01b3e8a0aad5dffbe",
    f"t10k-{IMAGES}": "bef4ecab320f06d8554ea6380940ec79",
    f"t10k-{LABELS}": "bb300cfdad3c16e7a12a480ee83cd310",
}
CLASSES = (
    *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)
MAX_BYTES = 1 << 30
"""More than any idx file of images in use; a header that promises more is not believed."""


def load_fashion(root: str | Path | None = None, download: bool = False) -> Source:
    """Return Fashion-MNIST: 60,000 and 10,000 grey images of clothes.

    Looked for in ``$PLASTICISH_DATA/fashion-mnist``, where Debian's package puts it, and in the
    cache folder of the user.

    Parameters
    ----------
    root : path, optional
        Look only here: the folder of the four files, or the folder that holds ``fashion-mnist``.
    download : bool
        Fetch the four files (30 MB) if they are not there, and check them.

    Returns
    -------
    Source
        Images uint8 ``[n, 1, 28, 28]``.

    Raises
    ------
    DataError
        If it is not there, or a file is truncated or foreign.
    DownloadError
        If it cannot be fetched or is not what was published.

    References
    ----------
    Xiao, H., Rasul, K. & Vollgraf, R. (2017). Fashion-MNIST. arXiv:1708.07747.

    Examples
    --------
    >>> load_fashion("/nowhere")
    Traceback (most recent call last):
        ...
    plasticish.core.errors.DataError: Fashion-MNIST was not found: ...
    """
    folder, places = find_folder(FOLDER, root, _holds, SYSTEM)
    if folder is None:
        if not download:
            raise not_found("Fashion-MNIST", FOLDER, places)
        folder = places[-1]
        for name, md5 in MD5.items():
            fetch(f"{URL}{name}.gz", folder / f"{name}.gz", md5=md5, max_bytes=MAX_BYTES)
    return Source(_read_part(folder, "train"), _read_part(folder, "t10k"), "fashion")


def read_idx(path: str | Path) -> Tensor:
    """Read an idx file of bytes, packed or plain.

    The layout: two zero bytes, the type (8: unsigned byte), the number of axes, the length of
    each axis as a big-endian 32-bit integer, and the bytes themselves.

    Returns
    -------
    Tensor
        uint8, with the axes that the file states.

    Raises
    ------
    DataError
        If the file cannot be read, is truncated, or is something else.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as content:
            return _read_idx(path, content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read", got=str(error)) from error


def _read_idx(path: Path, stream: BufferedIOBase) -> Tensor:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:3] != b"\0\0\x08" or not 1 <= magic[3] <= 4:
        raise DataError(
            f"{path} is not an idx file of bytes",
            got=f"magic number {magic.hex() or 'none'}",
            expected="00000801 (labels) or 00000803 (images)",
        )
    head = stream.read(4 * magic[3])
    shape = [int(length) for length in np.frombuffer(head[: len(head) // 4 * 4], dtype=">u4")]
    size = math.prod(shape)
    if len(shape) < magic[3] or not 0 < size <= MAX_BYTES:
        raise DataError(
            f"{path} has no sound header",
            got=f"axes {shape} of {magic[3]}",
            expected=f"1 to {MAX_BYTES} bytes in all",
        )
    content = bytearray(stream.read(size + 1))  # one more, to notice what should not be there
    if len(content) != size:
        raise DataError(
            f"{path} is truncated or has something appended",
            got=f"{len(content) if len(content) < size else f'more than {size}'} bytes",
            expected=f"{size} bytes for axes {shape}",
            cure="delete it and download it again",
        )
    return torch.frombuffer(content, dtype=torch.uint8).reshape(shape)


def _find(folder: Path, name: str) -> Path | None:
    # "train-images.idx3-ubyte" is how some mirrors spell it.
    stems = (name, name.replace("-idx", ".idx"))
    files = (folder / f"{stem}{ending}" for stem in stems for ending in ("", ".gz"))
    return next((file for file in files if file.is_file()), None)


def _holds(folder: Path) -> bool:
    return all(_find(folder, name) for name in MD5)


def _read_part(folder: Path, part: str) -> LabelledSet:
    paths = [_find(folder, f"{part}-{kind}") for kind in (IMAGES, LABELS)]
    if paths[0] is None or paths[1] is None:
        raise DataError(f"{folder} lost a file of Fashion-MNIST while it was read")
    images, labels = read_idx(paths[0]), read_idx(paths[1])
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise DataError(
            f"{paths[0]} and {paths[1].name} do not fit each other",
            got=f"{tuple(images.shape)} and {tuple(labels.shape)}",
            expected="(n, height, width) and (n,)",
        )
    if int(labels.max()) >= len(CLASSES):
        raise DataError(
            f"{paths[1]} is not Fashion-MNIST",
            got=f"label {int(labels.max())}",
            expected=f"labels below {len(CLASSES)}",
        )
    name = f"fashion {'test' if part == 't10k' else part}"
    return LabelledSet(images.unsqueeze(1), labels.long(), CLASSES, name)
