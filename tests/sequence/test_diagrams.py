"""Where things go in a picture: nothing lies on anything else, and the right part is chosen."""

from __future__ import annotations

import io
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from PIL import Image

from plasticish.core import DataError
from plasticish.sequence import PlasticMemory
from plasticish.sequence.diagram import ROW, Diagram, Style, curve
from plasticish.sequence.layout import tree_diagram
from plasticish.sequence.library_layout import library_diagram, library_graph

NAMES = ["anna", "hanna", "joanna", "marianne", "mariana", "diana", "marian"]


@pytest.fixture(scope="module")
def memory() -> PlasticMemory:
    made = PlasticMemory("plain")
    made.learn(NAMES)
    return made


@pytest.fixture(scope="module")
def large() -> PlasticMemory:
    made, rng = PlasticMemory("plain"), np.random.default_rng(0)
    made.learn(["".join(rng.choice(list("abcde"), rng.integers(2, 9))) for _ in range(500)])
    return made


def boxes_are_apart(diagram: Diagram) -> None:
    """No label with its spot lies on another, and every link ends where a label begins."""
    boxes = [(s.x - s.room, s.x, s.y - ROW / 2, s.y + ROW / 2) for s in diagram.spots.values()]
    for (a, b, c, d), (e, f, g, h) in combinations(boxes, 2):
        assert b <= e + 1e-9 or f <= a + 1e-9 or d <= g + 1e-9 or h <= c + 1e-9
    for link in diagram.links:
        source, target = diagram.spots[link.source], diagram.spots[link.target]
        points = curve(source, target)
        assert [x for x, _ in points] == sorted(x for x, _ in points)
        assert points[0] == (source.x, source.y)
        assert points[3] == pytest.approx((target.x - target.room, target.y))


def test_the_strongest_part_of_a_tree_hangs_together(large: PlasticMemory) -> None:
    diagram = tree_diagram(large, Style(), [], 40)
    assert len(diagram.spots) == 40
    left = [n.count for n in large.nodes() if n.id not in diagram.spots]
    assert max(left) <= min(spot.count for spot in diagram.spots.values())
    parents = {n.id: n.parent for n in large.nodes() if n.id in diagram.spots and n.id}
    assert {link.target: link.source for link in diagram.links} == parents
    boxes_are_apart(diagram)


def test_long_words_are_cut_and_nothing_overlaps() -> None:
    memory = PlasticMemory("plain")
    memory.learn(["a" * 100_000, "a" * 99_999 + "b", "wide 漢字漢字漢字漢字", "x", "xy"])
    diagram = tree_diagram(memory, Style(counts=True, levels=True), [], 300)
    assert max(len(spot.label) for spot in diagram.spots.values()) < 50
    assert any("…" in spot.label for spot in diagram.spots.values())
    boxes_are_apart(diagram)
    memory.draw(layout="own")
    memory.draw("library", layout="own")


def test_a_picture_never_grows_too_large_for_its_format() -> None:
    memory = PlasticMemory("plain")
    memory.learn(["a wide label, many times over" * i for i in range(1, 100)])
    picture = memory.draw(layout="own", counts=True)
    size = Image.open(io.BytesIO(picture.png)).size
    assert 5_000 < max(size) <= 20_000


def test_the_graph_of_the_library_counts_places(memory: PlasticMemory) -> None:
    graph = library_graph(memory)
    whole = " ".join(NAMES)
    for symbol in "anhjomried":
        assert graph.counts[memory.alphabet.code(symbol) or 0] == whole.count(symbol)
    concepts = {c.id: c for c in memory.library.concepts()}
    assert {-1 - part for part in graph.used() if part < 0} == set(concepts)
    for part in graph.used():
        for below in graph.parts.get(part, ()):
            assert graph.levels[below] < graph.levels[part]
            assert graph.counts[below] >= graph.counts[part]


def test_a_library_is_drawn_with_all_that_is_below(large: PlasticMemory) -> None:
    graph = library_graph(large)
    diagram = library_diagram(large, Style(counts=True), [], None, 60)
    assert len(diagram.spots) == 60
    assert len(diagram.spots) + diagram.left_out == len(graph.used())
    left = [graph.counts[part] for part in graph.used() if part not in diagram.spots]
    assert max(left) <= min(graph.counts[part] for part in diagram.spots)
    expected = {(p, part) for part in diagram.spots for p in graph.parts.get(part, ())}
    assert {(link.source, link.target) for link in diagram.links} == expected
    columns: dict[int, set[float]] = {}
    for spot in diagram.spots.values():
        columns.setdefault(spot.level, set()).add(spot.x)
    assert all(len(xs) == 1 for xs in columns.values())
    assert [min(columns[k]) for k in sorted(columns)] == sorted(min(xs) for xs in columns.values())
    boxes_are_apart(diagram)


def test_a_derivation_stands_out(memory: PlasticMemory, large: PlasticMemory) -> None:
    parse = memory.library.parse(memory.alphabet.encode_prefix("marianna"))
    diagram = library_diagram(memory, Style(), parse.tolist(), None, 300)
    fired = {memory.text(memory.library.expand(np.array([part], np.int32)))
             for part, spot in diagram.spots.items() if spot.fired and part}  # fmt: skip
    below: set[Any] = set()
    stack = [c.name for c in memory.parse("marianna")]
    concepts = {c.name: c for c in memory.concepts()}
    while stack:
        name = stack.pop()
        below.add(concepts[name].expansion if name in concepts else name)
        stack += concepts[name].parts if name in concepts else ()
    assert fired == below
    whole = diagram.spots[0]
    assert whole.label == "marianna"
    assert whole.x == max(spot.x for spot in diagram.spots.values())
    assert {link.source for link in diagram.links if link.target == 0} == set(parse.tolist())
    assert "marianna = " + " + ".join(str(c.expansion) for c in memory.parse("marianna")) in (
        diagram.note
    )
    # It is drawn even where only the most frequent has room.
    rare = min(large.library.concepts(), key=lambda c: c.count)
    diagram = library_diagram(large, Style(), [-1 - rare.id], None, 30)
    assert -1 - rare.id in diagram.spots
    assert len(diagram.spots) == 30 + 1


def test_a_part_of_the_library_can_be_asked_for(memory: PlasticMemory) -> None:
    best = max(memory.concepts(), key=lambda c: c.level)
    picture = memory.draw_library(concept=best.name, layout="own")
    assert f">{best.expansion}<" in picture.svg
    assert picture.left_out == 0
    low = memory.draw_library(level=1, layout="own")
    assert f">{best.expansion}<" not in low.svg
    for arguments, text in (
        ({"concept": "C999"}, "no concept named 'C999'"),
        ({"level": 99}, "no concept at level 99"),
        ({"level": 1, "concept": best.name}, f"no concept named '{best.name}' at level 1"),
        ({"fired": "zzz"}, "never seen"),
    ):
        with pytest.raises(DataError, match=text):
            memory.draw_library(**arguments)  # type: ignore[arg-type]


def test_forgotten_concepts_are_not_drawn_but_still_parse(memory: PlasticMemory) -> None:
    own = PlasticMemory("plain")
    own.learn(["abab", "ab", "cd"])
    own.forget("abab")
    own.forget("ab")
    assert own.to_networkx("library").number_of_nodes() == 2
    assert "library: 0 concepts" in own.draw("library", layout="own").svg
    assert ">ab<" in own.draw("library", fired="ab", layout="own").svg
    assert "library: 0 concepts" in PlasticMemory().draw("library", layout="own").svg


def test_networkx_has_the_library(memory: PlasticMemory) -> None:
    networkx = pytest.importorskip("networkx")
    graph = memory.to_networkx("library")
    assert networkx.is_directed_acyclic_graph(graph)
    for concept in memory.concepts():
        node = graph.nodes[concept.name]
        assert (node["count"], node["level"], node["text"]) == (
            concept.count, concept.level, concept.expansion,
        )  # fmt: skip
        assert sum(data["times"] for *_, data in graph.out_edges(concept.name, data=True)) == 2
