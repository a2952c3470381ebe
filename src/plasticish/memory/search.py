"""The nearest memories: a half-precision product finds candidates, float32 decides among them.

A bfloat16 product over all keys is several times faster than a float32 one, but its *result* is
rounded to eight bits too, and thousands of memories would tie at 0.87. So a threshold near the
k-th best is subtracted inside the product, before the rounding: scores close to the cut are then
small numbers, which bfloat16 holds finely. The candidates, a few more than were asked for, are
compared again in float32. Their observed error tells whether a memory outside the candidates could
still belong; a query for which that cannot be excluded is answered again by a full float32 product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from .similarity import similarity_of

__all__ = ["KeyView", "class_means", "finish", "nearest"]

SCORE_ELEMENTS = 1 << 24  # scores held at once, queries x memories (32 MiB in half precision)
CHUNK_ELEMENTS = 1 << 20  # keys widened to float32 at once: 4 MiB, which stays in the cache
SLACK = 14  # candidates beyond k; 50 + 14 is a round number of them by default
SAMPLE = 2048  # keys from which the threshold is guessed
BLOCK = 16
ROUNDING = 5e-6  # by which float32 products of unit rows may differ with their order of summing
FEW = 1024  # below this many memories a float32 product is as quick
ROW_COST = 256  # a candidate compared again costs about as much as this many rows of a product


@dataclass(frozen=True)
class KeyView:
    """The stored keys as the search sees them.

    Attributes
    ----------
    rows : Tensor [memories, width]
        What similarity is defined on, in storage precision.
    inverse : Tensor [memories]
        One over the length of each row.
    unit : Tensor [memories, width]
        The same rows at length one, in the type of the fast product.
    """

    rows: Tensor
    inverse: Tensor
    unit: Tensor

    def __len__(self) -> int:
        return len(self.inverse)


def half_products_are_fast(unit: Tensor) -> bool:
    """Whether products in the type of ``unit`` beat float32 ones on this machine."""
    if unit.dtype != torch.bfloat16:
        return False
    # Without AVX-512, torch multiplies bfloat16 matrices in a plain loop, far slower than float32.
    return unit.device.type != "cpu" or "AVX512" in torch.backends.cpu.get_cpu_capability()


def nearest(
    queries: Float32[Tensor, "batch width"], view: KeyView, k: int
) -> tuple[Float32[Tensor, "batch k"], Int64[Tensor, "batch k"]]:
    """Return similarity and index of the ``k`` nearest memories, best first, ties by index.

    Parameters
    ----------
    queries : Tensor [batch, width]
        Unit rows.
    view : KeyView
        The memories; at least ``k``.
    k : int
        How many.
    """
    step = max(1, SCORE_ELEMENTS // len(view))
    fast = len(view) >= FEW and half_products_are_fast(view.unit)
    search = _nearest_certified if fast else _nearest_float32
    parts = [search(queries[i : i + step], view, k) for i in range(0, len(queries), step)]
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])


def _nearest_float32(queries: Tensor, view: KeyView, k: int) -> tuple[Tensor, Tensor]:
    scores = _scores_float32(queries, view)
    count = min(k + SLACK, len(view))
    rough, candidates = _top_columns(scores, count)
    similarity, index = finish(queries, view, candidates, k)
    if count < len(view):
        # Equal keys on both sides of the cut: look at all that tie, so that the slot decides.
        tied = rough[:, -1] >= similarity[:, -1] - ROUNDING
        if bool(tied.any()):
            equal = scores[tied] >= similarity[tied, -1:] - ROUNDING
            candidates = scores[tied].topk(int(equal.sum(dim=1).max()), dim=1).indices
            similarity[tied], index[tied] = finish(queries[tied], view, candidates, k)
    return similarity, index


def _nearest_certified(queries: Tensor, view: KeyView, k: int) -> tuple[Tensor, Tensor]:
    count = min(k + SLACK, len(view))
    threshold = _threshold(queries, view, count)
    rough, candidates = _top_columns(_scores_shifted(queries, view, threshold), count)
    similarity, index = finish(queries, view, candidates, k)
    if count == len(view):
        return similarity, index
    # The error is read off the candidates next to the cut: elsewhere the rounding is coarser.
    rim = candidates[:, k:]
    rough_rim = rough[:, k:].float() + threshold.float()
    error = (rough_rim - similarity_of(queries, view.rows, view.inverse, rim)).abs().amax(dim=1)
    doubtful = similarity[:, -1] <= rough_rim[:, -1] + 3.0 * error
    if bool(doubtful.any()):
        similarity[doubtful], index[doubtful] = _nearest_float32(queries[doubtful], view, k)
    return similarity, index


def finish(
    queries: Float32[Tensor, "batch width"],
    view: KeyView,
    candidates: Int64[Tensor, "batch candidates"],
    k: int,
) -> tuple[Float32[Tensor, "batch k"], Int64[Tensor, "batch k"]]:
    """Return the best ``k`` of the candidates, compared in float32, ties by index."""
    candidates = candidates.sort(dim=1).values  # with the stable sort below, ties go by index
    similarity = similarity_of(queries, view.rows, view.inverse, candidates)
    best, place = similarity.sort(dim=1, descending=True, stable=True)
    return best[:, :k].contiguous(), candidates.gather(1, place[:, :k])


def class_means(
    queries: Float32[Tensor, "batch width"],
    view: KeyView,
    members: Sequence[Tensor],
    k: int,
) -> Float32[Tensor, "batch classes"]:
    """Return the mean similarity of the ``k`` nearest members of each class (of all, if fewer).

    A class without members gets -1, the least a cosine can be. Where candidates come from the
    half-precision product, two members whose similarities differ by less than its error (1e-3 at
    most) may stand in for each other.
    """
    wanted = sum(min(k, len(slots)) for slots in members)
    fast = half_products_are_fast(view.unit) and ROW_COST * wanted < len(view)
    step = max(1, SCORE_ELEMENTS // len(view))
    parts = []
    for i in range(0, len(queries), step):
        part = queries[i : i + step]
        if fast:
            scores = _scores_shifted(part, view, _threshold(part, view, wanted))
        else:
            scores = _scores_float32(part, view)
        parts.append(_class_means(part, view, members, k, scores, fast))
    return torch.cat(parts)


def _class_means(
    queries: Tensor,
    view: KeyView,
    members: Sequence[Tensor],
    k: int,
    scores: Tensor,
    again: bool,
) -> Tensor:
    means = queries.new_full((len(queries), len(members)), -1.0)
    for label, slots in enumerate(members):  # over classes, not over memories
        if len(slots) == 0:
            continue
        best, place = scores.index_select(1, slots).topk(min(k, len(slots)), dim=1)
        if again:
            best = similarity_of(queries, view.rows, view.inverse, slots[place])
        means[:, label] = best.mean(dim=1)
    return means.clamp_(-1.0, 1.0)


def _scores_float32(queries: Tensor, view: KeyView) -> Tensor:
    """Return cosines [batch, memories], widening a few keys at a time."""
    scores = queries.new_empty((len(queries), len(view)))
    step = max(1, CHUNK_ELEMENTS // queries.shape[1])
    for i in range(0, len(view), step):
        product = queries @ view.rows[i : i + step].float().T
        torch.mul(product, view.inverse[i : i + step], out=scores[:, i : i + step])
    return scores


def _scores_shifted(queries: Tensor, view: KeyView, threshold: Tensor) -> Tensor:
    """Return cosine minus threshold [batch, memories], rounded only after the subtraction."""
    half = queries.to(view.unit.dtype)
    shift = (-threshold).expand(-1, len(view))
    if len(half) == 1:  # a matrix-vector product streams the keys faster than a thin matrix one
        return torch.addmv(shift[0], view.unit, half[0])[None]
    return torch.addmm(shift, half, view.unit.T)


def _threshold(queries: Tensor, view: KeyView, count: int) -> Tensor:
    """Guess the ``count``-th best score of each query from an even sample of the memories."""
    sample = view.unit[:: max(1, len(view) // SAMPLE)]
    scores = queries.to(sample.dtype) @ sample.T
    rank = min(len(sample), max(1, round(count * len(sample) / len(view))))
    return scores.topk(rank, dim=1).values[:, -1:]


def _top_columns(scores: Float[Tensor, "batch memories"], count: int) -> tuple[Tensor, Tensor]:
    """Return value and index of the ``count`` largest entries of each row, best first."""
    width = scores.shape[1] // BLOCK
    if width < 4 * count:
        best, index = scores.topk(count, dim=1)
        return best, index
    # The count best columns lie in the count blocks with the best maxima: a block takes every
    # width-th column, so the maxima are one elementwise pass instead of a selection.
    blocks = scores[:, : width * BLOCK].view(-1, BLOCK, width).amax(dim=1)
    chosen = blocks.topk(count, dim=1, sorted=False).indices
    offsets = torch.arange(BLOCK, device=scores.device) * width
    columns = (chosen[:, :, None] + offsets).flatten(1)
    tail = torch.arange(width * BLOCK, scores.shape[1], device=scores.device)
    columns = torch.cat([columns, tail.expand(len(scores), -1)], dim=1)
    best, place = scores.gather(1, columns).topk(count, dim=1)
    return best, columns.gather(1, place)
