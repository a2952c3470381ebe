"""Whoever uses the package has our types checked in their own code, strictly."""

import subprocess
import sys

import pytest

GOOD = """
from pathlib import Path

import torch
from typing_extensions import assert_type

from plasticish import (
    AssociativeCortex,
    ConversationalLearner,
    EpisodicMemoryBank,
    PlasticBrain,
    PlasticMemory,
    STDPLayer,
    TripletSTDP,
)
from plasticish.core import Learner

brain = PlasticBrain(64, seed=0)
brain.learn((torch.rand(4, 64), torch.tensor([0, 0, 1, 1])))
assert_type(brain.predict(torch.rand(2, 64)), torch.Tensor)
assert_type(brain.save(Path("brain")), Path)
assert_type(PlasticBrain.load("brain"), PlasticBrain)
assert_type(ConversationalLearner.load("talker"), ConversationalLearner)
learners: list[Learner] = [brain, EpisodicMemoryBank(64), AssociativeCortex(64), PlasticMemory()]
learners.append(ConversationalLearner())
layer: torch.nn.Module = STDPLayer(3, 2, stdp_rule=TripletSTDP())
"""
BAD = {
    'PlasticBrain("wide")': "arg-type",
    "PlasticBrain(64).learn(3)": "arg-type",
    'PlasticBrain(64).predict(x="a").shape.nothing': "attr-defined",
    "PlasticBrain(64, colour=3)": "call-arg",
    "from plasticish import PlasticBrian": "attr-defined",
}


@pytest.fixture
def check(tmp_path):
    def call(source):
        (tmp_path / "consumer.py").write_text(source)
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "consumer.py"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return call


@pytest.mark.slow
def test_a_strict_consumer_is_understood_and_a_wrong_one_is_told(check):
    good = check(GOOD)
    assert good.returncode == 0, good.stdout
    # One run for all wrong lines: most of the time goes into reading the types of torch.
    wrong = check("from plasticish import PlasticBrain\n" + "\n".join(BAD))
    said = wrong.stdout.splitlines()
    for line, (code, kind) in enumerate(BAD.items(), start=2):
        assert any(f"consumer.py:{line}:" in one and f"[{kind}]" in one for one in said), code
