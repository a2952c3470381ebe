"""One stream of random priorities, also where the examples are learned in several places."""

from __future__ import annotations

import torch

__all__ = ["skip_draws"]

TOGETHER = 1 << 20


def skip_draws(generator: torch.Generator, count: int) -> torch.Generator:
    """Draw ``count`` priorities for nothing, so that the next one is that of a later example.

    Examples
    --------
    >>> one, two = (torch.Generator().manual_seed(0) for _ in range(2))
    >>> drawn = torch.rand(5, generator=one, dtype=torch.float64)
    >>> bool(torch.rand(2, generator=skip_draws(two, 3), dtype=torch.float64)[1] == drawn[4])
    True
    """
    for start in range(0, count, TOGETHER):
        torch.rand(min(TOGETHER, count - start), generator=generator, dtype=torch.float64)
    return generator
