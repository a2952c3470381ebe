"""Demonstrations: the expert's labels under disturbance, the same for the same seed."""

from collections import Counter

import numpy as np
import pytest
import torch

from plasticish.core import ConfigError, DataError, DTypeError
from plasticish.data import (
    FAMILIES,
    Body,
    CartPole,
    CartPolePhysics,
    Pendulum,
    PendulumPhysics,
    demonstrations,
    expert,
    robotics_tasks,
)
from plasticish.data.demonstrations import STEPS


def rows(part):
    return Counter(part.inputs.numpy()[place].tobytes() for place in range(len(part)))


def test_the_same_seed_shows_the_same_and_another_seed_something_else():
    one, two, other = (demonstrations(Pendulum(), 3, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(one.inputs, two.inputs)
    assert torch.equal(one.labels, two.labels)
    assert not rows(one) & rows(other)


def test_labels_are_what_the_expert_would_do_although_it_is_disturbed():
    body, episodes = Pendulum(), 4
    shown = demonstrations(body, episodes, frames=2, seed=1)
    # The newest observation of every row tells the state, so that the expert can be asked again.
    cosine, sine, speed = (shown.inputs[:, :3].double() * torch.tensor(body.scale)).numpy().T
    states = np.stack([np.arctan2(sine, cosine), speed], axis=1)
    asked = expert(body)(states)
    assert np.mean(asked == shown.labels.numpy()) > 0.995  # single precision decides a few ties
    # The command of a row is what the row after it remembers.
    told = (2 * shown.inputs[:, -1]).reshape(STEPS, episodes)[1:]
    wanted = torch.tensor(body.commands)[shown.labels].reshape(STEPS, episodes)[:-1]
    differ = float((told - wanted).abs().gt(1e-6).float().mean())
    # One disturbance in nine happens to be what the expert wanted, or more.
    assert 0.6 * body.disturbed < differ < body.disturbed


def test_a_fallen_pole_is_followed_by_a_fresh_start():
    body = CartPole(CartPolePhysics(length=0.1, gravity=25.0))
    shown = demonstrations(body, 20, frames=2, seed=0)
    now = (shown.inputs[:, :4] * torch.tensor(body.scale)).reshape(STEPS, 20, 4)
    assert bool((now[..., 2].abs() <= 12 * np.pi / 180 + 1e-6).all())
    fresh = (shown.inputs.reshape(STEPS, 20, -1)[..., 4:] == 0).all(dim=2)
    assert bool(fresh[0].all())
    begun = fresh[1:].nonzero()
    assert len(begun)
    starts = torch.stack([now[step + 1, place] for step, place in begun.tolist()])
    assert bool((starts.abs() <= 0.05 + 1e-6).all())
    assert len({tuple(start.tolist()) for start in starts}) == len(starts)


def test_tasks_are_the_family_in_order_with_parts_that_share_nothing():
    tasks = robotics_tasks("pendulum", episodes=3, test_episodes=2, frames=3, seed=4)
    assert [task.name for task in tasks] == list(FAMILIES["pendulum"])
    for task in tasks:
        assert task.body == FAMILIES["pendulum"][task.name]
        assert task.frames == 3
        assert task.train.inputs.shape == (3 * STEPS, 11)
        assert task.test.inputs.shape == (2 * STEPS, 11)
        assert task.train.classes == tasks[0].test.classes
        assert task.train.name == task.name
        assert not rows(task.train) & rows(task.test)
    assert not rows(tasks[0].train) & rows(tasks[1].train)


def test_a_family_of_ones_own():
    bodies = {"a": Pendulum(PendulumPhysics(mass=0.5)), "b": Pendulum(PendulumPhysics(mass=2.0))}
    tasks = robotics_tasks(bodies, episodes=1, test_episodes=1)
    assert [task.body.physics.mass for task in tasks] == [0.5, 2.0]


def test_what_is_no_family_is_refused():
    with pytest.raises(ConfigError, match=r"unknown family of bodies.*'snake'.*cartpole, pendulum"):
        robotics_tasks("snake")
    for family in ({}, {"a": Pendulum(), "b": CartPole()}):
        with pytest.raises(DataError, match="not of one kind of body"):
            robotics_tasks(family)
    for options in ({"episodes": 0}, {"test_episodes": 0}, {"frames": 0}):
        with pytest.raises(ConfigError, match="out of range: got 0"):
            robotics_tasks(**options)


def test_a_body_that_nobody_can_steer_is_refused():
    class Snake(Pendulum):
        pass

    class Worm(Body):
        def observe(self, states):
            raise NotImplementedError

        step = _start = observe

    assert expert(Snake()) is not None
    with pytest.raises(DTypeError, match="no expert for this body: got Worm"):
        expert(Worm())
