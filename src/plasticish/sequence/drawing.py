"""Pictures of the tree, drawn without any program beside Python: SVG and PNG.

Thickness is count, colour is level, and the path that fired last stands out. In the picture of an
activation what travels along the path is shown apart: counts in blue, levels in green.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plasticish.core import ConfigError, write_atomically

from .layout import Layout, Placed, lay_out

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .looking import Looking

__all__ = ["Picture", "draw_tree"]

COUNTS, LEVELS, FIRED, QUIET = "#1f6fd6", "#1f9d55", "#d6451f", "#b8b8b8"


@dataclass(frozen=True)
class Picture:
    """A drawn figure, as files hold it.

    Attributes
    ----------
    svg : str
        The figure as SVG.
    png : bytes
        The same as PNG.
    left_out : int
        How many nodes are not drawn.
    """

    svg: str
    png: bytes
    left_out: int = 0

    def save(self, path: str | Path) -> Path:
        """Write the picture; the ending of the name, ``.svg`` or ``.png``, says which.

        Raises
        ------
        ConfigError
            If it ends in neither.
        """
        path = Path(path)
        if path.suffix.lower() not in (".svg", ".png"):
            raise ConfigError(
                "a picture of this format cannot be written",
                got=repr(path.suffix),
                expected="'.svg' or '.png'",
                cure="name the file so",
            )
        is_svg = path.suffix.lower() == ".svg"
        write_atomically(path, self.svg.encode() if is_svg else self.png)
        return path

    def _repr_svg_(self) -> str:
        return self.svg


@dataclass(frozen=True)
class Style:
    """What a picture of the tree shows.

    Attributes
    ----------
    counts, levels : bool
        Whether they are written at the nodes.
    fired : sequence of int
        Nodes of the path that stands out, the root first.
    signals : bool
        Whether the path shows counts and levels travelling instead.
    """

    counts: bool = False
    levels: bool = False
    fired: Sequence[int] = ()
    signals: bool = False


def draw_tree(memory: Looking, style: Style, limit: int) -> Picture:
    """Draw the strongest ``limit`` nodes of a memory's tree."""
    if limit < 1:
        raise ConfigError("limit is out of range", got=repr(limit), expected="an integer > 0")
    layout = lay_out(memory.tree, limit)
    figure = _figure(memory, layout, style)
    svg, png = io.StringIO(), io.BytesIO()
    from matplotlib import rc_context

    # Text stays text, and the same tree gives the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "plasticish"}):
        figure.savefig(svg, format="svg", bbox_inches="tight", metadata={"Date": None})
    figure.savefig(png, format="png", bbox_inches="tight", dpi=110)
    return Picture(svg.getvalue(), png.getvalue(), layout.left_out)


def _figure(memory: Looking, layout: Layout, style: Style) -> Figure:
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    size = (2 + 1.6 * (layout.depth + 1), 1 + 0.24 * (layout.width + 1))
    figure = Figure(figsize=(min(size[0], 40), min(size[1], 80)))
    axes = figure.add_subplot()
    axes.set_axis_off()
    colours, top = colormaps["viridis"], max(1, max(memory.levels()))
    fired = set(style.fired)
    for row, placed in layout.nodes.items():
        parent = layout.nodes.get(-1 if placed.node.parent is None else placed.node.parent)
        # A tree that grows to the right leaves room for its words.
        if parent is not None:
            width = 0.6 + 0.9 * math.log1p(placed.node.count)
            colour = QUIET if row not in fired or style.signals else FIRED
            axes.plot(
                [parent.y, placed.y], [parent.x, placed.x], color=colour, lw=width, zorder=1,
                solid_capstyle="round",
            )  # fmt: skip
            if style.signals and row in fired:
                _signals(axes, parent, placed)
        axes.plot(
            placed.y, placed.x, "o", ms=3 + math.log1p(placed.node.count), zorder=2,
            color=FIRED if row in fired else colours(0.9 * placed.node.r_level / top),
        )  # fmt: skip
        axes.annotate(
            _label(memory, placed, parent, style), (placed.y, placed.x), fontsize=7,
            xytext=(5, 3), textcoords="offset points", zorder=3,
        )  # fmt: skip
    axes.invert_yaxis()
    if layout.left_out:
        drawn = len(layout.nodes)
        axes.set_title(
            f"the {drawn:,} strongest nodes; {layout.left_out:,} more are not drawn", fontsize=8
        )
    return figure


def _signals(axes: Any, parent: Placed, placed: Placed) -> None:
    """Show counts and levels on their way from a node to its parent."""
    for colour, at in ((COUNTS, 0.35), (LEVELS, 0.65)):
        x, y = (a + at * (b - a) for a, b in ((placed.x, parent.x), (placed.y, parent.y)))
        toward = (placed.y + (at + 0.12) * (parent.y - placed.y),
                  placed.x + (at + 0.12) * (parent.x - placed.x))  # fmt: skip
        axes.annotate(
            "", toward, (y, x), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.6},
            zorder=4,
        )  # fmt: skip


def _label(memory: Looking, placed: Placed, parent: Placed | None, style: Style) -> str:
    begun = 0 if parent is None else len(parent.node.path)
    parts = [memory.text(placed.node.path[begun:])]
    if style.counts:
        parts.append(f"{placed.node.count:g}")
    if style.levels:
        parts.append(f"r{placed.node.r_level}")
    # Matplotlib reads text between dollars as mathematics.
    return "  ".join(parts).replace("$", r"\$")
