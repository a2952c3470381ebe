"""The frames of a growing tree, and the GIF that they make."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from .diagram import Spot, curve
from .drawing import COUNTS, FIRED, LEVELS, level_colour, thickness
from .growth_scenes import Key, Scene

__all__ = ["Painter", "to_gif"]

STEP, LAG = 0.5, 0.5
"""Links that a signal passes from frame to frame, and by which levels come after counts."""

MOST_STEPS = 12
"""Steps from a leaf to the root at most: on a long path signals hurry."""

_DENSITY, _WIDEST, _HIGHEST = 125, 1400, 1300  # pixels an inch, and of the whole
_FINER = 2  # painted so much larger and then shrunk, which smooths the edges
_HEAD, _MARGIN = 0.62, 0.2  # inches
_FRAME_MS, _LAST_MS = 100, 4000
_LINE, _INK, _MUTED = "#d9d9d9", "#1a1a1a", "#6b6b6b"
_POINT = 1 / 72  # inches


class Painter:
    """Paints scenes of one animation.

    Parameters
    ----------
    width, height : float
        Where the last column and the last row are, in inches.
    top : int
        The highest level that there will be.
    """

    def __init__(self, width: float, height: float, top: int) -> None:
        self.size = max(width, 3.6) + 2 * _MARGIN, height + _HEAD + 2 * _MARGIN
        self.density = min(_DENSITY, _WIDEST / self.size[0], _HIGHEST / self.size[1])
        self.top = top
        self._palette: Image.Image | None = None

    def frames(self, scene: Scene) -> Iterator[Image.Image]:
        """Yield the frames in which the signals of a scene travel from the leaf to the root."""
        links = len(scene.fired) - 1
        steps = min(math.ceil((links + LAG) / STEP), MOST_STEPS)
        for step in range(steps + 1):
            counted = step * (links + LAG) / steps
            yield self._frame(scene, counted, counted - LAG)

    def _frame(self, scene: Scene, counted: float, levelled: float) -> Image.Image:
        spots = scene.at(counted, levelled)
        pen = _Pen(self.size, self.density)
        most = max(spot.count for spot in spots.values())
        path = set(scene.fired)
        for key, parent in sorted(scene.parents.items(), key=lambda link: link[0] in path):
            pen.line(
                curve(spots[parent], spots[key]), FIRED if key in path else _LINE,
                thickness(spots[key].count, most) * _POINT,
            )  # fmt: skip
        for key, spot in spots.items():
            ring = FIRED if key in scene.fresh else "white"
            pen.dot(spot.x, spot.y, 0.045, self._colour(spot.level), ring)
            count = f"  {spot.count:g}"
            pen.text(spot.x - 0.08, spot.y - 0.02, spot.label + count, _INK, 7 * _POINT, "rs")
        for at, colour in ((levelled, LEVELS), (counted, COUNTS)):
            if 0 <= at <= len(scene.fired) - 1:
                x, y = _place(scene, spots, at)
                pen.dot(x, y, 0.07, colour, "white")
        self._head(pen, scene, spots)
        return self._few_colours(pen.shrunk())

    def _head(self, pen: _Pen, scene: Scene, spots: dict[Key, Spot]) -> None:
        """Write what is being learned, and what the colours mean."""
        y = -_HEAD + 0.1
        pen.text(0, y, scene.caption, _INK, 11 * _POINT, "ls")
        right = self.size[0] - 2 * _MARGIN
        root = spots[()]
        pen.text(right, y, f"{len(spots)} nodes, r_level {root.level}", _MUTED, 8 * _POINT, "rs")
        x, y = 0.05, y + 0.22
        keys = [(self._colour(level), f"r{level}") for level in range(self.top + 1)]
        keys += [(COUNTS, "counts"), (LEVELS, "levels"), ("white", "new")]
        for colour, word in keys:
            pen.dot(x, y - 0.035, 0.05, colour, FIRED if word == "new" else colour)
            pen.text(x + 0.1, y, word, _MUTED, 7.5 * _POINT, "ls")
            x += 0.24 + 0.07 * len(word)

    def _colour(self, level: int) -> str:
        parts = (round(255 * part) for part in level_colour(level, self.top))
        return "#" + "".join(f"{part:02x}" for part in parts)

    def _few_colours(self, frame: Image.Image) -> Image.Image:
        # One palette, that of the first frame, whose legend has every colour: no flicker.
        if self._palette is None:
            self._palette = frame.quantize(48, dither=Image.Dither.NONE)
        few = frame.quantize(palette=self._palette, dither=Image.Dither.NONE)
        few.info["duration"] = _FRAME_MS
        return few


class _Pen:
    """Draws in inches; the origin is that of the diagram, below the head."""

    def __init__(self, size: tuple[float, float], density: float) -> None:
        self._scale = density * _FINER
        pixels = (int(size[0] * density) * _FINER, int(size[1] * density) * _FINER)
        self._sheet = Image.new("RGB", pixels, "white")
        self._draw = ImageDraw.Draw(self._sheet)

    def line(self, points: list[tuple[float, float]], colour: str, width: float) -> None:
        path = [self._at(x, y) for x, y in _bent(points)]
        self._draw.line(path, fill=colour, width=max(1, round(width * self._scale)), joint="curve")

    def dot(self, x: float, y: float, radius: float, colour: str, ring: str) -> None:
        (px, py), r = self._at(x, y), radius * self._scale
        box = (px - r, py - r, px + r, py + r)
        self._draw.ellipse(box, fill=colour, outline=ring, width=max(1, round(0.35 * r)))

    def text(self, x: float, y: float, text: str, colour: str, size: float, anchor: str) -> None:
        self._draw.text(
            self._at(x, y), text, fill=colour, font=_font(size * self._scale), anchor=anchor
        )

    def shrunk(self) -> Image.Image:
        return self._sheet.reduce(_FINER)

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (x + _MARGIN) * self._scale, (y + _MARGIN + _HEAD) * self._scale


def to_gif(frames: Iterator[Image.Image]) -> tuple[bytes, int]:
    """Return frames as an endless GIF that rests at the last one, and how many they were."""
    made = 0

    def counted() -> Iterator[Image.Image]:
        nonlocal made
        waiting = None
        for frame in frames:
            made += 1
            if waiting is not None:
                yield waiting
            waiting = frame
        if waiting is not None:
            waiting.info["duration"] = _LAST_MS
            yield waiting

    each, content = counted(), io.BytesIO()
    next(each).save(content, "GIF", save_all=True, append_images=each, loop=0)
    return content.getvalue(), made


def _place(scene: Scene, spots: dict[Key, Spot], at: float) -> tuple[float, float]:
    """Return where a signal is that has come ``at`` links from the leaf."""
    passed = min(int(at), len(scene.fired) - 2)
    path = _bent(curve(spots[scene.fired[passed + 1]], spots[scene.fired[passed]]))[::-1]
    lengths = [math.dist(a, b) for a, b in pairwise(path)]
    left = (at - passed) * sum(lengths)
    for ((x, y), (to_x, to_y)), length in zip(pairwise(path), lengths, strict=True):
        if left <= length and length:
            share = left / length
            return x + share * (to_x - x), y + share * (to_y - y)
        left -= length
    return path[-1]


def _bent(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a link as short straight pieces."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3), end = points
    found = []
    for i in range(17):
        t, u = i / 16, 1 - i / 16
        a, b, c, d = u**3, 3 * u * u * t, 3 * u * t * t, t**3
        found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return [*found, end]


def _font(pixels: float) -> Any:
    import matplotlib  # brings a font that has more than Latin letters

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(file, max(6, round(pixels)))
