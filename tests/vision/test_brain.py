"""The brain as a whole: two stores and blocks, awake and asleep, on data whose truth is known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from plasticish.core import (
    ConfigError,
    DataError,
    LabelError,
    NotReadyError,
    ShapeError,
    make_generator,
)
from plasticish.vision import EYES, Backbone, PlasticBrain, PretrainedEyes
from plasticish.vision.verdict import CORTEX_GAIN, HIPPOCAMPUS_GAIN, combine

WIDTH, CLASSES = 20, 6


def data(
    count: int, seed: int = 0, labels: tuple[int, ...] = tuple(range(CLASSES)), noise: float = 0.7
) -> tuple[Tensor, Tensor]:
    """Clusters, with two strong directions that every class shares."""
    generator = make_generator(seed)
    centres = 1.5 * torch.randn(CLASSES, WIDTH, generator=make_generator(99))
    shared = 3 * torch.randn(2, WIDTH, generator=make_generator(98))
    y = torch.tensor(labels)[torch.arange(count) % len(labels)]
    x = centres[y] + torch.randn(count, 2, generator=generator) @ shared
    return x + noise * torch.randn(count, WIDTH, generator=generator), y


def small(**options: Any) -> PlasticBrain:
    chosen = {"hidden_dim": 64, "sparsity_k": 8, "expansion": 32, **options}
    return PlasticBrain(WIDTH, **chosen)


def taught(*batches: Any, sleep: bool = True, **options: Any) -> PlasticBrain:
    brain = small(**options)
    for batch in batches:
        brain.learn(batch)
    if sleep:
        brain.sleep()
    return brain


# --------------------------------------------------------------------------- learning


def test_classes_one_after_another_are_not_forgotten() -> None:
    brain = small()
    for pair in ((0, 1), (2, 3), (4, 5)):
        x, y = data(120, seed=pair[0], labels=pair)
        for i in range(0, 120, 20):
            brain.train_step(x[i : i + 20], y[i : i + 20])
        brain.sleep()
    result = brain.evaluate(data(300, seed=9))
    assert result["accuracy"] > 0.95
    assert min(result["per_class"].values()) > 0.9


def test_the_report_of_a_step() -> None:
    brain = small(memory_size=100)
    first = brain.train_step(*data(30))
    assert math.isnan(first["accuracy"])
    assert (first["reward"], first["seen"], first["memory_fill"]) == (0.0, 30, 0.3)
    second = brain.train_step(*data(60, seed=1))
    assert second["accuracy"] > 0.5
    assert second["reward"] == pytest.approx(2 * second["accuracy"] - 1)
    assert (second["seen"], second["memory_fill"]) == (90, 0.9)
    brain.sleep()
    assert 0 < brain.train_step(*data(60, seed=2))["mature"] <= 1
    assert brain.get_stats() == brain.stats()


def test_inference_learns_nothing_and_answers() -> None:
    brain = taught(data(100))
    before = brain.stats()
    report = brain.train_step(*data(50, seed=1), mode="inference")
    assert report["accuracy"] > 0.9
    assert brain.stats() == before


def test_without_memorising_only_the_blocks_learn() -> None:
    brain = taught(data(100))
    units = brain.layers[0].units.clone()
    brain.train_step(*data(50, seed=1), memorize=False)
    assert brain.seen == len(brain.memory) == brain.cortex.seen == 100
    assert not torch.equal(brain.layers[0].units, units)
    brain.train_step(*data(10, seed=2, labels=(5,)), memorize=False)
    brain.train_step(data(10)[0], torch.full((10,), 50), memorize=False)  # a label never met
    assert brain.num_classes == CLASSES


def test_panic_moves_the_blocks_more() -> None:
    moved = {}
    for mode in ("plastic", "panic"):
        brain = taught(data(100))
        before = brain.layers[0].units.clone()
        brain.train_step(*data(20, seed=1), mode=mode)
        moved[mode] = float((brain.layers[0].units[: len(before)] - before).norm())
    assert moved["panic"] > 1.5 * moved["plastic"] > 0


def test_reward_makes_blocks_learn_more_from_mistakes() -> None:
    x, y = data(100)
    plain, rewarded = (small(use_reward=use) for use in (False, True))
    for brain in (plain, rewarded):
        brain.learn((x, y))
        brain.learn((x[:20], (y[:20] + 1) % CLASSES))  # the memory is wrong about all of these
    assert not torch.equal(plain.layers[0].units, rewarded.layers[0].units)
    assert torch.equal(plain.memory.labels, rewarded.memory.labels)


def test_a_deviation_is_taken_from_what_is_known_so_far() -> None:
    # Awake the sums are up to date: blocks must not see the class means in their input.
    x, _ = data(200)
    brain = small(num_layers=1)
    seen: list[Tensor] = []
    step = brain.layers[0].train_step
    brain.layers[0].train_step = lambda d, *rest: (seen.append(d), step(d, *rest))[1]  # type: ignore[method-assign,func-returns-value]
    y = torch.zeros(200, dtype=torch.int64)
    for i in range(0, 200, 50):
        brain.learn((x[i : i + 50], y[i : i + 50]))
    features = brain.see(x)
    mean = features.mean(dim=0)
    torch.testing.assert_close(seen[-1], features[150:] - mean, atol=1e-4, rtol=1e-4)


def test_a_full_memory_lets_the_largest_class_give_way() -> None:
    brain = small(memory_size=40)
    brain.learn(data(60, labels=(0,)))
    assert brain.memory.fill == 1.0
    brain.learn(data(30, seed=1, labels=(1, 2)))
    assert len(brain.memory) == 40
    assert brain.memory.class_counts[1:3].tolist() in ([13, 13], [13, 14], [14, 13])
    assert brain.seen == 90


def test_a_class_without_memories_is_still_known_to_the_cortex() -> None:
    x, y = data(300)
    brain = taught((x, y))
    brain.memory.remove((brain.memory.labels == 2).nonzero().flatten())
    assert brain.memory.class_counts[2] == 0
    queries, answer = data(120, seed=1, labels=(2, 3))
    assert float((brain.predict(queries) == answer).float().mean()) > 0.9
    why = brain.why(queries)
    assert bool((why.hippocampus[:, 2] == 0).all())


def test_a_memory_smaller_than_the_number_of_classes_serves() -> None:
    brain = taught(data(300), memory_size=3)
    assert len(brain.memory) == 3
    assert brain.evaluate(data(120, seed=1))["accuracy"] > 0.8


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_one_example_a_class_is_enough_to_sleep_on(layers: int) -> None:
    x, y = data(CLASSES, noise=0.1)
    brain = taught((x, y), num_layers=layers)
    assert torch.equal(brain.predict(x), y)
    assert bool(brain.novelty(x).isfinite().all())
    assert all(block.mature == 0 for block in brain.layers)


def test_a_single_class_can_be_slept_on() -> None:
    brain = taught(data(10, labels=(3,)))
    assert brain.predict(data(4)[0]).tolist() == [3] * 4
    assert bool(brain.novelty(data(4)[0]).isfinite().all())


def test_what_sleep_needs_and_says() -> None:
    brain = small()
    for act in (brain.sleep, brain.consolidate, lambda: brain.predict(data(2)[0])):
        with pytest.raises(NotReadyError, match="nothing"):
            act()
    brain.learn(data(200))
    report = brain.sleep()
    assert report["seen"] == 200
    assert report["known_classes"] == CLASSES
    assert report["layers"][0]["mature"] >= 2  # the two directions that all classes share
    assert 0 < brain.consolidate()["mature"] <= 1


def test_blocks_explain_away_what_classes_share() -> None:
    (x, y), (queries, answer) = data(400, noise=1.0), data(300, seed=1, noise=1.0)
    right = {}
    for layers in (0, 1):
        brain = taught((x, y), num_layers=layers)
        voted = brain.why(queries).hippocampus.argmax(dim=1)
        right[layers] = float((voted == answer).float().mean())
    # Measured: 90.0 % without a block, 99.3 % with one, 100 % with two.
    assert right[1] > right[0] + 0.02


# --------------------------------------------------------------------------- two stores


def test_combining_is_the_product_of_experts() -> None:
    generator = make_generator(0)
    similarity = 0.3 * torch.randn(7, 4, generator=generator)
    evidence = 3 * torch.randn(7, 4, generator=generator)
    every = torch.arange(4)
    together, hippocampus, cortex = combine(similarity, every, evidence, every)
    product = torch.softmax(HIPPOCAMPUS_GAIN * similarity + CORTEX_GAIN * evidence, dim=1)
    torch.testing.assert_close(together, product)
    torch.testing.assert_close(hippocampus, torch.softmax(HIPPOCAMPUS_GAIN * similarity, dim=1))
    torch.testing.assert_close(cortex, torch.softmax(CORTEX_GAIN * evidence, dim=1))
    alone, same, none = combine(similarity, every, None, every)
    assert torch.equal(alone, same)
    assert bool((none == 0).all())


def test_a_class_since_the_last_sleep_competes_with_the_winner_of_the_old() -> None:
    similarity = torch.tensor([[0.50, 0.49, 0.49, 0.52], [0.50, 0.49, 0.49, 0.48]])
    evidence = torch.zeros(2, 3)
    every = torch.arange(4)
    together, _, _ = combine(similarity, every, evidence, torch.arange(3))
    # More like the new class than like any old one: three old ones do not outvote it.
    assert together.argmax(dim=1).tolist() == [3, 0]
    odds = together[:, 3] / together[:, 0]
    torch.testing.assert_close(odds, (HIPPOCAMPUS_GAIN * torch.tensor([0.02, -0.02])).exp())
    torch.testing.assert_close(together.sum(dim=1), torch.ones(2))


def test_new_classes_are_reachable_before_the_next_sleep() -> None:
    brain = taught(data(400, labels=(0, 1, 2, 3)))
    brain.learn(data(80, seed=1, labels=(4, 5)))
    result = brain.evaluate(data(300, seed=2))
    assert min(result["per_class"].values()) > 0.8
    assert brain.cortex.known_classes.tolist() == [0, 1, 2, 3]


def test_together_they_are_about_as_good_as_the_better() -> None:
    for count in (2 * CLASSES, 20 * CLASSES, 100 * CLASSES):
        both, fast, slow = 0.0, 0.0, 0.0
        for seed in range(5):
            brain = taught(data(count, seed=seed, noise=1.5))
            queries, answer = data(300, seed=100 + seed, noise=1.5)
            why = brain.why(queries)
            both += float((why.labels == answer).float().mean()) / 5
            fast += float((why.hippocampus.argmax(dim=1) == answer).float().mean()) / 5
            slow += float((why.cortex.argmax(dim=1) == answer).float().mean()) / 5
        # The discriminant is the exact answer to such clusters; features of images are no such.
        assert both > max(fast, slow) - 0.02


def test_parts_can_be_left_out() -> None:
    x, y = data(200)
    queries = data(50, seed=1)[0]
    fast = taught((x, y), use_cortex=False)
    slow = taught((x, y), use_hippocampus=False)
    torch.testing.assert_close(fast.predict_proba(queries), fast.why(queries).hippocampus)
    torch.testing.assert_close(slow.predict_proba(queries), slow.why(queries).cortex)
    with pytest.raises(ConfigError, match="without hippocampus and cortex"):
        small(use_cortex=False, use_hippocampus=False)


# --------------------------------------------------------------------------- answers


def test_probabilities_are_probabilities() -> None:
    brain = taught(data(100, labels=(1, 4)))
    proba = brain.predict_proba(data(30, seed=1)[0])
    assert proba.shape == (30, 5)
    torch.testing.assert_close(proba.sum(dim=1), torch.ones(30))
    assert bool((proba[:, [0, 2, 3]] == 0).all())


def test_the_magnitude_of_a_row_says_nothing() -> None:
    brain = taught(data(100))
    x = data(30, seed=1)[0]
    for scale in (1e-30, 1e-3, 1e30):
        assert torch.equal(brain.predict(x * scale), brain.predict(x))


def test_evaluate_counts_over_batches() -> None:
    brain = taught(data(200))
    x, y = data(90, seed=1)
    guess = brain.predict(x)
    whole = brain.evaluate((x, y))
    assert whole["count"] == 90
    assert whole["accuracy"] == pytest.approx(float((guess == y).float().mean()))
    for label, share in whole["per_class"].items():
        assert share == pytest.approx(float((guess[y == label] == label).float().mean()))
    assert brain.evaluate(list(zip(x.split(40), y.split(40), strict=True))) == whole
    assert brain.evaluate([x, y]) == whole  # one batch as a DataLoader makes it
    with pytest.raises(DataError, match="nothing to evaluate on"):
        brain.evaluate([])


def test_why_has_the_shapes_it_names() -> None:
    brain = taught(data(200), num_layers=2)
    x = data(7, seed=1)[0]
    why = brain.why(x)
    assert torch.equal(why.labels, brain.predict(x))
    assert torch.equal(why.proba, brain.predict_proba(x))
    for part in (why.proba, why.hippocampus, why.cortex):
        assert part.shape == (7, CLASSES)
    k = brain.memory.k_neighbors
    for part in (why.recall.indices, why.recall.labels, why.recall.weights, why.recall.similarity):
        assert part.shape == (7, k)
    assert torch.equal(why.recall.labels, brain.memory.labels[why.recall.indices])
    assert torch.equal(why.novelty, brain.novelty(x))
    assert len(why.layers) == 2
    for layer, block in zip(why.layers, brain.layers, strict=True):
        assert layer["winners"].shape == layer["code"].shape
        assert layer["winners"].shape[1] <= block.sparsity_k
        assert torch.equal(layer["gate"], block.gate)


def test_strangers_look_strange() -> None:
    for seed in range(3):
        known = tuple(c for c in range(CLASSES) if c != seed)
        brain = taught(data(400, seed=seed, labels=known))
        familiar = brain.novelty(data(200, seed=50 + seed, labels=known)[0])
        strange = brain.novelty(data(200, seed=50 + seed, labels=(seed,))[0])
        truth = [0] * 200 + [1] * 200
        assert roc_auc_score(truth, torch.cat([familiar, strange])) > 0.9
        assert float((familiar > brain.novelty_threshold).float().mean()) < 0.1
    awake = taught(data(100), sleep=False)
    assert awake.novelty_threshold == math.inf
    assert float(awake.novelty(data(100)[0]).mean()) < 0.01  # these are its own memories


# --------------------------------------------------------------------------- images


class Tiny(nn.Module):
    """Sixteen numbers an image: cheap eyes."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(x, (2, 2)).flatten(1)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> PretrainedEyes:
    def build(weights: Path | None, image_size: int | None) -> Backbone:
        return Backbone(Tiny(), image_size or 8, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

    monkeypatch.setitem(EYES._entries, "tiny", build)
    return PretrainedEyes("tiny")


def images(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = make_generator(seed)
    y = torch.arange(count) % 3
    x = 0.2 * torch.rand(count, 3, 8, 8, generator=generator)
    x[torch.arange(count), y] += 0.7  # red, green and blue
    return x, y


def test_images_go_through_the_eyes(tiny: PretrainedEyes, tmp_path: Path) -> None:
    brain = PlasticBrain(tiny.width, 32, 4, expansion=8, eyes=tiny)
    x, y = images(60)
    brain.learn((x, y))
    brain.sleep()
    queries, answer = images(30, seed=1)
    assert torch.equal(brain.predict(queries), answer)
    assert torch.equal(brain.predict((255 * queries).byte()), answer)
    assert torch.equal(brain.predict_proba(queries), brain.predict_proba(tiny(queries)))
    assert brain.evaluate((queries, answer))["accuracy"] == 1.0
    assert len(brain.why(queries[:2]).labels) == 2
    loaded = PlasticBrain.load(brain.save(tmp_path / "brain"))
    assert loaded.eyes is not None
    assert loaded.eyes.identity == tiny.identity
    assert torch.equal(loaded.predict_proba(queries), brain.predict_proba(queries))


def test_eyes_that_do_not_fit_are_refused(
    tiny: PretrainedEyes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        ShapeError, match=r"do not fit the brain: got features of width 12, expected in_dim = 20"
    ):
        PlasticBrain(WIDTH, eyes=tiny)
    monkeypatch.setattr("plasticish.vision.seeing.PretrainedEyes", lambda device: tiny)
    brain = small()
    with pytest.raises(ShapeError, match="Build the brain with in_dim=12"):
        brain.learn(images(3))
    assert brain.eyes is None
    assert brain.seen == 0
    fitting = PlasticBrain(tiny.width, 32, 4, expansion=8)
    fitting.learn(images(6))  # eyes are made on first need
    assert fitting.eyes is tiny


def test_bad_images_are_refused(tiny: PretrainedEyes) -> None:
    brain = PlasticBrain(tiny.width, 32, 4, expansion=8, eyes=tiny)
    x, y = images(6)
    for bad, error, text in (
        (3 * x, DataError, "out of range"),
        (x * math.nan, DataError, "NaN"),
        (x.permute(0, 2, 3, 1), ShapeError, "put channels first|Put channels first"),
    ):
        with pytest.raises(error, match=text):
            brain.learn((bad, y))
    assert brain.seen == 0


# --------------------------------------------------------------------------- refusals and state


def test_an_absurd_label_is_refused_before_anything_is_drawn() -> None:
    one, two = taught(data(60)), taught(data(60))
    with pytest.raises(LabelError, match="absurdly large"):
        one.learn((data(2)[0], torch.tensor([0, 10**6])))
    for brain in (one, two):
        brain.learn(data(40, seed=1))
    generators = [brain.export_state().tensors["self/generator"] for brain in (one, two)]
    assert torch.equal(*generators)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_layers": -1}, "num_layers is out of range: got -1"),
        ({"memory_size": 0}, "memory_size"),
        ({"sparsity_k": 100}, "more winners than units"),
        ({"lr": math.inf}, "lr is out of range"),
        ({"seed": -1}, "seed is not usable: got -1"),
    ],
)
def test_settings_without_a_meaning_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        small(**options)


def test_another_mode_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown mode: got 'asleep'"):
        small().train_step(*data(4), mode="asleep")


def test_the_constructor_of_the_prototype_works(tmp_path: Path) -> None:
    brain = PlasticBrain(
        in_dim=WIDTH, hidden_dim=64, sparsity_k=8, num_layers=4, memory_size=500, device="cpu"
    )
    assert len(brain.layers) == 4
    assert brain.config()["memory_size"] == 500
    assert PlasticBrain.load(brain.save(tmp_path / "b")).config() == brain.config()
