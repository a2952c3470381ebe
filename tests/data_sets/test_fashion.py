"""idx files, packed and plain; torn, foreign and random ones; the download."""

import gzip
import hashlib
import io
import struct
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plasticish.core import DataError, DownloadError, PlasticishError
from plasticish.data import download, fashion, load_fashion, read_idx

loose = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def content(train=5, test=3):
    return {
        "train-images-idx3-ubyte": idx(pictures(train)),
        "train-labels-idx1-ubyte": idx(np.arange(train, dtype=np.uint8) % 10),
        "t10k-images-idx3-ubyte": idx(pictures(test, 1)),
        "t10k-labels-idx1-ubyte": idx(np.arange(test, dtype=np.uint8) % 10),
    }


def write(folder, files, packed):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(data) if packed else data)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_images_come_out_as_they_were_written(tmp_path, packed):
    source = load_fashion(write(tmp_path, content(), packed))
    assert source.train.inputs.shape == (5, 1, 28, 28)
    assert source.train.inputs.dtype == torch.uint8
    assert np.array_equal(source.train.inputs[:, 0].numpy(), pictures(5))
    assert source.test.labels.tolist() == [0, 1, 2]
    assert len(source.classes) == 10


def test_the_other_spelling_is_found(tmp_path):
    files = {name.replace("-idx", ".idx"): data for name, data in content().items()}
    assert len(load_fashion(write(tmp_path, files, False)).train) == 5


def test_it_is_found_where_the_environment_the_system_or_the_cache_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr(fashion, "SYSTEM", (tmp_path / "nowhere",))
    with pytest.raises(DataError, match=r"Fashion-MNIST was not found.*nowhere"):
        load_fashion()
    write(download.cache_folder() / "fashion-mnist", content(train=1), True)
    assert len(load_fashion().train) == 1
    monkeypatch.setattr(fashion, "SYSTEM", (write(tmp_path / "sys", content(train=2), True),))
    assert len(load_fashion().train) == 2
    write(tmp_path / "env" / "fashion-mnist", content(train=3), False)
    monkeypatch.setenv("PLASTICISH_DATA", str(tmp_path / "env"))
    assert len(load_fashion().train) == 3


good = idx(np.zeros((2, 3, 4), dtype=np.uint8))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "magic number none"),
        (b"\0\0", "magic number 0000"),
        (b"\x89PNG" + bytes(30), "magic number 89504e47"),
        (b"\0\0\x0d\x03" + bytes(30), "magic number 00000d03"),  # floats
        (b"\0\0\x08\0" + bytes(30), "magic number 00000800"),
        (good[:9], r"axes \[2\] of 3"),
        (good[:-1], "got 23 bytes, expected 24 bytes"),
        (good + b"x", "got more than 24 bytes, expected 24"),
        (struct.pack(">4BI", 0, 0, 8, 1, 0), r"axes \[0\]"),
        (struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3), "no sound header"),
    ],
)
def test_a_torn_or_foreign_file_is_named(tmp_path, data, text):
    for name, stored in (("plain", data), ("packed.gz", gzip.compress(data))):
        path = tmp_path / name
        path.write_bytes(stored)
        with pytest.raises(DataError, match=rf"(?s){name}.*{text}"):
            read_idx(path)


def test_a_torn_gzip_is_named(tmp_path):
    whole = gzip.compress(good)
    flipped = bytes([*whole[:-8], whole[-8] ^ 1, *whole[-7:]])
    for stored in (whole[:12], whole[:-4], flipped):
        (tmp_path / "x.gz").write_bytes(stored)
        with pytest.raises(DataError, match=r"x\.gz"):
            read_idx(tmp_path / "x.gz")


def test_a_small_gzip_cannot_fill_the_memory(tmp_path):
    header = struct.pack(">4BI", 0, 0, 8, 1, 100)
    (tmp_path / "x.gz").write_bytes(gzip.compress(header + bytes(50_000_000)))
    with pytest.raises(DataError, match="more than 100 bytes"):
        read_idx(tmp_path / "x.gz")


def test_what_is_not_there_or_a_folder_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match="cannot be read"):
            read_idx(path)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("train-labels-idx1-ubyte", np.zeros(4, np.uint8)),
        ("train-labels-idx1-ubyte", np.full(5, 10, np.uint8)),
        ("train-images-idx3-ubyte", np.zeros((5, 784), np.uint8)),
        ("t10k-labels-idx1-ubyte", np.zeros((3, 1), np.uint8)),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(tmp_path, name, array):
    folder = write(tmp_path, content() | {name: idx(array)}, False)
    with pytest.raises(DataError, match=name):
        load_fashion(folder)


@loose
@given(start=st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08", good[:4]]), rest=st.binary())
def test_random_bytes_raise_nothing_but_our_errors(tmp_path, start, rest):
    for stored in (start + rest, gzip.compress(start + rest)):
        (tmp_path / "x").write_bytes(stored)
        with suppress(PlasticishError):
            assert read_idx(tmp_path / "x").dtype == torch.uint8


@loose
@given(st.data())
def test_a_flipped_byte_of_a_packed_file_raises_nothing_but_our_errors(tmp_path, data):
    whole = bytearray(gzip.compress(good))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    (tmp_path / "x").write_bytes(whole)
    with suppress(PlasticishError):
        read_idx(tmp_path / "x")


def test_the_download_is_checked_file_by_file(tmp_path, monkeypatch):
    stored = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in content().items()}

    class Response(io.BytesIO):
        headers = {}  # noqa: RUF012  (no length is stated)

    def answer(url, timeout):
        assert url.startswith("http://fashion-mnist.")
        return Response(stored[url.rpartition("/")[2]])

    sums = {name[:-3]: hashlib.md5(data).hexdigest() for name, data in stored.items()}
    monkeypatch.setattr(download, "urlopen", answer)
    with pytest.raises(DownloadError, match="md5 8d4fb7e6c68d591d4c3dfef9ec88bf0d"):
        load_fashion(tmp_path, download=True)
    assert list(tmp_path.rglob("*.gz")) == []
    monkeypatch.setattr(fashion, "MD5", sums)
    assert len(load_fashion(tmp_path, download=True).train) == 5
    assert len(load_fashion(tmp_path).test) == 3


def test_offline_names_the_way_out(tmp_path):
    with pytest.raises(DownloadError, match="PLASTICISH_DATA"):
        load_fashion(tmp_path, download=True)
