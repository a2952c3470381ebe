"""Figures of brains show what is in them, and leave it as it is."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from plasticish.core import ConfigError, DataError, NotReadyError, ShapeError
from plasticish.visualization import (
    PlasticVisualizer,
    TriarchicVisualizer,
    denormalize_imagenet,
    save_figure,
)
from plasticish.visualization.memories import apart, own_neighbours, project
from plasticish.visualization.neurons import code_similarity, within_and_between

from .fake import VisibleBrain, VisibleTriarchic

NAMES = ["cat", "dog", "cow"]


def data(rows=60, width=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(rows) % 3
    x = 2 * torch.eye(width)[y] + 0.5 * torch.randn(rows, width, generator=generator)
    return x, y


@pytest.fixture
def brain():
    return VisibleBrain(*data())


@pytest.fixture
def visualizer(brain):
    return PlasticVisualizer(brain, class_names=NAMES)


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def everything(brain):
    keys, labels = brain.memory.examples()
    parts = [keys, labels, brain.means, *brain.encoders]
    return [t.clone() for t in (*parts, *(v for b in brain.layers for v in (b.maturity, b.usage)))]


DRAW = {
    "thought": lambda v: v.trace_thought([data(seed=1)]),
    "activity": lambda v: v.layer_activity([data(seed=1)]),
    "maturity": lambda v: v.maturity_map(),
    "usage": lambda v: v.usage_map(),
    "memory": lambda v: v.memory_map(),
    "confusion": lambda v: v.confusion([data(seed=1)]),
    "retention": lambda v: v.retention_curves(
        SimpleNamespace(
            phase_names=["A", "B"],
            series={},
            boundaries=[],
            evaluations=[],
            accuracy_matrix=torch.tensor([[0.9, 0.0], [0.8, 0.9]]),
        )
    ),
}


@pytest.mark.parametrize("name", DRAW)
def test_each_figure_is_drawn_and_the_brain_stays_as_it_is(name, brain, visualizer, tmp_path):
    before = everything(brain)
    figure = DRAW[name](visualizer)
    assert isinstance(figure, Figure)
    assert save_figure(figure, tmp_path / "a.png").stat().st_size > 5000
    for was, now in zip(before, everything(brain), strict=True):
        assert torch.equal(was, now)


def test_a_thought_shows_the_vote_and_the_verdict(brain, visualizer):
    x, y = data(seed=1)
    figure = visualizer.trace_thought([(x, y)], 4)
    explanation = brain.why(x[4:5])
    label, share = int(explanation.labels[0]), float(explanation.proba[0].max())
    assert figure.get_suptitle() == f"Called {NAMES[label]} ({100 * share:.0f} %), rightly"
    together = next(a for a in figure.axes if a.get_title("left") == "together")
    bars = [bar.get_width() for bar in together.patches]
    assert bars == pytest.approx(explanation.proba[0].sort(descending=True).values.tolist())
    wrong = visualizer.trace_thought([(x, (y + 1) % 3)], 4).get_suptitle()
    assert wrong.endswith(f"but it is {NAMES[(label + 1) % 3]}")


def test_images_go_through_the_eyes_once_and_memories_have_faces(brain):
    looked = []

    def eyes(images):
        looked.append(len(images))
        return images.flatten(1)[:, :12] * 3

    brain.eyes = eyes
    images = torch.rand(5, 3, 4, 4)
    faces = torch.rand(60, 3, 6, 6)
    visualizer = PlasticVisualizer(brain)
    figure = visualizer.trace_thought(
        [(images, torch.tensor([0, 1, 2, 0, 1]))], memory_images=faces
    )
    assert looked == [1]
    shown = [a.images[0].get_array() for a in figure.axes if a.images]
    slot = int(brain.why(eyes(images[:1])).recall.indices[0, 0])
    np.testing.assert_allclose(shown[0], images[0].permute(1, 2, 0).numpy())
    np.testing.assert_allclose(shown[2], faces[slot].permute(1, 2, 0).numpy())
    asked = []
    visualizer.trace_thought(images, memory_images=lambda s: asked.append(s) or faces[s])
    assert len(asked) == 6


def test_maps_show_every_neuron(brain, visualizer):
    axes = visualizer.maturity_map().axes
    for axis, layer in zip(axes, brain.layers, strict=False):
        shown = np.asarray(axis.images[0].get_array()).flatten()[:256]
        np.testing.assert_allclose(shown, layer.maturity.numpy(), rtol=1e-6)
        mature = int((layer.maturity >= 0.5).sum())
        assert axis.get_title("left").endswith(f": {mature} of 256")
    idle = int((brain.layers[0].usage < 1).sum())
    assert f"{idle} never won" in visualizer.usage_map().axes[0].get_title("left")


def test_maps_leave_out_neurons_that_are_not_born(brain, visualizer):
    brain.layers[0].units = torch.zeros(10, 12)
    assert visualizer.usage_map().axes[0].images[0].get_array().compressed().shape == (10,)


def test_confusion_counts_the_answers(brain, visualizer):
    x, y = data(seed=2)
    figure = visualizer.confusion([(x[:30], y[:30]), (x[30:], y[30:])])
    right = 100 * float((brain.predict(x) == y).float().mean())
    assert figure.axes[0].get_title("left").startswith(f"{right:.1f} % right")


def test_what_cannot_be_shown_is_refused(visualizer):
    with pytest.raises(DataError, match="empty"):
        visualizer.trace_thought([])
    with pytest.raises(DataError, match="no such row"):
        visualizer.trace_thought([data()], 60)
    with pytest.raises(DataError, match="empty"):
        visualizer.confusion([])
    with pytest.raises(ConfigError, match="unknown method"):
        visualizer.memory_map("umap")
    with pytest.raises(NotReadyError, match="too few"):
        project(torch.rand(2, 4))
    with pytest.raises(NotReadyError, match="no blocks"):
        PlasticVisualizer(VisibleBrain(*data(), blocks=0)).maturity_map()


def test_a_brain_without_blocks_still_thinks():
    figure = PlasticVisualizer(VisibleBrain(*data(), blocks=0)).trace_thought([data(seed=1)])
    assert figure.get_suptitle().startswith("Called class ")


@given(st.integers(1, 8), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_codes_are_compared_by_their_cosine(k, seed):
    rng = np.random.default_rng(seed)
    winners = np.stack([rng.permutation(16)[:k] for _ in range(5)])
    code = rng.standard_normal(winners.shape)
    similarity = code_similarity(winners, code, 16)
    vectors = [dict(zip(w, c, strict=True)) for w, c in zip(winners, code, strict=True)]
    for i in range(5):
        for j in range(5):
            dot = sum(value * vectors[j].get(unit, 0.0) for unit, value in vectors[i].items())
            expected = dot / (np.linalg.norm(code[i]) * np.linalg.norm(code[j]))
            assert similarity[i, j] == pytest.approx(expected)


def test_within_and_between_leave_out_the_thing_itself():
    shared = np.array([[1.0, 0.4, 0.1], [0.4, 1.0, 0.3], [0.1, 0.3, 1.0]])
    within, between = within_and_between(shared, np.array([0, 0, 1]))
    assert (within, between) == pytest.approx((0.4, 0.2))
    assert np.isnan(within_and_between(shared, np.array([0, 1, 2]))[0])


def test_the_principal_plane_holds_the_largest_variance():
    keys = torch.randn(50, 9, generator=torch.Generator().manual_seed(3))
    unit = torch.nn.functional.normalize(keys, dim=1)
    plane = project(keys)
    largest = np.sort(np.linalg.eigvalsh(np.cov(unit.numpy().T)))[::-1][:2]
    np.testing.assert_allclose(plane.var(dim=0).numpy(), largest, rtol=1e-4)
    assert torch.equal(plane, project(keys))


def test_own_neighbours_by_brute_force():
    keys, labels = data(40)
    unit = torch.nn.functional.normalize(keys, dim=1)
    own = 0
    for i in range(40):
        likeness = [float(unit[i] @ unit[j]) if j != i else -2.0 for j in range(40)]
        own += int(labels[int(np.argmax(likeness))] == labels[i])
    assert own_neighbours(keys, labels) == pytest.approx(own / 40)


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_labels_in_a_map_do_not_overlap(seed):
    places = torch.rand(8, 2, generator=torch.Generator().manual_seed(seed))
    gap = torch.tensor([0.16, 0.05])
    moved = apart(places, gap)
    assert torch.equal(moved[:, 0], places[:, 0])
    step = (moved[None] - moved[:, None]).abs()
    near = (step[..., 0] < gap[0]) & (step[..., 1] < 0.98 * gap[1])
    assert int(near.sum()) == 8  # each with itself


def test_denormalising_undoes_normalising():
    images = torch.rand(4, 3, 5, 5)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    back = denormalize_imagenet((images - mean) / std)
    torch.testing.assert_close(back, images)
    assert denormalize_imagenet(torch.full((3, 2, 2), 99.0)).max() == 1.0
    with pytest.raises(ShapeError, match="wrong shape"):
        denormalize_imagenet(torch.zeros(5, 5, 3))


def trained_triarchic():
    brain = VisibleTriarchic()
    generator = torch.Generator().manual_seed(1)
    reports = []
    for _ in range(40):
        y = torch.randint(0, 4, (16,), generator=generator)
        reports.append(brain.update_batch(2 * torch.eye(16)[y], y))
    return brain, reports


def test_triarchic_figures_show_what_is_locked(tmp_path):
    brain, reports = trained_triarchic()
    visualizer = TriarchicVisualizer(brain, class_names=["a", "b", "c", "d"])
    locked = 100 * float((brain.importance >= 0.5).float().mean())
    assert (
        visualizer.weights().get_suptitle() == f"{locked:.1f} % of the core's synapses are locked"
    )
    axis = visualizer.importance().axes[0]
    by_class = (brain.importance >= 0.5).float().mean(1).tolist()
    assert [bar.get_width() for bar in axis.patches[:4]] == pytest.approx(by_class)
    energy = [r["context_energy"] for r in reports]
    history = SimpleNamespace(
        phase_names=["Calm", "Storm"],
        series={"phase": [0.0] * 40, "context_energy": energy},
        boundaries=[20, 40],
        evaluations=[],
    )
    figure = visualizer.context_energy(history)
    ratio = np.mean(energy[20:]) / np.mean(energy[:20])
    assert f"the context is {ratio:.1f} times as busy" in figure.axes[0].get_title("left")
    sparse = visualizer.sparsity(torch.rand(10, 16))
    assert sparse.get_suptitle().startswith("1.6 % of the neurons")
    for number, figure in enumerate((visualizer.weights(), visualizer.importance(), sparse)):
        assert save_figure(figure, tmp_path / f"{number}.png").exists()
    history.series = {"phase": [0.0]}
    with pytest.raises(NotReadyError, match="no context energy"):
        visualizer.context_energy(history)
