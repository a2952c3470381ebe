"""Places from Graphviz, with a ``dot`` of our own on the PATH: used, survived and refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from plasticish.core import ConfigError
from plasticish.sequence import PlasticMemory, graphviz
from plasticish.sequence.diagram import Style
from plasticish.sequence.layout import tree_diagram

GOOD = """
import re, sys
source = sys.stdin.read()
assert sys.argv[1:] == ["-Tplain"] and "emma" not in source, "words are handed over"
print("graph 1 10 10")
for i, width in re.findall(r"n(\\d+) \\[width=([\\d.]+)\\]", source):
    print(f'node n{i} {i} {2 * int(i)} {width} 0.1 "" solid box black lightgrey')
print("stop")
"""
BAD = {
    "fails": "import sys; sys.exit(3)",
    "says nothing": "print('graph 1 1 1')",
    "babbles": "print('node n0 here there 1')",
    "is lost": "print('node n0 nan 1 1')",
    "invents nodes": "print('node n999 1 1 1')",
    "hangs": "import time; time.sleep(60)",
}


@pytest.fixture
def memory() -> PlasticMemory:
    made = PlasticMemory("plain")
    made.learn(["emma", "emily", '"]; evil [label="$(touch evil)'])
    return made


def install(folder: Path, script: str, patch: pytest.MonkeyPatch) -> None:
    program = folder / "dot"
    program.write_text(f"#!{sys.executable}\n{script}")
    program.chmod(0o755)
    patch.setenv("PATH", str(folder))


def test_its_places_are_taken(
    memory: PlasticMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, GOOD, monkeypatch)
    diagram = tree_diagram(memory, Style(), [], 300)
    for layout in ("auto", "dot"):
        placed = graphviz.arranged(diagram, layout)
        last = len(diagram.spots) - 1
        for i, (key, spot) in enumerate(placed.spots.items()):
            # The spot is at the right end of the box, and y grows downwards.
            assert spot.x == pytest.approx(i + spot.room / 2, abs=1e-3)
            assert spot.y == 2 * (last - i)
            assert spot.label == diagram.spots[key].label
    assert memory.draw(layout="own").svg != memory.draw().svg == memory.draw(layout="dot").svg
    assert memory.draw("library").svg == memory.draw_library(layout="dot").svg


@pytest.mark.parametrize("bad", BAD)
def test_its_faults_are_survived_unless_it_was_asked_for(
    memory: PlasticMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    install(tmp_path, BAD[bad], monkeypatch)
    if bad == "hangs":
        monkeypatch.setattr(graphviz, "_SECONDS", 0.2)
    diagram = tree_diagram(memory, Style(), [], 300)
    assert graphviz.arranged(diagram, "auto") == diagram
    with pytest.raises(ConfigError, match="Graphviz could not place the picture"):
        graphviz.arranged(diagram, "dot")


def test_without_it_there_is_our_own(
    memory: PlasticMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert memory.draw().svg == memory.draw(layout="own").svg
    with pytest.raises(ConfigError, match=r"no program 'dot'\. Install Graphviz"):
        memory.draw(layout="dot")
    with pytest.raises(ConfigError, match="unknown layout: got 'neato', expected one of: auto"):
        memory.draw(layout="neato")
