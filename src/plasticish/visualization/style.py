"""One look for every figure: quiet axes, a colour-blind-safe palette, titles that say the finding.

Figures are built with matplotlib's object interface, so that no window opens and no global state
changes. matplotlib is loaded when the first figure is drawn.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from ..core import CheckpointError, ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "GREY", "INK", "class_colours", "new_figure", "save_figure", "styled"]

P = ParamSpec("P")
T = TypeVar("T")

# Okabe & Ito (2008), "Color Universal Design", in an order that keeps neighbours far apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A7A00", "#5B3A8E")
INK = "#222222"
GREY = "#8C8C8C"
PALE = "#ECEFF1"
SEQUENTIAL = "viridis"  # perceptually even, and readable without colour

_STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.facecolor": "white",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlepad": 8.0,
    "axes.grid": False,
    "figure.facecolor": "white",
    "figure.dpi": 110.0,
    "grid.color": "#E3E6E8",
    "grid.linewidth": 0.7,
    "image.interpolation": "nearest",
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
}


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Draw under the house style, whatever the user's own settings are, and leave those alone."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        import matplotlib as mpl

        with mpl.rc_context(cast(Any, _STYLE)):
            return draw(*args, **kwargs)

    return wrapper


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches, laid out so that nothing overlaps."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str | Path, dpi: int = 160) -> Path:
    """Write a figure to ``path`` (its ending says the format), making the folder.

    Raises
    ------
    ConfigError
        If no format has such an ending.
    CheckpointError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(new_figure(2, 2), Path(folder, "a", "b.svg")).name
    'b.svg'
    """
    target = Path(path)
    formats = figure.canvas.get_supported_filetypes()
    if target.suffix[1:].lower() not in formats:
        raise ConfigError(
            "no picture has such an ending",
            got=repr(target.name),
            expected="one of: " + ", ".join(f".{name}" for name in sorted(formats)),
            cure="give a name that ends in .png",
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, dpi=dpi)
    except OSError as error:
        raise CheckpointError(
            "the figure could not be written",
            got=f"{error.strerror} ({target})",
            cure="choose another folder or free space",
        ) from error
    return target


def class_colours(count: int) -> list[Any]:
    """Return ``count`` colours that can be told apart; beyond the palette they go round a wheel.

    Examples
    --------
    >>> class_colours(2)
    ['#0072B2', '#E69F00']
    """
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    import matplotlib as mpl

    # Ten classes are the common case: the palette and the two neutral ends.
    if count <= len(COLOURS) + 2:
        return [*COLOURS, "#000000", "#999999"][:count]
    wheel = mpl.colormaps["turbo"]
    return [wheel((i + 0.5) / count) for i in range(count)]


def quiet_axes(axis: Axes, *, grid: str = "") -> None:
    """Remove what carries no information; ``grid`` is "x", "y" or nothing."""
    axis.tick_params(length=0)
    axis.set_axisbelow(True)
    if grid:
        axis.grid(True, axis="x" if grid == "x" else "y")


def bare(axis: Axes) -> None:
    """Leave only the picture: no ticks, no frame."""
    axis.set_xticks([])
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)


def percent_axis(axis: Axes, which: str = "y", high: float = 1.0) -> None:
    """Show shares in [0, 1] as percentages."""
    from matplotlib.ticker import PercentFormatter

    chosen = axis.yaxis if which == "y" else axis.xaxis
    chosen.set_major_formatter(PercentFormatter(xmax=1.0, decimals=0))
    (axis.set_ylim if which == "y" else axis.set_xlim)(0.0, high)


def spread_labels(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move label heights apart so that none is closer than ``gap`` to the next.

    Examples
    --------
    >>> spread_labels([0.5, 0.5], gap=0.1, low=0.0, high=1.0)
    [0.45, 0.55]
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed = [values[i] for i in order]
    for _ in range(100):
        moved = False
        for i in range(len(placed) - 1):
            lack = gap - (placed[i + 1] - placed[i])
            if lack > 1e-9:
                placed[i] -= lack / 2
                placed[i + 1] += lack / 2
                moved = True
        placed = [min(max(p, low), high) for p in placed]
        if not moved:
            break
    result = [0.0] * len(values)
    for rank, i in enumerate(order):
        result[i] = round(placed[rank], 6)
    return result
