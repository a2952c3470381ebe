"""What an episodic memory holds, laid out in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import normalize

from ..core import ConfigError, NotReadyError, make_generator
from .style import bare, class_colours, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["own_neighbours", "plot_memory_map", "project"]

METHODS = ("pca", "tsne")


def project(
    keys: Float[Tensor, "memories width"], method: str = "pca", seed: int = 0
) -> Float[Tensor, "memories 2"]:
    """Lay unit-length keys out in a plane.

    Parameters
    ----------
    keys : Tensor ``[memories, width]``
        What to lay out.
    method : {"pca", "tsne"}
        The two directions of largest variance, which distorts no distance between them; or
        t-SNE (van der Maaten & Hinton 2008), which keeps neighbours together and nothing else.
    seed : int
        Of t-SNE.

    Raises
    ------
    ConfigError
        If the method is unknown.
    NotReadyError
        If there are fewer than three keys.
    """
    if method not in METHODS:
        raise ConfigError("unknown method", got=repr(method), expected=f"one of {list(METHODS)}")
    if len(keys) < 3:
        raise NotReadyError("too few memories to draw", got=str(len(keys)), expected="at least 3")
    unit = normalize(keys.float(), dim=1)
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(30.0, (len(keys) - 1) / 3)
        layout = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
        return torch.from_numpy(layout.fit_transform(unit.numpy()))
    centred = unit - unit.mean(dim=0)
    left, singular, _ = torch.linalg.svd(centred, full_matrices=False)
    plane = torch.zeros(len(keys), 2)
    found = min(2, len(singular))
    plane[:, :found] = left[:, :found] * singular[:found]
    # The sign of a direction is arbitrary; fixed, so that the same memories look the same.
    return plane * torch.where(plane.sum(dim=0) < 0, -1.0, 1.0)


def own_neighbours(
    keys: Float[Tensor, "memories width"], labels: Int64[Tensor, " memories"]
) -> float:
    """Return the share of keys whose nearest other key, by cosine, has their label.

    Examples
    --------
    >>> own_neighbours(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), torch.tensor([0, 0, 1]))
    0.6666666865348816
    """
    unit = normalize(keys.float(), dim=1)
    likeness = unit @ unit.T
    likeness.fill_diagonal_(-torch.inf)
    return float((labels[likeness.argmax(dim=1)] == labels).float().mean())


@styled
def plot_memory_map(
    keys: Float[Tensor, "memories width"],
    labels: Int64[Tensor, " memories"],
    names: Sequence[str],
    *,
    method: str = "pca",
    most: int = 2000,
    seed: int = 0,
) -> Figure:
    """Draw memories as points in a plane, coloured and named by class.

    Parameters
    ----------
    keys : Tensor ``[memories, width]``
        The memories.
    labels : Tensor ``[memories]``
        Their classes.
    names : sequence of str
        Class names by label.
    method : {"pca", "tsne"}
        See :func:`project`.
    most : int
        Draw at most so many, chosen at random by ``seed``.
    seed : int
        See ``most``.
    """
    total = len(keys)
    chosen = torch.randperm(total, generator=make_generator(seed))[:most].sort().values
    keys, labels = keys[chosen].cpu(), labels[chosen].cpu()
    plane = project(keys, method, seed)
    figure = new_figure(6.2, 5.2)
    axis = figure.add_subplot()
    present = torch.unique(labels).tolist()
    for label, colour in zip(present, class_colours(len(present)), strict=True):
        x, y = plane[labels == label].T
        axis.scatter(x, y, s=9, color=colour, alpha=0.55, linewidths=0)
    centres = torch.stack([plane[labels == label].median(dim=0).values for label in present])
    size = (plane.amax(dim=0) - plane.amin(dim=0)).clamp(min=1e-9)
    places = apart(centres, gap=size * torch.tensor([0.16, 0.05])).tolist()
    for label, colour, (x, y) in zip(present, class_colours(len(present)), places, strict=True):
        _name(axis, x, y, names[label], colour)
    bare(axis)
    axis.set_aspect("equal", adjustable="datalim")
    own = 100 * own_neighbours(keys, labels)
    shown = f"{len(keys):,} of {total:,}" if len(keys) < total else f"{total:,}"
    axis.set_title(f"{own:.0f} % of memories lie nearest to one of their own class")
    axis.set_xlabel(f"{shown} memories, {'principal plane' if method == 'pca' else 't-SNE'}")
    return figure


def apart(places: Float[Tensor, "labels 2"], gap: Float[Tensor, 2]) -> Float[Tensor, "labels 2"]:
    """Move labels up and down until no two overlap in a box of ``gap``.

    Examples
    --------
    >>> apart(torch.tensor([[0.0, 0.0], [0.1, 0.0]]), torch.tensor([1.0, 0.5]))[:, 1]
    tensor([-0.2500,  0.2500])
    """
    moved = places.clone()
    for _ in range(200):
        step = moved[None] - moved[:, None]
        near = (step[..., 0].abs() < gap[0]) & (step[..., 1].abs() < gap[1] * 0.999)
        near.fill_diagonal_(False)
        if not bool(near.any()):
            break
        # Labels at one height part by their order, so that the loop cannot stand still.
        order = torch.arange(len(moved), device=moved.device)
        tie = torch.sign((order[None] - order[:, None]).float())
        way = torch.where(step[..., 1] == 0, tie, torch.sign(step[..., 1]))
        lack = (gap[1] - step[..., 1].abs()) * near
        moved[:, 1] -= (way * lack).sum(dim=1) / 2
    return moved


def _name(axis: object, x: float, y: float, name: str, colour: str) -> None:
    from matplotlib.patheffects import withStroke

    axis.text(  # type: ignore[attr-defined]
        x,
        y,
        name,
        color=colour,
        ha="center",
        va="center",
        fontsize=10,
        fontweight="bold",
        path_effects=[withStroke(linewidth=3, foreground="white")],
    )
