"""A brain to look into: random blocks, a real episodic memory, class means for a cortex."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from plasticish.memory import EpisodicMemoryBank


class VisibleBrain:
    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        *,
        eyes: Any = None,
        blocks: int = 2,
        hidden: int = 256,
        k: int = 16,
    ) -> None:
        generator = torch.Generator().manual_seed(0)
        self.eyes, self.device, self.k = eyes, torch.device("cpu"), k
        width = x.shape[1]
        self.num_classes = int(y.max()) + 1
        self.encoders = [torch.randn(width, hidden, generator=generator) for _ in range(blocks)]
        self.layers = [
            SimpleNamespace(
                hidden_dim=hidden,
                maturity=torch.rand(hidden, generator=generator) ** (i + 1),
                usage=torch.poisson(torch.rand(hidden, generator=generator) * 40 - 4 * i + 0.0)
                if i == 0
                else torch.randint(0, 50, (hidden,), generator=generator),
            )
            for i in range(blocks)
        ]
        self.memory = EpisodicMemoryBank(width, memory_size=5000, k_neighbors=10)
        self.memory.store(x, y)
        self.means = torch.stack([x[y == c].mean(0) for c in range(self.num_classes)])

    def see(self, x: Tensor) -> Tensor:
        return self.eyes(x) if x.ndim == 4 else x

    def why(self, x: Tensor) -> Any:
        features = self.see(x)
        recall = self.memory.recall(features)
        hippocampus = torch.zeros(len(features), self.num_classes)
        hippocampus.scatter_add_(1, recall.labels, recall.weights)
        unit = torch.nn.functional.normalize
        cortex = (20 * unit(features, dim=1) @ unit(self.means, dim=1).T).softmax(1)
        proba = (hippocampus + cortex) / 2
        layers = []
        for encoder in self.encoders:
            code, winners = (features @ encoder).topk(self.k, dim=1)
            layers.append({"winners": winners, "code": code, "gate": 0.1})
        return SimpleNamespace(
            labels=proba.argmax(1),
            proba=proba,
            hippocampus=hippocampus,
            cortex=cortex,
            recall=recall,
            novelty=1 - recall.similarity[:, 0],
            layers=layers,
        )

    def predict(self, x: Tensor) -> Tensor:
        return self.why(x).labels


class VisibleTriarchic:
    """The state of a trained three-layer brain, by the equations of the prototype."""

    def __init__(self, width: int = 16, hidden: int = 512, classes: int = 4, k: int = 8) -> None:
        generator = torch.Generator().manual_seed(0)
        self.projection = torch.randn(hidden, width, generator=generator)
        self.w_core = torch.zeros(classes, hidden)
        self.w_context = torch.zeros(classes, hidden)
        self.importance = torch.zeros(classes, hidden)
        self.k, self.device = k, torch.device("cpu")

    def encode(self, x: Tensor) -> Tensor:
        dense = x @ self.projection.T
        values, winners = dense.topk(self.k, dim=1)
        return torch.nn.functional.normalize(torch.zeros_like(dense).scatter(1, winners, values))

    def update_batch(self, x: Tensor, y: Tensor) -> dict[str, float]:
        h = self.encode(x)
        output = h @ (self.w_core + self.w_context).T
        error = torch.eye(len(self.w_core))[y] - output.softmax(1)
        delta = error.T @ h / len(x)
        self.w_context = 0.8 * (self.w_context + 0.5 * delta)
        brake = (2 * self.importance).clamp(0, 1)
        self.w_core += 0.05 * delta * (1 - brake)
        right = (output.argmax(1) == y).float()[:, None]
        self.importance.index_add_(0, y, 0.5 * right * h.abs())
        accuracy = float(right.mean())
        return {"accuracy": accuracy, "context_energy": float(self.w_context.norm())}

    def predict(self, x: Tensor) -> Tensor:
        return (self.encode(x) @ (self.w_core + self.w_context).T).argmax(1)
