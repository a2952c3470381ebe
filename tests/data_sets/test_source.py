"""Sources by name."""

import numpy as np
import pytest
import torch
from PIL import Image

from plasticish.core import ConfigError, DataError, DownloadError
from plasticish.data import SOURCES, LabelledSet, LoadOptions, Source, load_digits, load_source


def test_digits_by_name_take_the_options_that_concern_them():
    source = load_source("digits", LoadOptions(seed=5, test_share=0.5))
    assert torch.equal(source.test.inputs, load_digits(seed=5, test_share=0.5).test.inputs)


def test_a_folder_by_name_keeps_colons_in_its_path(tmp_path):
    folder = tmp_path / "a:b" / "cat"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(folder / "1.png")
    source = load_source(f"folder:{tmp_path}/a:b", LoadOptions(image_size=7))
    assert source.name == "a:b"
    assert source.train.inputs.shape == (1, 3, 7, 7)


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("", "unknown source: got ''"),
        ("cifar", "expected one of: cifar10, digits, fashion, folder"),
        ("digits:x", "digits take no argument"),
        ("folder", "folder needs a path"),
        ("folder:", "expected folder:PATH"),
    ],
)
def test_an_unusable_name_is_refused(spec, text):
    with pytest.raises(ConfigError, match=text):
        load_source(spec)


@pytest.mark.parametrize("name", ["cifar10", "fashion"])
def test_downloads_happen_only_when_asked_for(name, tmp_path):
    with pytest.raises(DataError, match="PLASTICISH_DATA"):
        load_source(name)
    with pytest.raises(DataError, match="PLASTICISH_DATA"):
        load_source(f"{name}:{tmp_path}")
    with pytest.raises(DownloadError, match="unreachable"):
        load_source(f"{name}:{tmp_path}", LoadOptions(download=True))


def test_a_source_of_ones_own_is_added_by_name(monkeypatch):
    monkeypatch.setattr(SOURCES, "_entries", dict(SOURCES._entries))

    def mine(argument, options):
        data = LabelledSet(torch.zeros(1, 2), torch.tensor([0]), (argument,), "mine")
        return Source(data, data, "mine")

    SOURCES.add("mine", mine)
    assert load_source("mine:cow").classes == ("cow",)
    with pytest.raises(ConfigError, match="registered already"):
        SOURCES.add("mine", lambda argument, options: mine("", options))
