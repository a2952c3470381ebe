"""The three examples of continual learning run, and show what they say."""

import re
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "continual_learning.py"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    def call(*options):
        monkeypatch.setattr(sys, "argv", [SCRIPT.name, *options, "--out", str(tmp_path / "out")])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out

    return call


def test_a_layer_changes_by_the_timing_of_spikes(run):
    shown = re.search(
        r"STDP changed (\d+) % of the weights, by (\S+) on average", run("--example", "1")
    )
    assert int(shown[1]) > 50
    assert 0 < float(shown[2]) < 0.1


def test_a_local_network_learns_the_digits(run):
    printed = run("--example", "2")
    assert int(re.search(r"knows (\d+) % of the digits", printed)[1]) > 60
    assert len(re.findall(r"\d\.\d\d", printed)) == 2


def test_help_reduces_forgetting(run, tmp_path):
    printed = run("--example", "3", "--epochs", "3")
    numbers = {
        name: (float(accuracy), float(lost))
        for name, accuracy, lost in re.findall(
            r"3  (\w+) +average accuracy ([\d.]+), forgetting ([-\d.]+)", printed
        )
    }
    assert numbers["with"][0] > numbers["without"][0] + 0.3
    assert numbers["with"][1] < numbers["without"][1] - 0.3
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"with.png", "without.png"}
