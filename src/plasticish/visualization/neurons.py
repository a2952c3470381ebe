"""What the neurons of the blocks do, and what has become of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core import NotReadyError
from .style import (
    GREY,
    INK,
    SEQUENTIAL,
    bare,
    class_colours,
    new_figure,
    quiet_axes,
    styled,
)
from .thought import as_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BlockActivity", "code_similarity", "draw_activity", "draw_neuron_map"]

Array = NDArray[Any]
BlockActivity = tuple[int, Array, Array]
"""Number of neurons, winners ``[n, k]`` and their values ``[n, k]``."""
COLUMNS = 240  # neurons side by side in a raster; more could not be told apart


def code_similarity(winners: Array, code: Array, width: int) -> Array:
    """Return the cosine between the sparse codes of each two inputs, ``[n, n]`` in [-1, 1].

    Parameters
    ----------
    winners, code : array ``[n, k]``
        Indices of the winners and their values.
    width : int
        Number of neurons.

    Examples
    --------
    >>> code_similarity(np.array([[0, 1], [1, 2]]), np.ones((2, 2)), width=3).round(6).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    dense = np.zeros((len(winners), width))
    rows = np.broadcast_to(np.arange(len(winners))[:, None], winners.shape)
    np.add.at(dense, (rows, winners), code)
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    similarity: Array = dense @ dense.T
    return similarity


def within_and_between(similarity: Array, labels: Array) -> tuple[float, float]:
    """Return the mean similarity within and between classes (NaN if there is no such pair)."""
    same = labels[:, None] == labels[None, :]
    other = ~same
    np.fill_diagonal(same, False)
    within = float(similarity[same].mean()) if same.any() else float("nan")
    between = float(similarity[other].mean()) if other.any() else float("nan")
    return within, between


@styled
def draw_activity(blocks: Sequence[BlockActivity], labels: Array, names: Sequence[str]) -> Figure:
    """Draw who wins for which input, and how much two inputs have in common.

    Parameters
    ----------
    blocks : sequence of (width, winners, code)
        One entry a block, over the same ``n`` inputs.
    labels : array ``[n]``
        Class of each input; they are drawn class by class.
    names : sequence of str
        Class names by label.
    """
    if not blocks:
        raise NotReadyError("the brain has no blocks", cure="build it with num_layers >= 1")
    order = np.argsort(labels, kind="stable")
    labels = labels[order]
    edges = np.flatnonzero(np.diff(labels)) + 0.5
    figure = new_figure(2.9 * max(len(blocks), 2) + 0.6, 5.6)
    axes = figure.subplots(2, len(blocks), squeeze=False)
    alike = [code_similarity(winners[order], code[order], width) for width, winners, code in blocks]
    high = max(_off_diagonal_high(similarity) for similarity in alike)
    # A trace of opposition does not earn a second colour.
    signed = min(float(similarity.min()) for similarity in alike) < -0.2 * high
    means = [within_and_between(similarity, labels) for similarity in alike]
    for column, (width, winners, code) in enumerate(blocks):
        raster, overlap = axes[0, column], axes[1, column]
        raster.imshow(
            _binned(width, winners[order], code[order]), cmap="Blues", aspect="auto", vmin=0.0
        )
        raster.set_title(f"Block {column + 1}")
        raster.set_xlabel(f"{width:,} neurons")
        off = np.ma.masked_where(np.eye(len(labels), dtype=bool), alike[column])
        image = overlap.imshow(
            off,
            cmap="RdBu_r" if signed else "Blues",
            vmin=-high if signed else 0.0,
            vmax=high,
            aspect="auto",
        )
        overlap.set_title(_pair(means[column]), fontweight="normal", fontsize=9)
        for axis in (raster, overlap):
            bare(axis)
            for edge in edges:
                axis.axhline(edge, color=GREY, linewidth=0.5)
        for edge in edges:
            overlap.axvline(edge, color=GREY, linewidth=0.5)
    _label_rows(axes[0, 0], labels, names)
    _label_rows(axes[1, 0], labels, names)
    bar = figure.colorbar(image, ax=axes[1, :], shrink=0.9, label="cosine of their codes")
    bar.outline.set_visible(False)
    figure.suptitle(_activity_finding(means), x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _binned(width: int, winners: Array, code: Array) -> Array:
    bins = min(width, COLUMNS)
    raster = np.zeros((len(winners), bins), dtype=np.float32)
    rows = np.broadcast_to(np.arange(len(winners))[:, None], winners.shape)
    strength = np.abs(code) / np.maximum(np.abs(code).max(axis=1, keepdims=True), 1e-9)
    np.maximum.at(raster, (rows, winners * bins // width), strength)
    return raster


def _off_diagonal_high(similarity: Array) -> float:
    """Return where the colours end: each input is its own likeness, which says nothing."""
    off = np.abs(similarity[~np.eye(len(similarity), dtype=bool)])
    return max(0.05, float(np.percentile(off, 99))) if off.size else 1.0


def _pair(means: tuple[float, float]) -> str:
    within, between = (f"{m:.2f}" if m == m else "–" for m in means)
    return f"same class {within}, other {between}"


def _activity_finding(means: Sequence[tuple[float, float]]) -> str:
    gaps = [within - between for within, between in means]
    if not np.isfinite(gaps).all():
        return "Who wins for which input"
    best = int(np.argmax(gaps))
    within, between = means[best]
    return (
        f"Block {best + 1} tells classes apart best: "
        f"cosine {within:.2f} within a class, {between:.2f} between"
    )


def _label_rows(axis: Any, labels: Array, names: Sequence[str]) -> None:
    present = np.unique(labels)
    middles = [float(np.flatnonzero(labels == label).mean()) for label in present]
    axis.set_yticks(middles, [names[label] for label in present], color=INK)


@styled
def draw_neuron_map(
    values: Sequence[Array],
    captions: Sequence[str],
    label: str,
    title: str,
    high: float | None = None,
) -> Figure:
    """Draw one square a neuron for each block, and beside them the same values in order.

    Parameters
    ----------
    values : sequence of arrays ``[neurons]``
        One a block, at least 0.
    captions : sequence of str
        What to say of each block.
    label : str
        What the colour stands for.
    title : str
        The finding.
    high : float, optional
        Upper end of the colours; by default the largest value.
    """
    if not values:
        raise NotReadyError("the brain has no blocks", cure="build it with num_layers >= 1")
    top = high or max(1e-9, max(float(v.max(initial=0.0)) for v in values))
    count = len(values)
    figure = new_figure(2.2 * count + 3.4, 3.0)
    axes = figure.subplots(1, count + 1, squeeze=False, width_ratios=[1.0] * count + [1.35])[0]
    for axis, block, caption in zip(axes, values, captions, strict=False):
        axis.imshow(as_grid(block), cmap=SEQUENTIAL, vmin=0.0, vmax=top)
        axis.set_anchor("N")
        bare(axis)
        axis.set_title(caption, fontweight="normal", fontsize=9)
    _draw_ordered(axes[-1], values, label, top)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    return figure


def _draw_ordered(axis: Any, values: Sequence[Array], label: str, top: float) -> None:
    """One curve a block over the share of its neurons, on a strip that is the colour scale."""
    ramp = np.linspace(0.0, top, 256)[:, None]
    axis.imshow(
        ramp, cmap=SEQUENTIAL, extent=(-0.07, -0.015, 0, top), aspect="auto", origin="lower"
    )
    for block, colour in zip(values, class_colours(len(values)), strict=True):
        axis.plot(np.linspace(0, 1, len(block)), np.sort(block)[::-1], color=colour, clip_on=False)
    for row, colour in enumerate(class_colours(len(values))):
        axis.text(
            0.12,
            0.05 + 0.1 * (len(values) - 1 - row),
            f"block {row + 1}",
            color=colour,
            transform=axis.transAxes,
        )
    axis.set_xlim(-0.07, 1)
    axis.set_ylim(0, 1.03 * top)
    axis.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axis.set_xlabel("neurons, strongest first")
    axis.set_title(label, fontweight="normal", fontsize=9)
    quiet_axes(axis, grid="y")
