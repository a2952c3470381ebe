"""Arguments of a wrong type get an error of the library, as users meet it.

The other tests run with every annotation checked, so that a wrong type never arrives; users have
no such check. One process without it tries everything.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SETTING = """
import json, sys, torch, plasticish as p
torch.set_num_threads(1)
x, y = torch.eye(4), torch.tensor([0, 1, 0, 1])
brain = p.PlasticBrain(4, 8, 2, expansion=8)
brain.learn((x, y))
told = {}
for line in json.load(sys.stdin):
    try:
        eval(line)
        told[line] = "nothing was refused"
    except p.PlasticishError as error:
        told[line] = f"{type(error).__name__}: {error}"
    except Exception as error:
        told[line] = f"not ours: {type(error).__name__}: {error}"
print(json.dumps(told))
"""
REFUSED = {
    "p.PlasticBrain('4')": "ConfigError: in_dim is out of range: got '4'",
    "p.PlasticBrain(4.5)": "ConfigError: in_dim is not whole: got 4.5",
    "p.PlasticBrain(4, 8, 2, num_layers=True)": "ConfigError: num_layers is out of range: got True",
    "p.PlasticBrain(4, 8, 2, lr='fast')": "ConfigError: lr is out of range: got 'fast'",
    "p.PlasticBrain(4, 8, 2, eyes='resnet18')": "ConfigError: these are no eyes: got 'resnet18'",
    "p.TriarchicBrain(12.5)": "ConfigError: in_size is not whole: got 12.5",
    "p.TriarchicBrain(None)": "ConfigError: in_size is out of range: got None",
    "p.TriarchicBrain(4, 64, 10, 4.5)": "ConfigError: sparsity_k is not whole: got 4.5",
    "p.TriarchicBrain(4, core_rate='a')": "ConfigError: core_rate is out of range: got 'a'",
    "p.EpisodicMemoryBank(4, temperature='a')": "ConfigError: temperature is out of range",
    "p.AssociativeCortex(4, shrinkage=[1])": "ConfigError: shrinkage is out of range: got [1]",
    "p.PretrainedEyes('efficientnet_lite0', 1.5)": "ConfigError: stages are not there: got 1.5",
    "p.PretrainedEyes('efficientnet_lite0', image_size=32.5)": "ConfigError: image_size is not w",
    "p.PretrainedEyes('efficientnet_lite0', batch_size=1.5)": "ConfigError: batch_size is not who",
    "p.invert_colors(x.numpy())": "DTypeError: images are not a tensor: got ndarray",
    "p.invert_tensor('a.png')": "DTypeError: images are not a tensor: got str",
    "p.blur_image(None)": "DTypeError: images are not a tensor: got NoneType",
    "p.PlasticTrainer(brain, None)": "ConfigError: a phase is not a PhaseConfig: got NoneType",
    "p.PlasticTrainer(brain, [[(x, y)]])": "ConfigError: a phase is not a PhaseConfig: got list",
    "brain.add_layer('deeper')": "ConfigError: this is not a block: got str",
    "brain.replace_layer(0, None)": "ConfigError: this is not a block: got NoneType",
    "brain.learn(x)": "DataError: a batch is not a pair: got Tensor",
    "brain.learn(None)": "DataError: a batch is not a pair: got NoneType",
    "brain.learn({'x': x, 'y': y})": "DataError: a batch is not a pair: got dict",
    "brain.evaluate(None)": "DTypeError: this is neither a batch nor a loader: got NoneType",
    "brain.train_step(None, y)": "DTypeError: features are not numbers: got NoneType",
    "brain.train_step(x, None)": "DTypeError: labels are not numbers: got NoneType",
    "brain.train_step(x, y, mode=1)": "ConfigError: unknown mode: got 1",
    "brain.predict('photo.png')": "DTypeError: features are not numbers: got str",
}


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """What each line of REFUSED ended in."""
    done = subprocess.run(
        [sys.executable, "-c", SETTING],
        input=json.dumps(list(REFUSED)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: Any = json.loads(done.stdout)
    return dict(answers)


@pytest.mark.parametrize("line", REFUSED)
def test_a_wrong_type_is_refused_in_our_words(told: dict[str, str], line: str) -> None:
    assert told[line].startswith(REFUSED[line])
