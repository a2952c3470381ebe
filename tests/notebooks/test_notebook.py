"""Notebooks are what their scripts say, and their code runs from the first cell to the last."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
BUILD = runpy.run_path(str(FOLDER / "build.py"))
SCRIPTS = {path.stem: path for path in BUILD["scripts"]()}


def cells(name: str, kind: str) -> list[str]:
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == kind]


def run(name: str, folder: Path) -> dict[str, Any]:
    script = folder / "cells.py"
    script.write_text("\n".join(cells(name, "code")))
    return runpy.run_path(str(script))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_notebook_is_what_its_script_says(name: str) -> None:
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert text == BUILD["notebook"](SCRIPTS[name]), "run: python notebooks/build.py"
    notebook = json.loads(text)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(len(cell.splitlines()) <= 12 for cell in cells(name, "code"))


def test_a_script_becomes_cells(tmp_path: Path) -> None:
    script = tmp_path / "s.py"
    script.write_text(
        "# for readers\n\n# %% [markdown]\n# # Title\n#\n# - one\n#   more\n\n"
        "# %%\n# a remark\nx = 1\n\n\ndef f():\n    return '# %'\n"
    )
    text, code = json.loads(BUILD["notebook"](script))["cells"]
    assert (text["cell_type"], "".join(text["source"])) == (
        "markdown", "# Title\n\n- one\n  more",
    )  # fmt: skip
    assert (code["cell_type"], "".join(code["source"])) == (
        "code", "# a remark\nx = 1\n\n\ndef f():\n    return '# %'",
    )  # fmt: skip
    assert (code["outputs"], code["execution_count"]) == ([], None)


def test_every_notebook_has_a_script() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == set(SCRIPTS)


def test_the_tour_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = run("plasticish_tour", tmp_path)
    assert left["again"].stats()["classes"] == 10
    printed = capsys.readouterr().out
    assert printed.count("% now") == 5
    assert float(left["brain"].novelty(left["noise"])) > left["brain"].novelty_threshold


@pytest.mark.slow
def test_the_memory_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = run("01_plastic_memory", tmp_path)
    assert left["nodes"] < left["grown"]
    assert left["report"]["nats"] < 2.0
    assert left["rested"] < left["awake"] < 1.9
    assert left["invented"]
    nats = {one["learner"]: one["nats"] for one in left["compared"]}
    assert min(nats, key=lambda name: nats[name]) == "PlasticMemory, after sleep"
    assert left["growth"].sequences == 12
    assert left["again"].stats()["alphabet"] == 27
    printed = capsys.readouterr().out
    assert printed.count("nats a letter") == 6
    chances = [int(line.split()[-2]) for line in printed.splitlines()[:3]]
    assert chances[1] > chances[0] > chances[2]
