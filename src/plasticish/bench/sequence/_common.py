"""What the scenarios of sequences share: the split of the names, and how a memory is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from plasticish.core import make_generator, spawn_seed
from plasticish.sequence import PlasticMemory

from ..scenario import Context, Metric, UnavailableError

__all__ = [
    "CPU",
    "MEMORY",
    "NATS",
    "SPLIT",
    "NameSplit",
    "clocked",
    "load_names",
    "memory_nats",
    "shuffled",
    "warmed_up",
]

T = TypeVar("T")

MEMORY = "PlasticMemory"
NATS = Metric("nats", "nats/token", 3, higher_is_better=False, tolerance=0.01)
CPU = Metric("CPU s", "s", 2, higher_is_better=False, tolerance=0.5, relative=True)
SPLIT = "makemore's names, its own split"


@dataclass(frozen=True)
class NameSplit:
    """Names to learn and names to be asked for."""

    train: list[str]
    test: list[str]

    @property
    def unseen(self) -> list[str]:
        """Test names that are not among those learned."""
        known = set(self.train)
        return [name for name in self.test if name not in known]


def load_names(context: Context) -> NameSplit:
    """Read ``names/names_train.txt`` and ``names/names_test.txt`` under the data root.

    Raises
    ------
    UnavailableError
        If they are not there.
    """
    folder = Path(context.data_root or ".") / "names"
    try:
        parts = [(folder / f"names_{part}.txt").read_text().split() for part in ("train", "test")]
    except OSError as error:
        raise UnavailableError(
            "the names are not here",
            got=str(error),
            cure="set PLASTICISH_DATA to a folder with names/names_train.txt and names_test.txt",
        ) from error
    if context.quick:
        parts = [parts[0][:1000], parts[1][:200]]
    return NameSplit(*parts)


def shuffled(names: Sequence[T], seed: int) -> list[T]:
    """Return the names, or whatever they are, in a random order."""
    generator: torch.Generator = make_generator(spawn_seed(seed, 1))
    return [names[i] for i in torch.randperm(len(names), generator=generator).tolist()]


def memory_nats(memory: PlasticMemory, names: Sequence[str]) -> float:
    """Return the surprise at names, ends counted as tokens, in nats a token."""
    tokens = sum(map(len, names)) + len(names)
    return -float(memory.log_likelihood(names).sum()) / tokens


def warmed_up() -> None:
    """Let everything compile, so that what is timed afterwards is the work alone."""
    memory = PlasticMemory()
    memory.learn(["warm", "warmer", "up"])
    memory.sleep(1)
    memory_nats(memory, ["cold"])


def clocked(work: Callable[[], object]) -> float:
    """Return the CPU seconds that ``work`` took."""
    start = time.process_time()
    work()
    return time.process_time() - start
