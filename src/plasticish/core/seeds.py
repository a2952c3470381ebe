"""Randomness is an argument: generators made from a seed, never the global one."""

from __future__ import annotations

import torch

from .errors import ConfigError

__all__ = ["make_generator", "spawn_seed"]

_MASK = (1 << 63) - 1


def make_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a fresh generator that gives the same numbers for the same ``seed``.

    Examples
    --------
    >>> bool(torch.equal(torch.rand(3, generator=make_generator(7)),
    ...                  torch.rand(3, generator=make_generator(7))))
    True
    """
    _check(seed)
    generator = torch.Generator(device=device)
    generator.manual_seed(seed)
    return generator


def spawn_seed(seed: int, *keys: int) -> int:
    """Derive an independent seed from a parent and the position of the child.

    The mixing is splitmix64 (Steele, Lea & Flood 2014), so that neighbouring parents do not give
    neighbouring children.

    Examples
    --------
    >>> spawn_seed(0, 1) != spawn_seed(1, 0)
    True
    """
    _check(seed)
    state = seed & _MASK
    for key in keys:
        state = (state + 0x9E3779B97F4A7C15 * (key + 1)) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state & _MASK


def _check(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ConfigError("seed is not usable", got=repr(seed), expected="an integer >= 0")
