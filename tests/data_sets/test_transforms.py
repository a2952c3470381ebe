"""Transforms: ranges, involution, the Gaussian itself, and refusals."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from plasticish.core import ConfigError, DataError, DTypeError, ShapeError, make_generator
from plasticish.data import add_noise, blur_image, invert_colors, invert_tensor


def images(seed=0, shape=(2, 3, 9, 7)):
    return torch.rand(shape, generator=make_generator(seed))


def noisy(x):
    return add_noise(x, 0.1, make_generator(0))


ALL = (invert_colors, noisy, blur_image)


def test_inverting_twice_changes_nothing():
    x = images()
    assert torch.allclose(invert_colors(invert_colors(x)), x, atol=1e-7)
    raw = (x * 255).to(torch.uint8)
    assert torch.equal(invert_colors(invert_colors(raw)), raw)
    assert invert_colors(raw).dtype == torch.uint8
    assert torch.allclose(invert_colors(raw) / 255, invert_colors(raw / 255))
    assert invert_tensor(torch.tensor([[0.25]])).item() == 0.75


@given(st.integers(0, 99), st.floats(0, 3), st.floats(0.05, 5))
def test_what_comes_out_is_in_range(seed, std, sigma):
    x = images(seed)
    for out in (add_noise(x, std, make_generator(seed)), blur_image(x, sigma), invert_colors(x)):
        assert out.shape == x.shape
        assert 0 <= float(out.min()) <= float(out.max()) <= 1


def test_noise_has_its_width_and_its_seed():
    grey = torch.full((4, 3, 40, 40), 0.5)
    out = noisy(grey)
    assert float((out - grey).std()) == pytest.approx(0.1, rel=0.03)
    assert float((out - grey).mean()) == pytest.approx(0.0, abs=0.003)
    assert torch.equal(out, noisy(grey))
    generator = make_generator(0)
    assert not torch.equal(add_noise(grey, 0.1, generator), add_noise(grey, 0.1, generator))
    assert torch.equal(add_noise(grey, 0.0, generator), grey)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.3])
def test_blur_equals_the_gaussian_filter_of_scipy(sigma):
    x = images(3, (2, 3, 21, 17))
    radius = math.ceil(3 * sigma)
    expected = gaussian_filter(
        x.double().numpy(), sigma, mode="nearest", radius=radius, axes=(2, 3)
    )
    assert np.allclose(blur_image(x, sigma).numpy(), expected, atol=1e-6)


def test_blur_leaves_an_even_surface_and_one_pixel_alone():
    flat = torch.full((1, 1, 3, 4), 0.3)
    assert torch.allclose(blur_image(flat, 4.0), flat, atol=1e-6)
    assert torch.equal(blur_image(images(), 2.0, kernel=1), images())
    assert torch.allclose(blur_image(torch.ones(3, 1, 1)), torch.ones(3, 1, 1), atol=1e-6)


def test_bytes_are_taken_as_255ths():
    raw = (images() * 255).to(torch.uint8)
    assert torch.equal(blur_image(raw), blur_image(raw / 255))
    assert torch.equal(noisy(raw), noisy(raw / 255))


def test_the_input_is_left_alone():
    for transform in ALL:
        x = images()
        transform(x)
        assert torch.equal(x, images())


@pytest.mark.parametrize("transform", ALL)
@pytest.mark.parametrize(
    ("bad", "error", "text"),
    [
        (torch.full((1, 3, 2, 2), -1.5), DataError, "before they are normalised"),
        (torch.full((1, 3, 2, 2), 255.0), DataError, r"got \[255, 255\]"),
        (torch.full((1, 3, 2, 2), math.nan), DataError, "out of range"),
        (torch.zeros(1, 3, 2, 2, dtype=torch.int64), DTypeError, "torch.int64"),
        (torch.zeros(2, 8, 8, 3), ShapeError, "channels first"),
        (torch.zeros(8, 8), ShapeError, "wrong shape"),
    ],
)
def test_what_is_no_image_is_refused(transform, bad, error, text):
    with pytest.raises(error, match=text):
        transform(bad)


def test_a_hair_outside_the_range_is_rounding():
    assert invert_colors(torch.full((1, 3, 1, 1), 1 + 1e-6)).unique().item() == 0.0


def test_settings_out_of_range_are_refused():
    for std in (-0.1, math.nan, math.inf):
        with pytest.raises(ConfigError, match="std"):
            add_noise(images(), std, make_generator(0))
    for sigma in (0.0, -1.0, math.nan):
        with pytest.raises(ConfigError, match="sigma"):
            blur_image(images(), sigma)
    for kernel in (0, 2, -1):
        with pytest.raises(ConfigError, match="kernel"):
            blur_image(images(), 1.0, kernel=kernel)
