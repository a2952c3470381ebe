"""The notebook is what its script writes, and its code runs from the first cell to the last."""

import json
import runpy
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


def test_notebook_is_up_to_date():
    built = runpy.run_path(str(FOLDER / "build.py"))
    assert built["NOTEBOOK"].read_text(encoding="utf-8") == built["notebook"]()


def test_notebook_is_well_formed_and_runs(tmp_path, capsys):
    notebook = json.loads((FOLDER / "plasticish_tour.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    code = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    assert all(len(cell.splitlines()) <= 10 for cell in code)
    script = tmp_path / "cells.py"
    script.write_text("\n".join(code))
    left = runpy.run_path(str(script))
    assert left["again"].stats()["classes"] == 10
    printed = capsys.readouterr().out
    assert printed.count("% now") == 5
    assert float(left["brain"].novelty(left["noise"])) > left["brain"].novelty_threshold
