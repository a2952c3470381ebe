"""Folders of images: learned through the eyes, taught on later, asked about, one file broken."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

COLOURS = {"crimson": (220, 20, 60), "jade": (0, 168, 107), "navy": (0, 20, 128)}


def paint(root, names, count, seed):
    """Make a folder of striped and speckled images, one sub-folder a colour."""
    rng = np.random.default_rng(seed)
    for name in names:
        (root / name).mkdir(parents=True)
        for number in range(count):
            stripes = (np.arange(40) // rng.integers(3, 8)) % 2
            image = stripes[:, None, None] * np.array(COLOURS[name]) + rng.normal(
                0, 12, (40, 40, 3)
            )
            Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(root / name / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def taught(plasticish, tmp_path_factory):
    """A brain of two colours, and the same brain after a third was taught without the old ones."""
    base = tmp_path_factory.mktemp("folders")
    first = paint(base / "first", ("crimson", "jade"), 8, seed=0)
    second = paint(base / "second", ("navy",), 8, seed=1)
    (second / "navy" / "broken.png").write_bytes(b"not an image")
    strange = base / "strange.png"
    noise = np.random.default_rng(2).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    Image.fromarray(noise).save(strange)
    # The deepest stage alone and few pixels: the point here is the way, not the accuracy.
    eyes = ("--image-size", 64, "--stages", 2)
    one = plasticish(
        "learn", f"folder:{first}", "--out", base / "one", "--classes-per-task", 1, *eyes, "--json"
    )
    assert one.code == 0, one.err
    two = plasticish(
        "learn", f"folder:{second}", "--brain", base / "one", "--out", base / "two", "--json"
    )
    assert two.code == 0, two.err
    return SimpleNamespace(base=base, one=one, two=two, strange=strange)


def config_of(folder):
    return json.loads((folder / "config.json").read_text())


def test_both_colours_are_learned_and_kept(taught):
    report = json.loads(taught.one.out)
    assert [phase["name"] for phase in report["phases"]] == ["crimson", "jade"]
    assert report["learners"]["brain"]["average_accuracy"] == 1.0
    assert report["looking"]["images"] == 16


def test_a_new_class_is_taught_without_the_old_data(taught):
    report = json.loads(taught.two.out)
    assert [phase["name"] for phase in report["phases"]] == ["known before", "navy"]
    assert report["phases"][0]["classes"] == ["crimson", "jade"]
    assert report["phases"][0]["brain"] == {"as_learned": 1.0, "now": 1.0, "retention": 1.0}
    assert report["phases"][0]["naive"]["now"] < 1.0
    assert report["examples"] == 6


def test_old_names_keep_their_labels_and_the_eyes_are_the_same(taught):
    old, new = config_of(taught.base / "one"), config_of(taught.base / "two")
    assert old["classes"] == ["crimson", "jade"]
    assert new["classes"] == ["crimson", "jade", "navy"]
    assert new["order"] == [2]
    assert new["eyes"] == old["eyes"]
    assert new["eyes"]["image_size"] == new["image_size"] == 64


def test_the_first_run_stays_as_it_was(taught, plasticish):
    found = json.loads(plasticish("inspect", taught.base / "one" / "brain", "--json").out)
    assert found["tensors"]["arrays"]["memory/key"]["shape"][0] == 12
    found = json.loads(plasticish("inspect", taught.base / "two" / "brain", "--json").out)
    assert found["tensors"]["arrays"]["memory/key"]["shape"][0] == 18


def test_the_broken_file_is_reported_once(taught):
    assert taught.two.err.count("broken.png") == 1
    assert taught.two.err.startswith("plasticish: note: 1 of 9 files")


def test_it_knows_all_three_and_no_stranger(taught, plasticish):
    images = [
        taught.base / "first" / "crimson" / "0.png",
        taught.base / "first" / "jade" / "1.png",
        taught.base / "second" / "navy" / "2.png",
    ]
    done = plasticish("predict", taught.base / "two", *images, taught.strange, "--json")
    answers = json.loads(done.out)["answers"]
    assert [answer["label"] for answer in answers[:3]] == ["crimson", "jade", "navy"]
    # The strangest of a few memories is always beyond the bound that 99 in 100 keep to.
    *familiar, stranger = answers
    assert stranger["novel"]
    assert sum(answer["novel"] for answer in familiar) <= 1
    assert stranger["novelty"] > max(answer["novelty"] for answer in familiar)


def test_a_brain_folder_alone_has_eyes_and_numbered_classes(taught, plasticish, tmp_path):
    alone = (taught.base / "one" / "brain").rename(tmp_path / "alone")
    try:
        image = taught.base / "first" / "jade" / "0.png"
        done = plasticish("predict", alone, image, "--json")
        assert json.loads(done.out)["answers"][0]["label"] == "class 1"
    finally:
        alone.rename(taught.base / "one" / "brain")


def test_why_shows_the_image(taught, plasticish, tmp_path):
    image = taught.base / "second" / "navy" / "0.png"
    done = plasticish("why", taught.base / "two", image, "--out", tmp_path / "why.png")
    assert done.code == 0
    assert "navy" in done.out
    assert (tmp_path / "why.png").stat().st_size > 10_000


def test_other_eyes_are_refused(taught, plasticish, tmp_path):
    source = f"folder:{taught.base / 'second'}"
    options = ("--brain", taught.base / "one", "--out", tmp_path / "new")
    done = plasticish("learn", source, *options, "--stages", "all")
    assert done.code == 2
    assert "keeps its own eyes" in done.err
    assert not (tmp_path / "new").exists()


def test_features_of_another_width_are_refused(taught, plasticish, tmp_path):
    options = ("--brain", taught.base / "one", "--out", tmp_path / "new")
    done = plasticish("learn", "digits", *options)
    assert done.code == 2
    assert "got features of width 64" in done.err
    assert not (tmp_path / "new").exists()


def test_a_class_of_one_image_is_examined_on_what_it_was_taught(plasticish, tmp_path):
    folder = paint(tmp_path / "single", ("jade", "navy"), 1, seed=3)
    options = ("--out", tmp_path / "run", "--image-size", 32, "--stages", "last")
    done = plasticish("learn", f"folder:{folder}", *options)
    assert done.code == 0, done.err
    assert "jade+navy *" in done.out
    assert "no test example was left" in done.out
