"""Speech: lines as chains of states, each of which expects the token that follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plasticish.core import DataError, make_generator, spawn_seed

from . import network_speech_kernels as kernels
from .network_kernels import MOST_SEGMENTS, NO_TOKEN
from .network_rows import Rows
from .network_speech_kernels import COLUMN
from .segments import Table, with_room

__all__ = ["NOBODY", "Said", "Speech"]

NOBODY = -1  # the engram of what was only heard
SYNAPSES = 32  # of the budget, for one segment: half of it speech, a few more than six a segment
POOL = 64  # columns in which a token can be heard

Cells = npt.NDArray[np.int64]


class Said(NamedTuple):
    """One token of a reply, and the share of the winning segment's synapses that were active."""

    token: int
    match: float


class Speech:
    """The right ends of the rows, and what is known of the segments that they lead to.

    Parameters
    ----------
    rows : Rows
        Where the synapses are.
    vocab_size : int
        Tokens.
    state_cells : int
        Cells of a state, if there are as many columns.
    synapses : int
        Of a segment, at most as many as a state has cells.
    seed : int
        Of the innate drive.
    """

    def __init__(
        self, rows: Rows, vocab_size: int, state_cells: int, synapses: int, seed: int
    ) -> None:
        self.rows = rows
        columns = len(rows.ends) // COLUMN
        generator = make_generator(spawn_seed(seed, 1))
        order = torch.rand(vocab_size, columns, generator=generator).argsort(dim=1)
        self.pools = order[:, :POOL].numpy().astype(np.int64)
        self.state_cells = min(state_cells, columns)
        self.synapses = min(synapses, self.state_cells)
        self.salt = np.uint64(spawn_seed(seed, 0))
        self.table = Table(
            {
                "token": (np.int32, 1),
                "after": (np.int32, 1),
                "engram": (np.int32, 1),
                "size": (np.uint8, 1),
            },
            MOST_SEGMENTS,
            ready=rows.budget // SYNAPSES,
        )
        self._seen = np.full(rows.budget // SYNAPSES, 0, np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes of all but the rows."""
        return self.pools.nbytes + self.table.nbytes + self._seen.nbytes

    # ------------------------------------------------------------------ asking

    def state(self, index: Cells, before: Cells, token: int, time: int) -> Cells:
        """Return the cells that are active when a token is heard."""
        cells, drives = np.empty((2, self.state_cells), np.int64)
        size = kernels.next_state(
            index, before, token, time, self.pools[token], self.salt, cells, drives
        )
        state: Cells = cells[:size]
        return state

    def after(self, index: Cells, heard: Cells) -> Cells:
        """Return the cells that are active after a line so far, its start first."""
        state = np.empty(0, np.int64)
        for time, token in enumerate(heard.tolist()):
            state = self.state(index, state, token, time)
        return state

    def expect(self, state: Cells) -> tuple[int, float, npt.NDArray[np.float32]]:
        """Return the best segment, or -1, its match, and that of the best of every token."""
        best = np.empty(len(self.pools), np.float32)
        table, rows = self.table, self.rows
        segment, match = kernels.predict(
            rows.synapses, rows.ends, state, table["token"], table["size"], self._seen, best
        )
        return segment, match, best

    def say(self, index: Cells, max_tokens: int) -> Iterator[Said]:
        """Say what the index means, token by token."""
        tokens, matches = np.empty(max_tokens, np.int64), np.empty(max_tokens)
        table, rows = self.table, self.rows
        lines = kernels.Lines(
            table["token"], table["after"], table["engram"], table["size"], self._seen
        )
        said = kernels.say_line(
            rows.synapses,
            rows.ends,
            lines,
            index,
            self.pools,
            self.state_cells,
            self.salt,
            tokens,
            matches,
        )
        return map(Said, tokens[:said].tolist(), matches[:said].tolist())

    # ------------------------------------------------------------------ learning

    def learn(self, index: Cells, engram: int, heard: Cells, rate: float) -> tuple[int, int]:
        """Grow a segment for every token that was not fully expected.

        Return how many synapses grew, and for how many tokens there was no room.
        """
        numbers = self.table.take(min(len(heard) - 1, self.table.room))
        self._seen = with_room(self._seen, len(self.table))
        table, rows = self.table, self.rows
        used, grown, missed = kernels.learn_steps(
            rows.synapses,
            rows.ends,
            self.lines(),
            index,
            engram,
            heard,
            self.pools,
            self.state_cells,
            self.synapses,
            self.salt,
            numbers,
            rate,
        )
        table["token"][numbers[used:]] = NO_TOKEN
        table.release(numbers[used:])
        return int(grown), int(missed)

    def lines(self) -> kernels.Lines:
        """Return the properties of the segments, as the loops take them."""
        table = self.table
        return kernels.Lines(
            table["token"], table["after"], table["engram"], table["size"], self._seen
        )

    def of_engrams(self, engrams: Cells) -> Cells:
        """Return the segments that belong to engrams."""
        alive = self.table["token"] != NO_TOKEN
        return np.flatnonzero(alive & np.isin(self.table["engram"], engrams))

    def of_tokens(self, tokens: Cells) -> Cells:
        """Return the segments that lead to or from tokens."""
        alive = self.table["token"] != NO_TOKEN
        near = np.isin(self.table["token"], tokens) | np.isin(self.table["after"], tokens)
        return np.flatnonzero(alive & near)

    def silence(self, segments: Cells) -> None:
        """Let segments say nothing; their synapses lead nowhere until they are swept away."""
        self.table["token"][segments] = NO_TOKEN

    # ------------------------------------------------------------------ state

    def export(self) -> dict[str, Tensor]:
        """Return the table."""
        return self.table.export()

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what :meth:`export` returned; the rows are in place already.

        Raises
        ------
        DataError
            If it does not fit the rows.
        """
        self.table.restore(tensors)
        token, reached = self.table["token"], int(self.rows.segments(1).max(initial=0))
        known = (token >= 0) & (token < len(self.pools)) | (token == NO_TOKEN)
        sized = (token == NO_TOKEN) | (self.table["size"] > 0)
        if reached >= max(len(self.table), 1) or not bool((known & sized).all()):
            raise DataError(
                "the stored lines are not those of the rows",
                got=f"{len(self.table):,} segments, synapses onto segment {reached:,}",
                expected=f"segments of tokens below {len(self.pools):,}, one a number",
            )
        self._seen = with_room(self._seen, len(self.table))
