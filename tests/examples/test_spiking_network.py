"""The example of the liquid spiking network runs, and both of its networks learn."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_it_learns_with_and_without_a_local_rule(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--epochs", "1", "--units", "24", "--stdp-type", "classical", "--meta-plasticity"]
    monkeypatch.setattr(sys, "argv", ["spiking_network.py", *options])
    runpy.run_path(str(ROOT / "examples" / "spiking_network.py"), run_name="__main__")
    told = capsys.readouterr().out
    reached = [float(share) for share in re.findall(r"epoch 1: ([\d.]+) %", told)]
    assert len(reached) == 2
    assert min(reached) > 50
    assert "plasticity of hybrid_blocks.0.synapse" in told
    assert "now learns at" in told
