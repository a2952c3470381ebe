"""Avalanche's strategies on features, made ready to be timed.

Avalanche imports torchvision's detection operators and the tracking service wandb whether they
are used or not. Both are stood in for here, and only here: nothing that is measured touches
either.

References
----------
Carta et al. (2023), Avalanche: a PyTorch library for deep continual learning. JMLR 24.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from plasticish.core import import_extra

__all__ = [
    "available",
    "experience",
    "load",
    "naive",
    "predictions",
    "replay",
    "silent",
    "streaming_lda",
    "train",
]

# A torch library is undone when its object is collected, so this one is kept for good.
_operators: list[Any] = []


def available() -> str | None:
    """Return why Avalanche cannot be used here, or None if it can."""
    return None if find_spec("avalanche") else "avalanche-lib is not installed"


def _declare_detection_operators() -> None:
    """Declare what a torchvision without its compiled part asks for on import.

    torchvision registers shapes for ``nms`` and ``qnms`` as it is imported, and fails if its
    compiled part is for another build of torch. They are declared, never called.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]  # half imported
        library: Any = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _operators.append(library)
        importlib.import_module("torchvision")


@contextmanager
def _stand_in_for_wandb() -> Iterator[None]:
    """Put an empty module where Avalanche's metrics import a tracking service for its name only.

    Even where it is installed: it needs much that has nothing to do with what is measured. Whoever
    wants it later gets the real one.
    """
    if "wandb" in sys.modules:
        yield
        return
    empty = ModuleType("wandb")
    empty.__spec__ = importlib.machinery.ModuleSpec("wandb", None)
    sys.modules["wandb"] = empty
    try:
        yield
    finally:
        del sys.modules["wandb"]


def load(module: str) -> ModuleType:
    """Return a module of Avalanche.

    Raises
    ------
    MissingExtraError
        If it is not installed, or does not load.
    """
    _declare_detection_operators()
    with _stand_in_for_wandb(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optional solvers that it would like to have
        return import_extra(f"avalanche.{module}", "bench", "the comparison with Avalanche")


def experience(x: Tensor, y: Tensor) -> Any:
    """Return the rows as the single experience of an Avalanche benchmark."""
    benchmarks = load("benchmarks")
    dataset = torch.utils.data.TensorDataset(x, y)
    dataset.targets = y.tolist()  # type: ignore[attr-defined]  # where Avalanche looks for labels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = benchmarks.nc_benchmark(dataset, dataset, n_experiences=1, task_labels=False)
    return stream.train_stream[0]


def silent() -> Any:
    """Return an evaluator that measures and prints nothing: its work would count against it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that nobody listens, which is what is wanted
        return load("training.plugins").EvaluationPlugin()


def streaming_lda(width: int, classes: int, batch_size: int) -> Any:
    """Return Avalanche's StreamingLDA on features as they are."""
    return load("training.supervised").StreamingLDA(
        slda_model=nn.Identity(),
        criterion=nn.CrossEntropyLoss(),
        input_size=width,
        num_classes=classes,
        train_mb_size=batch_size,
        evaluator=silent(),
    )


def naive(width: int, classes: int, batch_size: int, lr: float = 0.01) -> Any:
    """Return Avalanche's Naive strategy (plain SGD) on a linear layer."""
    model = nn.Linear(width, classes)
    return load("training.supervised").Naive(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=lr),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=batch_size,
        train_epochs=1,
        evaluator=silent(),
    )


def replay(width: int, classes: int, batch_size: int, memory: int = 200, lr: float = 0.01) -> Any:
    """Return Avalanche's Replay strategy on a linear layer."""
    model = nn.Linear(width, classes)
    return load("training.supervised").Replay(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=lr),
        criterion=nn.CrossEntropyLoss(),
        mem_size=memory,
        train_mb_size=batch_size,
        train_epochs=1,
        evaluator=silent(),
    )


def train(strategy: Any, seen: Any) -> None:
    """Train in the way that Avalanche's users do."""
    # Recorded and dropped: it turns its own deprecations on again wherever they are ignored.
    with warnings.catch_warnings(record=True):
        strategy.train(seen)


def predictions(strategy: Any, x: Tensor) -> Tensor:
    """Return the label that a strategy gives each row."""
    strategy.model.eval()
    with torch.no_grad():
        features = strategy.model(x)
        scores = strategy.predict(features) if hasattr(strategy, "predict") else features
    labels: Tensor = scores.argmax(dim=1)
    return labels
