"""``plasticish memory``: pictures, the animation, files for graph viewers, and the comparison."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from plasticish.cli import memory_rivals
from plasticish.core import DataError
from plasticish.data import load_first_names
from plasticish.sequence import PlasticMemory

NAMES = load_first_names()[:300]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    memory = PlasticMemory("plain")
    memory.learn(NAMES)
    return memory.save(tmp_path_factory.mktemp("memory") / "m")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pictures go here, and are the same with Graphviz and without."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_tree_and_library_are_drawn(plasticish: Any, folder: Path) -> None:
    done = plasticish("memory", "draw", "-m", folder, "--limit", 50)
    assert done.code == 0
    assert done.out.startswith("tree.svg; ")
    assert "the 50 strongest nodes" in Path("tree.svg").read_text()
    done = plasticish("memory", "draw", "--what", "library", "--fired", "marianne", "-m", folder)
    assert done.code == 0
    assert "marianne = " in Path("library.svg").read_text()
    done = plasticish(
        "memory",
        "draw",
        "--what",
        "library",
        "--level",
        2,
        "--out",
        "l.png",
        "-m",
        folder,
        "--json",
    )
    assert json.loads(done.out) == {"out": "l.png", "left_out": 0}
    with Image.open("l.png") as picture:
        assert picture.size[0] > 200


def test_a_gif_is_watched(plasticish: Any) -> None:
    Path("few.txt").write_text("emma\nemily\n")
    done = plasticish("memory", "watch", "few.txt", "--json")
    found = json.loads(done.out)
    assert (found["out"], found["sequences"]) == ("growth.gif", 2)
    with Image.open("growth.gif") as animation:
        assert 1 < animation.n_frames <= found["frames"]
    done = plasticish("memory", "watch", "--count", 3, "--out", "names.gif")
    assert done.out.startswith("names.gif: 3 sequences, ")


def test_graph_viewers_get_their_files(plasticish: Any, folder: Path) -> None:
    done = plasticish("memory", "export", "-m", folder)
    assert done.out.split() == ["graph/edges.csv", "graph/nodes.csv"]
    assert Path("graph/edges.csv").read_text().startswith("source,target,color\n")
    assert Path("graph/nodes.csv").read_text().startswith("id,count,r_level\n")


def test_learners_are_compared_on_the_same_lines(plasticish: Any) -> None:
    Path("names.txt").write_text("\n".join([*NAMES[:200], *NAMES[:50]]))
    asked = ("memory", "compare", "names.txt", "--json", "--seed", 3)
    found = json.loads(plasticish(*asked).out)
    assert (found["train"], found["test"] + found["left_out"]) == (225, 25)
    split = memory_rivals.split_lines([*NAMES[:200], *NAMES[:50]], 3)
    assert found["known"] == sum(line in split.train for line in split.test) > 0
    rows = {row["learner"]: row for row in found["learners"]}
    assert list(rows) == [
        "bigram", "modified Kneser-Ney 5", "PlasticMemory, one pass", "PlasticMemory, after sleep",
    ]  # fmt: skip
    memory = PlasticMemory(seed=3)
    memory.learn(split.train)
    tokens = sum(map(len, split.test)) + len(split.test)
    expected = -memory.log_likelihood(split.test).sum() / tokens
    assert rows["PlasticMemory, one pass"]["nats"] == pytest.approx(expected, rel=1e-6)
    assert (
        rows["PlasticMemory, after sleep"]["seconds"] > rows["PlasticMemory, one pass"]["seconds"]
    )
    again = json.loads(plasticish(*asked).out)
    assert [r["nats"] for r in again["learners"]] == [r["nats"] for r in found["learners"]]
    done = plasticish("memory", "compare", "names.txt", "--transformer", "--steps", 2)
    assert "transformer, best at step 2" in done.out
    assert "this takes a while" in done.err


def test_the_split_is_fair_and_honest() -> None:
    lines = [*NAMES[:99], "ξένος"]
    for seed in range(5):
        split = memory_rivals.split_lines(lines, seed)
        left_out = set(lines) - {*split.train, *split.test}
        assert len(split.train) + len(split.test) + len(left_out) == len(lines)
        assert len(split.test) + split.left_out == 10
        known = set("".join(split.train))
        assert set("".join(split.test)) <= known
        assert all(set(line) - known for line in left_out)


@pytest.mark.parametrize(
    ("lines", "arguments", "text"),
    [
        (["a"] * 9, [], "too few lines to hold some out: got 9"),
        (list("abcdefghij"), [], "a symbol that no other line has"),
        (["a\x02b"] * 20, [], "Kneser-Ney needs two characters"),
        (["a" * 300] * 20, ["--transformer"], "too long for the transformer: got 300"),
        (["a"] * 20, ["--transformer", "--steps", 0], "steps is out of range"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    plasticish: Any, lines: list[str], arguments: list[Any], text: str
) -> None:
    Path("lines.txt").write_text("\n".join(lines))
    done = plasticish("memory", "compare", "lines.txt", *arguments)
    assert done.code == 2
    assert text in done.err


def test_held_out_lines_of_strangers_alone_are_no_test() -> None:
    with pytest.raises(DataError, match="no other line has"):
        memory_rivals.split_lines([chr(0x4E00 + i) for i in range(30)], 0)
