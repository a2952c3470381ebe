"""Turning the images of a source into features, with a bar that says how fast it goes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from plasticish.core import Engine, SequentialEngine, forward
from plasticish.vision import FeatureCache, PretrainedEyes

from .output import Output
from .sight import Sight, make_sight

__all__ = ["Glance", "Looking", "glance"]

# Few enough that the bar moves, and that the eyes draw none of their own. Whole batches of the
# eyes, so that an image is looked at beside the same others whoever does it.
AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Glance:
    """What a worker is to look at, and with which eyes.

    Attributes
    ----------
    eyes : mapping or None
        Configuration of the eyes; None for the sight of digits.
    cache : Path or None
        Folder where features are kept.
    images : ndarray
        An array, for a part of a tensor would travel with the whole of it.
    """

    eyes: Mapping[str, Any] | None
    cache: Path | None
    images: npt.NDArray[np.generic]


def glance(work: Glance) -> tuple[Tensor, int]:
    """Return features, and how many of the images were known; this runs on a worker."""
    sight = _kept_sight(json.dumps(work.eyes), work.cache)
    return _look(sight, torch.from_numpy(work.images))


@lru_cache(maxsize=1)
def _kept_sight(eyes: str, cache: Path | None) -> Sight:
    return make_sight(json.loads(eyes), None if cache is None else FeatureCache(cache))


def _look(sight: Sight, images: Tensor) -> tuple[Tensor, int]:
    cache = getattr(sight, "cache", None)
    known = 0 if cache is None else cache.hits
    seen = sight(images).cpu()
    return seen, 0 if cache is None else cache.hits - known


class Looking:
    """Images to features, counted and timed.

    Parameters
    ----------
    sight : Sight
        What sees.
    output : Output
        Whether a bar is drawn.
    engine : Engine, optional
        Who looks; by default this process.
    clock : callable
        Seconds that never run backwards.
    """

    def __init__(
        self,
        sight: Sight,
        output: Output,
        engine: Engine | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.sight, self.output, self.clock = sight, output, forward(clock)
        self.engine = SequentialEngine() if engine is None else engine
        self.images, self.seconds, self.known = 0, 0.0, 0

    def __call__(self, images: Tensor) -> Tensor:
        """Return features ``[n, width]`` of all ``images`` ``[n, channels, height, width]``."""
        start = self.clock()
        parts = torch.split(images, AT_ONCE)
        seen: list[Tensor] = [torch.empty(0)] * len(parts)
        with self._bar() as bar:
            task = bar.add_task("looking", total=len(images), speed="")
            done = 0
            for position, (features, known) in self._seen(parts):
                seen[position] = features
                self.images += len(features)
                self.known += known
                done += len(features)
                rate = done / max(self.clock() - start, 1e-9)
                bar.update(task, completed=done, speed=f"{rate:,.0f} images/s")
        self.seconds += self.clock() - start
        return torch.cat(seen)

    def _seen(self, parts: Sequence[Tensor]) -> Iterator[tuple[int, tuple[Tensor, int]]]:
        if isinstance(self.engine, SequentialEngine):  # with the eyes that are open already
            return ((i, _look(self.sight, part)) for i, part in enumerate(parts))
        eyes, cache = None, None
        if isinstance(self.sight, PretrainedEyes):
            eyes = self.sight.config()
            cache = None if self.sight.cache is None else self.sight.cache.folder
        return self.engine.unordered(
            glance, [Glance(eyes, cache, part.cpu().numpy()) for part in parts]
        )

    def report(self) -> dict[str, Any]:
        """Return how much was seen, how fast, and how much of it had been seen before."""
        return {
            "images": self.images,
            "seconds": self.seconds,
            "images_per_s": self.images / self.seconds if self.seconds else None,
            "from_cache": self.known if getattr(self.sight, "cache", None) is not None else None,
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
