"""The evolution strategy: an unbiased gradient, and steps that climb."""

import torch

from plasticish.core import make_generator
from plasticish.modulation.evolution import AdamState, adam_ascent, antithetic_gradient


def test_the_estimate_is_unbiased_on_a_quadratic():
    g = make_generator(0)
    size, pairs, sigma = 6, 20_000, 0.3
    root = torch.randn(size, size, generator=g, dtype=torch.float64)
    curve, slope = root @ root.T, torch.randn(size, generator=g, dtype=torch.float64)
    theta = torch.randn(size, generator=g, dtype=torch.float64)

    def objective(points):
        return points @ slope - 0.5 * torch.einsum("ni,ij,nj->n", points, curve, points)

    noise = torch.randn(pairs, size, generator=g, dtype=torch.float64)
    plus, minus = objective(theta + sigma * noise), objective(theta - sigma * noise)
    each = (plus - minus)[:, None] * noise / (2 * sigma)
    estimate = antithetic_gradient(noise, plus, minus, sigma)
    torch.testing.assert_close(estimate, each.mean(0))
    error = each.std(0) / pairs**0.5
    exact = slope - curve @ theta
    assert bool(((estimate - exact).abs() < 4.5 * error).all())
    assert bool((exact.abs() > 9 * error).any())  # the test could fail


def test_orthogonal_noise_gives_a_linear_slope_exactly():
    slope = torch.tensor([1.0, -2.0, 0.5])
    noise = torch.eye(3) * 3**0.5
    found = antithetic_gradient(noise, 0.1 * noise @ slope, -0.1 * noise @ slope, 0.1)
    torch.testing.assert_close(found, slope)


def test_a_constant_does_not_matter():
    noise = torch.randn(5, 3, generator=make_generator(0))
    plus, minus = torch.rand(5), torch.rand(5)
    one, other = (antithetic_gradient(noise, plus + c, minus + c, 0.1) for c in (0.0, 7.0))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_the_first_step_has_the_size_of_the_rate_and_goes_uphill():
    gradient = torch.tensor([3.0, -0.01, 0.0])
    theta, state = adam_ascent(torch.zeros(3), gradient, AdamState.zero(3), 0.1)
    torch.testing.assert_close(theta, torch.tensor([0.1, -0.1, 0.0]), rtol=1e-4, atol=1e-6)
    assert state.steps == 1


def test_it_finds_the_top_of_a_hill():
    top = torch.tensor([1.0, -2.0])
    theta, state = torch.zeros(2), AdamState.zero(2)
    for step in range(300):
        theta, state = adam_ascent(theta, top - theta, state, 0.05 * (1 - step / 300))
    torch.testing.assert_close(theta, top, atol=0.02, rtol=0)
