"""REINFORCE: its score is a gradient, its reward a change in standard errors."""

import pytest
import torch

from plasticish.core import make_generator
from plasticish.modulation import MetaPolicy
from plasticish.modulation.meta_history import FEATURES
from plasticish.modulation.reinforce import change_reward, score_gradient


def test_opposite_noise_finds_the_gradient_of_what_is_linear_in_the_actions():
    g = make_generator(0)
    policy = MetaPolicy(2, 4)
    theta = 0.5 * torch.randn(policy.size, generator=g)
    seen = torch.randn(5, 2, len(FEATURES), generator=g)
    worth = torch.randn(2, 3, generator=g)
    variable = theta.clone().requires_grad_()
    (policy.actions(variable.expand(5, -1), seen) * worth).sum(2).sum(1).mean().backward()
    found = torch.zeros_like(theta)
    for unit in torch.eye(6).view(6, 2, 3):
        reward = float((worth * unit).sum())  # of the actions, less what they are worth without
        found += reward * score_gradient(policy, theta, seen, unit)
    torch.testing.assert_close(found, variable.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_reward_has_no_unit_and_is_bounded(scale):
    told = torch.randn(2, 30, generator=make_generator(1))
    told[0, -5:] += 0.5
    change = told[:, -5:].mean(1) - told[:, -10:-5].mean(1)
    error = told.std(1, correction=0) * (2 / 5) ** 0.5
    expected = float((change[0] / error[0] - change[1] / error[1]) / 2)
    assert abs(expected) < 3
    assert change_reward(scale * told, 5) == pytest.approx(expected, rel=1e-4)
    told[0, -5:] += 1e6
    told[1, -5:] -= 1e6
    assert change_reward(scale * told, 5) <= 3.0


def test_better_is_positive_and_nothing_is_nothing():
    rising = torch.linspace(0, 1, 20)
    assert change_reward(torch.stack([rising, -rising]), 4) > 0
    assert change_reward(torch.stack([-rising, rising]), 4) < 0
    assert change_reward(torch.full((2, 20), 0.3), 4) == 0.0
