"""Sweeps: one table, whoever fills it and however often it was begun."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from plasticish.core import CheckpointError, ConfigError, DataError, make_engine
from plasticish.evaluation import sweep

sys.path.insert(0, str(Path(__file__).parent))

from sweep_jobs import digits, line


def test_every_combination_is_run_in_order():
    found = sweep(line, {"slope": [2.0, 3.0]}, seeds=[1, 4])
    assert [(r.setting["slope"], r.seed, r.figures["height"]) for r in found.runs] == [
        (2.0, 1, 2.0), (2.0, 4, 8.0), (3.0, 1, 3.0), (3.0, 4, 12.0),
    ]  # fmt: skip
    ((first, spread), _) = found.rows()
    assert (first, spread["height"].values) == ({"slope": 2.0}, (2.0, 8.0))
    assert found.to_dict()["rows"][1]["figures"]["height"]["mean"] == 7.5


def test_workers_fill_the_table_that_one_process_fills():
    settings = {"order": [0, 1], "sparsity_k": [4]}
    here = sweep(digits, settings, seeds=[0, 1])
    with make_engine("processes", 2) as engine:
        there = sweep(digits, settings, seeds=[0, 1], engine=engine)
    assert there == here
    assert len({run.figures["accuracy"] for run in here.runs}) > 1  # the table says something


def test_a_sweep_that_was_stopped_runs_only_what_is_missing(tmp_path):
    calls = []

    def stopped(seed, slope):
        calls.append((slope, seed))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return line(seed, slope)

    with pytest.raises(KeyboardInterrupt):
        sweep(stopped, {"slope": [2.0, 3.0]}, seeds=[1, 4], folder=tmp_path)
    found = sweep(stopped, {"slope": [2.0, 3.0]}, seeds=[1, 4], folder=tmp_path)
    assert calls == [(2.0, 1), (2.0, 4), (3.0, 1), (3.0, 1), (3.0, 4)]
    assert found == sweep(line, {"slope": [2.0, 3.0]}, seeds=[1, 4])


def test_what_cannot_be_swept_says_so(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing to sweep over: got slope: 0, seeds: 5"):
        sweep(line, {"slope": []})
    with pytest.raises(DataError, match="returned no figures: got None"):
        sweep(lambda seed: None)
    sweep(line, {"slope": [1.0]}, seeds=[0], folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text("{")
    with pytest.raises(CheckpointError, match="is damaged"):
        sweep(line, {"slope": [1.0]}, seeds=[0], folder=tmp_path)
