"""A transformer of makemore's size, trained as makemore trains it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from plasticish.core import make_generator, spawn_seed

__all__ = ["Training", "train_transformer"]

WIDTH, HEADS, LAYERS, BATCH = 64, 4, 4, 32


@dataclass(frozen=True)
class Training:
    """How a training went.

    Attributes
    ----------
    nats : float
        Least surprise at the test names over all looks at them, in nats a token: better than
        anybody could choose without the test names.
    step : int
        When that was.
    seconds : float
        CPU seconds up to that step, looks not counted.
    parameters : int
        Number of weights.
    """

    nats: float
    step: int
    seconds: float
    parameters: int


class CharacterTransformer(nn.Module):
    """A causal transformer over characters: 4 layers, 4 heads, 64 wide, norm first."""

    def __init__(self, symbols: int, length: int) -> None:
        super().__init__()
        self.symbol = nn.Embedding(symbols, WIDTH)
        self.place = nn.Embedding(length, WIDTH)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 4 * WIDTH, dropout=0.0, activation="gelu", batch_first=True,
            norm_first=True,
        )  # fmt: skip
        self.body = nn.TransformerEncoder(layer, LAYERS, nn.LayerNorm(WIDTH), False)
        self.head = nn.Linear(WIDTH, symbols, bias=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the next symbol at every place."""
        length = x.shape[1]
        h = self.symbol(x) + self.place.weight[:length]
        mask: Tensor = self.get_buffer("mask")[:length, :length]
        scores: Tensor = self.head(self.body(h, mask=mask, is_causal=True))
        return scores


def train_transformer(
    train: Sequence[str], test: Sequence[str], seed: int, steps: int, look_every: int = 500
) -> Training:
    """Train with AdamW (5e-4, weight decay 0.01, batches of 32), looking at the test names."""
    symbols = {s: i + 1 for i, s in enumerate(sorted(set("".join(train) + "".join(test))))}
    length = max(map(len, [*train, *test])) + 1
    rows, asked = _tensors(train, symbols, length), _tensors(test, symbols, length)
    with torch.random.fork_rng():
        torch.manual_seed(spawn_seed(seed, 2))  # nn.Module draws its first weights from here
        model = CharacterTransformer(len(symbols) + 1, length)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.01, betas=(0.9, 0.99))
    generator = make_generator(spawn_seed(seed, 3))
    best, spent = (float("inf"), 0, 0.0), 0.0
    for step in range(1, steps + 1):
        start = time.process_time()
        batch = rows[torch.randint(len(rows), (BATCH,), generator=generator)]
        loss = _loss(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        spent += time.process_time() - start
        if step % look_every == 0 or step == steps:
            best = min(best, (_nats(model, asked), step, spent))
    return Training(*best, sum(p.numel() for p in model.parameters()))


def _tensors(names: Sequence[str], symbols: dict[str, int], length: int) -> Tensor:
    """Return a row a name: 0 before it, its symbols, 0 as its end, then -1."""
    rows = torch.full((len(names), length + 1), -1)
    for i, name in enumerate(names):
        rows[i, : len(name) + 2] = torch.tensor([0, *(symbols[s] for s in name), 0])
    return rows


def _loss(model: nn.Module, rows: Tensor, reduction: str = "mean") -> Tensor:
    scores = model(rows[:, :-1].clamp(min=0))
    return cross_entropy(
        scores.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=-1, reduction=reduction
    )


@torch.no_grad()
def _nats(model: nn.Module, rows: Tensor) -> float:
    tokens = int((rows[:, 1:] >= 0).sum())
    return float(_loss(model, rows, "sum")) / tokens
