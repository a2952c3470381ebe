"""Engrams: four cells each, by which a cue finds the episode that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plasticish.core import DataError, spawn_seed

from . import network_kernels as kernels
from .cues import Cue
from .network_kernels import ENGRAM_CELLS
from .network_rows import Rows
from .segments import Table, with_room

__all__ = ["Engrams"]

LEAST_GAIN = 0.01
SYNAPSES = 256  # about as many has an episode, which says how many there will be
QUANTA = 16.0  # weight units of one unit of drive: (1 + ln n) ln(1 + N/df) stays below 16


class Engrams:
    """The left ends of the rows, and what is known of the segments that they lead to.

    Parameters
    ----------
    rows : Rows
        Where the synapses are.
    seed : int
        Of all chance.
    """

    def __init__(self, rows: Rows, seed: int) -> None:
        self.rows, self.seed = rows, seed
        self.used = np.zeros(len(rows.ends), np.int32)  # engrams that each cell belongs to
        self.heard = np.zeros(len(rows.ends), np.int32)  # cues learned in which it was active
        self.turn = 0
        self.table = Table(
            {
                "cells": (np.int32, ENGRAM_CELLS),
                "norm": (np.float32, 1),
                "gain": (np.float32, 1),
                "scale": (np.float32, 1),
                "turn": (np.int64, 1),
            },
            kernels.MOST_SEGMENTS // ENGRAM_CELLS,
            ready=rows.budget // SYNAPSES,
        )
        self._match = np.full(ENGRAM_CELLS * (rows.budget // SYNAPSES), 0, np.float32)

    def cells(self, engram: int) -> npt.NDArray[np.int64]:
        """Return the cells of an engram."""
        return self.table["cells"][ENGRAM_CELLS * engram :][:ENGRAM_CELLS].astype(np.int64)

    @property
    def alive(self) -> npt.NDArray[np.int64]:
        """Numbers of all engrams, ascending."""
        return np.flatnonzero(self.table["scale"])

    @property
    def nbytes(self) -> int:
        """Bytes of all but the rows."""
        return self.used.nbytes + self.heard.nbytes + self.table.nbytes + self._match.nbytes

    def known(self, engrams: Sequence[int]) -> list[int]:
        """Return the numbers, all of them engrams.

        Raises
        ------
        DataError
            If one is none.
        """
        scales = self.table["scale"]
        for engram in engrams:
            if not 0 <= engram < len(scales) or scales[engram] == 0:
                raise DataError(
                    "there is no such engram",
                    got=repr(engram),
                    expected=f"one of the {self.table.alive:,} that recall and episodes name",
                )
        return list(engrams)

    # ------------------------------------------------------------------ what a cue does

    def ranked(self, cue: Cue, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Return the engrams that a cue awakes, best first, and how well they match."""
        rows = self.rows
        kernels.deliver(rows.synapses, rows.ends, cue.cells, cue.drive, self._match)
        best, scores = np.empty(count, np.int64), np.empty(count, np.float32)
        found = kernels.rank_engrams(self._match, self.table["scale"], best, scores)
        return best[:found], np.minimum(scores[:found].astype(np.float64) / cue.norm, 1.0)

    def contacts(self, cue: Cue, engram: int) -> int:
        """Return how many synapses lead from the cells active now onto an engram."""
        rows = self.rows
        onto = (rows.synapses[cue.cells] >> 8) // ENGRAM_CELLS
        grown = np.arange(onto.shape[1]) < rows.ends[cue.cells, :1]
        return int(np.count_nonzero(grown & (onto == engram)))

    def form(self, cue: Cue, most: int) -> tuple[int, int]:
        """Recruit the least used cells, grow synapses onto them, and return engram and synapses."""
        self.turn += 1
        self.heard[cue.cells] += 1
        engram = int(self.table.take(1)[0])
        self._match = with_room(self._match, ENGRAM_CELLS * len(self.table))
        chosen = np.empty(ENGRAM_CELLS, np.int64)
        kernels.choose_cells(self.used, np.uint64(spawn_seed(self.seed, 2, self.turn)), chosen)
        self.table["cells"][ENGRAM_CELLS * engram :][:ENGRAM_CELLS] = chosen
        cells, weights = _by_surprise(cue)
        rows, first = self.rows, ENGRAM_CELLS * engram
        grown, norm = kernels.grow_cue(rows.synapses, rows.ends, cells, weights, first, most)
        self.table["turn"][engram] = self.turn
        self._scale(engram, norm=norm, gain=1.0)
        return engram, int(grown)

    def strengthen(self, cue: Cue, engram: int, rate: float) -> int:
        """Move the weights of active synapses up, and return how many those are."""
        self.heard[cue.cells] += 1
        self.touch(engram)
        chance = np.uint64(spawn_seed(self.seed, 3, self.turn))
        rows, first = self.rows, ENGRAM_CELLS * engram
        count, change = kernels.strengthen_cue(
            rows.synapses, rows.ends, cue.cells, first, rate, chance
        )
        self._change_norm(engram, change)
        return int(count)

    def touch(self, engram: int) -> None:
        """Let an engram be the one used last."""
        self.turn += 1
        self.table["turn"][engram] = self.turn

    def renormalise(self, engram: int, norm: float) -> None:
        """Let the match of an engram be a cosine again, now that its weights have this length."""
        self._scale(engram, norm=norm, gain=float(self.table["gain"][engram]))

    def reinforce(self, engram: int, amount: float) -> float:
        """Move the gain towards 1 or 0, and return it."""
        gain = float(self.table["gain"][engram])
        gain += amount * (1.0 - gain if amount > 0 else gain)
        self._scale(engram, norm=float(self.table["norm"][engram]), gain=max(gain, LEAST_GAIN))
        return float(self.table["gain"][engram])

    def _change_norm(self, engram: int, change: float) -> None:
        square = float(self.table["norm"][engram]) ** 2 + change
        self.renormalise(engram, max(square, 0.0) ** 0.5)

    def _scale(self, engram: int, norm: float, gain: float) -> None:
        norm = max(norm, 1.0)  # of an engram for which nothing could grow, too
        self.table["norm"][engram], self.table["gain"][engram] = norm, gain
        self.table["scale"][engram] = gain / norm

    def by_worth(self) -> npt.NDArray[np.int64]:
        """Return the engrams, those of the least gain and then the longest untouched first."""
        alive = self.alive
        return alive[np.lexsort((self.table["turn"][alive], self.table["gain"][alive]))]

    def silence(self, engrams: npt.NDArray[np.int64]) -> None:
        """Let engrams be none; their synapses lead nowhere until they are swept away."""
        self.table["scale"][engrams] = 0.0
        for engram in engrams.tolist():
            self.used[self.cells(engram)] -= 1

    # ------------------------------------------------------------------ state

    def export(self) -> dict[str, Tensor]:
        """Return the table, how much each cell is used, and how often it was active."""
        counts = {"used": self.used, "heard": self.heard}
        copies = {name: torch.from_numpy(count.copy()) for name, count in counts.items()}
        return {**self.table.export(), **copies}

    def restore(self, tensors: Mapping[str, Tensor], turn: int) -> None:
        """Put back what :meth:`export` returned; the rows are in place already.

        Raises
        ------
        DataError
            If they do not fit the rows.
        """
        self.table.restore(tensors)
        used, heard = tensors["used"].numpy(), tensors["heard"].numpy()
        cells = self.table["cells"]
        reached = int(self.rows.segments(0).max(initial=0))
        if (
            not used.shape == heard.shape == self.used.shape
            or not used.dtype == heard.dtype == np.int32
            or reached >= max(ENGRAM_CELLS * len(self.table), 1)
            or not 0 <= int(cells.min(initial=0)) <= int(cells.max(initial=0)) < len(used)
            or not bool(np.isfinite(self.table["scale"]).all())
        ):
            raise DataError(
                "the stored engrams are not those of the rows",
                got=f"{len(self.table):,} engrams, synapses onto segment {reached:,}",
                expected=f"{ENGRAM_CELLS} segments an engram, of cells that there are",
            )
        self.used[:], self.heard[:], self.turn = used, heard, turn
        self._match = with_room(self._match, ENGRAM_CELLS * len(self.table))


def _by_surprise(cue: Cue) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the cells of a cue, the most surprising first, and the weights they would grow."""
    order = np.argsort(-cue.drive, kind="stable")
    weights = np.clip(np.rint(cue.drive[order] * QUANTA), 1, 255)
    return cue.cells[order], weights.astype(np.uint8)
