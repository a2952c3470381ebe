"""Work for engines: functions of a module, as a worker process imports them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


def square(number: float) -> float:
    return number * number


def product(seed: int) -> torch.Tensor:
    """A product whose rounding depends on the number of threads, and that number."""
    x = torch.randn(300, 300, generator=torch.Generator().manual_seed(seed))
    return torch.cat([(x @ x.T).flatten(), torch.tensor([float(torch.get_num_threads())])])


def fail_on_two(number: int) -> int:
    if number == 2:
        raise KeyError("two")
    return number


class OddError(Exception):
    """An error that pickle writes and cannot read."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def fail_oddly(number: int) -> int:
    raise OddError("one", "two")


def unpicklable(number: int) -> object:
    return lambda: number


def die_once(marker: str) -> str:
    """Kill the process that works on it, the first time."""
    if not Path(marker).exists():
        Path(marker).write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(marker).name


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def die_first(given: tuple[str, Callable[[Any], Any], Any]) -> Any:
    """Do a piece of work and die of it before it can be handed over, the first time."""
    marker, function, item = given
    result = function(item)
    die_once(marker)
    return result
