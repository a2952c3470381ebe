"""The growing tree: nothing jumps, signals change numbers as they pass, the file stays small."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plasticish.core import ConfigError, DataError
from plasticish.sequence import PlasticMemory, animate_growth
from plasticish.sequence.growth_scenes import scenes

NAMES = ["emma", "emily", "emma", "olivia", "ava", "avery"]


def test_every_scene_is_the_tree_so_far_and_nothing_moves() -> None:
    memory, places = PlasticMemory("plain"), {}
    for name, scene in zip(NAMES, scenes(NAMES), strict=True):
        memory.learn(name)
        tree = {tuple(n.path.tolist()): n for n in memory.nodes()}
        assert {key: (s.count, s.level) for key, s in scene.spots.items()} == {
            key: (n.count, n.r_level) for key, n in tree.items()
        }
        assert {key: tree[above].id for key, above in scene.parents.items()} == {
            key: n.parent for key, n in tree.items() if key
        }
        assert scene.caption.endswith(f":  {name}")
        for key, spot in scene.spots.items():
            assert places.setdefault(key, (spot.x, spot.y)) == (spot.x, spot.y)
    assert len(set(places.values())) == len(places)


def test_signals_change_what_they_pass() -> None:
    *_, scene = scenes(["emma", "ava", "emily"])
    leaf, inner, root = scene.fired
    assert (leaf[:2], root) == (inner, ())
    assert scene.fresh == {leaf, inner}

    def shown(counted: float, levelled: float) -> list[tuple[float, int]]:
        spots = scene.at(counted, levelled)
        return [(spots[key].count, spots[key].level) for key in (leaf, inner, root)]

    assert shown(0, -0.5) == [(1, 0), (1, 1), (2, 1)]
    assert shown(1, 0.5) == [(1, 0), (2, 1), (2, 1)]
    assert shown(2, 1.5) == [(1, 0), (2, 1), (3, 1)]
    assert shown(2.5, 2) == [(1, 0), (2, 1), (3, 2)]


def test_the_file_is_an_animation_of_bounded_size(tmp_path: Path) -> None:
    animation = animate_growth([*NAMES, "x" * 1000, "漢字", "never reached"], 8)
    image = Image.open(io.BytesIO(animation.gif))
    assert image.n_frames <= animation.frames  # frames that are alike are one
    assert animation.sequences == 8
    assert image.info["loop"] == 0
    durations = []
    for i in range(image.n_frames):
        image.seek(i)
        durations.append(image.info["duration"])
    assert durations[-1] > 1000 > max(durations[:-1])
    assert max(image.size) <= 1400
    assert len(animation.gif) < 8 * 50_000
    assert animation.gif == animate_growth([*NAMES, "x" * 1000, "漢字"], 8).gif
    assert animation.save(tmp_path / "a.gif").read_bytes() == animation.gif


def test_on_a_long_path_signals_hurry() -> None:
    deep = animate_growth(["a" * i for i in range(1, 11)])
    assert deep.frames == sum(min(2 * links + 2, 13) for links in range(1, 11))


def test_both_colours_travel() -> None:
    image = Image.open(io.BytesIO(animate_growth(["emma", "emily"]).gif))

    def dots(frame: int, colour: tuple[int, int, int]) -> int:
        """Pixels of about this colour below the legend."""
        image.seek(frame)
        area = np.asarray(image.convert("RGB"), int)[90:]
        return int((abs(area - colour).max(axis=2) < 40).sum())

    blue = [dots(i, (0x1F, 0x6F, 0xD6)) for i in range(image.n_frames)]
    green = [dots(i, (0x1F, 0x9D, 0x55)) for i in range(image.n_frames)]
    assert max(blue) > min(blue)
    assert max(green) > min(green)
    assert blue[-1] == min(blue)  # counts arrive first, levels last


def test_what_cannot_be_watched_is_refused(tmp_path: Path) -> None:
    for count in (0, 61, True):
        with pytest.raises(ConfigError, match="count is out of range"):
            animate_growth(NAMES, count)
    with pytest.raises(DataError, match="no sequence"):
        animate_growth([])
    with pytest.raises(DataError, match="sequence 1 is empty"):
        animate_growth(["a", ""])
    with pytest.raises(ConfigError, match=r"got '\.png', expected '\.gif'"):
        animate_growth(["a"]).save(tmp_path / "a.png")
