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

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from plasticish.core import ConfigError

from . import network_kernels as kernels
from .cues import Cue
from .network_checks import as_line, check_cue, check_shares, check_sizes
from .network_engrams import Engrams
from .network_inside import NO_INDEX
from .network_recall import NetworkRecall
from .network_rows import Rows
from .network_sleep import Night, Replayed
from .network_speech import NOBODY, Speech

__all__ = ["Learned", "PlasticSNN"]

FULL = 0.97  # share of the budget from which on room is made first


class Learned(NamedTuple):
    """What an episode left: its number, and the synapses that grew for its cue and its line."""

    episode: int
    cue_synapses: int
    speech_synapses: int


class PlasticSNN(NetworkRecall):
    """The network: engrams that cues awaken, and the lines that they say.

    Parameters
    ----------
    n_neurons : int
        Cells, 128 to 65,536.
    vocab_size : int
        Tokens, 256 to 65,535.
    initial_connectivity : float
        Share of all cells that one cell may grow a synapse to, in (0, 1]: its budget.
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
        cue_synapses: int = 60,
        state_cells: int = 10,
        step_synapses: int = 6,
        plasticity_rate: float = 0.01,
        seed: int = 0,
    ) -> None:
        check_sizes(
            n_neurons=n_neurons,
            vocab_size=vocab_size,
            cue_synapses=cue_synapses,
            state_cells=state_cells,
            step_synapses=step_synapses,
        )
        check_shares(initial_connectivity=initial_connectivity, plasticity_rate=plasticity_rate)
        self.n_neurons, self.vocab_size, self.seed = n_neurons, vocab_size, seed
        self.initial_connectivity, self.plasticity_rate = initial_connectivity, plasticity_rate
        self.cue_synapses = cue_synapses
        self.state_cells, self.step_synapses = state_cells, step_synapses
        self.fan_out = max(round(initial_connectivity * n_neurons), 1)
        self._rows = Rows(n_neurons, self.fan_out)
        self._engrams = Engrams(self._rows, seed)
        self._speech = Speech(self._rows, vocab_size, state_cells, step_synapses, seed)

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
        check_cue(cue, self.n_neurons)
        heard = as_line(tokens, self.vocab_size)
        most = 4 * self.cue_synapses + len(heard) * self.step_synapses
        if self.synapses + most > FULL * self.budget or not self._engrams.table.room:
            self.make_room()
        engram, grown = self._engrams.form(cue, self.cue_synapses)
        return Learned(engram, grown, self._learn_line(engram, heard))

    def hear(self, tokens: Sequence[int]) -> int:
        """Learn what follows what in a line that nobody asked for; return the synapses grown.

        Nothing is let go of for it: where there is no room, nothing grows.

        Raises
        ------
        DataError
            If a token is unknown; nothing is changed.
        """
        heard = as_line(tokens, self.vocab_size)
        return self._speech.learn(NO_INDEX, NOBODY, heard, self.plasticity_rate)[0]

    def _learn_line(self, engram: int, heard: npt.NDArray[np.int64]) -> int:
        index, others = self._engrams.cells(engram), self._engrams.table.alive - 1
        total, missed = self._speech.learn(index, engram, heard, self.plasticity_rate)
        while missed and others:  # just these cells are full, or there is no segment left
            others -= len(self.make_room())
            grown, missed = self._speech.learn(index, engram, heard, self.plasticity_rate)
            total += grown
        return total

    def strengthen(self, cue: Cue, episode: int) -> int:
        """Move the weights from the cells active now onto an engram up, by the plasticity rate.

        The norm follows, as in Oja's rule: what is not confirmed counts for less. Return how many
        synapses were active.

        Raises
        ------
        DataError
            If the cue is not one of this network, or there is no such engram.
        """
        engram = self._reached(cue, episode)
        return self._engrams.strengthen(cue, engram, self.plasticity_rate)

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
        (engram,) = self._engrams.known([episode])
        if not -1 <= amount <= 1:
            raise ConfigError("amount is out of range", got=repr(amount), expected="-1 to 1")
        return self._engrams.reinforce(engram, amount)

    # ------------------------------------------------------------------ sleep

    def replay(self, episodes: Iterable[int], *, rewiring: bool = True) -> Replayed:
        """Go through engrams once more, from their own synapses alone.

        Synapses move from cells that are often active to such that are seldom, at constant number;
        and where more than half of the budget is spent, those that are needed least go, while each
        cue still finds its engram and the line stays as it is. See
        :mod:`plasticish.conversation.network_sleep`.

        Parameters
        ----------
        episodes : iterable of int
            Which; once each. They count as touched.
        rewiring : bool
            Whether synapses move.

        Raises
        ------
        DataError
            If there is no such engram; nothing is changed.
        """
        chosen = tuple(dict.fromkeys(self._engrams.known(list(episodes))))
        night = Night(self._engrams, self._speech, chosen)
        rewired = night.rewire() if rewiring else (0,) * len(chosen)
        pruned = night.downselect()
        restored = night.wake()
        for engram in chosen:
            self._engrams.touch(engram)
        return Replayed(len(night.dreams), rewired, pruned, restored)

    # ------------------------------------------------------------------ forgetting

    def forget(self, episodes: Iterable[int]) -> int:
        """Take engrams away with all their synapses, and return how many synapses that were.

        Raises
        ------
        DataError
            If there is no such engram; nothing is changed.
        """
        engrams = np.array(sorted(set(self._engrams.known(list(episodes)))), dtype=np.int64)
        return self._clear(engrams, self._speech.of_engrams(engrams))

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
        said = self._speech.of_tokens(as_line(list(tokens), self.vocab_size)[1:-1])
        hurt = np.unique(self._speech.table["engram"][said])
        self._clear(NO_INDEX, said)
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
        check_shares(share=share)
        gone = self.longest_untouched(int(np.ceil(share * max(self._engrams.table.alive, 1))))
        self.forget(gone)
        return gone

    def _clear(self, engrams: npt.NDArray[np.int64], said: npt.NDArray[np.int64]) -> int:
        self._engrams.silence(engrams)
        self._speech.silence(said)
        rows, scales = self._rows, self._engrams.table["scale"]
        gone = kernels.sweep(rows.synapses, rows.ends, scales, self._speech.table["token"])
        self._engrams.table.release(engrams)
        self._speech.table.release(said)
        return int(gone)
