"""The inside of the network: what there is, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from plasticish.core import Persistent, State

from . import network_kernels as kernels
from .cues import Cue
from .network_checks import as_line, check_cue
from .network_engrams import Engrams
from .network_rows import Rows
from .network_speech import Speech

__all__ = ["NO_INDEX", "NetworkInside"]

NO_INDEX = np.empty(0, np.int64)


class NetworkInside(Persistent):
    """What a :class:`.PlasticSNN` is made of: looked at from outside, kept and put back."""

    n_neurons: int
    vocab_size: int
    initial_connectivity: float
    cue_synapses: int
    state_cells: int
    step_synapses: int
    plasticity_rate: float
    seed: int
    _rows: Rows
    _engrams: Engrams
    _speech: Speech

    # ------------------------------------------------------------------ what there is

    @property
    def budget(self) -> int:
        """Synapses there may be in all."""
        return self._rows.budget

    @property
    def synapses(self) -> int:
        """Synapses there are."""
        return len(self._rows)

    @property
    def episodes(self) -> tuple[int, ...]:
        """Numbers of the engrams there are."""
        return tuple(self._engrams.alive.tolist())

    def gain(self, episode: int) -> float:
        """Return the gain of an engram's cells.

        Raises
        ------
        DataError
            If there is no such engram.
        """
        (engram,) = self._engrams.known([episode])
        return float(self._engrams.table["gain"][engram])

    def synapses_onto(self, cue: Cue, episode: int) -> int:
        """Return how many synapses lead from the cells active now onto an engram.

        Raises
        ------
        DataError
            If the cue is not one of this network, or there is no such engram.
        """
        return self._engrams.contacts(cue, self._reached(cue, episode))

    def index(self, episode: int) -> tuple[int, ...]:
        """Return the cells of an engram.

        Raises
        ------
        DataError
            If there is no such engram.
        """
        return tuple(self._index(episode).tolist())

    def state(self, tokens: Sequence[int], episode: int | None = None) -> tuple[int, ...]:
        """Return the cells that are active after a line so far; see :meth:`expect`."""
        heard = as_line(tokens, self.vocab_size)[:-1]
        return tuple(self._speech.after(self._index(episode), heard).tolist())

    def stats(self) -> dict[str, float]:
        """Return plain numbers about the inside."""
        onto_engrams, onto_speech = self._rows.ends.sum(axis=0).tolist()
        engrams, speech = self._engrams, self._speech
        return {
            "episodes": engrams.table.alive,
            "segments": engrams.table.alive * kernels.ENGRAM_CELLS + speech.table.alive,
            "synapses": onto_engrams + onto_speech,
            "synapses_onto_engrams": onto_engrams,
            "synapses_onto_speech": onto_speech,
            "budget": self.budget,
            "megabytes": (self._rows.nbytes + engrams.nbytes + speech.nbytes) / 2**20,
        }

    def _index(self, episode: int | None) -> npt.NDArray[np.int64]:
        if episode is None:
            return NO_INDEX
        return self._engrams.cells(*self._engrams.known([episode]))

    def _reached(self, cue: Cue, episode: int) -> int:
        """Return the engram, if there is one and the cue is one of this network."""
        check_cue(cue, self.n_neurons)
        (engram,) = self._engrams.known([episode])
        return engram

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "n_neurons": self.n_neurons,
            "vocab_size": self.vocab_size,
            "initial_connectivity": self.initial_connectivity,
            "cue_synapses": self.cue_synapses,
            "state_cells": self.state_cells,
            "step_synapses": self.step_synapses,
            "plasticity_rate": self.plasticity_rate,
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return the synapses there are, and the tables of engrams and segments."""
        parts = {
            "rows": self._rows.export(),
            "engrams": self._engrams.export(),
            "speech": self._speech.export(),
        }
        whole = State.nest({name: State({}, tensors) for name, tensors in parts.items()})
        return State({"turn": self._engrams.turn}, whole.tensors)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        DataError
            If it is of another network, or no network; nothing is changed.
        """
        fresh = type(self)(**self.config())
        fresh._rows.restore(state.part("rows").tensors)
        fresh._engrams.restore(state.part("engrams").tensors, int(state.values["turn"]))
        fresh._speech.restore(state.part("speech").tensors)
        self._rows, self._engrams, self._speech = fresh._rows, fresh._engrams, fresh._speech
