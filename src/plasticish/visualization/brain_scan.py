"""A look inside a learner that talks: who fires, what it feels, how words lie, how they grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .style import COLOURS, GREY, INK, SEQUENTIAL, bare, new_figure, quiet_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BrainScan", "plot_brain_scan"]

Array = npt.NDArray[Any]
MODULATORS = (
    "attention (acetylcholine)",
    "novelty (norepinephrine)",
    "fatigue (adenosine)",
    "dopamine",
)
TREES, LEAVES, SHOWN = 8, 48, 24


@dataclass(frozen=True, eq=False)
class BrainScan:
    """What a picture of a brain shows.

    Attributes
    ----------
    sentence : tuple of str
        What it says, token by token.
    spikes : tuple of array of int
        The cells that are active at each token.
    neurons : int
        Cells in all.
    lived : array of shape (turns, 4)
        Attention, novelty, fatigue and dopamine of the last turns, oldest first.
    words : tuple of str
        Words that were compared.
    overlap : array of shape (words, words)
        Share of their assemblies that two words have in common, in [0, 1].
    pieces : mapping of str to (str, str)
        The two pieces that each piece of a word grew from, the most used first; none for a
        character.
    """

    sentence: tuple[str, ...] = ()
    spikes: tuple[Array, ...] = ()
    neurons: int = 1
    lived: Array = field(default_factory=lambda: np.zeros((0, 4)))
    words: tuple[str, ...] = ()
    overlap: Array = field(default_factory=lambda: np.zeros((0, 0)))
    pieces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@styled
def plot_brain_scan(scan: BrainScan) -> Figure:
    """Draw spikes, neuromodulators, assemblies and vocabulary in one figure.

    Parameters
    ----------
    scan : BrainScan
        What to draw; a part that is empty says so.

    Examples
    --------
    >>> scan = BrainScan(("hi", "!"), (np.array([3, 70]), np.array([8])), 100)
    >>> [axis.get_title("left") for axis in plot_brain_scan(scan).axes[:2]]
    ['Saying “hi!”: 1.5 of 100 cells a token', 'No turn was lived yet']
    """
    figure = new_figure(11.0, 7.6)
    upper, lower = figure.subplots(2, 2, width_ratios=[1.25, 1.0])
    _draw_spikes(upper[0], scan)
    _draw_lived(upper[1], scan.lived)
    _draw_tree(lower[0], scan.pieces)
    _draw_overlap(figure, lower[1], scan)
    return figure


def _nothing(axis: Axes, text: str) -> None:
    axis.set_title(text)
    bare(axis)


def _draw_spikes(axis: Axes, scan: BrainScan) -> None:
    if not scan.sentence:
        _nothing(axis, "Nothing was learned to say yet")
        return
    for step, cells in enumerate(scan.spikes):
        axis.vlines(
            np.full(len(cells), step), cells - 0.004 * scan.neurons, cells + 0.004 * scan.neurons,
            color=COLOURS[step % 2], linewidth=2.2,
        )  # fmt: skip
    axis.set_xlim(-0.6, len(scan.spikes) - 0.4)
    axis.set_ylim(0, scan.neurons)
    axis.set_xticks(range(len(scan.sentence)))
    axis.set_xticklabels([piece.replace(" ", "·") for piece in scan.sentence], rotation=60)
    axis.set_ylabel("cell")
    quiet_axes(axis)
    said = "".join(scan.sentence).strip()
    said = said if len(said) <= SHOWN else said[: SHOWN - 1] + "…"
    mean = float(np.mean([len(cells) for cells in scan.spikes]))
    axis.set_title(f"Saying “{_plain(said)}”: {mean:.3g} of {scan.neurons:,} cells a token")


def _draw_lived(axis: Axes, lived: Array) -> None:
    if not len(lived):
        _nothing(axis, "No turn was lived yet")
        return
    turns = np.arange(-len(lived) + 1, 1)
    for column, (name, colour) in enumerate(zip(MODULATORS, COLOURS, strict=False)):
        axis.plot(turns, lived[:, column], color=colour, linewidth=1.2, label=name,
                  marker="o" if len(lived) < 12 else None, markersize=3)  # fmt: skip
    axis.axhline(0.0, color=GREY, linewidth=0.6)
    axis.set_ylim(min(-0.05, float(lived.min()) - 0.05), 1.05)
    axis.set_xlabel("turns before the last")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    quiet_axes(axis, grid="y")
    axis.set_title(f"Neuromodulators over the last {len(lived):,} turns")


def _draw_overlap(figure: Figure, axis: Axes, scan: BrainScan) -> None:
    if len(scan.words) < 2:
        _nothing(axis, "Too few words to compare")
        return
    drawn = axis.imshow(scan.overlap, cmap=SEQUENTIAL, vmin=0.0, vmax=1.0)
    labels = [_plain(word) for word in scan.words]
    axis.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
    axis.set_yticks(range(len(labels)), labels)
    for spine in axis.spines.values():
        spine.set_visible(False)
    figure.colorbar(drawn, ax=axis, shrink=0.8, label="share in common")
    apart = scan.overlap[~np.eye(len(labels), dtype=bool)]
    axis.set_title(f"Two words share {100 * float(apart.mean()):.0f} % of their cells")


# --------------------------------------------------------------------------- the vocabulary


def _draw_tree(axis: Axes, pieces: Mapping[str, tuple[str, ...]]) -> None:
    grown = [piece for piece, parts in pieces.items() if parts]
    if not grown:
        _nothing(axis, "No piece of a word has grown yet")
        return
    place, highest = 0.0, 1
    for piece in islice(_roots(grown, pieces), TREES):
        if place and place + len(piece) > LEAVES:
            break
        height = _draw_piece(axis, piece, pieces, place)[1]
        highest = max(highest, height)
        place += len(piece) + 1.5
    axis.set_xlim(-1.0, max(place, 8.0))
    axis.set_ylim(-0.5, highest + 0.7)
    bare(axis)
    axis.set_title(f"{len(grown):,} pieces grew from characters; the most used")


def _roots(grown: Sequence[str], pieces: Mapping[str, tuple[str, ...]]) -> Sequence[str]:
    """Return the pieces that are no part of another, longest words first among the most used."""
    inner = {part for piece in grown for part in pieces[piece]}
    roots = [piece for piece in grown if piece not in inner]
    return sorted(roots[: 3 * TREES], key=len, reverse=True)


def _draw_piece(
    axis: Axes, piece: str, pieces: Mapping[str, tuple[str, ...]], left: float
) -> tuple[float, int]:
    """Draw a piece over its parts, from ``left`` on, and return where it stands."""
    parts = pieces.get(piece, ())
    if not parts:
        # A part may have been forgotten since: then it stands for itself.
        across, height = left + (len(piece) - 1) / 2, 0
    else:
        below, start = [], left
        for part in parts:
            below.append(_draw_piece(axis, part, pieces, start))
            start += len(part)
        across = sum(x for x, _ in below) / len(below)
        height = 1 + max(y for _, y in below)
        for x, y in below:
            axis.plot([across, x], [height, y], color=GREY, linewidth=0.8, zorder=1)
    axis.text(
        across, height, _plain(piece.replace(" ", "·")), ha="center", va="center", zorder=2,
        fontsize=8.5, color=INK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )  # fmt: skip
    return across, height


def _plain(text: str) -> str:
    """Return text in which matplotlib finds no mathematics, and no glyph that its font lacks."""
    known = "".join(c if c < "\u2e80" else "▯" for c in text)
    return known.replace("$", r"\$")
