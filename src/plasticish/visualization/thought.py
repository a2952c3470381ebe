"""One image on its way through a brain: what it saw, which neurons spoke, what it remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .images import draw_image
from .style import COLOURS, GREY, INK, bare, new_figure, quiet_axes, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["Thought", "draw_thought"]

Array = NDArray[Any]
MEMORIES = 6  # as many as fit beside each other and are still recognised
CANDIDATES = 5
_MUTED = "#C3CACF"


@dataclass(frozen=True)
class Thought:
    """What one question did inside a brain.

    Attributes
    ----------
    image : Tensor ``[channels, h, w]`` or None
        What was shown, if it was an image.
    features : Tensor ``[width]``
        What the eyes made of it.
    truth : int or None
        Its label, if known.
    answer : int
        What the brain said.
    proba, hippocampus, cortex : Tensor ``[classes]``
        The vote, whole and by voter.
    layers : sequence of (width, winners, code)
        For each block its number of neurons, the indices ``[k]`` of its winners and their values.
    memories : sequence of (index, label, weight, similarity)
        The memories it woke, nearest first.
    """

    image: Tensor | None
    features: Tensor
    truth: int | None
    answer: int
    proba: Tensor
    hippocampus: Tensor
    cortex: Tensor
    layers: Sequence[tuple[int, Tensor, Tensor]]
    memories: Sequence[tuple[int, int, float, float]]


@styled
def draw_thought(
    thought: Thought, name: Callable[[int], str], memory_image: Callable[[int], Tensor] | None
) -> Figure:
    """Draw a thought; ``name`` gives class names, ``memory_image`` the picture of a memory."""
    figure = new_figure(9.6, 5.4)
    upper, lower = cast(Any, figure.subfigures(2, 1))
    figure.suptitle(_verdict(thought, name), x=0.01, ha="left", fontsize=12, fontweight="bold")
    _draw_senses(upper, thought)
    left, right = cast(Any, lower.subfigures(1, 2, width_ratios=(1.15, 1.0)))
    _draw_memories(left, thought, name, memory_image)
    _draw_vote(right, thought, name)
    return figure


def _verdict(thought: Thought, name: Callable[[int], str]) -> str:
    said = f"Called {name(thought.answer)} ({100 * float(thought.proba[thought.answer]):.0f} %)"
    if thought.truth is None:
        return said
    if thought.truth == thought.answer:
        return f"{said}, rightly"
    return f"{said}, but it is {name(thought.truth)}"


def _draw_senses(figure: SubFigure, thought: Thought) -> None:
    shown = [1.0] if thought.image is not None else []
    ratios = [*shown, 1.0, *([2.6] if thought.layers else [])]
    axes = iter(figure.subplots(1, len(ratios), width_ratios=ratios, squeeze=False)[0])
    if thought.image is not None:
        seen = next(axes)
        draw_image(seen, thought.image)
        seen.set_anchor("N")
        seen.set_title("It sees")
    eyes = next(axes)
    grid = as_grid(thought.features.detach().cpu().float().numpy())
    # A few strong features would leave the rest in one tone.
    eyes.imshow(grid, cmap="Blues", aspect="equal", vmax=float(np.nanpercentile(grid, 99)))
    eyes.set_anchor("N")
    bare(eyes)
    eyes.set_title(f"{len(thought.features):,} features")
    if thought.layers:
        _draw_layers(next(axes), thought.layers)


def as_grid(values: Array) -> Array:
    """Fold a vector into a near-square image; what is left over is NaN.

    Examples
    --------
    >>> as_grid(np.arange(5.0)).shape
    (2, 3)
    """
    columns = int(np.ceil(np.sqrt(len(values))))
    rows = int(np.ceil(len(values) / columns))
    padded = np.full(rows * columns, np.nan)
    padded[: len(values)] = values
    return padded.reshape(rows, columns)


def _draw_layers(axis: Axes, layers: Sequence[tuple[int, Tensor, Tensor]]) -> None:
    for row, (width, winners, code) in enumerate(layers):
        strength = code.detach().cpu().float().abs().numpy()
        strength = strength / max(float(strength.max(initial=0.0)), 1e-9)
        place = winners.detach().cpu().numpy() / max(width, 1)
        axis.vlines(place, row - 0.36 * strength, row + 0.36 * strength, COLOURS[0], linewidth=0.7)
        axis.text(
            1.01,
            row,
            f"{int((strength > 0).sum()):,} of {width:,}",
            transform=axis.get_yaxis_transform(),
            va="center",
            fontsize=8.5,
            color=GREY,
        )
    axis.set_xlim(0, 1)
    axis.set_ylim(len(layers) - 0.5, -0.5)
    axis.set_xticks([])
    axis.set_yticks(range(len(layers)), [f"block {i + 1}" for i in range(len(layers))])
    axis.spines["left"].set_visible(False)
    axis.spines["bottom"].set_visible(False)
    quiet_axes(axis)
    axis.set_title("Which neurons speak in each block")


def _draw_memories(
    figure: SubFigure,
    thought: Thought,
    name: Callable[[int], str],
    memory_image: Callable[[int], Tensor] | None,
) -> None:
    woken = list(thought.memories)[:MEMORIES]
    agree = sum(label == thought.answer for _, label, _, _ in thought.memories)
    title = f"{agree} of the {len(thought.memories)} memories it woke say {name(thought.answer)}"
    if not woken:
        axis = figure.add_subplot()
        bare(axis)
        axis.set_title("It remembers nothing")
    elif memory_image is None:
        _draw_memory_bars(figure.add_subplot(), thought, name, title)
    else:
        axes = figure.subplots(2, MEMORIES // 2, squeeze=False).flatten()
        figure.suptitle(title, x=0.02, ha="left", fontsize=10, fontweight="bold")
        for axis in axes:
            bare(axis)
        for axis, (index, label, _, similarity) in zip(axes, woken, strict=False):
            draw_image(axis, memory_image(index))
            colour = COLOURS[0] if label == thought.answer else INK
            axis.set_xlabel(f"{name(label)} {similarity:.2f}", color=colour, fontsize=8.5)


def _draw_memory_bars(axis: Axes, thought: Thought, name: Callable[[int], str], title: str) -> None:
    woken = list(thought.memories)[: 2 * MEMORIES]
    for row, (_, label, _, similarity) in enumerate(woken):
        colour = COLOURS[0] if label == thought.answer else _MUTED
        axis.barh(row, similarity, height=0.7, color=colour)
    axis.set_yticks(range(len(woken)), [name(label) for _, label, _, _ in woken])
    axis.set_ylim(len(woken) - 0.4, -0.6)
    axis.set_xlim(min(0.0, *(s for *_, s in woken)), 1.0)
    axis.set_xlabel("similarity (cosine)")
    axis.spines["left"].set_visible(False)
    quiet_axes(axis)
    axis.set_title(title)


def _draw_vote(figure: SubFigure, thought: Thought, name: Callable[[int], str]) -> None:
    top = thought.proba.argsort(descending=True)[:CANDIDATES].tolist()
    voters = (
        ("hippocampus", thought.hippocampus),
        ("cortex", thought.cortex),
        ("together", thought.proba),
    )
    axes = figure.subplots(1, len(voters), sharey=True)
    for axis, (voter, vote) in zip(axes, voters, strict=True):
        for row, label in enumerate(top):
            share = float(vote[label])
            colour = COLOURS[0] if label == thought.answer else _MUTED
            axis.barh(row, share, height=0.66, color=colour)
            axis.text(share + 0.04, row, f"{100 * share:.0f}", va="center", fontsize=8.5)
        axis.set_xlim(0, 1.25)
        axis.set_xticks([])
        axis.set_title(voter)
        axis.spines["bottom"].set_visible(False)
        axis.spines["left"].set_color(_MUTED)
        quiet_axes(axis)
    axes[0].set_yticks(range(len(top)), [name(label) for label in top])
    axes[0].set_ylim(CANDIDATES - 0.4, -0.6)
    axes[0].set_xlabel("vote (%)", loc="left")
