"""A tree that is watched while it learns: one animation, in which nothing jumps.

Blue signals are counts and green ones levels; both travel from the leaf to the root, and a node
shows its new number once they have passed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from plasticish.core import ConfigError, DataError, track, write_atomically

from .alphabet import Symbols
from .growth_scenes import final_places, scenes

__all__ = ["Animation", "animate_growth", "check_ending"]

MOST = 60
"""Sequences shown at most: more have no room on a screen."""


@dataclass(frozen=True)
class Animation:
    """An animation, as a file holds it.

    Attributes
    ----------
    gif : bytes
        The file.
    sequences, frames : int
        How many sequences are learned in it, and in how many frames.
    """

    gif: bytes
    sequences: int
    frames: int

    def save(self, path: str | Path) -> Path:
        """Write it.

        Raises
        ------
        ConfigError
            If the name does not end in ``.gif``.
        """
        path = Path(path)
        check_ending(path)
        write_atomically(path, self.gif)
        return path

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.gif).decode()
        return f'<img alt="a growing tree" src="data:image/gif;base64,{data}">'


def animate_growth(sequences: Sequence[Symbols], count: int = 40) -> Animation:
    """Animate how a tree grows while it learns the first sequences.

    Parameters
    ----------
    sequences : sequence of sequences
        What is learned, in this order.
    count : int
        How many of them, from 1 to 60.

    Returns
    -------
    Animation
        A GIF of some 10 kB a sequence, half a second to a second each.

    Raises
    ------
    ConfigError
        If ``count`` is out of range.
    DataError, DTypeError
        If a sequence cannot be learned.

    Examples
    --------
    >>> animation = animate_growth(["emma", "emily", "ava"])
    >>> animation.sequences, animation.gif[:6]
    (3, b'GIF89a')
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise ConfigError("count is out of range", got=repr(count), expected=f"1 to {MOST}")
    chosen = list(sequences[:count])
    if not chosen:
        raise DataError("there is no sequence to learn", cure="give at least one")
    from .growth_frames import Painter, to_gif  # matplotlib takes half a second

    spots = final_places(chosen).values()
    painter = Painter(
        max(spot.x for spot in spots), max(spot.y for spot in spots),
        max(spot.level for spot in spots),
    )  # fmt: skip
    shown = track(scenes(chosen), "watching it grow", total=len(chosen))
    gif, frames = to_gif(frame for scene in shown for frame in painter.frames(scene))
    return Animation(gif, len(chosen), frames)


def check_ending(path: Path) -> None:
    """Refuse a name that no animation can have.

    Raises
    ------
    ConfigError
        If it does not end in ``.gif``.
    """
    if path.suffix.lower() != ".gif":
        raise ConfigError(
            "an animation of this format cannot be written",
            got=repr(path.suffix),
            expected="'.gif'",
            cure="name the file so",
        )
