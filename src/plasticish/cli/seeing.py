"""Turning the images of a source into features, with a bar that says how fast it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from plasticish.core import forward

from .output import Output
from .sight import Sight

__all__ = ["Looking"]

AT_ONCE = 256  # few enough that the bar moves, and that the eyes draw none of their own


class Looking:
    """Images to features, counted and timed.

    Parameters
    ----------
    sight : Sight
        What sees.
    output : Output
        Whether a bar is drawn.
    clock : callable
        Seconds that never run backwards.
    """

    def __init__(
        self, sight: Sight, output: Output, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.sight, self.output, self.clock = sight, output, forward(clock)
        self.images, self.seconds = 0, 0.0

    def __call__(self, images: Tensor) -> Tensor:
        """Return features ``[n, width]`` of all ``images`` ``[n, channels, height, width]``."""
        start = self.clock()
        parts = []
        with self._bar() as bar:
            task = bar.add_task("looking", total=len(images), speed="")
            for part in torch.split(images, AT_ONCE):
                parts.append(self.sight(part))
                self.images += len(part)
                done = sum(map(len, parts))
                rate = done / max(self.clock() - start, 1e-9)
                bar.update(task, completed=done, speed=f"{rate:,.0f} images/s")
        self.seconds += self.clock() - start
        return torch.cat(parts).cpu()

    def report(self) -> dict[str, Any]:
        """Return how much was seen, how fast, and how much of it had been seen before."""
        cache = getattr(self.sight, "cache", None)
        return {
            "images": self.images,
            "seconds": self.seconds,
            "images_per_s": self.images / self.seconds if self.seconds else None,
            "from_cache": None if cache is None else cache.hits,
        }

    def _bar(self) -> Progress:
        return Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("[cyan]{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not self.output.live,
        )
