"""Every figure of the real brains."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure

from plasticish.data import BatchLoader, load_digits
from plasticish.vision import PlasticBrain, TriarchicBrain
from plasticish.visualization import PlasticVisualizer, TriarchicVisualizer


@pytest.fixture(scope="module")
def source():
    return load_digits()


def test_all_figures_of_a_plastic_brain(source):
    brain = PlasticBrain(64, 128, 16, 2, memory_size=500, expansion=64)
    brain.learn((source.train.inputs[:400], source.train.labels[:400]))
    visualizer = PlasticVisualizer(brain, device="cpu", class_names=source.train.classes)
    loader = BatchLoader(source.test, 50)
    awake = visualizer.trace_thought(loader)  # a cortex that has not slept says nothing yet
    brain.sleep()
    asleep = visualizer.trace_thought(loader)
    figures = [
        visualizer.layer_activity(loader),
        visualizer.maturity_map(),
        visualizer.usage_map(),
        visualizer.memory_map(),
        visualizer.confusion(loader),
    ]
    assert all(isinstance(figure, Figure) for figure in (awake, asleep, *figures))
    label = int(brain.predict(source.test.inputs[:1])[0])
    assert asleep.get_suptitle().startswith(f"Called {source.train.classes[label]} ")


def test_all_figures_of_a_triarchic_brain(source):
    brain = TriarchicBrain(64, 256, 10, 8)
    loader = BatchLoader(source.train, 64)
    energy = [brain.update_batch(x, y)["context_energy"] for x, y in loader]
    visualizer = TriarchicVisualizer(brain, class_names=source.train.classes)
    history = SimpleNamespace(
        phase_names=["A"],
        series={"phase": [0.0] * len(energy), "context_energy": energy},
        boundaries=[len(energy)],
        evaluations=[],
    )
    figures = [
        visualizer.weights(),
        visualizer.importance(),
        visualizer.context_energy(history),
        visualizer.sparsity(source.test.inputs[:20]),
    ]
    assert all(isinstance(figure, Figure) for figure in figures)
    locked = 100 * brain.get_stats()["locked"]
    assert figures[0].get_suptitle() == f"{locked:.1f} % of the core's synapses are locked"
