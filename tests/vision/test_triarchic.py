"""TriarchicBrain against its equations, and its protections against made-up worlds."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from plasticish.core import (
    LEARNERS,
    ConfigError,
    DataError,
    LabelError,
    Learner,
    ShapeError,
    make_generator,
)
from plasticish.vision import StormSense, TriarchicBrain, TriarchicOptions

WIDTH, UNITS, LABELS, K = 12, 96, 4, 5
Make = Callable[..., TriarchicBrain]


def plain(**options: object) -> TriarchicBrain:
    return TriarchicBrain(WIDTH, UNITS, LABELS, K, seed=3, **options)


def protected(**options: object) -> TriarchicBrain:
    return TriarchicBrain.protected(WIDTH, UNITS, LABELS, K, seed=3, **options)


def world(seed: int, count: int, labels: tuple[int, ...] = (0, 1, 2, 3)) -> tuple[Tensor, Tensor]:
    """Return points around one non-negative centre a label."""
    centres = torch.rand(LABELS, WIDTH, generator=make_generator(99)) ** 3
    generator = make_generator(seed)
    y = torch.tensor(labels)[torch.randint(len(labels), (count,), generator=generator)]
    noise = torch.randn(count, WIDTH, generator=generator)
    return (centres[y] + 0.05 * noise).clamp(min=0), y


def live(brain: TriarchicBrain, x: Tensor, y: Tensor, batch: int = 64) -> list[dict[str, object]]:
    rows = torch.arange(len(x)).split(batch)
    return [brain.update_batch(x[pick], y[pick]) for pick in rows]


def sensing(width: int, labels: int, memory: int) -> StormSense:
    return StormSense(
        width, labels, memory=memory, familiar=1, threshold=None, device=torch.device("cpu")
    )


both = pytest.mark.parametrize("make", [plain, protected])


def test_one_step_is_the_equations_of_the_prototype() -> None:
    brain = plain()
    x, y = world(0, 40)
    live(brain, x, y, 20)
    x, y = world(1, 7)
    rows = brain.layers.base.projection.double()
    core, context, importance = (
        w.double().clone() for w in (brain.w_core, brain.w_context, brain.importance)
    )
    delta, contribution = torch.zeros_like(core), torch.zeros_like(core)
    for point, label in zip(x.double(), y.tolist(), strict=True):  # one by one, as on paper
        dense = rows @ (point / point.norm())
        h = torch.where(dense >= dense.sort().values[-K], dense, 0.0)
        h = h / h.norm()
        output = (core + context) @ h
        target = torch.eye(LABELS, dtype=torch.float64)[label]
        delta += torch.outer(target - output.softmax(0), h) / len(x)
        if int(output.argmax()) == label:
            contribution += torch.outer(target, h) / len(x)
    brake = (importance * 2.0).clamp(0, 1)
    brain.update_batch(x, y)
    assert torch.allclose(brain.w_context.double(), (context + 0.5 * delta) * 0.8, atol=1e-6)
    assert torch.allclose(brain.w_core.double(), core + 0.05 * delta * (1 - brake), atol=1e-6)
    assert torch.allclose(brain.importance.double(), importance + 2 * contribution, atol=1e-6)


def test_a_locked_synapse_of_the_core_stays() -> None:
    brain = plain()
    live(brain, *world(0, 64))
    brain.importance[:, ::2] = 0.5  # brake = 1 from here on
    core = brain.w_core.clone()
    live(brain, *world(1, 64))
    assert torch.equal(brain.w_core[:, ::2], core[:, ::2])
    assert not torch.equal(brain.w_core[:, 1::2], core[:, 1::2])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.sampled_from([plain, protected]))
def test_code_has_unit_length_and_at_most_k_units(seed: int, count: int, make: Make) -> None:
    brain = make()
    live(brain, *world(5, 128))
    code = brain.encode(torch.randn(count, WIDTH, generator=make_generator(seed)))
    active = (code != 0).sum(dim=1)
    assert int(active.max()) <= K
    assert torch.allclose(code.norm(dim=1), torch.ones(count), atol=1e-5)


def test_only_a_completely_unfamiliar_input_gets_a_unit_and_it_was_never_used() -> None:
    brain = TriarchicBrain(200, 64, LABELS, K, seed=1)
    generator = make_generator(4)
    usual = torch.zeros(64, 200)
    usual[:, :3] = torch.rand(64, 3, generator=generator)
    y = torch.arange(64) % LABELS
    assert [r["grown"] for r in live(brain, usual.repeat(4, 1), y.repeat(4))] == [0] * 4
    used = brain.layers.base.usage > 0
    rows = brain.layers.base.projection.clone()
    # The direction that the random rows answer least.
    foreign = -rows.sum(0, keepdim=True)
    report = brain.update_batch(foreign, torch.tensor([1]))
    assert report["grown"] == 1
    changed = (brain.layers.base.projection != rows).any(dim=1)
    assert int(changed.sum()) == 1
    assert not bool((changed & used).any())
    assert bool(brain.encode(foreign)[0, changed] > 0)


def test_no_unit_grows_when_all_were_used() -> None:
    brain = plain()
    brain.layers.base.usage += 1
    rows = brain.layers.base.projection.clone()
    brain.layers.base.usual += 100.0  # everything is unfamiliar now
    assert brain.update_batch(*world(0, 8))["grown"] == 0
    assert torch.equal(brain.layers.base.projection, rows)


@both
def test_learns_the_world(make: Make) -> None:
    brain = make()
    live(brain, *world(0, 1500))
    x, y = world(77, 300)
    assert brain.get_memory_accuracy((x, y)) > 0.95
    halves = [(x[:100], y[:100]), (x[100:], y[100:])]
    assert brain.get_memory_accuracy(halves) == brain.get_memory_accuracy((x, y))
    assert torch.allclose(brain.predict_proba(x).sum(dim=1), torch.ones(300), atol=1e-5)


@pytest.mark.parametrize("batch", [1, 7, 64, 500])
def test_no_label_takes_more_than_its_share_of_the_units(batch: int) -> None:
    brain = protected()
    x, y = world(0, 500, labels=(0, 1))
    live(brain, x, y, batch)
    votes = brain.w_core[:, brain.layers.base.born].argmax(dim=0)
    assert torch.bincount(votes, minlength=LABELS).tolist()[2:] == [0, 0]
    assert int(brain.layers.base.born.sum()) == 2 * (UNITS // LABELS)


def test_a_repeated_input_grows_no_second_unit() -> None:
    brain = protected()
    x, y = world(0, 10)
    assert brain.update_batch(x, y)["grown"] == 10
    assert brain.update_batch(x, y)["grown"] == 0


def test_storm_moves_the_context_and_leaves_the_core() -> None:
    brain = protected(familiar=50)
    calm = live(brain, *world(0, 2000))
    assert not any(report["storm"] for report in calm)
    core, importance = brain.w_core.clone(), brain.importance.clone()
    x, y = world(1, 1000)
    reports = live(brain, x.flip(1), y)
    assert all(report["storm"] for report in reports[2:])
    assert float((brain.w_core - core).norm() / core.norm()) < 0.01
    assert all(report["core_change"] == 0 for report in reports[2:])
    assert sum(r["context_energy"] for r in reports) > 2.3 * sum(
        r["context_energy"] for r in calm[-len(reports) :]
    )
    assert not torch.equal(brain.importance, importance) or reports[0]["storm"]


def test_the_core_learns_again_after_the_storm() -> None:
    brain = protected(familiar=50)
    live(brain, *world(0, 2000))
    x, y = world(1, 500)
    live(brain, x.flip(1), y)
    assert brain.sleep()["storm"] is True
    assert float(brain.w_context.norm()) == 0
    core = brain.w_core.clone()
    reports = live(brain, *world(2, 300))
    assert not any(report["storm"] for report in reports)
    assert not torch.equal(brain.w_core, core)


def test_new_labels_are_no_storm_and_are_learned_even_during_one() -> None:
    brain = protected(familiar=50)
    live(brain, *world(0, 1000, labels=(0, 1)))
    assert not any(r["storm"] for r in live(brain, *world(1, 1000, labels=(2,))))
    x, y = world(2, 400, labels=(0, 1))
    live(brain, x.flip(1), y)
    assert brain.get_stats()["storm"]
    fresh, label = world(3, 64, labels=(3,))
    brain.update_batch(torch.cat([x[:64].flip(1), fresh]), torch.cat([y[:64], label]))
    assert brain.get_memory_accuracy(world(4, 100, labels=(3,))) > 0.9


def test_units_that_a_storm_made_are_taken_back() -> None:
    brain = TriarchicBrain.protected(WIDTH, 4000, LABELS, K, familiar=50)  # nobody grows up
    live(brain, *world(0, 1000))
    born, core = brain.layers.base.born.clone(), brain.w_core.clone()
    x, y = world(1, 200)
    reports = live(brain, x + 0.2 * torch.rand(WIDTH, generator=make_generator(0)), y, 2)
    grown = sum(int(report["grown"]) for report in reports)
    assert grown > 5
    assert reports[-1]["storm"]
    # What came while the drift could still be chance stays.
    assert int((brain.layers.base.born & ~born).sum()) < grown / 2
    assert int((born & ~brain.layers.base.born).sum()) <= 128
    held = born & brain.layers.base.born
    assert torch.allclose(brain.w_core[:, held], core[:, held], atol=0.2)
    assert float(brain.w_core[:, ~brain.layers.base.born].abs().sum()) == 0


def test_drift_score_against_its_closed_form() -> None:
    sense = sensing(3, 2, memory=100)
    sense.learn(torch.zeros(4, 3), torch.tensor([0, 0, 1, 1]))
    x = torch.randn(10, 3, generator=make_generator(0))
    y = torch.tensor([0, 1] * 5)
    for row, label in zip(x, y, strict=True):
        sense.sense(row[None], label[None])
    leak = torch.exp(-torch.arange(9, -1, -1) / 100.0)[:, None]
    expected = (leak * x).sum(0).square().sum() / (leak * x).square().sum()
    assert sense.ratio == pytest.approx(float(expected), rel=1e-5)


def test_drift_score_is_one_in_calm_and_grows_with_the_shift() -> None:
    scores = {0.0: [], 0.5: []}
    for shift, found in scores.items():
        for seed in range(40):
            sense = sensing(20, 1, memory=128)
            sense.learn(torch.zeros(1, 20), torch.tensor([0]))
            x = torch.randn(512, 20, generator=make_generator(seed)) + shift
            for part in x.split(64):
                sense.sense(part, torch.zeros(64, dtype=torch.int64))
            found.append(sense.ratio)
    assert sum(scores[0.0]) / 40 == pytest.approx(1.0, abs=0.2)
    assert min(scores[0.5]) > 10


@pytest.mark.parametrize("batch", [1, 50])
def test_effective_dimension_against_its_closed_form(batch: int) -> None:
    scale = torch.tensor([3.0, 2.0, 1.0, 1.0, 0.5])
    sense = sensing(5, 1, memory=50)
    sense.learn(torch.zeros(1, 5), torch.tensor([0]))
    for part in (torch.randn(4000, 5, generator=make_generator(0)) * scale).split(batch):
        sense.sense(part, torch.zeros(len(part), dtype=torch.int64))
    variance = scale**2
    expected = variance.sum() ** 2 / variance.square().sum()
    assert sense.dimension == pytest.approx(float(expected), rel=0.1)


def test_expectations_are_running_means() -> None:
    sense = sensing(WIDTH, LABELS, memory=10)
    x, y = world(0, 200)
    for rows in torch.arange(200).split(33):
        sense.learn(x[rows], y[rows])
    means = torch.stack([x[y == label].double().mean(0) for label in range(LABELS)])
    assert torch.allclose(sense.expectation, means, atol=1e-5)


def test_pace_makes_the_decay_of_the_context_independent_of_the_batch() -> None:
    decays = []
    for batch in (8, 64):
        brain = protected(core_rate=1e-9, context_rate=1e-9)
        brain.w_context.fill_(1.0)
        live(brain, *world(0, 64), batch)
        decays.append(float(brain.w_context[:, -1].mean()))
    assert decays == pytest.approx([0.8, 0.8], abs=1e-4)


@both
def test_checkpoint_goes_on_bit_for_bit(make: Make, tmp_path) -> None:
    brain = make()
    live(brain, *world(0, 300))
    brain.save(tmp_path / "brain")
    twin = TriarchicBrain.load(tmp_path / "brain")
    assert twin.config() == brain.config()
    x, y = world(1, 200)
    assert live(brain, x, y, 50) == live(twin, x.flip(0).flip(0), y, 50)
    for name, tensor in brain.export_state().tensors.items():
        assert torch.equal(tensor, twin.export_state().tensors[name]), name


@both
def test_same_seed_same_brain_and_predict_is_pure(make: Make) -> None:
    one, two = make(), make()
    x, y = world(0, 200)
    kept = x.clone()
    live(one, x, y)
    live(two, x, y)
    before = one.export_state()
    assert torch.equal(one.predict(x), two.predict(x))
    assert torch.equal(one(x), one.forward(x))
    one.get_memory_accuracy((x, y))
    assert torch.equal(x, kept)
    after = one.export_state()
    assert before.values == after.values
    assert all(torch.equal(before.tensors[k], after.tensors[k]) for k in before.tensors)


@both
@pytest.mark.parametrize(
    ("x", "y", "error"),
    [
        (torch.full((2, WIDTH), float("nan")), torch.tensor([0, 1]), DataError),
        (torch.zeros(2, WIDTH + 1), torch.tensor([0, 1]), ShapeError),
        (torch.zeros(0, WIDTH), torch.zeros(0, dtype=torch.int64), DataError),
        (torch.zeros(2, WIDTH), torch.tensor([0, LABELS]), LabelError),
        (torch.zeros(2, WIDTH), torch.tensor([0, -1]), LabelError),
        (torch.zeros(2, WIDTH), torch.tensor([0]), ShapeError),
    ],
)
def test_bad_input_changes_nothing(make: Make, x: Tensor, y: Tensor, error: type) -> None:
    brain = make()
    live(brain, *world(0, 100))
    before = brain.export_state()
    with pytest.raises(error):
        brain.update_batch(x, y)
    after = brain.export_state()
    assert before.values == after.values
    assert all(torch.equal(before.tensors[k], after.tensors[k]) for k in before.tensors)


@both
def test_a_batch_of_one_and_a_zero_row_are_fine(make: Make) -> None:
    brain = make()
    report = brain.learn((torch.zeros(1, WIDTH), torch.tensor([2])))
    live(brain, *world(0, 30), 1)
    assert report["seen"] == 1
    assert bool(torch.isfinite(brain.forward(torch.zeros(1, WIDTH))).all())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sparsity": 3}, "unknown option.*sparsity"),
        ({"context_decay": 1.2}, "context_decay is out of range"),
        ({"power": 2.0}, "power is out of range"),
        ({"core_rate": 0.0}, "core_rate is out of range"),
        ({"novelty": float("nan")}, "novelty is out of range"),
        ({"pace": 0}, "pace is out of range"),
        ({"importance_gain": -1.0}, "importance_gain is out of range"),
    ],
)
def test_options_without_meaning_are_refused(options: dict[str, float], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        plain(**options)


def test_sizes_without_meaning_are_refused() -> None:
    with pytest.raises(ConfigError, match="sparsity_k is out of range"):
        TriarchicBrain(4, 8, 2, 8)
    with pytest.raises(ConfigError, match="hidden_size is out of range"):
        TriarchicBrain(4, 0, 2, 1)


def test_an_empty_loader_is_refused() -> None:
    with pytest.raises(DataError, match="evaluation batches"):
        plain().get_memory_accuracy([])


def test_it_is_a_registered_learner_with_plain_stats() -> None:
    brain = protected()
    live(brain, *world(0, 100))
    stats = brain.get_stats()
    assert LEARNERS["triarchic_brain"] is TriarchicBrain
    assert isinstance(brain, Learner)
    assert stats == brain.stats()
    assert stats["sparsity"] == K / UNITS
    assert stats["seen"] == 100
    assert all(isinstance(value, int | float) for value in stats.values())


def test_the_defaults_are_the_numbers_of_the_prototype() -> None:
    options = TriarchicOptions()
    assert (options.core_rate, options.context_rate, options.context_decay) == (0.05, 0.5, 0.8)
    assert (options.importance_gain, options.brake_gain) == (2.0, 2.0)
    brain = TriarchicBrain(512)
    assert (brain.hidden_size, brain.out_size, brain.sparsity_k) == (8192, 10, 32)


@both
def test_lengths_up_to_the_end_of_the_floats_say_nothing(make: Make) -> None:
    x, y = world(0, 64)
    answers = []
    for scale in (2.0**-100, 1.0, 2.0**120):
        brain = make()
        live(brain, x * scale, y)
        answers.append(brain.forward(x * scale))
    for other in answers[::2]:
        torch.testing.assert_close(other, answers[1])


def test_accuracy_takes_one_batch_in_every_form() -> None:
    brain = plain()
    x, y = world(0, 40)
    live(brain, x, y)
    once = brain.get_memory_accuracy((x, y))
    assert once == pytest.approx(float((brain.predict(x) == y).float().mean()))
    for form in ([x, y], (x.tolist(), y.tolist()), [(x, y)], [[x, y], [x, y]]):
        assert brain.get_memory_accuracy(form) == once


def test_the_cure_for_a_label_too_large_is_a_wider_output() -> None:
    with pytest.raises(LabelError, match="larger out_size"):
        plain().update_batch(*[world(0, 4)[0], torch.tensor([0, 1, 2, LABELS])])
