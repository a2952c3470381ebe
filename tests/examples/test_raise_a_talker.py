"""The talker is raised, and knows its first lessons when its folder is opened again."""

import runpy
import sys
from pathlib import Path

import pytest

from plasticish.conversation import CorpusTeacher

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "raise_a_talker.py"


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    def call(*options):
        monkeypatch.setattr(sys, "argv", [SCRIPT.name, *options, "--memory", str(tmp_path / "m")])
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return capsys.readouterr().out

    return call


def test_its_first_lessons_are_answered_on_another_day(run):
    printed = run("--lessons", "40")
    first = CorpusTeacher.bundled(seed=0).lesson()
    assert f"You: {first.prompt}\n  Learner: {first.reply}\n" in printed
    assert "40 episodes" in printed


def test_it_goes_on_in_the_same_folder(run):
    run("--lessons", "5")
    assert "10 episodes" in run("--lessons", "5")
