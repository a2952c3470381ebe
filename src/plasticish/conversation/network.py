r"""A sparse recurrent network that holds what it heard in dendritic segments.

Cells stand in columns of 32. Nothing is wired beforehand but the innate drive that makes one cell
of a column win; every synapse is grown, for a reason, within a budget of :math:`c\,n` outgoing
synapses a cell (:math:`c` the connectivity), and all that a cell says lies in its own row.

*Engrams.* An episode is indexed by the least used cells (Yiu et al. 2014; Teyler & DiScenna 1986).
The cells that its cue drives, the most surprising first, are dealt out to one segment of each.
With drive :math:`x_i` now and weight :math:`w_i`, the drive at learning,

.. math:: m_e = \frac{\sum_{s \in e} \sum_{i \in s} w_i x_i}{\|w_e\|\,\|x\|} \le 1

is how much an engram matches a cue; the best wins. A cell has many segments and fires with the
best of them, each a detector of its own (Hawkins & Ahmad 2016).

*Speech.* What was said so far is a state: one winner in each of some columns of the last token,
whichever cell the index, the state before and the token drive most. So a token has another state in
every context, and AB is not BA. From the state grows one segment onto the token that follows; a
token is expected as far as the best of its segments is active.

A row entry is 4 bytes: which segment, 24 bits, since a segment has at least one synapse and 24 bits
number every segment that the budget can hold; and how strong, 8 bits. Only rows of active cells are
read. Weights move by whole quanta, by chance where the step is less than one.

References
----------
Hawkins, J. & Ahmad, S. (2016). Why neurons have thousands of synapses, a theory of sequence memory
in neocortex. Frontiers in Neural Circuits 10.
Teyler, T. J. & DiScenna, P. (1986). The hippocampal memory indexing theory. Behavioral Neuroscience
100.
Yiu, A. P. et al. (2014). Neurons are recruited to a memory trace based on relative neuronal
excitability immediately before training. Neuron 83.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from plasticish.core import (
    ConfigError,
    DataError,
    Persistent,
    State,
    check_positive,
    make_generator,
    spawn_seed,
)

from . import network_kernels as kernels
from .cues import Cue
from .segments import Table, with_room
from .vocabulary import END, START

__all__ = ["Learned", "PlasticSNN", "Recall", "Said"]

COLUMN = 32
POOL = 64
FULL = 0.97  # share of the budget from which on room is made first
LEAST_GAIN = 0.01
NOBODY = -1  # the engram of what was only heard
QUANTA = 16.0  # weight units of one unit of drive: (1 + ln n) ln(1 + N/df) stays below 16


@dataclass(frozen=True)
class Recall:
    """Which engrams a cue awakes, best first.

    Attributes
    ----------
    episodes : tuple of int
        Their numbers.
    matches : tuple of float
        How well each matches, in [0, 1].
    """

    episodes: tuple[int, ...]
    matches: tuple[float, ...]

    @property
    def match(self) -> float:
        """Match of the best; 0 if nothing was awoken."""
        return self.matches[0] if self.matches else 0.0

    @property
    def margin(self) -> float:
        """By how much the best is ahead of the second."""
        return self.match - (self.matches[1] if len(self.matches) > 1 else 0.0)


class Learned(NamedTuple):
    """What an episode left: its number, and the synapses that grew for its cue and its line."""

    episode: int
    cue_synapses: int
    speech_synapses: int


class Said(NamedTuple):
    """One token of a reply, and the share of the winning segment's synapses that were active."""

    token: int
    match: float


class PlasticSNN(Persistent):
    """The network: engrams that cues awaken, and the lines that they say.

    Parameters
    ----------
    n_neurons : int
        Cells, 64 to 65,536.
    vocab_size : int
        Tokens, 256 to 65,535.
    initial_connectivity : float
        Share of all cells that one cell may grow a synapse to, in (0, 1]: its budget.
    index_cells : int
        Cells of an engram, 1 to 64.
    cue_synapses : int
        Synapses that a cue grows, >= 1, and three times as many more from cells that have room to
        spare: the common parts help to answer what is new, and must not fill the rows.
    state_cells : int
        Cells of a state, >= 3.
    step_synapses : int
        Synapses of one segment of speech, 3 to 64.
    plasticity_rate : float
        Share of the way to its bound that one coincidence moves a weight, in (0, 1].
    seed : int
        Of the innate drive and of all chance.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> from plasticish.conversation.cues import CueEncoder
    >>> network, encoder = PlasticSNN(1024), CueEncoder(1024)
    >>> greeting, parting = encoder.encode("Hello there"), encoder.encode("See you soon")
    >>> learned = network.learn_episode(greeting, list(b"Hi!"))
    >>> learned = network.learn_episode(parting, list(b"Bye."))
    >>> recall = network.recall(encoder.encode("Hello, there"))
    >>> bytes(said.token for said in network.reply(recall.episodes[0]))
    b'Hi!'
    """

    kind: ClassVar[str] = "plastic_snn"

    def __init__(
        self,
        n_neurons: int = 14173,
        vocab_size: int = 800,
        initial_connectivity: float = 0.08,
        *,
        index_cells: int = 4,
        cue_synapses: int = 60,
        state_cells: int = 10,
        step_synapses: int = 6,
        plasticity_rate: float = 0.01,
        seed: int = 0,
    ) -> None:
        check_positive(initial_connectivity=initial_connectivity, plasticity_rate=plasticity_rate)
        for name, value, least, most in (
            ("n_neurons", n_neurons, 64, 1 << 16),
            ("vocab_size", vocab_size, 256, kernels.NO_TOKEN),
            ("index_cells", index_cells, 1, 64),
            ("cue_synapses", cue_synapses, 1, 1 << 16),
            ("state_cells", state_cells, 3, 1 << 10),
            ("step_synapses", step_synapses, 3, 64),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ConfigError(
                    f"{name} is out of range",
                    got=repr(value),
                    expected=f"a whole number from {least:,} to {most:,}",
                )
        for name, share in (
            ("initial_connectivity", initial_connectivity),
            ("plasticity_rate", plasticity_rate),
        ):
            if share > 1:
                raise ConfigError(f"{name} is out of range", got=repr(share), expected="at most 1")
        self.n_neurons, self.vocab_size, self.seed = n_neurons, vocab_size, seed
        self.initial_connectivity = initial_connectivity
        self.index_cells, self.cue_synapses = index_cells, cue_synapses
        self.state_cells, self.step_synapses = state_cells, step_synapses
        self.plasticity_rate = plasticity_rate
        self._wire()

    def _wire(self) -> None:
        columns = self.n_neurons // COLUMN
        generator = make_generator(spawn_seed(self.seed, 1))
        order = torch.rand(self.vocab_size, columns, generator=generator).argsort(dim=1)
        self._pools = order[:, : min(POOL, columns)].numpy().astype(np.int64)
        self._salt = np.uint64(spawn_seed(self.seed, 0))
        state = min(self.state_cells, columns)
        self._sizes = kernels.Sizes(state, min(self.step_synapses, state), COLUMN)
        self.fan_out = max(round(self.initial_connectivity * self.n_neurons), 1)
        self._rows = np.zeros((self.n_neurons, self.fan_out), np.uint32)
        self._ends = np.zeros((self.n_neurons, 2), np.int32)
        self._used = np.zeros(self.n_neurons, np.int32)
        self._turn = 0
        self._engrams = Table(
            {
                "cells": (np.int32, self.index_cells),
                "norm": (np.float32, 1),
                "gain": (np.float32, 1),
                "turn": (np.int64, 1),
            },
            kernels.MOST_SEGMENTS // self.index_cells,
        )
        self._speech = Table(
            {
                "token": (np.int32, 1),
                "after": (np.int32, 1),
                "engram": (np.int32, 1),
                "size": (np.uint8, 1),
            },
            kernels.MOST_SEGMENTS,
        )
        self._match = np.zeros(0, np.float32)
        self._seen = np.zeros(0, np.int32)

    # ------------------------------------------------------------------ asking

    def recall(self, cue: Cue, count: int = 8) -> Recall:
        """Return the engrams that match a cue best; nothing is changed.

        Parameters
        ----------
        cue : Cue
            Active cells and their drive.
        count : int
            How many, at most; >= 1.

        Raises
        ------
        DataError, ConfigError
            If the cue is not one of this network, or the count is not positive.
        """
        check_positive(count=count)
        norm = self._checked(cue)
        kernels.deliver(self._rows, self._ends, cue.cells, cue.drive, self._match)
        best, scores = np.empty(count, np.int64), np.empty(count, np.float32)
        found = kernels.rank_engrams(
            self._match,
            self._engrams["norm"],
            self._engrams["gain"],
            self.index_cells,
            best,
            scores,
        )
        matches = np.minimum(scores[:found].astype(np.float64) / norm, 1.0)
        return Recall(tuple(best[:found].tolist()), tuple(matches.tolist()))

    def familiarity(self, cue: Cue) -> float:
        """Return how well the best engram matches a cue, in [0, 1]."""
        return self.recall(cue, 1).match

    def reply(self, episode: int, max_tokens: int = 2000) -> Iterator[Said]:
        """Say the line of an engram, token by token, as they come to it; nothing is changed.

        It ends where the end is expected most, where no segment is half active, or after
        ``max_tokens``.

        Raises
        ------
        DataError
            If there is no such engram.
        """
        (number,) = self._known([episode])
        return self._say(self._index(number), max_tokens)

    def _say(self, index: npt.NDArray[np.int64], max_tokens: int) -> Iterator[Said]:
        state, token = np.empty(0, np.int64), START
        for time in range(max_tokens):
            state = self._next_state(index, state, token, time)
            segment, match, _ = self._expect(state)
            token = int(self._speech["token"][segment]) if segment >= 0 else END
            if token == END:
                return
            yield Said(token, match)

    def expect(self, tokens: Sequence[int], episode: int | None = None) -> npt.NDArray[np.float32]:
        """Return how much each token is expected after a line so far, in [0, 1].

        Parameters
        ----------
        tokens : sequence of int
            What was said since the line began; none to ask for its first token.
        episode : int, optional
            The engram that says it; none to listen.

        Returns
        -------
        array of float32 of shape (vocab_size,)
            For every token the share of its best segment's synapses that are active.

        Raises
        ------
        DataError
            If a token or the engram is unknown.
        """
        heard = self._line(tokens)[:-1]
        index = np.empty(0, np.int64) if episode is None else self._index(*self._known([episode]))
        state = np.empty(0, np.int64)
        for time, token in enumerate(heard.tolist()):
            state = self._next_state(index, state, token, time)
        return self._expect(state)[2]

    def _next_state(
        self, index: npt.NDArray[np.int64], before: npt.NDArray[np.int64], token: int, time: int
    ) -> npt.NDArray[np.int64]:
        cells, drives = np.empty((2, self._sizes.state), np.int64)
        size = kernels.next_state(
            index, before, token, time, self._pools[token], COLUMN, self._salt, cells, drives
        )
        state: npt.NDArray[np.int64] = cells[:size]
        return state

    def _expect(self, state: npt.NDArray[np.int64]) -> tuple[int, float, npt.NDArray[np.float32]]:
        best = np.empty(self.vocab_size, np.float32)
        speech = self._speech
        segment, match = kernels.predict(
            self._rows, self._ends, state, speech["token"], speech["size"], self._seen, best
        )
        return segment, match, best

    # ------------------------------------------------------------------ learning

    def learn_episode(self, cue: Cue, tokens: Sequence[int]) -> Learned:
        """Form an engram of a cue and of the line that answers it, in one presentation.

        Where the budget is spent, the engrams least worth keeping are let go first; see
        :meth:`make_room`.

        Parameters
        ----------
        cue : Cue
            Active cells and their drive.
        tokens : sequence of int
            The line, without its end.

        Raises
        ------
        DataError
            If the cue or a token is not one of this network; nothing is changed.
        """
        self._checked(cue)
        heard = self._line(tokens)
        if (
            self.synapses + 4 * self.cue_synapses + len(heard) * self._sizes.step
            > FULL * self.budget
        ):
            self.make_room()
        self._turn += 1
        (episode,) = self._take_engram()
        index = self._index(episode)
        kernels.choose_cells(self._used, np.uint64(spawn_seed(self.seed, 2, self._turn)), index)
        self._engrams["cells"][episode * self.index_cells :][: self.index_cells] = index
        cells, weights = _by_surprise(cue)
        first = episode * self.index_cells
        grown, norm = kernels.grow_cue(
            self._rows, self._ends, cells, weights, first, self.index_cells, self.cue_synapses
        )
        self._engrams["norm"][episode] = max(norm, 1.0)
        self._engrams["gain"][episode] = 1.0
        self._engrams["turn"][episode] = self._turn
        return Learned(episode, grown, self._learn_line(index, episode, heard))

    def hear(self, tokens: Sequence[int]) -> int:
        """Learn what follows what in a line that nobody asked for; return the synapses grown.

        Raises
        ------
        DataError
            If a token is unknown; nothing is changed.
        """
        return self._learn_line(np.empty(0, np.int64), NOBODY, self._line(tokens))

    def _learn_line(
        self, index: npt.NDArray[np.int64], episode: int, heard: npt.NDArray[np.int64]
    ) -> int:
        numbers = self._speech.take(len(heard) - 1)
        self._seen = with_room(self._seen, len(self._speech))
        speech = self._speech
        used, grown = kernels.learn_steps(
            self._rows,
            self._ends,
            kernels.Speech(
                speech["token"], speech["after"], speech["engram"], speech["size"], self._seen
            ),
            index,
            episode,
            heard,
            self._pools,
            self._sizes,
            self._salt,
            numbers,
            self.plasticity_rate,
        )
        speech["token"][numbers[used:]] = kernels.NO_TOKEN
        speech.release(numbers[used:])
        return int(grown)

    def strengthen(self, cue: Cue, episode: int) -> int:
        """Move the weights from the cells active now onto an engram up, by the plasticity rate.

        The norm follows, as in Oja's rule: what is not confirmed counts for less. Return how many
        synapses were active.

        Raises
        ------
        DataError
            If the cue is not one of this network, or there is no such engram.
        """
        self._checked(cue)
        (number,) = self._known([episode])
        self._turn += 1
        count, change = kernels.strengthen_cue(
            self._rows,
            self._ends,
            cue.cells,
            number * self.index_cells,
            self.index_cells,
            self.plasticity_rate,
            np.uint64(spawn_seed(self.seed, 3, self._turn)),
        )
        self._change_norm(number, change)
        self._engrams["turn"][number] = self._turn
        return int(count)

    def reinforce(self, episode: int, amount: float) -> float:
        """Move the gain of an engram's cells up or down and return it, in [0.01, 1].

        Parameters
        ----------
        episode : int
            Which.
        amount : float
            In [-1, 1]: share of the way to 1, or to 0, such as the rate times dopamine.

        Raises
        ------
        DataError, ConfigError
            If there is no such engram, or the amount is outside its range.
        """
        (number,) = self._known([episode])
        if not -1 <= amount <= 1:
            raise ConfigError("amount is out of range", got=repr(amount), expected="-1 to 1")
        gain = float(self._engrams["gain"][number])
        gain += amount * (1.0 - gain if amount > 0 else gain)
        self._engrams["gain"][number] = max(gain, LEAST_GAIN)
        return float(self._engrams["gain"][number])

    def rewire(self, cue: Cue, episode: int, most: int = 8) -> int:
        """Move synapses of an engram from common to surprising cells, and return how many.

        Of the cells active now, those that are driven most and have no synapse onto the engram
        take over those of the cells that are driven least: the number of synapses stays, the
        common cells, which deliver most often, have less to deliver.

        Raises
        ------
        DataError
            If the cue is not one of this network, or there is no such engram.
        """
        self._checked(cue)
        (number,) = self._known([episode])
        cells, weights = _by_surprise(cue)
        first = number * self.index_cells
        moved, change = kernels.rewire_cue(
            self._rows, self._ends, cells, weights, first, self.index_cells, most
        )
        self._change_norm(number, change)
        return int(moved)

    def _change_norm(self, number: int, change: float) -> None:
        square = float(self._engrams["norm"][number]) ** 2 + change
        self._engrams["norm"][number] = max(square, 1.0) ** 0.5

    # ------------------------------------------------------------------ forgetting

    def forget(self, episodes: Iterable[int]) -> int:
        """Take engrams away with all their synapses, and return how many synapses that were.

        Raises
        ------
        DataError
            If there is no such engram; nothing is changed.
        """
        numbers = np.array(self._known(list(episodes)), dtype=np.int64)
        return self._clear(numbers, np.isin(self._speech["engram"], numbers))

    def says(self, token: int) -> bool:
        """Return whether any line has a token in it.

        Raises
        ------
        DataError
            If the token is unknown.
        """
        self._line([token])
        return bool((self._speech["token"] == token).any())

    def clear_tokens(self, tokens: Iterable[int]) -> tuple[int, ...]:
        """Take away every synapse that leads to or from these tokens, so that ids can be reused.

        Returns
        -------
        tuple of int
            The engrams whose lines used them, ascending: they have lost those places.

        Raises
        ------
        DataError
            If a token is unknown; nothing is changed.
        """
        line = self._line(list(tokens))[1:-1]
        said = np.isin(self._speech["token"], line) | (
            np.isin(self._speech["after"], line) & (self._speech["token"] != kernels.NO_TOKEN)
        )
        hurt = np.unique(self._speech["engram"][said])
        self._clear(np.empty(0, np.int64), said)
        return tuple(hurt[hurt != NOBODY].tolist())

    def make_room(self, share: float = 0.02) -> tuple[int, ...]:
        """Let go of engrams, those of the least gain first and then the longest untouched.

        Parameters
        ----------
        share : float
            Share of the engrams, in (0, 1]; at least one goes if there is any.

        Returns
        -------
        tuple of int
            Which went.
        """
        check_positive(share=share)
        alive = np.flatnonzero(self._engrams["norm"])
        order = np.lexsort((self._engrams["turn"][alive], self._engrams["gain"][alive]))
        gone = tuple(alive[order[: int(np.ceil(share * len(alive)))]].tolist())
        self.forget(gone)
        return gone

    def _clear(self, engrams: npt.NDArray[np.int64], said: npt.NDArray[np.bool_]) -> int:
        self._engrams["norm"][engrams] = 0.0
        self._speech["token"][said] = kernels.NO_TOKEN
        for number in engrams.tolist():
            self._used[self._index(number)] -= 1
        gone = kernels.sweep(
            self._rows, self._ends, self._engrams["norm"], self.index_cells, self._speech["token"]
        )
        self._engrams.release(engrams)
        self._speech.release(np.flatnonzero(said))
        return int(gone)

    # ------------------------------------------------------------------ what there is

    @property
    def budget(self) -> int:
        """Synapses there may be in all."""
        return self.n_neurons * self.fan_out

    @property
    def synapses(self) -> int:
        """Synapses there are."""
        return int(self._ends.sum())

    @property
    def episodes(self) -> tuple[int, ...]:
        """Numbers of the engrams there are."""
        return tuple(np.flatnonzero(self._engrams["norm"]).tolist())

    def gain(self, episode: int) -> float:
        """Return the gain of an engram's cells.

        Raises
        ------
        DataError
            If there is no such engram.
        """
        (number,) = self._known([episode])
        return float(self._engrams["gain"][number])

    def index(self, episode: int) -> tuple[int, ...]:
        """Return the cells of an engram.

        Raises
        ------
        DataError
            If there is no such engram.
        """
        return tuple(self._index(*self._known([episode])).tolist())

    def state(self, tokens: Sequence[int], episode: int | None = None) -> tuple[int, ...]:
        """Return the cells that are active after a line so far; see :meth:`expect`."""
        index = np.empty(0, np.int64) if episode is None else self._index(*self._known([episode]))
        state = np.empty(0, np.int64)
        for time, token in enumerate(self._line(tokens)[:-1].tolist()):
            state = self._next_state(index, state, token, time)
        return tuple(state.tolist())

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays of the network, grown or reserved."""
        own = (self._rows, self._ends, self._used, self._pools, self._match, self._seen)
        return sum(array.nbytes for array in own) + self._engrams.nbytes + self._speech.nbytes

    def stats(self) -> dict[str, float]:
        """Return plain numbers about the inside."""
        onto_engrams, onto_speech = self._ends.sum(axis=0).tolist()
        return {
            "episodes": self._engrams.alive,
            "segments": self._engrams.alive * self.index_cells + self._speech.alive,
            "synapses": onto_engrams + onto_speech,
            "synapses_onto_engrams": onto_engrams,
            "synapses_onto_speech": onto_speech,
            "budget": self.budget,
            "megabytes": self.nbytes / 2**20,
        }

    # ------------------------------------------------------------------ checks and parts

    def _checked(self, cue: Cue) -> float:
        """Return the norm of a cue that fits this network."""
        cells, drive = cue.cells, cue.drive
        fits = (
            cells.dtype == np.int64
            and drive.dtype == np.float32
            and cells.ndim == 1
            and cells.shape == drive.shape
            and len(cells) > 0
            and int(cells[0]) >= 0
            and int(cells[-1]) < self.n_neurons
            and bool((np.diff(cells) > 0).all())
            and bool(np.isfinite(drive).all())
            and float(drive.min()) > 0
        )
        if not fits:
            raise DataError(
                "this is no cue of this network",
                got=f"{len(cells)} cells, {cells.dtype} and {drive.dtype}",
                expected=f"int64 cells below {self.n_neurons:,}, ascending, float32 drives > 0",
                cure=f"make it with CueEncoder({self.n_neurons}).encode(text)",
            )
        return cue.norm

    def _line(self, tokens: Sequence[int]) -> npt.NDArray[np.int64]:
        """Return tokens between the start and the end of a line."""
        for token in tokens:
            if not 0 <= token < self.vocab_size:
                raise DataError(
                    "this token is unknown",
                    got=repr(token),
                    expected=f"0 <= token < {self.vocab_size}",
                )
        return np.array([START, *tokens, END], dtype=np.int64)

    def _known(self, episodes: Sequence[int]) -> list[int]:
        norms = self._engrams["norm"]
        for episode in episodes:
            if not 0 <= episode < len(norms) or norms[episode] == 0:
                raise DataError(
                    "there is no such engram",
                    got=repr(episode),
                    expected=f"one of the {self._engrams.alive:,} that recall and episodes name",
                )
        return list(episodes)

    def _index(self, number: int) -> npt.NDArray[np.int64]:
        cells = self._engrams["cells"][number * self.index_cells :][: self.index_cells]
        return cells.astype(np.int64)

    def _take_engram(self) -> list[int]:
        numbers = self._engrams.take(1)
        self._match = with_room(self._match, len(self._engrams) * self.index_cells)
        return [int(number) for number in numbers]

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "n_neurons": self.n_neurons,
            "vocab_size": self.vocab_size,
            "initial_connectivity": self.initial_connectivity,
            "index_cells": self.index_cells,
            "cue_synapses": self.cue_synapses,
            "state_cells": self.state_cells,
            "step_synapses": self.step_synapses,
            "plasticity_rate": self.plasticity_rate,
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return the synapses there are, row by row, and the tables of engrams and segments."""
        taken = self._taken()
        own = {
            "synapses": self._rows[taken].view(np.int32),
            "ends": self._ends.copy(),
            "used": self._used.copy(),
        }
        return State(
            {"turn": self._turn},
            {
                **{name: torch.from_numpy(array) for name, array in own.items()},
                **{f"engrams/{name}": value for name, value in self._engrams.export().items()},
                **{f"speech/{name}": value for name, value in self._speech.export().items()},
            },
        )

    def _taken(self) -> npt.NDArray[np.bool_]:
        place = np.arange(self.fan_out)
        left, right = self._ends[:, :1], self.fan_out - self._ends[:, 1:]
        taken: npt.NDArray[np.bool_] = (place < left) | (place >= right)
        return taken

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError, DataError
            If it is of another network, or no network; nothing is changed.
        """
        fresh = PlasticSNN(**self.config())
        tensors = state.tensors
        fresh._engrams.restore(_under("engrams/", tensors))
        fresh._speech.restore(_under("speech/", tensors))
        ends, used = tensors["ends"].numpy(), tensors["used"].numpy()
        synapses = tensors["synapses"].numpy().view(np.uint32)
        shapes = ends.shape == fresh._ends.shape and used.shape == fresh._used.shape
        if (
            not shapes
            or ends.min() < 0
            or int(ends.sum(axis=1).max()) > self.fan_out
            or ends.sum() != len(synapses)
        ):
            raise DataError(
                "the stored rows are those of another network",
                got=f"{len(synapses):,} synapses, ends {tuple(ends.shape)}",
                expected=f"rows of {self.n_neurons:,} cells with at most {self.fan_out:,} synapses",
            )
        fresh._ends[:], fresh._used[:] = ends, used
        fresh._rows[fresh._taken()] = synapses
        fresh._check_segments()
        fresh._turn = int(state.values["turn"])
        fresh._match = np.zeros(len(fresh._engrams) * self.index_cells, np.float32)
        fresh._seen = np.zeros(len(fresh._speech), np.int32)
        self.__dict__.update(fresh.__dict__)

    def _check_segments(self) -> None:
        """Refuse rows that name segments which there are not: kernels would write beyond arrays."""
        place = np.arange(self.fan_out)
        onto_engrams = self._rows[place < self._ends[:, :1]] >> 8
        onto_speech = self._rows[place >= self.fan_out - self._ends[:, 1:]] >> 8
        token = self._speech["token"]
        known = (token < self.vocab_size) | (token == kernels.NO_TOKEN)
        cells = self._engrams["cells"]
        if (
            int(onto_engrams.max(initial=0)) >= max(len(self._engrams) * self.index_cells, 1)
            or int(onto_speech.max(initial=0)) >= max(len(self._speech), 1)
            or not bool(known.all())
            or int(token.min(initial=0)) < 0
            or not 0 <= int(cells.min(initial=0)) <= int(cells.max(initial=0)) < self.n_neurons
        ):
            raise DataError(
                "the stored synapses lead to nothing",
                got="a segment, a token or a cell that there is not",
                expected="a state that export_state returned",
            )


def _by_surprise(cue: Cue) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Return the cells of a cue, the most surprising first, and the weights they would grow."""
    order = np.argsort(-cue.drive, kind="stable")
    weights = np.clip(np.rint(cue.drive[order] * QUANTA), 1, 255)
    return cue.cells[order], weights.astype(np.uint8)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
