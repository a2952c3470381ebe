"""A tiny brain with the interface that trainers and figures need: class means over a random code.

It draws from the global generator on purpose, so that a resume which did not restore randomness
would show.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plasticish.core import Persistent, State
from plasticish.data import BatchLoader, LabelledSet


class FakeBrain(Persistent):
    kind = "fake-brain"

    def __init__(self, in_dim: int = 8, num_classes: int = 4, device: str = "cpu") -> None:
        self.in_dim, self.num_classes, self.device = in_dim, num_classes, torch.device(device)
        self.sums = torch.zeros(num_classes, in_dim)
        self.counts = torch.zeros(num_classes)
        self.slept = self.consolidated = 0
        self.modes: list[str] = []

    def train_step(
        self, x: Any, y: Any, mode: str = "plastic", memorize: bool = True
    ) -> dict[str, Any]:
        x = self.features(x)
        accuracy = float((self.predict(x) == y).double().mean()) if self.counts.any() else torch.nan
        self.modes.append(mode)
        if mode != "inference":
            noise = 0.01 * torch.randn_like(x)
            self.sums.index_add_(0, y, x + noise)
            self.counts.index_add_(0, y, torch.ones(len(y)))
        seen = int(self.counts.sum())
        return {
            "accuracy": accuracy,
            "memory_fill": min(1.0, seen / 500),
            "mature": min(1.0, self.consolidated / 4),
            "seen": seen,
            "mode": mode,
        }

    update_batch = train_step

    def features(self, x: Any) -> Tensor:
        return torch.as_tensor(x).flatten(1)[:, : self.in_dim].float()

    def predict(self, x: Any) -> Tensor:
        means = self.sums / self.counts.clamp(min=1)[:, None]
        distance = torch.cdist(self.features(x), means)
        return distance.masked_fill(self.counts == 0, torch.inf).argmin(1)

    def sleep(self) -> dict[str, Any]:
        self.slept += 1
        return {}

    def consolidate(self) -> dict[str, Any]:
        self.consolidated += 1
        self.sums += 1e-3 * torch.rand_like(self.sums) * 0
        return {}

    def config(self) -> dict[str, Any]:
        return {"in_dim": self.in_dim, "num_classes": self.num_classes, "device": "cpu"}

    def export_state(self) -> State:
        values = {"slept": self.slept, "consolidated": self.consolidated, "modes": self.modes}
        return State(values, {"sums": self.sums, "counts": self.counts})

    def import_state(self, state: State) -> None:
        self.sums, self.counts = state.tensors["sums"], state.tensors["counts"]
        self.slept, self.consolidated = state.values["slept"], state.values["consolidated"]
        self.modes = list(state.values["modes"])


def clusters(classes: list[int], rows: int = 48, width: int = 8, seed: int = 0) -> Any:
    """Return noisy points around one corner a class, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor(classes)[torch.arange(rows) % len(classes)]
    points = torch.eye(width)[labels] + 0.4 * torch.randn(rows, width, generator=generator)
    return points, labels


def batched(x: Tensor, y: Tensor, size: int, seed: int | None = 0) -> BatchLoader:
    """Return a loader over these rows."""
    names = tuple(str(label) for label in range(int(y.max()) + 1))
    return BatchLoader(LabelledSet(x, y, names, "toy"), size, seed)
