"""A memory that finds out by itself in which context it is, and keeps its contexts apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import LEARNERS, ConfigError, Report, State

from .alphabet import Encoded, Symbols
from .asking import Asking
from .context_beliefs import ContextBeliefs
from .context_kernels import MARK
from .experts import EXPERTS, Expert
from .memory import PlasticMemory
from .prediction import Why
from .predictor import Predictor
from .soundness import within

__all__ = ["Context", "RecognisingMemory"]

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


class Context(NamedTuple):
    """A context that a memory has met.

    Attributes
    ----------
    number : int
        Its number, in the order of discovery.
    sequences : int
        How many sequences that were new to it were learned in it.
    nats : float
        How much a symbol of such a sequence surprised lately.
    probability : float
        That the next sequence to be learned comes from it.
    """

    number: int
    sequences: int
    nats: float
    probability: float


class Within(Asking):
    """A memory asked within one of its contexts; whatever it learns is known here too."""

    def __init__(self, memory: RecognisingMemory, number: int) -> None:
        # It has no parts of its own, or they would not be those that the memory has later.
        self._memory = memory
        self._led = marks(number, number + 1)

    def __getattr__(self, name: str) -> Any:
        if name not in {"alphabet", "tree", "library", "predictor", "classes", "seed"}:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._memory, name)


@LEARNERS.register("recognising_memory")
class RecognisingMemory(PlasticMemory):
    """A :class:`PlasticMemory` that is not told what it reads, and does not mix it up.

    What comes from another source (another language, list, author) is learned in a context of its
    own, so that it changes little of what is known of others; what contexts share is shared. The
    context is inferred from surprise (:class:`.ContextBeliefs`), sequence by sequence, in learning
    as in answering: a question may come from any context, as likely as each was met, and what is
    asked together, or stands before, says which.

    Each sequence is led by a mark of its context, a code that is no symbol: it is seen by the
    experts, but neither predicted nor counted. It is the first branching of the tree.

    Learning reads each sequence once for every context, to compare them. What a context is like
    has to be known from a hundred sequences before another can be told from it, and some forty
    strange sequences go by before it is; those are then moved to the new one.

    Parameters
    ----------
    experts, max_synapses, seed
        As for :class:`PlasticMemory`.

    Examples
    --------
    >>> binary = [f"{n * 389 % 1024:b}" for n in range(300)]
    >>> decimal = [f"{n * 389 % 1024}" for n in range(300)]
    >>> memory = RecognisingMemory("plain")
    >>> memory.learn(binary + decimal)["contexts"]
    2
    >>> memory.recognise(binary[:20]).round(1).tolist()
    [1.0, 0.0]
    >>> memory.recognise(decimal[:20]).round(1).tolist()
    [0.0, 1.0]
    >>> invented = memory.within(1).generate(3)
    """

    kind = "recognising_memory"

    def __init__(
        self, experts: str = "rich", max_synapses: int | None = None, seed: int = 0
    ) -> None:
        super().__init__(experts, max_synapses, seed)
        self._beliefs = ContextBeliefs()
        self._suspects: list[Encoded] = []  # since when what comes may be strange

    @staticmethod
    def _fresh_predictor(experts: str, max_synapses: int | None) -> Predictor:
        return Predictor(_of_contexts(EXPERTS[experts]), max_synapses)

    # ------------------------------------------------------------------ learning

    def learn(self, sequences: Any) -> Report:
        """Learn sequences in the order in which they come, each in its context.

        Parameters
        ----------
        sequences : str, bytes, or iterable of sequences
            As for :meth:`PlasticMemory.learn`.

        Returns
        -------
        mapping
            As of :meth:`PlasticMemory.learn`, and ``contexts``, how many are known. ``nats`` are
            the surprise of the memory that did not know the context of what came.

        Raises
        ------
        DataError, DTypeError
            A sequence is empty, too long, or of a wrong type; then nothing at all was learned.
        """
        return {**super().learn(sequences), "contexts": len(self._beliefs)}

    def _parts_of(self, batch: Encoded) -> Iterator[Encoded]:
        """Cut a batch into its sequences: what was learned of one helps to recognise the next."""
        return batch.parts(1)

    def _learn_part(self, part: Encoded) -> float:
        # Where there is one context there is nothing to compare.
        nats = self._under_all(part)[0] if len(self._beliefs) > 1 else np.zeros(1)
        context, excess = self._beliefs.observe(nats, len(part.codes))
        placed = part.under(marks(context, context + 1))
        known = self.tree.leaf(placed.codes) >= 0
        surprise = super()._learn_part(placed)
        if not known:  # what is known by heart is never strange, and tells nothing of the usual
            self._beliefs.learn(context, surprise / len(part.codes))
            self._suspect(placed)
        return surprise + excess

    def _suspect(self, placed: Encoded) -> None:
        """Keep in mind what may be strange, until it proves to be or not to be."""
        if self._beliefs.evidence == 0:
            self._suspects.clear()
        else:
            self._suspects.append(placed)
        if self._beliefs.strange:
            self._open_context()

    def _open_context(self) -> None:
        """Open a context, and move to it what was strange."""
        context = self._beliefs.open()
        for placed in self._suspects:
            if MARK - placed.codes[0] == context or self.tree.weight(placed.codes) < 1:
                continue  # forgotten, or faded
            self._withdraw(placed, 1.0)
            self.predictor.count(placed, self.classes, -1.0)
            codes = placed.codes.copy()
            before, codes[0] = MARK - int(codes[0]), MARK - context
            nats = super()._learn_part(Encoded(codes, placed.starts, placed.kind, ()))
            self._beliefs.move(before, context, nats / (len(codes) - 1))
        self._suspects.clear()

    def forget(self, sequence: Symbols) -> Report:
        """Forget a sequence in every context.

        Raises
        ------
        NotReadyError
            If it was never learned; nothing is changed.
        """
        forgotten = float(super().forget(sequence)["forgotten"])
        while self.tree.weight(self._place(sequence).codes) > 0:
            forgotten += float(super().forget(sequence)["forgotten"])
        return {"forgotten": forgotten}

    def _place(self, sequence: Any) -> Encoded:
        """Return a sequence in the context where it is stored most often, or would belong."""
        batch = self._encode([sequence])
        led = [batch.under(marks(c, c + 1)) for c in range(len(self._beliefs))]
        weights = [self.tree.weight(one.codes) for one in led]
        if max(weights) == 0 and len(self.alphabet) > 0:
            weights = self.recognise([sequence]).tolist()
        return led[int(np.argmax(weights))]

    # ------------------------------------------------------------------ asking

    def contexts(self) -> list[Context]:
        """Return the contexts that were met."""
        b = self._beliefs
        return [
            Context(i, int(b.met[i]), float(b.usual[i]), float(b.probability[i]))
            for i in range(len(b))
        ]

    def within(self, context: int) -> Asking:
        """Return this memory as it answers within one context; it is always up to date.

        Raises
        ------
        ConfigError
            If there is no such context.
        """
        known = len(self._beliefs)
        if isinstance(context, bool) or not isinstance(context, int) or not 0 <= context < known:
            raise ConfigError(
                "there is no such context", got=repr(context), expected=f"0 to {known - 1}"
            )
        return Within(self, context)

    def recognise(self, sequences: Any) -> Floats:
        """Return how probable it is that sequences come, all of them, from each context.

        Raises
        ------
        DataError, DTypeError, NotReadyError
            As :meth:`log_likelihood`.
        """
        return self._posterior(self._under_all(self._asked(sequences)).sum(0))

    def log_likelihood(self, sequences: Any) -> Floats:
        """Return the log-probability of each sequence, given those before it; learns nothing.

        The contexts are followed from one sequence to the next, since what is asked together comes
        mostly from one. Alone each sequence would cost a little more: ask ``within`` a context that
        is known.
        """
        return -self._beliefs.follow(self._under_all(self._asked(sequences)))

    def distribution(self, prefix: Codes) -> tuple[Floats, float]:
        """Return the probability of every code after a prefix of codes, and of a new symbol."""
        if len(self.alphabet) == 0:
            return super().distribution(prefix)
        said = [self.within(c).distribution(prefix) for c in range(len(self._beliefs))]
        mixed = self._after(prefix) @ np.array([p for p, _ in said])
        return mixed, said[0][1]

    def why(self, prefix: Symbols, symbol: Any = None, *, paths: int = 5) -> Why:
        """Say why ``symbol`` is likely after ``prefix``, in the context that is most probable."""
        if len(self.alphabet) == 0:
            return super().why(prefix, symbol, paths=paths)
        context = int(np.argmax(self._after(self.alphabet.encode_prefix(prefix))))
        return self.within(context).why(prefix, symbol, paths=paths)

    def _after(self, prefix: Codes) -> Floats:
        """Return the probability of the contexts after a prefix of codes."""
        if len(prefix) == 0:
            return self._beliefs.share
        begun = Encoded(prefix, np.array([0, len(prefix)]), "", ())
        return self._posterior(self._under_all(begun)[0])

    def _posterior(self, nats: Floats) -> Floats:
        weight = self._beliefs.share * np.exp(nats.min() - nats)
        posterior: Floats = weight / weight.sum()
        return posterior

    def _under_all(self, batch: Encoded) -> Floats:
        """Return the nats [sequences, contexts] of each sequence in every context."""
        led = batch.under(marks(0, len(self._beliefs)))
        return self.predictor.nats(led, self.classes).reshape(-1, len(batch)).T

    # ------------------------------------------------------------------ keeping

    def stats(self) -> Report:
        """Return plain numbers about the inside."""
        return {**super().stats(), "recognised": len(self._beliefs)}

    def export_state(self) -> State:
        """Return everything that learning changed."""
        codes = [part.codes.tolist() for part in self._suspects]
        suspects = {
            "codes": torch.tensor(list(chain.from_iterable(codes)), dtype=torch.int32),
            "lengths": torch.tensor([len(part) for part in codes], dtype=torch.int64),
        }
        return State.nest(
            {
                "whole": super().export_state(),
                "beliefs": self._beliefs.export_state(),
                "suspects": State({}, suspects),
            }
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        beliefs = ContextBeliefs()
        beliefs.import_state(state.part("beliefs"))
        suspects = state.part("suspects").tensors
        codes = torch.split(suspects["codes"], suspects["lengths"].tolist())
        super().import_state(state.part("whole"))
        within("suspects", suspects["codes"].numpy(), -(1 << 31) + 1, len(self.alphabet) + 1)
        self._beliefs = beliefs
        self._suspects = [
            Encoded(part.numpy().copy(), np.array([0, len(part)]), self.alphabet.kind or "", ())
            for part in codes
        ]


def marks(first: int, last: int) -> Codes:
    """Return the marks of contexts ``first`` to ``last``, the latter not included."""
    return (MARK - np.arange(first, last)).astype(np.int32)


def _of_contexts(experts: tuple[Expert, ...]) -> tuple[Expert, ...]:
    """Return what counts in each context apart, all but the orders, which do both.

    Measured on names and surnames held out: where every expert counts apart a new context starts
    from nothing; where the orders alone count together, each context lacks its own.
    """
    shared = [expert for expert in experts if expert.is_order]
    apart = [expert if expert.is_order else replace(expert, mark=True) for expert in experts]
    return (*apart, *(replace(e, name=f"{e.name}, this context", mark=True) for e in shared))
