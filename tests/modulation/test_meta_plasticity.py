"""The controller: bounds, refusals, the same bits, and learning that is worth something."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import (
    CheckpointError,
    ConfigError,
    DataError,
    DTypeError,
    ShapeError,
    make_generator,
    spawn_seed,
)
from plasticish.modulation import MetaPlasticityController


def controller(layers=2, **options):
    return MetaPlasticityController(layers, hidden_dim=8, history_length=20, **options)


def live(one, steps, seed=0):
    """Let a controller observe noise."""
    for row in torch.randn(steps, one.num_layers + 2, generator=make_generator(seed)):
        factors = one.observe(row[2:], float(row[0]), float(row[1]))
    return factors


def snapshot(one):
    state = one.export_state()
    return json.dumps(state.values, sort_keys=True), {
        name: tensor.clone() for name, tensor in state.tensors.items()
    }


def same(one, other):
    (values, tensors), (others, theirs) = snapshot(one), snapshot(other)
    return values == others and all(torch.equal(tensors[n], theirs[n]) for n in tensors)


@settings(max_examples=15, deadline=None)
@given(
    low=st.floats(0.01, 0.9),
    high=st.floats(1.1, 100),
    scale=st.sampled_from([0.0, 1e-6, 1.0, 1e6]),
    meta_lr=st.sampled_from([0.0, 1e-3, 10.0]),
)
def test_bounds_hold_whatever_happens(low, high, scale, meta_lr):
    one = controller(bounds=(low, high), meta_lr=meta_lr, exploration=1.0)
    for row in scale * torch.randn(60, 4, generator=make_generator(1)):
        factors = one.observe(row[2:], float(row[0]), float(row[1]))
        for part in (factors.learning_rate, factors.time_constant, factors.stability):
            assert part.shape == (2,)
            assert bool(((part >= torch.tensor(low)) & (part <= torch.tensor(high))).all())


def test_everything_that_is_kept_is_bounded():
    one = controller()
    live(one, 200)
    sizes = {name: t.numel() for name, t in one.export_state().tensors.items()}
    live(one, 200, seed=1)
    assert sizes == {name: t.numel() for name, t in one.export_state().tensors.items()}
    history = one.history
    assert history.step.tolist() == list(range(381, 401))
    for name in ("performance", "loss", "surprise"):
        assert getattr(history, name).shape == (20,)
    for name in ("activity", "learning_rate", "time_constant", "stability"):
        assert getattr(history, name).shape == (20, 2)
    assert torch.equal(history.learning_rate[-1], one.factors.learning_rate)


def test_before_the_first_step_nothing_is_changed():
    assert torch.equal(controller().factors.learning_rate, torch.ones(2))
    assert len(controller().history.step) == 0


def test_the_same_seed_gives_the_same_bits_and_another_one_others():
    one, other, third = controller(seed=3), controller(seed=3), controller(seed=4)
    torch.manual_seed(0)
    live(one, 70)
    torch.manual_seed(1)
    live(other, 70), live(third, 70)
    assert same(one, other)
    assert not torch.equal(one.factors.learning_rate, third.factors.learning_rate)


@pytest.mark.parametrize("steps", [0, 1, 9, 10, 11, 25, 47])
def test_a_loaded_controller_goes_on_bit_for_bit(tmp_path, steps):
    one = controller(meta_lr=0.1)
    if steps:
        live(one, steps)
    one.save(tmp_path / "it")
    other = MetaPlasticityController.load(tmp_path / "it")
    live(one, 40, seed=5), live(other, 40, seed=5)
    assert same(one, other)
    assert other.config() == one.config()


def test_a_policy_of_another_size_is_refused(tmp_path):
    path = controller().save(tmp_path / "it")
    text = (path / "checkpoint.json").read_text()
    (path / "checkpoint.json").write_text(text.replace('"hidden_dim": 8', '"hidden_dim": 9'))
    with pytest.raises(CheckpointError, match="another size"):
        MetaPlasticityController.load(path)


BAD = {
    "nan performance": ((torch.ones(2), math.nan, 0.0), DataError, "performance is NaN"),
    "infinite loss": ((torch.ones(2), 0.0, math.inf), DataError, "loss is NaN or infinite"),
    "no number": ((torch.ones(2), None, 0.0), DTypeError, "performance is not a number"),
    "text": ((torch.ones(2), 0.0, "low"), DTypeError, "loss is not a number"),
    "nan activity": ((torch.tensor([1.0, math.nan]), 0.0, 0.0), DataError, "activity contains"),
    "layers": ((torch.ones(3), 0.0, 0.0), ShapeError, r"got \(3,\), expected \(2,\)"),
    "axes": ((torch.ones(2, 1), 0.0, 0.0), ShapeError, "wrong shape"),
    "words": ((["a", "b"], 0.0, 0.0), DTypeError, "activity is not numbers"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_observations_change_nothing(bad):
    arguments, error, text = BAD[bad]
    one, other = controller(), controller()
    live(one, 25), live(other, 25)
    with pytest.raises(error, match=text):
        one.observe(*arguments)
    assert same(one, other)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_layers": 0}, "num_layers is out of range"),
        ({"num_layers": 2, "hidden_dim": 0}, "hidden_dim is out of range"),
        ({"num_layers": 2, "history_length": 1}, "history_length is out of range"),
        ({"num_layers": 2, "history_length": 19, "horizon": 10}, "too short for the horizon"),
        ({"num_layers": 2, "horizon": 0}, "horizon is out of range"),
        ({"num_layers": 2, "meta_lr": -1.0}, "meta_lr is out of range"),
        ({"num_layers": 2, "meta_lr": math.nan}, "meta_lr is out of range"),
        ({"num_layers": 2, "exploration": -0.1}, "exploration is out of range"),
        ({"num_layers": 2, "bounds": (0.1,)}, "bounds are not a pair"),
        ({"num_layers": 2, "seed": -1}, "seed is not usable"),
    ],
)
def test_bad_settings_are_refused(options, text):
    with pytest.raises(ConfigError, match=text):
        MetaPlasticityController(**options)


def test_without_exploration_or_rate_the_policy_stays():
    for options in ({"exploration": 0.0}, {"meta_lr": 0.0}):
        one = controller(**options)
        before = one.theta.clone()
        live(one, 60)
        assert torch.equal(one.theta, before)


def test_opposite_horizons_carry_opposite_noise():
    one = controller(horizon=5, meta_lr=0.0)
    plain = controller(horizon=5, meta_lr=0.0, exploration=0.0)
    logs = []
    for row in torch.randn(20, 4, generator=make_generator(0)):
        told = (row[2:], float(row[0]), float(row[1]))
        one.observe(*told), plain.observe(*told)
        actions = one.policy.actions(one.theta[None], one._seen[-1:])[0]
        logs.append((one.factors.learning_rate, one.policy.factors(actions + 0.1 * one._noise)))
    for said, stated in logs:
        torch.testing.assert_close(said, stated[:, 0])
    moved = one.history.learning_rate.log() - plain.history.learning_rate.log()
    first, second = moved[:5].mean(0), moved[5:10].mean(0)
    assert bool((first * second < 0).all())


# --------------------------------------------------------------------------- learning online

TARGETS = torch.tensor([1.2, -1.2])


def distance(meta_lr, seed, steps=1500):
    """Let performance be best at a log rate of its own for each layer; return the final miss."""
    one = MetaPlasticityController(
        2, 8, 20, meta_lr, horizon=2, exploration=0.3, seed=spawn_seed(seed, 1)
    )
    g = make_generator(spawn_seed(seed, 2))
    performance, misses = 0.0, []
    for _ in range(steps):
        log = one.observe(torch.ones(2), performance, -performance).learning_rate.log()
        miss = (log - TARGETS).square()
        performance = -float(miss.sum()) + 0.3 * float(torch.randn(1, generator=g))
        misses.append(miss)
    return float(torch.stack(misses[-steps // 4 :]).sum(1).mean())


def test_learning_online_finds_what_each_layer_wants():
    learned = torch.tensor([distance(0.05, seed) for seed in range(3)])
    unlearned = torch.tensor([distance(0.0, seed) for seed in range(3)])
    gain = unlearned - learned
    assert float(gain.mean()) > 3 * float(gain.std()) / 3**0.5
    assert float(learned.mean()) < 0.6 * float(unlearned.mean())


# --------------------------------------------------------------------------- learning beforehand


def tracking(lives, seed, steps=120):
    """Follow a level that jumps, at a base rate that is too low; fitness is minus the miss."""
    g = make_generator(seed)
    twins = len(lives) // 2
    truth, guess = torch.zeros(2 * twins), torch.zeros(2 * twins)
    rate, lost = torch.full_like(guess, 0.08), torch.zeros_like(guess)
    for _ in range(steps):
        jump = (torch.rand(twins, generator=g) < 0.03) * 4 * torch.randn(twins, generator=g)
        truth = truth + jump.repeat(2)
        error = truth + torch.randn(twins, generator=g).repeat(2) - guess
        lost += (truth - guess).square()
        guess = guess + rate * error
        loss = error.square()
        rate = 0.08 * lives.observe(guess.abs()[:, None], -loss, loss).learning_rate[:, 0]
    return -lost / steps


def fresh():
    return MetaPlasticityController(1, 4, 30, bounds=(0.1, 5.0), seed=2)


def fitness(theta, seeds=range(500, 502)):
    from plasticish.modulation import PolicyLives

    policy = fresh().policy
    return torch.cat(
        [tracking(PolicyLives(policy, theta.expand(64, -1), 30), seed)[:32] for seed in seeds]
    )


def test_fitting_improves_what_was_never_fitted_on():
    one = fresh()
    before = fitness(one.theta)
    one.fit(tracking, 15, pairs=16, rate=0.15)
    gain = fitness(one.theta) - before
    assert float(gain.mean()) > 4 * float(gain.std()) / len(gain) ** 0.5


def test_a_fit_that_was_cut_short_ends_with_the_same_bits(tmp_path):
    def cut(lives, seed):
        if seed == spawn_seed(2, 2, 2):
            raise KeyboardInterrupt
        return tracking(lives, seed, 10)

    whole, part = fresh(), fresh()
    reached = whole.fit(lambda lives, seed: tracking(lives, seed, 10), 4, pairs=3)
    with pytest.raises(KeyboardInterrupt):
        part.fit(cut, 4, pairs=3, checkpoint=tmp_path / "it")
    loaded = MetaPlasticityController.load(tmp_path / "it")
    assert loaded.generations == 2
    rest = loaded.fit(lambda lives, seed: tracking(lives, seed, 10), 4, pairs=3)
    assert same(whole, loaded)
    assert rest == reached[2:]


def test_a_newborn_has_the_policy_and_none_of_the_life():
    one = controller(meta_lr=0.1)
    live(one, 60)
    child = one.newborn(seed=9)
    assert torch.equal(child.theta, one.theta)
    assert child.steps == 0
    assert child.seed == 9


@pytest.mark.parametrize(
    ("play", "error", "text"),
    [
        (lambda lives, seed: torch.zeros(3), ShapeError, r"got \(3,\), expected \(4,\)"),
        (lambda lives, seed: torch.full((4,), math.nan), DataError, "fitness is NaN"),
    ],
)
def test_bad_fitness_is_refused(play, error, text):
    one = fresh()
    before = one.theta.clone()
    with pytest.raises(error, match=text):
        one.fit(play, 1, pairs=2)
    assert torch.equal(one.theta, before)
    assert one.generations == 0
