"""Returns of the closed loop: by hand, in both simulators, and between chance and the expert."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from plasticish.core import ConfigError, DataError, LabelError, MissingExtraError, ShapeError
from plasticish.data import (
    FAMILIES,
    CartPole,
    Pendulum,
    PendulumPhysics,
    Senses,
    demonstrations,
    expert,
    sense_width,
)
from plasticish.evaluation import ReturnScale, closed_loop_returns, return_scale
from plasticish.evaluation.closed_loop import _seeds


def network(body, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(sense_width(body), 16), nn.Tanh(), nn.Linear(16, len(body.commands))
        )


def steering(inputs):
    """Steer the standard pendulum by what the senses show: as its expert, without the state."""
    body = Pendulum()
    cosine, sine, speed = (inputs[:, :3].double() * torch.tensor(body.scale)).numpy().T
    return torch.from_numpy(expert(body)(np.stack([np.arctan2(sine, cosine), speed], axis=1)))


@pytest.mark.parametrize("seed", [0, 3])
def test_returns_are_sums_of_rewards_one_episode_at_a_time(seed):
    body = CartPole()
    policy = network(body, seed)
    returns = closed_loop_returns(policy, body, episodes=6, seed=seed)
    assert returns.dtype == torch.float64
    for episode, start in enumerate(_seeds(seed, 6)):
        states, senses, total = body.reset([start]), Senses(body, 1), 0.0
        for _ in range(body.horizon):
            label = policy(senses.see(body.observe(states))).argmax(1).detach().numpy()
            senses.act(label)
            states, reward, ended = body.step(states, label)
            total += reward[0]
            if ended[0]:
                break
        assert float(returns[episode]) == total


@pytest.mark.needs_gymnasium
@pytest.mark.parametrize("family", FAMILIES)
def test_gymnasium_gives_the_same_returns(family):
    pytest.importorskip("gymnasium", reason="the extra robotics is not installed")
    for body in FAMILIES[family].values():
        policy = network(body)
        ours, theirs = (
            closed_loop_returns(policy, body, episodes=2, seed=1, simulator=name)
            for name in ("batched", "gymnasium")
        )
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.needs_gymnasium
def test_the_whole_of_a_good_episode_is_gymnasiums():
    pytest.importorskip("gymnasium", reason="the extra robotics is not installed")
    ours, theirs = (
        closed_loop_returns(steering, Pendulum(), episodes=2, seed=2, simulator=name)
        for name in ("batched", "gymnasium")
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    assert float(ours.mean()) > -200


def test_chance_is_0_and_the_expert_100():
    scale = return_scale(Pendulum(), episodes=40)
    assert scale.percent(scale.random) == 0
    assert scale.percent(scale.expert) == 100
    mine = float(closed_loop_returns(steering, Pendulum(), episodes=40).mean())
    assert scale.percent(mine) == pytest.approx(100, abs=1)
    assert ReturnScale(-10, 30).percent(10) == 50


def test_policies_are_compared_from_the_same_starts():
    body = Pendulum(PendulumPhysics(gravity=1.62))
    still = lambda inputs: torch.full((len(inputs),), body.commands.index(0.0))  # noqa: E731
    one, two, other = (closed_loop_returns(still, body, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_clone_of_demonstrations_steers():
    shown = demonstrations(CartPole(), 20, seed=0)
    policy = network(CartPole())
    optimizer = torch.optim.Adam(policy.parameters(), 1e-2)
    for _ in range(150):
        loss = nn.functional.cross_entropy(policy(shown.inputs), shown.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(closed_loop_returns(policy, CartPole()).mean()) > 250


def test_a_module_is_evaluated_in_its_evaluation_mode_and_left_as_it_was():
    class Watch(nn.Module):
        modes: list[bool] = []  # noqa: RUF012

        def forward(self, inputs):
            self.modes.append(self.training or torch.is_grad_enabled())
            return torch.zeros(len(inputs), 2)

    watch = Watch().train()
    closed_loop_returns(watch, CartPole(), episodes=2)
    assert watch.training
    assert not any(watch.modes)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (torch.zeros(3, 3), ShapeError, r"got \(3, 3\), expected \(3,\) labels or \(3, 2\) scores"),
        (torch.zeros(3, 2, 1), ShapeError, "does not answer with commands"),
        (torch.zeros(2, dtype=torch.int64), ShapeError, "labels do not match the batch"),
        (torch.full((3,), 2), LabelError, "position of a command"),
        (torch.full((3,), -1), LabelError, "negative"),
        (torch.full((3, 2), torch.nan), DataError, "scores of the policy contain NaN"),
    ],
)
def test_answers_that_are_no_commands_are_refused(answer, error, text):
    with pytest.raises(error, match=text):
        closed_loop_returns(lambda inputs: answer, CartPole(), episodes=3)


def test_arguments_out_of_range_are_refused():
    for options in ({"episodes": 0}, {"frames": 0}, {"seed": -1}, {"simulator": "mujoco"}):
        with pytest.raises(ConfigError, match="got"):
            closed_loop_returns(steering, Pendulum(), **options)
    with pytest.raises(ConfigError, match="episodes"):
        return_scale(Pendulum(), episodes=0)


def test_without_gymnasium_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium.envs.classic_control", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"plasticish\[robotics\]\""):
        closed_loop_returns(steering, Pendulum(), simulator="gymnasium")
