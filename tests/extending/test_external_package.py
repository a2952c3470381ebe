"""A package of somebody else, installed as any other, adds to every registry without a fork."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "data" / "plasticish-example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install it beside everything else that this interpreter has."""
    source, place = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("place")
    shutil.copytree(PACKAGE, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--target", place, source], check=True)
    return place


@pytest.fixture
def run(installed, tmp_path):
    def call(*arguments, fails=False, said=None):
        paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            cwd=tmp_path,
            input=said,
            capture_output=True,
            text=True,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    return call


COMMAND = ("-c", "from plasticish.cli.main import main; main()")


def test_a_rule_is_found_by_name_and_comes_back_from_a_file(run):
    printed = run(
        "-c",
        """
import torch
from plasticish.spiking import RULES, STDPLayer, rule_from_dict
rule = RULES["coincidence"](cost=0.25)
layer = STDPLayer(2, 1, stdp_rule=rule)
spikes = torch.zeros(1, 5, 2)
spikes[:, :, 0] = 1.0
before = layer.weight.clone()
layer.update_weights_stdp(spikes, torch.ones(1, 5, 1), dt=1.0)
print(bool((layer.weight - before)[0, 0] > 0), rule_from_dict(rule.to_dict()) == rule)
""",
    )
    assert printed == "True True\n"


def test_a_brain_is_built_of_a_block_a_memory_and_eyes(run):
    printed = run(
        "-c",
        """
import torch
from plasticish import PlasticBrain, PretrainedEyes
eyes = PretrainedEyes("grid")
brain = PlasticBrain(eyes.width, eyes=eyes, block="whole_block", memory="loud_memory")
images = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
brain.learn((images, torch.tensor([0, 0, 0, 1, 1, 1])))
brain.sleep()
again = PlasticBrain.load(brain.save("brain"))
print(type(again.layers[0]).__name__, type(again.memory).__name__, again.eyes.config()["backbone"])
print(torch.equal(again.predict_proba(images), brain.predict_proba(images)))
""",
    )
    assert printed == "storing 6\nWholeBlock LoudMemory grid\nTrue\n"


def test_a_learner_is_among_the_learners(run):
    printed = run(
        "-c",
        """
import torch
from plasticish import LEARNERS
learner = LEARNERS["majority"]()
learner.learn((torch.zeros(3, 2), torch.tensor([1, 2, 2])))
learner.save("learner")
print(LEARNERS["majority"].load("learner").predict(torch.zeros(2, 2)).tolist())
""",
    )
    assert printed == "[2, 2]\n"


def test_the_command_line_takes_a_source(run):
    run(*COMMAND, "learn", "stripes", "--out", "stripes", "--quiet")
    report = json.loads(run(*COMMAND, "inspect", "stripes", "--json"))
    assert "upright" in json.dumps(report)


def test_the_command_line_takes_a_teacher(run):
    printed = run(*COMMAND, "chat", "--teacher", "parrot", "--json", said="hello\n")
    assert json.loads(printed)["taught"]["text"] == "hello"


def test_the_command_line_takes_a_scenario(run):
    printed = run(*COMMAND, "bench", "example/coin", "--quick", "--json")
    (result,) = json.loads(printed)["results"]
    assert 45 < result["rows"]["coin"]["heads"]["mean"] < 55


def test_the_error_names_it_among_the_others(run):
    code = "from plasticish.spiking import RULES; RULES['no such']"
    assert "coincidence, " in run("-c", code, fails=True)
