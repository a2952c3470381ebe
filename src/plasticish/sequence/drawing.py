"""Pictures of diagrams, painted without any program beside Python: SVG and PNG.

Thickness is count, colour is level, and what fired last stands out. In the picture of an activation
what travels along the path is shown apart: counts in blue, levels in green.
"""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plasticish.core import ConfigError, write_atomically

from .diagram import Diagram, Spot, Style, curve
from .graphviz import arranged

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COUNTS", "FIRED", "LEVELS", "QUIET", "Picture", "level_colour", "paint", "thickness"]

COUNTS, LEVELS, FIRED, QUIET = "#1f6fd6", "#1f9d55", "#d6451f", "#c4c4c4"

_MARGIN = 0.15  # inches
_PIXELS = 20_000  # of a PNG at most, either way; no program reads it beyond 65,535
_KEYS = 12  # levels shown in the legend at most


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


def level_colour(level: int, top: int) -> tuple[float, float, float]:
    """Return red, green and blue in [0, 1] for a level, of which ``top`` is the highest."""
    from matplotlib import colormaps

    red, green, blue, _ = colormaps["viridis"](0.92 * level / max(top, 1))
    return red, green, blue


def thickness(count: float, most: float) -> float:
    """Return how thick a line is, in points: it grows with the logarithm of the count.

    The thickest, for ``most``, is what two neighbouring rows have room for.
    """
    return 0.6 + math.log1p(count) * min(0.9, 5.0 / math.log1p(max(most, 1.0)))


def paint(diagram: Diagram, style: Style) -> Picture:
    """Paint a diagram.

    Raises
    ------
    ConfigError
        If the layout is unknown, or was asked for and cannot be had.
    """
    diagram = arranged(diagram, style.layout)
    svg, png = io.StringIO(), io.BytesIO()
    from matplotlib import rc_context

    # Text stays text, and the same tree gives the same file.
    settings = rc_context({"svg.fonttype": "none", "svg.hashsalt": "plasticish"})
    with settings, warnings.catch_warnings():
        # A script that the font lacks is a row of boxes in the PNG; the SVG has the text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = _figure(diagram, style)
        figure.savefig(svg, format="svg", metadata={"Date": None})
        figure.savefig(png, format="png", dpi=min(110, _PIXELS / max(figure.get_size_inches())))
    return Picture(svg.getvalue(), png.getvalue(), diagram.left_out)


def _figure(diagram: Diagram, style: Style) -> Figure:
    from matplotlib.figure import Figure

    spots, head = diagram.spots, 0.82 if diagram.note else 0.62
    top = max((spot.level for spot in spots.values()), default=0)
    most = max((spot.count for spot in spots.values()), default=0.0)
    keys = _keys(diagram, style, top)
    words = [0.095 * len(diagram.title), 0.07 * len(diagram.note),
             sum(0.33 + 0.06 * len(key.get_label()) for key in keys)]  # fmt: skip
    right = max([*words, *(spot.x for spot in spots.values())]) + 2 * _MARGIN
    bottom = max((spot.y for spot in spots.values()), default=0.0) + 2 * _MARGIN
    figure = Figure(figsize=(right, bottom + head))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-_MARGIN, right - _MARGIN)  # one unit is one inch
    axes.set_ylim(bottom - _MARGIN, -head - _MARGIN)
    # What fired is painted last, over what did not.
    for link in sorted(diagram.links, key=lambda link: link.fired):
        _paint_link(axes, (spots[link.source], spots[link.target]), link.fired, most, style)
    for spot in spots.values():
        _paint_spot(axes, spot, top, most)
    axes.text(-0.05, -head, _plain(diagram.title), fontsize=10, va="top", fontweight="bold")
    axes.text(-0.05, 0.2 - head, _plain(diagram.note), fontsize=8, va="top")
    axes.legend(
        handles=keys, loc="upper left", bbox_to_anchor=(-0.05, -0.42),
        bbox_transform=axes.transData, ncols=len(keys), borderaxespad=0.0, borderpad=0.2,
        fontsize=7, frameon=False, handlelength=1.2, columnspacing=1.0, handletextpad=0.4,
    )  # fmt: skip
    return figure


def _paint_link(axes: Any, ends: tuple[Spot, Spot], fired: bool, most: float, style: Style) -> None:
    from matplotlib.patches import PathPatch

    stands_out = fired and not style.signals
    axes.add_patch(
        PathPatch(
            _outline(curve(*ends)), fill=False, edgecolor=FIRED if stands_out else QUIET,
            alpha=1.0 if stands_out else 0.6, lw=thickness(ends[1].count, most),
            capstyle="round", zorder=2 if fired else 1,
        )
    )  # fmt: skip
    if style.signals and fired:
        _signals(axes, curve(*ends))


def _outline(points: list[tuple[float, float]]) -> Any:
    from matplotlib.path import Path as Outline

    return Outline(
        points,
        [Outline.MOVETO, Outline.CURVE4, Outline.CURVE4, Outline.CURVE4, Outline.LINETO],
    )


def _signals(axes: Any, points: list[tuple[float, float]]) -> None:
    """Show counts and levels on their way to the parent, one above the other."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Outline

    for colour, shift in ((COUNTS, -0.03), (LEVELS, 0.03)):
        (begin, end), bend = points[0], points[1:4]
        path = [(x, y + shift) for x, y in (*bend[::-1], (begin + 0.06, end))]
        codes = [Outline.MOVETO, Outline.CURVE4, Outline.CURVE4, Outline.CURVE4]
        axes.add_patch(
            FancyArrowPatch(
                path=Outline(path, codes), arrowstyle="-|>", mutation_scale=8, color=colour,
                fill=True, lw=1.3, zorder=4,
            )
        )  # fmt: skip


def _paint_spot(axes: Any, spot: Spot, top: int, most: float) -> None:
    edge, line = FIRED if spot.fired else "white", thickness(spot.count, most)
    axes.plot(
        spot.x, spot.y, "o", ms=2.5 + 0.9 * line, zorder=3,
        color=level_colour(spot.level, top), markeredgecolor=edge,
        markeredgewidth=1.5 if spot.fired else 0.4,
    )  # fmt: skip
    axes.text(
        spot.x - 0.08, spot.y - 0.02 - line / 144, _plain(spot.label), fontsize=7, ha="right",
        va="bottom", zorder=5,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip


def _keys(diagram: Diagram, style: Style, top: int) -> list[Any]:
    """Return what the legend explains."""
    from matplotlib.lines import Line2D

    step = 1 + top // _KEYS
    keys = [
        Line2D([], [], ls="", marker="o", ms=6, color=level_colour(level, top),
               label=f"{diagram.word} {level}" if level == 0 else str(level))
        for level in range(0, top + 1, step)
    ]  # fmt: skip
    keys.append(Line2D([], [], color=QUIET, lw=3, label="thick: frequent"))
    shown = {"counts": COUNTS, "levels": LEVELS} if style.signals else {"fired": FIRED}
    if any(spot.fired for spot in diagram.spots.values()):
        keys += [Line2D([], [], color=colour, lw=2, label=name) for name, colour in shown.items()]
    return keys


def _plain(text: str) -> str:
    # Matplotlib reads text between dollars as mathematics.
    return text.replace("$", r"\$")
