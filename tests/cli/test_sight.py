"""How a brain of digits looks at any image."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.cli.sight import DigitSight


def drawing(height=40, width=40):
    page = torch.zeros(1, 1, height, width)
    page[..., 10:30, 12:16] = 1.0
    page[..., 26:30, 12:28] = 0.5
    return page


def test_ink_on_paper_is_the_same_as_light_on_dark():
    sight = DigitSight()
    assert torch.allclose(sight(drawing()), sight(1 - drawing()), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(-8, 8), st.integers(-8, 8))
def test_place_on_the_page_does_not_matter(down, right):
    sight = DigitSight()
    moved = drawing().roll((down, right), dims=(2, 3))
    assert torch.equal(sight(moved), sight(drawing()))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.2, 1.0), st.floats(0.0, 0.3))
def test_faint_ink_and_grey_ground_do_not_matter(strength, ground):
    page = ground + (1 - ground) * strength * drawing()
    assert torch.allclose(DigitSight()(page), DigitSight()(drawing()), atol=1e-4)


def test_features_are_in_the_range_of_the_digits():
    features = DigitSight()(torch.rand(5, 3, 20, 31))
    assert features.shape == (5, 64)
    assert 0 <= features.min() <= features.max() <= 1


@pytest.mark.parametrize("grey", [0.0, 0.4, 1.0])
def test_an_empty_page_is_dark(grey):
    assert not DigitSight()(torch.full((1, 1, 30, 30), grey)).any()
