"""Pictures and files of the tree: what they hold, what they leave out, what other programs read."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from plasticish.core import ConfigError
from plasticish.sequence import PlasticMemory
from plasticish.sequence.drawing import thickness

NAMES = ["emma", "emily", "emma", "olivia", "ava"]
LINK = r"stroke-width: ([\d.]+); stroke-linejoin: miter; stroke-linecap: round"


@pytest.fixture(scope="module")
def memory() -> PlasticMemory:
    made = PlasticMemory("plain")
    made.learn(NAMES)
    return made


@pytest.fixture(autouse=True)
def no_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same picture on a machine that has Graphviz."""
    monkeypatch.setenv("PATH", str(tmp_path))


def words(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [" ".join(t.itertext()).strip() for t in root.iter() if t.tag.endswith("}text")]


def test_a_drawing_names_every_node(memory: PlasticMemory) -> None:
    picture = memory.visualize(with_counts=True, with_r_levels=True)
    shown = " | ".join(words(picture.svg))
    for label in ("em  3  r1", "ma•  2  r0", "ily•  1  r0", "olivia•  1  r0", "ava•  1  r0"):
        assert label in shown
    assert picture.left_out == 0
    assert Image.open(io.BytesIO(picture.png)).size[0] > 100
    assert memory.draw().svg == memory.draw().svg


def test_thickness_is_count(memory: PlasticMemory) -> None:
    def width(count: str) -> float:
        """The line drawn for the node of this count: before its spot comes its link."""
        return thickness(float(count), 5)

    drawn = sorted(float(found) for found in re.findall(LINK, memory.draw().svg))
    # ava, olivia, emily, emma, em
    assert drawn == pytest.approx([width(count) for count in "11123"])
    assert drawn[2] < drawn[3] < drawn[4]


def test_the_path_that_fired_stands_out(memory: PlasticMemory) -> None:
    def marked(svg: str) -> int:
        return len(re.findall("#d6451f; " + LINK, svg))

    assert [memory.tree.node(i).count for i in memory.fired] == [5, 1]
    assert marked(memory.draw().svg) == 1
    assert marked(memory.draw(fired="emily").svg) == 2
    signals = memory.visualize_activation("emily").svg
    # An arrow of each colour along each of the two edges: counts blue, levels green.
    for colour in ("#1f6fd6", "#1f9d55"):
        assert len(re.findall(f"fill: {colour}; stroke: {colour}", signals)) == 2
    assert marked(signals) == 0


def test_a_large_tree_is_drawn_in_part_and_says_so() -> None:
    memory = PlasticMemory("plain")
    rng = np.random.default_rng(0)
    memory.learn(["".join(rng.choice(list("abcde"), 6)) for _ in range(500)])
    picture = memory.draw(limit=40)
    assert picture.left_out == len(memory.tree) - 40
    assert any(
        f"the 40 strongest nodes; {picture.left_out:,} more" in w for w in words(picture.svg)
    )
    with pytest.raises(ConfigError, match="limit is out of range"):
        memory.draw(limit=0)


def test_what_is_unknown_cannot_be_shown(memory: PlasticMemory) -> None:
    for show in (memory.draw, memory.to_networkx):
        with pytest.raises(ConfigError, match="got 'forest', expected 'tree' or 'library'"):
            show("forest")


def test_pictures_are_saved_by_their_ending(memory: PlasticMemory, tmp_path: Path) -> None:
    picture = memory.draw()
    assert picture.save(tmp_path / "tree.svg").read_text() == picture.svg
    assert picture.save(tmp_path / "tree.png").read_bytes() == picture.png
    with pytest.raises(ConfigError, match=r"got '\.bmp', expected '\.svg' or '\.png'"):
        picture.save(tmp_path / "tree.bmp")


def test_odd_symbols_are_drawn_and_exported(tmp_path: Path) -> None:
    for sequences in (
        ["$a$", "<&>", "•root", "a•", "\x00\n"],
        [b"\x00\xff", b"\x00"],
        [[1, 23], [12, 3]],
    ):
        memory = PlasticMemory("plain")
        memory.learn(sequences)
        ElementTree.fromstring(memory.draw(counts=True).svg)
        _, nodes = memory.export(tmp_path)
        ids = [row["id"] for row in csv.DictReader(nodes.read_text().splitlines())]
        assert len(set(ids)) == len(ids) == len(memory.tree)


def test_the_two_files_of_the_seed(memory: PlasticMemory, tmp_path: Path) -> None:
    edges, nodes = memory.export(tmp_path / "graph")
    rows = list(csv.DictReader(nodes.read_text().splitlines()))
    assert list(rows[0]) == ["id", "count", "r_level"]
    assert {r["id"]: (r["count"], r["r_level"]) for r in rows}["em"] == ("3", "1")
    links = list(csv.DictReader(edges.read_text().splitlines()))
    assert list(links[0]) == ["source", "target", "color"]
    assert {(e["source"], e["target"]): e["color"] for e in links} == {
        ("•root", "em"): "grey",
        ("em", "emma•"): "grey",
        ("em", "emily•"): "grey",
        ("•root", "olivia•"): "grey",
        ("•root", "ava•"): "blue",
    }


def test_networkx_has_the_same_tree(memory: PlasticMemory) -> None:
    networkx = pytest.importorskip("networkx")
    graph = memory.to_networkx()
    assert networkx.is_arborescence(graph)
    assert len(graph) == len(memory.tree)
    by_text = {data["text"]: data for _, data in graph.nodes(data=True)}
    assert (by_text["em"]["count"], by_text["em"]["r_level"]) == (3, 1)
