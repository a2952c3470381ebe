"""Notebooks are what their scripts say, and their code runs from the first cell to the last."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from plasticish import LEARNERS

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


@pytest.mark.slow
def test_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = run("01_images", tmp_path)
    assert left["again"].stats()["classes"] == 10
    printed = capsys.readouterr().out
    assert printed.count("% now") == 5
    assert float(left["brain"].novelty(left["noise"])) > left["brain"].novelty_threshold
    assert float(left["same"].float().mean()) > 0.99
    calm, storm = left["energies"]
    assert storm > 2 * calm
    assert left["moved"] < 0.05
    assert left["known"] > 0.9
    assert left["score"] > 0.95
    assert printed.count("classes met") == 5


@pytest.mark.slow
def test_sequences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = run("02_sequences", tmp_path)
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
    assert left["found"] == 2
    assert left["belief"].tolist()[1] > 0.9  # the last that was asked is written backwards


@pytest.mark.slow
def test_spikes(tmp_path: Path) -> None:
    left = run("03_spikes", tmp_path)
    grown = left["grown"]
    assert float(grown[:10].mean()) > 5 * abs(float(grown[10:].mean()))
    assert float((left["local"].predict(left["digits"].test.inputs)
                  == left["digits"].test.labels).float().mean()) > 0.8  # fmt: skip
    kept, lost = (left[name].matrix.R[-1, :-1].mean() for name in ("kept", "lost"))
    assert float(kept) > float(lost) + 0.5
    assert min(left["right"]) > 0.8
    assert left["enhanced_layers"](left["model"]) == []


@pytest.mark.slow
def test_conversation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    left = run("04_conversation", tmp_path)
    printed = capsys.readouterr().out
    assert "Learner: I am Bella" in printed
    assert left["response"].reply == "I am Bella"
    closeness = left["closeness"]
    assert sum(closeness) / len(closeness) > 0.9
    assert "spoke" in printed
    assert left["rested"] < left["tired"]
    assert left["report"].replayed > 100
    assert left["erased"] > 0
    again = left["again"]
    assert "Bella" not in again.predict("what is your name?")
    assert again.predict("hi there") == "good morning mama"


def test_every_learner_is_shown_in_a_notebook() -> None:
    """Those of the registry that this package brings, and what belongs to one habitat each."""
    told = "\n".join(cell for name in SCRIPTS for cell in cells(name, "code"))
    kinds = [LEARNERS[name] for name in LEARNERS]
    learners = {kind.__name__ for kind in kinds if kind.__module__.startswith("plasticish.")}
    assert learners >= {"PlasticBrain", "PlasticMemory", "ContinualLearningSTDP"}
    assert not {name for name in learners if f"{name}(" not in told and f"{name}." not in told}
