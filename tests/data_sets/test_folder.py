"""Folders of pictures: classes, splits, broken files counted once, and refusals."""

import os
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from plasticish.core import ConfigError, DataError
from plasticish.data import SkippedImagesWarning, load_folder


def paint(path, shade, mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (6, 5), shade).save(path)


def zoo(root, counts):
    """Every image of its own shade: 10 * class + number."""
    for number, (name, count) in enumerate(sorted(counts.items())):
        for i in range(count):
            paint(root / name / f"{i}.png", 10 * number + i)
    return root


def shades(data):
    return data.inputs[:, 0, 0, 0].tolist()


def test_every_image_comes_once_with_the_label_of_its_folder(tmp_path):
    source = load_folder(zoo(tmp_path / "zoo", {"cat": 8, "dog": 4, "ant": 1}), size=4)
    assert source.name == "zoo"
    assert source.classes == ("ant", "cat", "dog")
    assert source.train.inputs.shape[1:] == (3, 4, 4)
    assert sorted(shades(source.train) + shades(source.test)) == [0, *range(10, 18), *range(20, 24)]
    for part in (source.train, source.test):
        assert [shade // 10 for shade in shades(part)] == part.labels.tolist()
    assert source.test.labels.bincount().tolist() == [0, 2, 1]


def test_the_split_is_the_same_for_the_same_seed(tmp_path):
    zoo(tmp_path, {"a": 10, "b": 10})
    first, again, other = (load_folder(tmp_path, 2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.test.inputs, again.test.inputs)
    assert not torch.equal(first.test.inputs, other.test.inputs)
    everything = load_folder(tmp_path, 2, test_share=0.0)
    assert (len(everything.train), len(everything.test)) == (20, 0)


def test_nested_folders_belong_to_their_class_and_hidden_ones_to_none(tmp_path):
    zoo(tmp_path, {"a": 2})
    paint(tmp_path / "a" / "deep" / "er" / "x.png", 5)
    paint(tmp_path / "a" / ".hidden" / "x.png", 6)
    paint(tmp_path / "a" / "._x.png", 7)
    paint(tmp_path / ".git" / "x.png", 8)
    paint(tmp_path / "loose.png", 9)
    source = load_folder(tmp_path, 2, test_share=0)
    assert source.classes == ("a",)
    assert sorted(shades(source.train)) == [0, 1, 5]


def test_broken_images_are_reported_once_with_their_count_and_skipped(tmp_path):
    zoo(tmp_path, {"a": 3, "b": 3})
    for i in range(6):
        (tmp_path / "a" / f"broken{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    os.mkfifo(tmp_path / "b" / "pipe.png")
    with pytest.warns(SkippedImagesWarning) as caught:
        source = load_folder(tmp_path, 2)
    assert len(caught) == 1
    text = str(caught[0].message)
    assert text.startswith("7 of 13 files in")
    assert "a/broken0.png (" in text
    assert text.endswith("and 2 more")
    assert len(source.train) + len(source.test) == 6


def test_a_sound_folder_warns_of_nothing(tmp_path):
    zoo(tmp_path, {"a": 2})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_folder(tmp_path, 2)


def test_a_class_of_which_nothing_can_be_read_is_left_out(tmp_path):
    zoo(tmp_path, {"a": 2, "c": 2})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.png").write_text("no image")
    (tmp_path / "empty").mkdir()
    with pytest.warns(SkippedImagesWarning, match=r"1 of 5 files.*b/x\.png \(no known image"):
        source = load_folder(tmp_path, 2, test_share=0)
    assert source.classes == ("a", "c")
    assert source.train.labels.tolist() == [0, 0, 1, 1]


def test_a_folder_that_is_split_already_stays_so(tmp_path):
    zoo(tmp_path / "train", {"a": 3, "b": 2})
    zoo(tmp_path / "test", {"b": 4})
    source = load_folder(tmp_path, 2)
    assert source.classes == ("a", "b")
    assert source.train.labels.tolist() == [0, 0, 0, 1, 1]
    assert source.test.labels.tolist() == [1] * 4
    zoo(tmp_path / "test", {"cow": 1})
    with pytest.raises(DataError, match="does not teach: got cow, expected a, b"):
        load_folder(tmp_path, 2)


def test_classes_that_are_called_train_and_test_are_classes(tmp_path):
    zoo(tmp_path, {"train": 2, "test": 2})
    assert load_folder(tmp_path, 2).classes == ("test", "train")


def test_images_of_all_kinds_stand_side_by_side(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("RGBA", (3, 9), (9, 9, 9, 255)).save(tmp_path / "a" / "1.png")
    Image.fromarray(np.full((4, 4), 9 * 257, np.uint16)).save(tmp_path / "a" / "2.png")
    Image.new("L", (1, 1), 9).save(tmp_path / "a" / "3.gif")
    Image.new("RGB", (50, 40), (9, 9, 9)).save(tmp_path / "a" / "4.bmp")
    source = load_folder(tmp_path, 5, test_share=0)
    assert source.train.inputs.flatten().unique().tolist() == [9]
    assert len(source.train) == 4


def test_folders_without_images_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"0 sub-folder.*into a sub-folder that bears its name"):
        load_folder(tmp_path)
    paint(tmp_path / "loose.png", 0)
    with pytest.raises(DataError, match="holds no images of classes"):
        load_folder(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("x")
    with pytest.raises(DataError, match=r"1 unreadable file\(s\), such as a/x\.txt"):
        load_folder(tmp_path)


def test_folders_that_cannot_be_read_are_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"cannot be read: got No such file.* Check the path"):
        load_folder(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be read: got Not a directory"):
        load_folder(tmp_path / "file")
    zoo(tmp_path / "zoo", {"a": 2})
    plain = os.scandir

    def locked(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(DataError, match="zoo/a cannot be read: got Permission denied"):
        load_folder(tmp_path / "zoo")


@pytest.mark.parametrize(("size", "share"), [(0, 0.2), (8, 1.0), (8, -0.1), (8, float("nan"))])
def test_settings_out_of_range_are_refused(tmp_path, size, share):
    with pytest.raises(ConfigError, match="size >= 1 and 0 <= test_share < 1"):
        load_folder(tmp_path, size, share)
