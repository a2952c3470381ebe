"""The listener: what it expects to hear next, and how surprised it is by what comes.

Long-term synapses count what followed each context (:class:`plasticish.sequence.Predictor`), and
each turn is a sequence of its own. Two things of the moment act on them. Attention (acetylcholine)
lets the weight of every context follow how uncertain it is, and encodes most what was expected
least. Working memory (short-term plasticity) holds what was heard a moment ago, over the ends of
turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from plasticish.core import DTypeError, Persistent, Report, State
from plasticish.rules import ShortTermParameters
from plasticish.sequence import EXPERTS, Alphabet, Encoded, Predictor, classes_of

from .working_memory import WorkingMemory

__all__ = ["Listener"]

LEAST_ENCODING = 0.3  # of what was fully expected
REHEARSAL = 4  # turns from one rehearsal to the next


class Listener(Persistent):
    """Read turn after turn, and be surprised.

    Parameters
    ----------
    max_synapses : int, optional
        Bound on the long-term synapses, at least 1000; the least useful fade. None keeps all.
    attention : bool
        Whether gains and encoding follow how uncertain the contexts are.
    short_term : ShortTermParameters, optional
        Of the synapses of working memory; None for none.

    Raises
    ------
    ConfigError
        If the bound is too small.

    Examples
    --------
    >>> listener = Listener(max_synapses=10_000)
    >>> first = listener.learn(["How are you?", "I am fine."])
    >>> again = listener.learn(["How are you?"])
    >>> again["nats"] < first["nats"]
    True
    """

    kind: ClassVar[str] = "listener"

    def __init__(
        self,
        max_synapses: int | None = None,
        *,
        attention: bool = True,
        short_term: ShortTermParameters | Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(short_term, Mapping):
            short_term = ShortTermParameters(**short_term)
        self.max_synapses, self.attention, self.short_term = max_synapses, attention, short_term
        self.alphabet = Alphabet()
        self.predictor = self._new_predictor()
        self.working_memory = None if short_term is None else WorkingMemory(short_term)
        self._classes = classes_of([""])
        self._turns = 0

    def _new_predictor(self) -> Predictor:
        return Predictor(
            EXPERTS["text"],
            self.max_synapses,
            gains="uncertainty" if self.attention else "constant",
            least_encoding=LEAST_ENCODING if self.attention else 1.0,
        )

    def learn(self, turns: Any, *, fatigue: float = 1.0) -> Report:
        """Hear turns, one after another, and learn from each.

        Parameters
        ----------
        turns : sequence of str
            What is said; none of it empty.
        fatigue : float
            By what to multiply the threshold below which working memory does not speak.

        Returns
        -------
        mapping
            ``turns``, ``symbols`` (the end of each turn among them), and ``nats``, the surprise a
            symbol, each before it was learned.

        Raises
        ------
        DataError, DTypeError
            If a turn is empty or no text; nothing is learned then.
        """
        batch = self._encode(turns)
        self.alphabet.grow(batch)
        self._classes = np.concatenate([self._classes, classes_of(batch.new)])
        if self.working_memory is None:
            nats = float(self.predictor.learn(batch, self._classes).sum())
        else:
            nats = sum(self._hear(turn, fatigue) for turn in batch.parts(1))
        return {"turns": len(batch), "symbols": len(batch.codes), "nats": nats / len(batch.codes)}

    def _encode(self, turns: Any) -> Encoded:
        if isinstance(turns, str):  # a sequence of texts, each a character, but not meant so
            raise DTypeError("this is one turn", expected="a list of turns", cure="write [turn]")
        batch = self.alphabet.encode(turns)
        if batch.kind != "text":
            raise DTypeError("these are no turns", got=batch.kind, expected="a list of texts")
        return batch

    def _hear(self, turn: Encoded, fatigue: float) -> float:
        memory, nats = self.working_memory, 0.0
        assert memory is not None
        self._turns += 1
        for codes, expected in self.predictor.listen(turn, self._classes):
            nats += float(memory.hear(codes, expected, fatigue=fatigue, learning=True).sum())
        if self._turns % REHEARSAL == 0:
            memory.rehearse(codes, expected)
        return nats

    def surprise(
        self, turns: Any, *, fatigue: float = 1.0, holding: bool = True
    ) -> npt.NDArray[np.float64]:
        """Return the surprise at each symbol of some turns, ends among them, in nats.

        They are heard one after another, from rest; nothing is learned, and nothing is held
        afterwards that was not before.

        Parameters
        ----------
        turns : sequence of str
            What is said; none of it empty.
        fatigue : float
            As in :meth:`learn`.
        holding : bool
            Whether working memory takes part; without it the long-term synapses speak alone.

        Raises
        ------
        DataError, DTypeError
            If a turn is empty or no text.
        """
        batch = self._encode(turns)
        classes = np.concatenate([self._classes, classes_of(batch.new)])
        memory = self.working_memory.rested() if holding and self.working_memory else None
        nats = []
        for codes, expected in self.predictor.listen(batch, classes, learning=False):
            if memory is None:
                nats.append(-np.log(expected[np.arange(len(codes)), codes]))
            else:
                nats.append(memory.hear(codes, expected, fatigue=fatigue))
        return np.concatenate(nats)

    def rest(self) -> None:
        """Let working memory go, as sleep does."""
        if self.working_memory is not None:
            self.working_memory.rest()

    def forget(self, turn: str, times: int = 1) -> None:
        """Take a turn out of the long-term synapses, as often as it was heard.

        What was expected was counted for less than one each time, so that rather too much is taken
        away than too little. What the gains learned from it stays; working memory is let go.

        Raises
        ------
        DataError, DTypeError
            If the turn is empty or no text.
        """
        batch = self.alphabet.encode([turn])
        if not batch.new:  # a sign that was never heard: nor was the turn
            self.predictor.count(batch, self._classes, -float(times))
        self.rest()

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        short_term = None if self.short_term is None else asdict(self.short_term)
        return {
            "max_synapses": self.max_synapses,
            "attention": self.attention,
            "short_term": short_term,
        }

    def export_state(self) -> State:
        """Return everything that listening changed."""
        own = State({"symbols": list(self.alphabet.symbols), "turns": self._turns}, {})
        parts = {"own": own, "predictor": self.predictor.export_state()}
        if self.working_memory is not None:
            parts["working_memory"] = self.working_memory.export_state()
        return State.nest(parts)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned; on an error nothing is changed."""
        own, predictor = state.part("own").values, self._new_predictor()
        alphabet = Alphabet("text" if own["symbols"] else None, own["symbols"])
        predictor.import_state(state.part("predictor"))
        if self.working_memory is not None:
            self.working_memory.import_state(state.part("working_memory"))
        self.alphabet, self.predictor = alphabet, predictor
        self._classes = classes_of(["", *alphabet.symbols])
        self._turns = int(own["turns"])
