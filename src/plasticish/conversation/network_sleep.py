r"""One night of the network: engrams are replayed from their own synapses, thinned and rewired.

*Regenerated replay.* No prompt is kept. From an engram the synapses are followed back to the cells
that they come from; these, each as active as its synapses are strong, are the cue that once formed
the engram (reverse replay: Foster & Wilson 2006), and the line is what the network says to it.

*Rewiring.* A synapse moves from a cell that is often active to a second contact of one that is
seldom (multiple contacts: Kasthuri et al. 2015; experience-dependent rewiring: Chklovskii et al.
2004), at constant number. With :math:`n_i` the cues in which a cell was active, of :math:`N`, each
move from :math:`i` to :math:`j` spares a share :math:`(n_i - n_j)/N` of a delivery a cue.

*Downselection.* Where the network holds more than a share :math:`L` of what it can, synapses are
let go of until it does not (the synaptic homeostasis hypothesis, Tononi & Cirelli 2014). With the
match :math:`m_1` of the replayed cue to its own engram and :math:`m_2` to the best rival, the
:math:`k` most surprising of its synapses are enough as soon as

.. math:: m_1 \sqrt{\textstyle\sum_{i \le k} w_i^2 \big/ \sum_i w_i^2} \ge s\,m_2,

so that the rival is still beaten if all but :math:`1/s` of what is left does not come; a segment
of speech keeps one synapse more than it needs to spike. Every engram gives the same share of what
it can spare. Norms follow, so that matches stay cosines (renormalisation).

Each is replayed again at the end with the cue that it had in the evening: one that a cue does not
find any more, or that says another line, gets back what it lost.

References
----------
Chklovskii, D. B., Mel, B. W. & Svoboda, K. (2004). Cortical rewiring and information storage.
Nature 431.
Foster, D. J. & Wilson, M. A. (2006). Reverse replay of behavioural sequences in hippocampal place
cells during the awake state. Nature 440.
Kasthuri, N. et al. (2015). Saturated reconstruction of a volume of neocortex. Cell 162.
Tononi, G. & Cirelli, C. (2014). Sleep and the price of plasticity. Neuron 81.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from . import network_sleep_kernels as kernels
from .cues import Cue
from .network_engrams import QUANTA, Engrams
from .network_speech import Speech
from .network_speech_kernels import FEWEST
from .vocabulary import END, START

__all__ = ["LOAD", "Night", "Replayed", "trace_back"]

LOAD = 0.5  # share of the budget above which sleep lets go of synapses
SAFETY = 3.0  # s: how much better than its best rival an engram must stay
LEAST = 32  # cue synapses that an engram keeps in any case
RARER = 4.0  # a synapse moves to a cell that is active so many times more seldom

Cells = npt.NDArray[np.int64]
Synapses = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Replayed:
    """What a night changed.

    Attributes
    ----------
    replayed : int
        Engrams that were gone through again.
    rewired : tuple of int
        For each engram asked for, how many of its synapses moved.
    pruned : int
        Synapses that were let go of.
    restored : int
        Engrams that got back what they lost.
    """

    replayed: int = 0
    rewired: tuple[int, ...] = ()
    pruned: int = 0
    restored: int = 0


@dataclass(frozen=True)
class Contacts:
    """Synapses onto one engram, or onto its line: entries of rows, and whose rows."""

    cells: Cells
    synapses: Synapses

    def __len__(self) -> int:
        return len(self.cells)

    def some(self, which: npt.NDArray[np.bool_] | Cells) -> Contacts:
        """Return some of them."""
        return Contacts(self.cells[which], self.synapses[which])

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """How strong each is."""
        return (self.synapses & np.uint32(255)).astype(np.float64)

    def cue(self) -> Cue:
        """Return the cells, each driven as its contacts weigh together."""
        cells, inverse = np.unique(self.cells, return_inverse=True)
        drive = np.bincount(inverse, weights=np.maximum(self.weights, 1.0)) / QUANTA
        return Cue(cells, drive.astype(np.float32))


NONE = Contacts(np.empty(0, np.int64), np.empty(0, np.uint32))


@dataclass
class Dream:
    """One engram that is replayed: what led to it in the evening, what leads to it now."""

    engram: int
    evening: Contacts
    cue: Cue
    heard: Cells
    now: Contacts = field(init=False)
    thinned: Contacts = NONE

    def __post_init__(self) -> None:
        self.now = self.evening


def trace_back(engrams: Engrams, chosen: Sequence[int]) -> list[Contacts]:
    """Return the synapses that lead to each of some engrams, in one sweep over the rows."""
    rows = engrams.rows
    slots = np.full(len(engrams.table), -1, np.int32)
    slots[list(chosen)] = np.arange(len(chosen))
    counts = np.zeros(len(chosen), np.int64)
    kernels.count_contacts(rows.synapses, rows.ends, slots, counts)
    last = counts.cumsum()
    cells, synapses = np.empty(counts.sum(), np.int64), np.empty(counts.sum(), np.uint32)
    kernels.trace_back(rows.synapses, rows.ends, slots, last - counts, cells, synapses)
    spans = zip(last - counts, last, strict=True)
    return [Contacts(cells[a:b].copy(), synapses[a:b].copy()) for a, b in spans]


class Night:
    """Engrams that are replayed together.

    Parameters
    ----------
    engrams, speech : Engrams, Speech
        Of one network.
    chosen : sequence of int
        Which engrams, each once. Those that their own cue does not find, since a rival answers it,
        are left alone.
    """

    def __init__(self, engrams: Engrams, speech: Speech, chosen: Sequence[int]) -> None:
        self.engrams, self.speech, self.rows = engrams, speech, engrams.rows
        self.chosen = tuple(chosen)
        self.dreams: list[Dream] = []
        for engram, contacts in zip(self.chosen, trace_back(engrams, self.chosen), strict=True):
            if len(contacts) and self._finds(cue := contacts.cue(), engram):
                self.dreams.append(Dream(engram, contacts, cue, self._line(engram)))

    def _finds(self, cue: Cue, engram: int) -> bool:
        return bool((self.engrams.ranked(cue, 1)[0] == engram).all())

    def _line(self, engram: int) -> Cells:
        said = self.speech.say(self.engrams.cells(engram), max_tokens=1 << 20)
        return np.array([START, *(one.token for one in said), END], dtype=np.int64)

    # ------------------------------------------------------------------ what moves

    def rewire(self) -> tuple[int, ...]:
        """Move synapses from common cells to rare ones; return how many, of each engram."""
        moved = dict.fromkeys(self.chosen, 0)
        rows = self.rows
        for dream in self.dreams:
            before = dream.now
            after = Contacts(before.cells.copy(), before.synapses.copy())
            width = rows.synapses.shape[1]
            count = kernels.move_contacts(
                rows.ends, width, self.engrams.heard, after.cells, after.synapses, RARER
            )
            self._exchange(dream, after)
            if self._finds(dream.cue, dream.engram):
                moved[dream.engram] = int(count)
            else:
                self._exchange(dream, before)
        return tuple(moved.values())

    def downselect(self) -> int:
        """Let go of synapses until the rows hold no more than their load; return how many went."""
        before = len(self.rows)
        need = before - LOAD * self.rows.budget
        if need <= 0:
            return 0
        keep = FEWEST + 1
        spare = [len(dream.now) - self._needed(dream) for dream in self.dreams]
        steps = [(len(dream.heard) - 1) * max(self.speech.synapses - keep, 0)
                 for dream in self.dreams]  # fmt: skip
        share = min(need / max(sum(spare) + sum(steps), 1), 1.0)
        for dream, cues, said in zip(self.dreams, spare, steps, strict=True):
            self._let_go(dream, int(np.ceil(share * cues)))
            self._thin(dream, int(np.ceil(share * said)), keep)
        return before - len(self.rows)

    def _needed(self, dream: Dream) -> int:
        """Return how many synapses of a cue are enough."""
        matches = self.engrams.ranked(dream.now.cue(), 2)[1]
        if len(matches) < 2:
            return min(LEAST, len(dream.now))
        power = np.sort(np.square(dream.now.weights))[::-1].cumsum()
        own = matches[0] * np.sqrt(power / power[-1])
        enough = int(np.searchsorted(own, SAFETY * matches[1])) + 1
        return min(max(enough, LEAST), len(dream.now))

    def _let_go(self, dream: Dream, count: int) -> None:
        weakest = np.argsort(dream.now.weights, kind="stable")
        self._exchange(dream, dream.now.some(np.sort(weakest[count:])))

    def _thin(self, dream: Dream, count: int, keep: int) -> None:
        gone = Contacts(np.empty(count, np.int64), np.empty(count, np.uint32))
        rows, speech, size = self.rows, self.speech, 0
        index = self.engrams.cells(dream.engram)
        for least in range(speech.synapses - 1, keep - 1, -1):
            size += kernels.thin_steps(
                rows.synapses, rows.ends, self.speech.lines(), index, dream.engram, dream.heard,
                speech.pools, speech.state_cells, speech.salt, least,
                gone.cells[size:], gone.synapses[size:],
            )  # fmt: skip
        dream.thinned = gone.some(np.arange(size))

    # ------------------------------------------------------------------ the morning

    def wake(self) -> int:
        """Give back what was needed after all; return how many engrams that concerns."""
        hurt = 0
        for dream in self.dreams:
            found, said = self._finds(dream.cue, dream.engram), self._holds(dream)
            if not found:
                self._exchange(dream, dream.evening)
            if not said:
                self._restore_line(dream)
            hurt += not (found and said)
        return hurt

    def _holds(self, dream: Dream) -> bool:
        rows, speech = self.rows, self.speech
        return bool(
            kernels.holds(
                rows.synapses,
                rows.ends,
                self.speech.lines(),
                self.engrams.cells(dream.engram),
                dream.heard,
                speech.pools,
                speech.state_cells,
                speech.salt,
            )
        )

    def _exchange(self, dream: Dream, after: Contacts) -> None:
        """Let these be the contacts of an engram, as far as rows have room for the new ones."""
        old, new = _keys(dream.now), _keys(after)
        rows, gone = self.rows, dream.now.some(~np.isin(old, new))
        come, kept = after.some(~np.isin(new, old)), after.some(np.isin(new, old))
        kernels.let_go(rows.synapses, rows.ends, gone.cells, gone.synapses)
        grown = kernels.put_back(rows.synapses, rows.ends, come.cells, come.synapses, 0)
        come = come.some(np.arange(grown))
        dream.now = Contacts(
            np.concatenate([kept.cells, come.cells]), np.concatenate([kept.synapses, come.synapses])
        )
        norm = QUANTA * dream.now.cue().norm if len(dream.now) else 0.0
        self.engrams.renormalise(dream.engram, norm)

    def _restore_line(self, dream: Dream) -> None:
        rows, back = self.rows, dream.thinned
        grown = kernels.put_back(rows.synapses, rows.ends, back.cells, back.synapses, 1)
        np.add.at(self.speech.table["size"], back.synapses[:grown] >> 8, 1)
        dream.thinned = NONE


def _keys(contacts: Contacts) -> npt.NDArray[np.int64]:
    return (contacts.cells << 32) | contacts.synapses.astype(np.int64)
