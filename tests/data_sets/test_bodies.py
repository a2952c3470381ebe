"""Bodies against Gymnasium, step by step; experts against the best that can be reached."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError
from plasticish.data import (
    FAMILIES,
    CartPole,
    CartPolePhysics,
    Pendulum,
    PendulumPhysics,
    Senses,
    expert,
    sense_width,
)

ALL = [(family, name) for family in ("cartpole", "pendulum") for name in FAMILIES[family]]
POLES = st.builds(
    CartPolePhysics,
    gravity=st.floats(-20, 20),
    masscart=st.floats(0.2, 5),
    masspole=st.floats(0.05, 2),
    length=st.floats(0.1, 3),
    force=st.floats(1, 30) | st.floats(-30, -1),
)
RODS = st.builds(
    PendulumPhysics,
    gravity=st.floats(0.5, 30),
    mass=st.floats(0.1, 5),
    length=st.floats(0.2, 3),
)


def energy(body, states):
    p = body.physics
    inertia = p.mass * p.length**2 / 3
    height = p.mass * p.gravity * p.length / 2 * np.cos(states[:, 0])
    return inertia * states[:, 1] ** 2 / 2 + height


@pytest.mark.needs_gymnasium
@settings(max_examples=25, deadline=None)
@given(POLES | RODS, st.integers(0, 2**62))
def test_every_step_is_gymnasiums(physics, seed):
    pytest.importorskip("gymnasium", reason="the extra robotics is not installed")
    from plasticish.evaluation import gymnasium_environment

    poles = isinstance(physics, CartPolePhysics)
    body = CartPole(physics) if poles else Pendulum(physics)
    env = gymnasium_environment(body)
    seen, _ = env.reset(seed=seed)
    states = body.reset([seed])
    random = np.random.default_rng(seed)
    np.testing.assert_array_equal(body.observe(states)[0], seen)
    for _ in range(60):
        label = random.integers(0, len(body.commands), 1)
        action = int(label[0]) if poles else body.command(label).astype(np.float32)
        seen, reward, over, _, _ = env.step(action)
        states, rewards, ended = body.step(states, label)
        np.testing.assert_allclose(body.observe(states)[0], seen, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(states[0], env.state, rtol=1e-9, atol=1e-9)
        assert rewards[0] == pytest.approx(reward, rel=1e-9)
        assert bool(ended[0]) == over
        if over:
            break


@given(st.integers(1, 6), st.integers(0, 1000), st.sampled_from(ALL))
@settings(max_examples=30, deadline=None)
def test_episodes_side_by_side_do_not_touch(episodes, seed, which):
    body = FAMILIES[which[0]][which[1]]
    seeds = list(range(seed, seed + episodes))
    together, random = body.reset(seeds), np.random.default_rng(seed)
    alone = [body.reset([one]) for one in seeds]
    for _ in range(5):
        labels = random.integers(0, len(body.commands), episodes)
        together, rewards, ended = body.step(together, labels)
        for place in range(episodes):
            alone[place], reward, over = body.step(alone[place], labels[place : place + 1])
            np.testing.assert_array_equal(together[place], alone[place][0])
            assert (rewards[place], ended[place]) == (reward[0], over[0])


def test_a_rod_left_alone_keeps_its_energy():
    body = Pendulum(PendulumPhysics(gravity=3.0, mass=0.7, length=1.3))
    states = body.reset(range(8))
    before, idle = energy(body, states), np.full(8, body.commands.index(0.0))
    drift = []
    for _ in range(200):
        states, _, _ = body.step(states, idle)
        drift.append(np.abs(energy(body, states) - before).max())
    swing = body.physics.mass * body.physics.gravity * body.physics.length
    assert max(drift) < 0.08 * swing  # semi-implicit Euler wavers and does not run away


def test_a_crane_hangs_and_a_reversed_motor_pulls():
    crane = CartPole(CartPolePhysics(gravity=-9.8))
    tilted = np.array([[0.0, 0.0, 0.1, 0.0]])
    left, right = (crane.step(tilted, np.array([label]))[0] for label in (0, 1))
    upright = CartPole()
    assert (
        (left + right)[0, 3]
        < 0
        < sum(upright.step(tilted, np.array([label]))[0][0, 3] for label in (0, 1))
    )
    wrong = CartPole(CartPolePhysics(force=-10.0))
    np.testing.assert_array_equal(
        wrong.step(tilted, np.array([0]))[0], upright.step(tilted, np.array([1]))[0]
    )


def returns(body, episodes, act):
    states = body.reset(range(episodes))
    total, running = np.zeros(episodes), np.ones(episodes, dtype=bool)
    for _ in range(body.horizon):
        states, rewards, ended = body.step(states, act(states))
        total += rewards * running
        running &= ~ended
    return total


@pytest.mark.parametrize("name", FAMILIES["cartpole"])
def test_the_expert_never_lets_the_pole_fall(name):
    body = FAMILIES["cartpole"][name]
    assert returns(body, 50, expert(body)).tolist() == [500.0] * 50


def test_the_expert_of_the_pendulum_is_among_the_best():
    body = Pendulum()
    # Published learners that are tuned for it end between -150 and -200.
    assert returns(body, 100, expert(body)).mean() > -155


@pytest.mark.parametrize("name", FAMILIES["pendulum"])
def test_the_expert_ends_upright(name):
    body = FAMILIES["pendulum"][name]
    steer, states = expert(body), body.reset(range(50))
    for _ in range(body.horizon):
        states, _, _ = body.step(states, steer(states))
    assert np.cos(states[:, 0]).min() > 0.99


@pytest.mark.parametrize(
    "physics",
    [
        {"length": 3.0},
        {"gravity": 1.62},
        {"gravity": 25.0},
        {"masspole": 1.0},
        {"masscart": 5.0},
        {"masscart": 0.2},
        {"length": 2.0, "masspole": 1.0, "gravity": 3.7},
        {"force": 3.0},
        {"force": -30.0},
        {"gravity": -3.7, "length": 1.0, "force": -5.0},
    ],
    ids=str,
)
def test_the_expert_balances_other_physics_too(physics):
    body = CartPole(CartPolePhysics(**physics))
    assert returns(body, 20, expert(body)).min() == 500


def test_a_body_that_cannot_be_held_is_refused():
    # Without gravity one push moves cart and pole in step, and nothing tells them apart again.
    with pytest.raises(ConfigError, match="cannot be held"):
        expert(CartPole(CartPolePhysics(gravity=0.0)))


def test_senses_are_the_past_by_hand():
    body, senses = Pendulum(), Senses(Pendulum(), 2, frames=3)
    seen = [np.float32(np.random.default_rng(k).normal(size=(2, 3))) for k in range(4)]
    told = [np.array([0, 8]), np.array([4, 1]), np.array([2, 3])]
    scale, change = np.array(body.scale), np.array(body.change)
    first = senses.see(seen[0])
    np.testing.assert_allclose(first[:, :3], seen[0] / scale, rtol=1e-6)
    assert bool((first[:, 3:] == 0).all())
    for now in (1, 2, 3):
        senses.act(told[now - 1])
        if now == 2:
            senses.forget(np.array([False, True]))
        inputs = senses.see(seen[now])
    assert inputs.dtype == torch.float32
    expected = [
        seen[3][0] / scale,
        (seen[3][0] - seen[2][0]) / change,
        (seen[2][0] - seen[1][0]) / change,
        body.command(told[2][:1]) / 2,
        body.command(told[1][:1]) / 2,
    ]
    np.testing.assert_allclose(inputs[0], np.concatenate(expected), rtol=1e-5, atol=1e-6)
    # The second episode began anew with the third observation: before it there is nothing.
    np.testing.assert_allclose(inputs[1, 3:6], (seen[3][1] - seen[2][1]) / change, rtol=1e-5)
    assert inputs[1, 6:9].tolist() == [0, 0, 0]
    assert inputs[1, 9:].tolist() == pytest.approx([-0.1, 0])


def test_one_frame_remembers_nothing():
    senses = Senses(CartPole(), 1, frames=1)
    senses.act(np.array([1]))
    assert senses.see(np.ones((1, 4), np.float32)).shape == (1, 4)
    assert sense_width(CartPole, 4) == 19
    with pytest.raises(ConfigError, match="frames is out of range: got 0"):
        Senses(CartPole(), 1, frames=0)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: CartPolePhysics(length=0), "length is out of range: got 0"),
        (lambda: CartPolePhysics(masscart=-1), "masscart"),
        (lambda: CartPolePhysics(gravity=math.nan), "gravity is out of range: got nan"),
        (lambda: CartPolePhysics(force=0), "force is out of range"),
        (lambda: CartPolePhysics(force=math.inf), "force is out of range"),
        (lambda: PendulumPhysics(gravity=-9.8), "gravity"),
        (lambda: PendulumPhysics(mass=math.inf), "mass"),
        (lambda: PendulumPhysics(length=0.0), "length"),
    ],
)
def test_physics_without_meaning_are_refused(make, text):
    with pytest.raises(ConfigError, match=text):
        make()


def test_commands_that_are_none_and_no_episode_are_refused():
    body = Pendulum()
    for label in (-1, 9):
        with pytest.raises(DataError, match="no command of the pendulum"):
            body.step(body.reset([0]), np.array([label]))
    with pytest.raises(DataError, match="no episode"):
        body.reset([])
