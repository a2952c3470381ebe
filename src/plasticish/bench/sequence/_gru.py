"""A recurrent network of makemore's size, trained by gradient descent one list after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from plasticish.core import make_generator, spawn_seed

__all__ = ["CharacterGRU"]

WIDTH, BATCH, STEP = 64, 128, 1e-2


class CharacterGRU(nn.Module):
    """Gated recurrent units over characters: one layer, 64 wide, as makemore has it.

    Parameters
    ----------
    symbols : str
        All that will ever come: unlike the memory it has to know them beforehand.
    seed : int
        Decides first weights and the order of the batches.
    """

    def __init__(self, symbols: str, seed: int) -> None:
        super().__init__()
        self.codes = {symbol: i + 1 for i, symbol in enumerate(symbols)}
        self.generator = make_generator(spawn_seed(seed, 3))
        self.seconds = 0.0
        with torch.random.fork_rng():
            torch.manual_seed(spawn_seed(seed, 2))  # nn.Module draws its first weights from here
            self.symbol = nn.Embedding(len(symbols) + 1, WIDTH)
            self.body = nn.GRU(WIDTH, WIDTH, batch_first=True)
            self.head = nn.Linear(WIDTH, len(symbols) + 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the next symbol at every place."""
        scores: Tensor = self.head(self.body(self.symbol(x))[0])
        return scores

    def learn(self, names: Sequence[str], epochs: int) -> None:
        """Train for some epochs: AdamW in batches of 128, steps falling from 0.01 by a cosine."""
        start = time.process_time()
        rows = self._tensors(names)
        lengths = (rows[:, 1:] >= 0).sum(1)
        optimizer = torch.optim.AdamW(self.parameters(), lr=STEP, weight_decay=0.01)
        steps = epochs * math.ceil(len(rows) / BATCH)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(epochs):
            order = torch.randperm(len(rows), generator=self.generator)
            for chosen in torch.split(order, BATCH):
                loss = self._loss(rows[chosen, : int(lengths[chosen].max()) + 1])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(self.parameters(), 1.0)
                optimizer.step()
                falling.step()
        self.seconds += time.process_time() - start

    @torch.no_grad()
    def nats(self, names: Sequence[str], told: int = 0) -> float:
        """Return the surprise in nats a token, ends counted, the first ``told`` symbols not."""
        rows = self._tensors(names)
        rows[:, 1 : told + 1] = -1 - rows[:, 1 : told + 1]  # read, but not asked for
        return float(self._loss(rows, "sum")) / int((rows[:, 1:] >= 0).sum())

    def _tensors(self, names: Sequence[str]) -> Tensor:
        """Return a row a name: 0 before it, its symbols, 0 as its end, then -1."""
        rows = torch.full((len(names), max(map(len, names)) + 2), -1)
        for i, name in enumerate(names):
            rows[i, : len(name) + 2] = torch.tensor([0, *(self.codes[s] for s in name), 0])
        return rows

    def _loss(self, rows: Tensor, reduction: str = "mean") -> Tensor:
        read = torch.where(rows < 0, -1 - rows, rows)
        scores = self(read[:, :-1]).flatten(0, 1)
        return cross_entropy(
            scores, rows[:, 1:].clamp(min=-1).flatten(), ignore_index=-1, reduction=reduction
        )
