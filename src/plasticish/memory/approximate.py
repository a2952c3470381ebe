"""An approximate index for very large banks: inverted lists of half-precision keys, by faiss.

Keys are sorted into lists by their nearest centroid and a query looks only into the lists nearest
to it [1]_. Centroids are learned anew each time the bank has doubled, at the store that crosses the
line, so the same stream gives the same index. How many lists are looked into is then found out on
stored keys: the fewest that bring back 98 % of their 50 nearest. Keys without any clusters need
most of the lists, and the exact search is quicker for them.

References
----------
.. [1] J. Johnson, M. Douze, H. Jégou, "Billion-scale similarity search with GPUs", IEEE Trans. Big
   Data 7 (2021).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from numpy.typing import NDArray
from torch import Tensor

from plasticish.core import import_extra

from .search import KeyView, nearest
from .similarity import inverse_norms

__all__ = ["InvertedIndex"]

SMALLEST = 4096  # below this many memories an exact search is quicker
TARGET = 0.98  # of the neighbours brought back for stored keys; strangers fare a little worse
PROBE_QUERIES, PROBE_NEIGHBOURS = 128, 50
TRAINING_ROWS_PER_LIST = 64
CHUNK = 8192


class InvertedIndex:
    """Lists of unit keys under learned centroids.

    Parameters
    ----------
    width : int
        Width of the (projected) keys.
    seed : int
        Of the clustering.

    Raises
    ------
    MissingExtraError
        If faiss is not installed.
    """

    def __init__(self, width: int, seed: int = 0) -> None:
        self._faiss = import_extra("faiss", "faiss", "the approximate index")
        self.width, self.seed = width, seed
        self.centroids: Tensor | None = None
        self.trained_at, self.probes = 0, 1
        self._index: Any = None

    @property
    def ready(self) -> bool:
        """Whether there were ever enough memories to build the lists."""
        return self.centroids is not None

    def update(
        self, unit: Float[Tensor, "memories width"], changed: Int64[Tensor, " changed"]
    ) -> None:
        """Take in that the rows ``changed`` of ``unit`` are new or gone, or build anew."""
        if len(unit) >= max(SMALLEST, 2 * self.trained_at):
            self.centroids = self._learn_centroids(unit)
            self.trained_at = len(unit)
            self.rebuild(unit)
            self.probes = self._calibrated(unit)
        elif self.ready:
            slots = changed.cpu().numpy()
            self._index.remove_ids(slots)
            self._add(unit, slots[slots < len(unit)])

    def rebuild(self, unit: Float[Tensor, "memories width"]) -> None:
        """Fill the lists again under the centroids that are known."""
        if self.centroids is None:
            return
        faiss, centres = self._faiss, self.centroids.numpy()
        quantizer = faiss.IndexFlatIP(self.width)
        quantizer.add(centres)
        index = faiss.IndexIVFScalarQuantizer(
            quantizer,
            self.width,
            len(centres),
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # encode the keys themselves, not what remains after the centroid
        )
        index.train(centres)  # the lists are given; this only marks it as ready
        self._quantizer, self._index = quantizer, index  # faiss does not keep the quantizer alive
        self._add(unit, np.arange(len(unit)))

    def search(
        self, queries: Float[Tensor, "batch width"], count: int
    ) -> Int64[Tensor, "batch count"]:
        """Return about the nearest ``count`` slots of each query; -1 where the lists ran out."""
        self._index.nprobe = self.probes
        _, slots = self._index.search(queries.float().cpu().numpy(), count)
        return torch.from_numpy(slots).to(queries.device)

    def _calibrated(self, unit: Tensor) -> int:
        """Return the fewest probes, of 1, 2, 4, …, that find enough of the true neighbours."""
        assert self.centroids is not None
        queries = unit[_evenly(len(unit), PROBE_QUERIES, unit.device)].float()
        view = KeyView(unit, inverse_norms(unit), unit)
        _, true = nearest(queries, view, PROBE_NEIGHBOURS)
        lists = len(self.centroids)
        self.probes = 1
        while self.probes < lists:
            found = self.search(queries, PROBE_NEIGHBOURS)
            hits = (found[:, :, None] == true[:, None, :]).any(dim=2)
            if float(hits.float().mean()) >= TARGET:
                break
            self.probes = min(lists, 2 * self.probes)
        return self.probes

    def _add(self, unit: Tensor, slots: NDArray[np.int64]) -> None:
        for i in range(0, len(slots), CHUNK):
            part = slots[i : i + CHUNK]
            rows = unit[torch.from_numpy(part).to(unit.device)].float().cpu().numpy()
            self._index.add_with_ids(rows, part)

    def _learn_centroids(self, unit: Tensor) -> Tensor:
        lists = max(1, round(2 * len(unit) ** 0.5))
        rows = min(len(unit), lists * TRAINING_ROWS_PER_LIST)
        sample = unit[_evenly(len(unit), rows, unit.device)].float().cpu().numpy()
        kmeans = self._faiss.Kmeans(
            self.width, lists, niter=8, seed=self.seed, spherical=True, min_points_per_centroid=1
        )
        kmeans.train(sample)
        return torch.from_numpy(np.array(kmeans.centroids))


def _evenly(count: int, wanted: int, device: torch.device) -> Tensor:
    """Return ``wanted`` of ``count`` row numbers, evenly spread."""
    return torch.arange(wanted, device=device) * count // wanted
