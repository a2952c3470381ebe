"""The policy: bounds that always hold, and a prior that is its own before it has learned."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.core import ConfigError, make_generator
from plasticish.modulation import MetaPolicy
from plasticish.modulation.meta_history import FEATURES


@settings(max_examples=50, deadline=None)
@given(
    low=st.floats(1e-4, 0.9),
    high=st.floats(1.1, 1e4),
    scale=st.floats(0, 1e4),
    seed=st.integers(0, 99),
)
def test_factors_never_leave_the_bounds(low, high, scale, seed):
    policy = MetaPolicy(2, 4, (low, high))
    actions = scale * torch.randn(3, 2, 3, generator=make_generator(seed))
    factors = policy.factors(actions)
    assert bool((factors >= torch.tensor(low)).all())
    assert bool((factors <= torch.tensor(high)).all())


@pytest.mark.parametrize("bounds", [(0.1, 10.0), (0.4, 1.9), (0.01, 2.0)])
def test_near_zero_an_action_is_the_log_of_its_factor(bounds):
    policy = MetaPolicy(1, 4, bounds)
    small = torch.tensor([-1e-3, 0.0, 1e-3], dtype=torch.float64)
    torch.testing.assert_close(policy.factors(small).log(), small, rtol=2e-3, atol=1e-9)


def test_factors_rise_with_actions():
    factors = MetaPolicy(1, 4).factors(torch.linspace(-3, 3, 50))
    assert bool((factors.diff() > 0).all())


def test_before_learning_surprise_raises_plasticity_and_calm_lowers_it():
    policy = MetaPolicy(3, 16)
    theta = policy.initial(seed=3)
    surprised = torch.zeros(1, 3, len(FEATURES))
    surprised[..., 0] = 1.0
    calm = surprised.clone()
    calm[..., FEATURES.index("age")] = 1.0
    fresh, old = (policy.factors(policy.actions(theta[None], f)) for f in (surprised, calm))
    assert bool((fresh[..., 0] > 3).all())
    assert bool((old[..., 0] < 0.5).all())
    assert bool((fresh[..., 2] < 1).all())  # stability gives way
    assert bool((old[..., 2] > 1).all())
    torch.testing.assert_close(fresh[..., 1], torch.ones(1, 3))


def test_actions_are_the_stated_equation():
    policy, g = MetaPolicy(2, 5), make_generator(0)
    theta = torch.randn(3, policy.size, generator=g)
    features = torch.randn(3, 2, len(FEATURES), generator=g)
    actions = policy.actions(theta, features)
    for life in range(3):
        part = policy.split(theta[life])
        for layer in range(2):
            f = features[life, layer]
            hidden = torch.tanh(part["inner"] @ f + part["inner_bias"])
            expected = part["skip"] @ f + part["outer"] @ hidden / math.sqrt(5)
            torch.testing.assert_close(actions[life, layer], expected + part["layer_bias"][layer])


@pytest.mark.parametrize(
    "bounds", [(0.0, 2.0), (1.0, 2.0), (0.5, 1.0), (2.0, 3.0), (0.1, math.inf)]
)
def test_bounds_that_exclude_one_are_refused(bounds):
    with pytest.raises(ConfigError, match="bounds of the factors are unusable"):
        MetaPolicy(1, 4, bounds)
