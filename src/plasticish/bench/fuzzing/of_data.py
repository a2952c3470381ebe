"""What data comes in: pictures, sets of pictures, dialogues, weights of other people's networks."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from plasticish.core import PlasticishError
from plasticish.data import (
    SkippedImagesWarning,
    load_chitchat,
    load_cifar10,
    load_dialogue,
    load_fashion,
    load_folder,
    read_idx,
    read_image,
)
from plasticish.data.cifar10 import ROW, unpack
from plasticish.vision.weights import read_weights

from .mutation import join, split
from .readers import reader

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "PCX")


def _pictures(_: Path) -> Iterator[bytes]:
    pixels = np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)
    colour, grey = Image.fromarray(pixels), Image.fromarray(pixels[..., 0])
    for name in _FORMATS:
        yield from (_saved(colour, name), _saved(grey, name))
    yield _saved(grey.convert("I;16"), "PNG")
    yield _saved(Image.fromarray(pixels[..., 0].astype(np.float32)), "TIFF")
    yield _saved(colour.convert("CMYK"), "JPEG")
    yield _saved(colour.convert("P"), "PNG")
    yield _saved(colour.convert("RGBA"), "PNG")
    # A few hundred bytes that unpack to 3.6 gigapixels, and to as many as are let pass.
    yield _promising(60_000, 60_000)
    yield _promising(10_000, 9_999)


def _saved(image: Image.Image, name: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, name)
    return stream.getvalue()


def _promising(width: int, height: int) -> bytes:
    """Return a small PNG whose header states another size."""
    content = bytearray(_saved(Image.new("L", (8, 8)), "PNG"))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@reader("image", _pictures)
def _image(data: bytes, folder: Path) -> None:
    path = folder / "picture"
    path.write_bytes(data)
    read_image(path, 32)


def _few_pictures(_: Path) -> Iterator[bytes]:
    one, other = (_saved(Image.new("RGB", (9, 7), colour), "PNG") for colour in ("red", "blue"))
    names = (
        "cats/1.png",
        "dogs/2.png",
        "train/a/1.png",
        "test/a/2.png",
        ".hidden/x",
        "cats/é",
    )
    yield join("\n".join(names[:2]).encode(), one, other)
    yield join("\n".join(names[2:4]).encode(), one, other)
    yield join("\n".join(names[:5:2]).encode(), one, other)
    yield join("\0".join(names).encode(), one, other)
    yield join(b"cats/1.png\ncats/2.png -> /etc/passwd\ndogs/3 -> ..\ndogs/4.png", one, other)


@reader("folder", _few_pictures, parts=3)
def _folder(data: bytes, folder: Path) -> None:
    listing, *contents = split(data, 3)
    for place, line in enumerate(listing.decode("utf-8", "replace").split("\n")[:6]):
        _place(folder, line, contents[place % 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkippedImagesWarning)
        load_folder(folder, 16)


def _place(folder: Path, line: str, content: bytes) -> None:
    """Make a file, or a link that leads anywhere, by a name that the file system takes."""
    name, _, target = line.partition(" -> ")
    parts = [part[:60] for part in name.replace("\0", "").split("/") if part not in ("", ".", "..")]
    if not parts:
        return
    path = folder.joinpath(*parts[:4])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target.replace("\0", "") or "x")
        elif not path.is_symlink():
            path.write_bytes(content)
    except (OSError, ValueError):
        return  # what cannot be made need not be read


def _batches(_: Path) -> Iterator[bytes]:
    row = bytes(range(2)) + bytes(ROW - 2)
    names = b"airplane\nautomobile\nbird\n"
    yield join(row * 2, row, names)
    yield join(row, row[::-1], b"")


@reader("cifar10", _batches, parts=3)
def _cifar10(data: bytes, folder: Path) -> None:
    train, test, names = split(data, 3)
    (folder / "data_batch_1.bin").write_bytes(train)
    (folder / "test_batch.bin").write_bytes(test)
    (folder / "batches.meta.txt").write_bytes(names)
    load_cifar10(folder)


def _archives(_: Path) -> Iterator[bytes]:
    members = [f"data_batch_{i}.bin" for i in range(1, 6)]
    members += ["test_batch.bin", "batches.meta.txt"]
    for names in (
        [f"cifar-10-batches-bin/{name}" for name in members],
        ["../../x", "/etc/x", "cifar-10-batches-bin/../x", f"cifar-10-batches-bin/{members[0]}"],
    ):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for name in names:
                one = tarfile.TarInfo(name)
                one.size = 700
                tar.addfile(one, io.BytesIO(bytes(700)))
        yield stream.getvalue()


@reader("cifar10 archive", _archives, errors=(PlasticishError, tarfile.TarError, EOFError, OSError))
def _archive(data: bytes, folder: Path) -> None:
    # Packed here, so that what is altered is the archive and not its checksum. The errors are
    # those that the download turns into a DownloadError.
    archive, fresh = folder / "archive.tar.gz", folder / "fresh"
    archive.write_bytes(gzip.compress(data, 1))
    fresh.mkdir()
    unpack(archive, fresh)


def _idx_files(_: Path) -> Iterator[bytes]:
    images = b"\0\0\x08\x03" + struct.pack(">III", 2, 4, 5) + bytes(range(40))
    labels = b"\0\0\x08\x01" + struct.pack(">I", 2) + b"\x01\x02"
    yield from (images, labels, gzip.compress(images, mtime=0), gzip.compress(labels, mtime=0))
    yield b"\0\0\x08\x03" + struct.pack(">III", 1 << 31, 1 << 31, 1 << 31)
    yield gzip.compress(
        b"\0\0\x08\x03" + struct.pack(">III", 1 << 12, 1 << 8, 1 << 8) + bytes(1 << 22), mtime=0
    )


@reader("idx", _idx_files)
def _idx(data: bytes, folder: Path) -> None:
    path = folder / "idx"
    path.write_bytes(data)
    read_idx(path)


def _idx_pairs(folder: Path) -> Iterator[bytes]:
    images, labels, *_ = _idx_files(folder)
    yield join(images, labels)
    yield join(gzip.compress(images, mtime=0), gzip.compress(labels, mtime=0))


@reader("fashion", _idx_pairs, parts=2)
def _fashion(data: bytes, folder: Path) -> None:
    images, labels = split(data, 2)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    load_fashion(folder)


def _dialogues(_: Path) -> Iterator[bytes]:
    yield b"categories:\n- greetings\nconversations:\n- - Hello\n  - Hi\n- - Bye\n  - 'See you'\n"
    yield b"conversations:\n- - &a no\n  - *a\n- [on, 1, 2026-01-01]\n"
    # The billion laughs: nine aliases a line, each of nine of the line before.
    lines = ["a0: &a0 [lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    yield ("\n".join(lines) + "\nconversations: *a9\n").encode()
    yield b"a: &a\n  <<: *a\nconversations: [[x, y]]\n"


@reader("dialogue", _dialogues)
def _dialogue(data: bytes, folder: Path) -> None:
    language = folder / "english"
    language.mkdir()
    (language / "talk.yml").write_bytes(data)
    load_dialogue(root=folder)


def _small_talk(_: Path) -> Iterator[bytes]:
    yield b'{"a": {"messages": [[{"text": "Hi!"}], [{"text": "Hello."}, {"text": "You?"}]]}}'


@reader("chitchat", _small_talk)
def _chitchat(data: bytes, folder: Path) -> None:
    path = folder / "talk.json"
    path.write_bytes(data)
    load_chitchat(path)


def _weights(folder: Path) -> Iterator[bytes]:
    from safetensors.torch import save

    tensors = {"conv.weight": torch.ones(2, 3), "module.bn.bias": torch.zeros(2)}
    yield join(b"s", save(tensors))
    torch.save({"state_dict": tensors}, folder / "w.pth")
    yield join(b"p", (folder / "w.pth").read_bytes())
    yield join(b"s", struct.pack("<Q", 1 << 45) + b"{}")


@reader("weights", _weights, parts=2)
def _read_weights(data: bytes, folder: Path) -> None:
    kind, content = split(data, 2)
    path = folder / ("w.pth" if kind == b"p" else "w.safetensors")
    path.write_bytes(content)
    read_weights(path)
