"""The binary layout of CIFAR-10, written by hand; torn, foreign and random files; the download."""

import hashlib
import io
import os
import tarfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plasticish.core import DataError, DownloadError, PlasticishError
from plasticish.data import cifar10, download, load_cifar10

FOLDER = "cifar-10-batches-bin"
loose = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


def rows(count, seed=0):
    """Random rows of one label byte and 3072 pixels."""
    generator = np.random.default_rng(seed)
    raw = generator.integers(0, 256, (count, 3073), dtype=np.uint8)
    raw[:, 0] %= 10
    return raw


def write(folder, train=(4, 3), test=2):
    folder.mkdir(parents=True, exist_ok=True)
    for number, count in enumerate(train, start=1):
        (folder / f"data_batch_{number}.bin").write_bytes(rows(count, number).tobytes())
    (folder / "test_batch.bin").write_bytes(rows(test, 99).tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(cifar10.CLASSES) + "\n\n")
    return folder


def test_rows_come_out_as_they_were_written(tmp_path):
    source = load_cifar10(write(tmp_path / "anything"))
    written = np.concatenate([rows(4, 1), rows(3, 2)])
    assert source.train.inputs.shape == (7, 3, 32, 32)
    assert source.train.inputs.dtype == torch.uint8
    assert np.array_equal(source.train.inputs.numpy().reshape(7, -1), written[:, 1:])
    assert source.train.labels.tolist() == written[:, 0].tolist()
    assert source.classes[2] == "bird"
    assert len(source.test) == 2
    # red first, then green, and rows before columns
    assert source.train.inputs[0, 1, 2, 3] == written[0, 1 + 1024 + 2 * 32 + 3]


def test_batches_come_in_the_order_of_their_numbers(tmp_path):
    folder = write(tmp_path, train=(1, 1))
    (folder / "data_batch_10.bin").write_bytes(rows(1, 10).tobytes())
    images = load_cifar10(folder).train.inputs.numpy().reshape(3, -1)
    assert np.array_equal(images[2], rows(1, 10)[0, 1:])


def test_it_is_found_where_the_environment_says_or_in_the_cache(tmp_path, monkeypatch):
    write(tmp_path / "shared" / FOLDER, test=1)
    monkeypatch.setenv("PLASTICISH_DATA", str(tmp_path / "shared"))
    assert len(load_cifar10().test) == 1
    assert len(load_cifar10(tmp_path / "shared").test) == 1
    monkeypatch.delenv("PLASTICISH_DATA")
    with pytest.raises(DataError, match="CIFAR-10 was not found"):
        load_cifar10()
    write(download.cache_folder() / FOLDER, test=3)
    assert len(load_cifar10().test) == 3


def test_what_is_missing_is_said_with_the_cure():
    with pytest.raises(DataError, match=r"Set PLASTICISH_DATA.*--download"):
        load_cifar10()
    with pytest.raises(DataError, match="nothing of it in /nowhere, /nowhere/cifar"):
        load_cifar10("/nowhere")


def test_without_its_names_it_has_the_usual_ones_and_with_other_names_those(tmp_path):
    folder = write(tmp_path)
    (folder / "batches.meta.txt").unlink()
    assert load_cifar10(folder).classes == cifar10.CLASSES
    (folder / "batches.meta.txt").write_text("\n".join("abcdefghijk"))
    assert load_cifar10(folder).classes == tuple("abcdefghijk")


@pytest.mark.parametrize("names", [b"", b"a\na\n", b"\xff\xfe", b"a\nb\n"])
def test_names_that_cannot_be_are_refused(tmp_path, names):
    folder = write(tmp_path)
    (folder / "batches.meta.txt").write_bytes(names)
    with pytest.raises(DataError):
        load_cifar10(folder)


@pytest.mark.parametrize("name", ["data_batch_2.bin", "test_batch.bin"])
def test_a_torn_or_foreign_file_is_named_with_its_size(tmp_path, name):
    folder = write(tmp_path)
    path = folder / name
    whole = path.read_bytes()
    for torn in (whole[:-1], whole + b"x", b""):
        path.write_bytes(torn)
        with pytest.raises(DataError, match=rf"{name} is truncated.*got {len(torn)} bytes"):
            load_cifar10(folder)
    path.write_bytes(b"\x0a" + whole[1:])
    with pytest.raises(DataError, match=rf"{name} is not CIFAR-10: got label 10 in row 0"):
        load_cifar10(folder)


@loose
@given(content=st.binary(max_size=64), names=st.binary(max_size=64), repeat=st.integers(1, 200))
def test_random_bytes_raise_nothing_but_our_errors(tmp_path, content, names, repeat):
    folder = write(tmp_path, train=(1,), test=1)
    (folder / "data_batch_1.bin").write_bytes(content * repeat)
    (folder / "batches.meta.txt").write_bytes(names)
    with suppress(PlasticishError):
        load_cifar10(folder)


# --- the download ---------------------------------------------------------------------------


def packed(files, extra=()):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in extra:
            tar.addfile(member)
    return stream.getvalue()


@pytest.fixture
def official(tmp_path):
    """The files of an official archive, with two rows a batch."""
    folder = write(tmp_path / "official", train=(2,) * 5, test=2)
    return {f"{FOLDER}/{path.name}": path.read_bytes() for path in folder.iterdir()}


def serve(monkeypatch, content, md5=None):
    """Pretend that ``content`` is what the official address answers."""

    class Response(io.BytesIO):
        headers = {"Content-Length": str(len(content))}  # noqa: RUF012

    monkeypatch.setattr(download, "urlopen", lambda url, timeout: Response(content))
    monkeypatch.setattr(cifar10, "MD5", md5 or hashlib.md5(content).hexdigest())


def left_over(folder):
    return sorted(path.name for path in Path(folder).rglob("*") if path.name not in (FOLDER,))


def test_a_download_is_checked_unpacked_and_found_again(tmp_path, monkeypatch, official):
    junk = {"../evil.bin": b"x", f"{FOLDER}/../../evil.bin": b"x", f"{FOLDER}/readme.html": b"x"}
    link = tarfile.TarInfo(f"{FOLDER}/link.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    serve(monkeypatch, packed(official | junk, [link]))
    root = tmp_path / "a" / "b"
    assert len(load_cifar10(root, download=True).train) == 10
    assert left_over(root) == sorted(cifar10.MEMBERS)  # and no archive, no scratch
    assert not list(tmp_path.rglob("evil*"))
    assert len(load_cifar10(root).test) == 2


def test_without_root_it_goes_to_the_cache(monkeypatch, official):
    serve(monkeypatch, packed(official))
    load_cifar10(download=True)
    assert (download.cache_folder() / FOLDER / "test_batch.bin").is_file()


def test_a_wrong_checksum_leaves_nothing(tmp_path, monkeypatch, official):
    serve(monkeypatch, packed(official), md5="0" * 32)
    with pytest.raises(DownloadError, match=r"damaged or is another file.*nothing was kept"):
        load_cifar10(tmp_path / "x", download=True)
    assert left_over(tmp_path / "x") == []


def test_an_endless_answer_is_cut_off(tmp_path, monkeypatch, official):
    serve(monkeypatch, packed(official))
    monkeypatch.setattr(cifar10, "MAX_ARCHIVE", 100)
    with pytest.raises(DownloadError, match="another file"):
        load_cifar10(tmp_path / "x", download=True)


def test_offline_names_the_way_out(tmp_path):
    with pytest.raises(DownloadError, match=r"Network is unreachable.*set PLASTICISH_DATA"):
        load_cifar10(tmp_path / "x", download=True)
    assert left_over(tmp_path / "x") == []


def test_archives_that_lack_files_link_them_or_are_none_leave_nothing(
    tmp_path, monkeypatch, official
):
    lacking = {name: content for name, content in official.items() if "batch_3" not in name}
    link = tarfile.TarInfo(f"{FOLDER}/data_batch_3.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    cases = (packed(lacking), packed(lacking, [link]), packed(official)[:-900], b"no archive")
    for content in cases:
        serve(monkeypatch, content)
        with pytest.raises(DownloadError):
            load_cifar10(tmp_path / "x", download=True)
        assert left_over(tmp_path / "x") == []


def test_files_of_the_user_are_never_replaced(tmp_path, monkeypatch, official):
    serve(monkeypatch, packed(official))
    mine = tmp_path / FOLDER
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(DownloadError, match="in the way"):
        load_cifar10(tmp_path, download=True)
    assert (mine / "notes.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_a_download_error(tmp_path, monkeypatch, official):
    serve(monkeypatch, packed(official))
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="could not be put into"):
        load_cifar10(tmp_path / "file" / "x", download=True)


@pytest.mark.needs_data
@pytest.mark.skipif(
    not (Path(os.environ.get("PLASTICISH_DATA", "/nowhere")) / FOLDER).is_dir(),
    reason="PLASTICISH_DATA has no CIFAR-10",
)
def test_real_images_are_read():
    source = load_cifar10()
    assert source.classes == cifar10.CLASSES
    counts = source.test.labels.bincount()
    assert len(counts) == 10
    assert int(counts.min()) == int(counts.max())
    # Photographs: neighbouring pixels are alike, as they are not if the axes are mixed up.
    pixels = source.test.inputs[:200].float()
    assert float((pixels[..., 1:] - pixels[..., :-1]).abs().mean()) < 20
    assert float((pixels[..., 1:, :] - pixels[..., :-1, :]).abs().mean()) < 20
