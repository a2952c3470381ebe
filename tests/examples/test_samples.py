"""The two code samples of the prototype's overview run as they were printed."""

import runpy

import numpy as np
import pytest
import torch

from plasticish.vision import EYES, Backbone

MULTILAYER = """
from plasticish import PlasticBrain, PlasticTrainer, PlasticVisualizer, PhaseConfig
from examples.cifar10_utils import create_cifar10_loaders
device = 'cuda'
loaders = create_cifar10_loaders(batch_size=256)
# Create multi-layer plastic brain
brain = PlasticBrain(
    in_dim=512,
    hidden_dim=4096,
    sparsity_k=128,
    num_layers=4,
    memory_size=60000,
    device=device
)
# Define training phases
phases = [
    PhaseConfig("Vehicles", 3, loaders['train_vehicles'], mode="plastic", consolidate_after=True),
    PhaseConfig("Animals", 3, loaders['train_animals'], mode="plastic", consolidate_after=True),
    PhaseConfig("Storm", 3, loaders['storm_vehicles'], mode="panic"),
]
# Train
trainer = PlasticTrainer(brain, phases, eval_loaders={'test': loaders['test_mixed']}, device=device)
history = trainer.train()
trainer.plot_results()
# Visualize multi-layer activity
visualizer = PlasticVisualizer(brain, device=device)
visualizer.trace_thought(loaders['storm_vehicles'])
"""

TRIARCHIC = """
from plasticish import PretrainedEyes, TriarchicBrain, TriarchicTrainer, PhaseConfig
from plasticish.training import invert_colors
from examples.cifar10_utils import create_cifar10_loaders
device = 'cuda'
eyes = PretrainedEyes(device=device)
brain = TriarchicBrain(512, 8192, 10, 32, device=device)
loaders = create_cifar10_loaders(batch_size=64)
memory_test_loader = loaders['test_animals']
phases = [
    PhaseConfig("Animals", 3, loaders['train_animals']),
    PhaseConfig("Vehicles", 2, loaders['train_vehicles']),
    PhaseConfig("Storm", 3, loaders['train_animals'], transform_fn=invert_colors)
]
trainer = TriarchicTrainer(brain, eyes, phases, memory_test_loader, device=device)
history = trainer.train()
trainer.plot_results()
"""


class Blocks(torch.nn.Module):
    """As wide as ResNet18's features, of which no weights can be had without a network."""

    def forward(self, x):
        return torch.nn.functional.adaptive_avg_pool2d(x, 14).flatten(1)[:, :512]


@pytest.mark.filterwarnings("ignore:device 'cuda' was asked for")
@pytest.mark.parametrize("sample", [MULTILAYER, TRIARCHIC], ids=["multilayer", "triarchic"])
def test_sample_runs_as_printed(sample, tiny_cifar10, tmp_path, monkeypatch):
    entries = {**EYES._entries, "resnet18": lambda weights, size: Backbone(Blocks(), 14)}
    monkeypatch.setattr(EYES, "_entries", entries)
    script = tmp_path / "sample.py"
    script.write_text(sample)
    left = runpy.run_path(str(script))
    history = left["history"]
    assert history.phase_names[-1] == "Storm"
    assert len(history.boundaries) == 3
    assert np.isfinite(history.evaluations[-1].accuracy.popitem()[1])
