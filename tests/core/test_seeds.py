"""Seeds: the same numbers for the same seed, other numbers for every other, nothing global."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import ConfigError, make_generator, spawn_seed

SEEDS = st.integers(0, 2**63 - 1)


@given(SEEDS)
def test_a_generator_is_its_seed(seed: int) -> None:
    before = torch.get_rng_state()
    drawn = [torch.rand(4, generator=make_generator(seed)) for _ in range(2)]
    assert torch.equal(*drawn)
    assert torch.equal(torch.get_rng_state(), before)


@given(SEEDS, st.lists(st.integers(0, 1000), max_size=3))
def test_children_are_usable_and_repeat(seed: int, keys: list[int]) -> None:
    child = spawn_seed(seed, *keys)
    assert child == spawn_seed(seed, *keys)
    make_generator(child)


def test_children_do_not_meet() -> None:
    children = {spawn_seed(s, a, b) for s in range(20) for a in range(20) for b in range(20)}
    assert len(children) == 20**3
    # Neighbouring parents do not have neighbouring children: about half of the bits turn.
    turned = [(spawn_seed(s, 0) ^ spawn_seed(s + 1, 0)).bit_count() for s in range(200)]
    assert 26 < sum(turned) / 200 < 37


@pytest.mark.parametrize("seed", [-1, -(2**40), True])
def test_what_is_no_seed(seed: int) -> None:
    for make in (make_generator, spawn_seed):
        with pytest.raises(ConfigError, match=rf"seed is not usable: got {seed}, expected an int"):
            make(seed)
