"""PlasticMemory: the learner of sequences, made of a tree, a library and a predictor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import (
    LEARNERS,
    ConfigError,
    DataError,
    NotReadyError,
    Persistent,
    Report,
    State,
    make_generator,
    spawn_seed,
)

from .alphabet import Alphabet, Encoded, Symbols
from .experts import EXPERTS, OTHER, classes_of
from .library import ConceptLibrary
from .prediction import NamedConcept, Prediction, Why
from .predictor import Predictor
from .reasons import reasons_for
from .tree import AbstractionTree, Node, check_amount

__all__ = ["PlasticMemory"]

Classes = npt.NDArray[np.int64]


@LEARNERS.register("plastic_memory")
class PlasticMemory(Persistent):
    """A memory of sequences that grows an abstraction tree and predicts what comes next.

    It learns one sequence at a time, as it reads: text (``str``), ``bytes``, or lists of integers
    or words, one kind in one memory. Nothing is trained by gradient descent through layers: counts
    are exact, and one mixing layer of experts follows the delta rule.

    Parameters
    ----------
    experts : {"rich", "plain"}
        Contexts that are counted (:data:`EXPERTS`): ``rich`` knows names and words better,
        ``plain`` costs a fifth.
    max_synapses : int, optional
        Bound on the predictor's counts, at least 1000; above it the weakest and oldest fade. The
        tree is not bounded by it.
    seed : int
        Decides the order of replay in :meth:`sleep`.

    Examples
    --------
    >>> memory = PlasticMemory()
    >>> report = memory.learn([">emma_", ">emily_", ">emma_", ">olivia_"])
    >>> report["sequences"], memory.levels()
    (4, {0: 3, 1: 1, 2: 1, 3: 1})
    >>> memory.infer(">o", stop_token="_")
    '>olivia_'
    >>> prediction = memory.predict(">em")
    >>> round(float(prediction.probabilities.sum()) + prediction.end + prediction.new, 12)
    1.0
    """

    kind = "plastic_memory"

    def __init__(
        self, experts: str = "rich", max_synapses: int | None = None, seed: int = 0
    ) -> None:
        if experts not in EXPERTS:
            raise ConfigError(
                "unknown set of experts",
                got=repr(experts),
                expected="one of: " + ", ".join(sorted(EXPERTS)),
            )
        make_generator(seed)  # refuses what is no seed
        self.experts, self.max_synapses, self.seed = experts, max_synapses, seed
        self.alphabet = Alphabet()
        self.tree = AbstractionTree()
        self.library = ConceptLibrary()
        self.predictor = Predictor(EXPERTS[experts], max_synapses)
        self.classes = np.array([OTHER], np.int64)
        self._symbols_read = 0
        self._sleeps = 0
        self._rested = False

    # ------------------------------------------------------------------ learning

    def learn(self, sequences: Any) -> Report:
        """Learn sequences in the order in which they come.

        Each symbol is predicted before it is counted, so the ``nats`` of the report are an honest
        measure of how well the memory knew what came (the prequential loss).

        Parameters
        ----------
        sequences : str, bytes, or iterable of sequences
            One text, or many sequences. A single sequence of integers or words has to be put into a
            list of its own.

        Returns
        -------
        mapping
            ``sequences``, ``symbols`` (ends among them), ``new_symbols`` and ``nats`` a symbol.

        Raises
        ------
        DataError, DTypeError
            A sequence is empty, too long, or of a wrong type; then nothing at all was learned.
        """
        batch = self._encode(sequences)
        self._take_in(batch)
        nats = self.predictor.learn(batch, self.classes)
        self.library.add(batch, *self.tree.insert(batch))
        self._symbols_read += len(batch.codes)
        self._rested = False
        return {
            "sequences": len(batch),
            "symbols": len(batch.codes),
            "new_symbols": len(batch.new),
            "nats": float(nats.sum()) / len(batch.codes),
        }

    def potentiate(self, sequence: Symbols, amount: float) -> Report:
        """Strengthen a sequence, or weaken it by a negative ``amount``; fractions are fine.

        Counts change, along the whole path of the tree and in every context; the mixer stays.

        Raises
        ------
        ConfigError
            If the amount is no number, or zero.
        NotReadyError
            If more is to be taken away than was learned; nothing is changed.
        """
        batch = self._encode([sequence])
        amount = check_amount(amount)
        if amount < 0:
            self._withdraw(batch, -amount)
        else:
            self._take_in(batch)
            self.library.add(batch, *self.tree.insert(batch, amount))
        self.predictor.count(batch, self.classes, amount)
        self._rested = False
        return {"count": self.tree.weight(batch.codes)}

    def forget(self, sequence: Symbols) -> Report:
        """Forget a sequence, however often it was learned: tree and counts are as if it never came.

        What the mixer learned from it about the experts stays, as do its symbols and the concepts
        that it helped to find.

        Raises
        ------
        NotReadyError
            If it was never learned; nothing is changed.
        """
        batch = self._encode([sequence])
        held = self.tree.weight(batch.codes)
        self._withdraw(batch, held or 1.0)
        self.predictor.count(batch, self.classes, -held)
        self._rested = False
        return {"forgotten": held}

    def sleep(self, passes: int = 3) -> Report:
        """Replay what is stored through the mixer, each token's own count left out of the experts.

        A stream in an odd order teaches the mixer to trust the wrong experts; the counts are the
        same in any order, and replayed in a random one they put that right. A second sleep with
        nothing learned in between changes nothing.

        Returns
        -------
        mapping
            ``sequences`` replayed, ``passes``, and ``nats``, the leave-one-out surprise a symbol.

        Raises
        ------
        NotReadyError
            If nothing is stored.
        ConfigError
            If ``passes`` is no positive integer.
        """
        if isinstance(passes, bool) or not isinstance(passes, int) or passes < 1:
            raise ConfigError("passes is out of range", got=repr(passes), expected="an integer > 0")
        codes, starts, counts = self.tree.gathered()
        if len(counts) == 0:
            raise NotReadyError("nothing was learned yet", cure="learn before you sleep")
        if self._rested:
            return {"sequences": 0, "passes": 0, "nats": 0.0}
        seed = spawn_seed(self.seed, self._sleeps)
        nats = self.predictor.replay(codes, starts, counts, self.classes, passes, seed)
        self._sleeps += 1
        self._rested = True
        return {"sequences": len(counts), "passes": passes, "nats": nats}

    # ------------------------------------------------------------------ answering

    def predict(self, prefix: Symbols = "") -> Prediction:
        """Return the distribution over what follows ``prefix``; unknown symbols in it are fine.

        Raises
        ------
        DTypeError
            If it is of another kind than what was learned.
        NotReadyError
            If nothing was learned yet.
        """
        p, new = self.distribution(self.alphabet.encode_prefix(prefix))
        return Prediction(tuple(self.alphabet.symbols), p[1:], float(p[0]), new)

    def distribution(self, prefix: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.float64], float]:
        """Return the probability of every code after a prefix of codes, and of a new symbol."""
        if self._symbols_read == 0 and self.tree.count == 0:
            raise NotReadyError("nothing was learned yet", cure="learn a sequence first")
        return self.predictor.distribution(prefix, self.classes)

    def log_likelihood(self, sequences: Any) -> npt.NDArray[np.float64]:
        """Return the log-probability of each sequence with its end, in nats; learns nothing.

        A symbol never seen counts with the whole mass of new symbols.
        """
        self.distribution(np.zeros(0, np.int32))
        batch = self._encode(sequences)
        codes = np.where(batch.codes > len(self.alphabet), -1, batch.codes).astype(np.int32)
        seen = Encoded(codes, batch.starts, batch.kind, ())
        return -self.predictor.nats(seen, self.classes)

    def why(self, prefix: Symbols, symbol: Any = None, *, paths: int = 5) -> Why:
        """Say which experts and which stored sequences make ``symbol`` likely after ``prefix``.

        Parameters
        ----------
        prefix : sequence
            What came so far.
        symbol : symbol, optional
            The continuation asked about; by default the most probable one.
        paths : int
            How many stored sequences to name at most.
        """
        codes = self.alphabet.encode_prefix(prefix)
        return reasons_for(self, codes, symbol, paths)

    def infer(self, prefix: Symbols, stop_token: Any = None, *, max_length: int = 100) -> Symbols:
        """Complete ``prefix`` with the most probable symbol, again and again.

        It stops after ``stop_token``, at the end of the sequence, or at ``max_length`` symbols.
        """
        return next(self._completions(1, prefix, 0.0, None, max_length, stop_token))

    def generate(
        self,
        n: int = 1,
        prefix: Symbols = "",
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        *,
        max_length: int = 100,
    ) -> list[Symbols]:
        """Invent ``n`` sequences that begin with ``prefix``.

        Parameters
        ----------
        n : int
            How many.
        prefix : sequence
            How each begins.
        temperature : float
            Above 1 bolder, below 1 more careful; > 0.
        generator : torch.Generator, optional
            Source of chance; by default a fresh one from the memory's seed.
        max_length : int
            Symbols at most.

        Raises
        ------
        ConfigError
            If the temperature is not > 0, or ``n`` or ``max_length`` is not a positive integer.
        """
        if not isinstance(temperature, (int, float)) or not 0 < temperature < np.inf:
            raise ConfigError(
                "temperature is out of range",
                got=repr(temperature),
                expected="a number > 0",
                cure="for the most probable completion use infer",
            )
        generator = make_generator(self.seed) if generator is None else generator
        return list(self._completions(n, prefix, float(temperature), generator, max_length, None))

    def _completions(
        self, n: int, prefix: Symbols, temperature: float, generator: torch.Generator | None,
        max_length: int, stop_token: Any,
    ) -> Iterator[Symbols]:  # fmt: skip
        for name, value in (("n", n), ("max_length", max_length)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(
                    f"{name} is out of range", got=repr(value), expected="an integer > 0"
                )
        begun = self.alphabet.encode_prefix(prefix)
        stop = None if stop_token is None else self.alphabet.code(stop_token)
        for _ in range(n):
            codes = begun.tolist()
            while len(codes) < max_length:
                p, _new = self.distribution(np.array(codes, np.int32))
                if generator is None:
                    code = int(np.argmax(p))
                else:
                    scaled = torch.from_numpy(p).log().div(temperature).softmax(0)
                    code = int(torch.multinomial(scaled, 1, generator=generator))
                if code == 0:
                    break
                codes.append(code)
                if code == stop:
                    break
            grown = self.alphabet.decode(np.array(codes[len(begun) :], np.int32))
            yield _joined(prefix, grown)

    # ------------------------------------------------------------------ looking

    def levels(self) -> dict[int, int]:
        """Return how many nodes of the tree there are at each ``r_level``, 0 being the leaves."""
        return self.tree.levels()

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes of the tree, a parent before its children."""
        return self.tree.nodes()

    def concepts(self, level: int | None = None) -> list[NamedConcept]:
        """Return the patterns that recur anywhere, of one level or of all, most frequent first."""
        return [
            NamedConcept(
                f"C{found.id}",
                found.level,
                found.count,
                self.alphabet.decode(found.expansion),
                tuple(self._name_of(part) for part in found.parts),
            )
            for found in self.library.concepts(level)
        ]

    def parse(self, sequence: Symbols) -> list[NamedConcept]:
        """Show how a sequence, stored or not, is built from concepts and single symbols.

        Raises
        ------
        DataError
            If a symbol of it was never seen.
        """
        batch = self._encode([sequence])
        if batch.new:
            raise DataError("a symbol was never seen", got=repr(batch.new[0]))
        leaf = self.tree.leaf(batch.codes)
        found = self.library.parse(batch.codes[:-1]) if leaf < 0 else self.library.stored(leaf)
        known = {concept.id: concept for concept in self.library.concepts()}
        parts = []
        for symbol in found.tolist():
            expansion = self.alphabet.decode(self.library.expand(np.array([symbol], np.int32)))
            concept = known.get(-1 - symbol)
            level, count = (concept.level, concept.count) if concept else (0, 0)
            inside = tuple(map(self._name_of, concept.parts)) if concept else ()
            parts.append(NamedConcept(self._name_of(symbol), level, count, expansion, inside))
        return parts

    def sequences(self) -> Iterator[tuple[Symbols, float]]:
        """Yield every distinct stored sequence, read from the library, and its count."""
        for row in self.tree.leaves().tolist():
            yield self.alphabet.decode(self.library.read(row)), self.tree.node(row).count

    def _name_of(self, symbol: int) -> str:
        return f"C{-1 - symbol}" if symbol < 0 else str(self.alphabet.symbols[symbol - 1])

    def text(self, codes: npt.NDArray[np.int32]) -> str:
        """Return codes as people read them; ``•`` is an end."""
        separator = "" if self.alphabet.kind in (None, "text") else " "
        shown = ["•" if c == 0 else "?" if c < 0 else str(self.alphabet.symbols[c - 1])
                 for c in codes.tolist()]  # fmt: skip
        return separator.join(shown)

    def stats(self) -> Report:
        """Return plain numbers about the inside."""
        return {
            "sequences": self.tree.count,
            "symbols_read": self._symbols_read,
            "alphabet": len(self.alphabet),
            "nodes": len(self.tree),
            "r_levels": max(self.tree.levels()),
            "concepts": len(self.library),
            "contexts": self.predictor.contexts,
            "synapses": self.predictor.synapses,
            "sleeps": self._sleeps,
        }

    # ------------------------------------------------------------------ keeping

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "experts": self.experts,
            "max_synapses": self.max_synapses,
            "seed": self.seed,
        }

    def export_state(self) -> State:
        """Return everything that learning changed."""
        own = State(
            {
                "kind": self.alphabet.kind,
                "symbols": list(self.alphabet.symbols),
                "symbols_read": self._symbols_read,
                "sleeps": self._sleeps,
                "rested": self._rested,
            }
        )
        return State.nest(
            {
                "memory": own,
                "tree": self.tree.export_state(),
                "library": self.library.export_state(),
                "predictor": self.predictor.export_state(),
            }
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        own = state.part("memory").values
        alphabet = Alphabet(own["kind"], own["symbols"])
        tree, library = AbstractionTree(), ConceptLibrary()
        predictor = Predictor(EXPERTS[self.experts], self.max_synapses)
        tree.import_state(state.part("tree"))
        library.import_state(state.part("library"))
        predictor.import_state(state.part("predictor"))
        self.alphabet, self.tree = alphabet, tree
        self.library, self.predictor = library, predictor
        self.classes = np.array([OTHER, *classes_of(alphabet.symbols)], np.int64)
        self._symbols_read = int(own["symbols_read"])
        self._sleeps, self._rested = int(own["sleeps"]), bool(own["rested"])

    def _encode(self, sequences: Any) -> Encoded:
        if isinstance(sequences, (str, bytes)):
            sequences = [sequences]
        return self.alphabet.encode(sequences)

    def _withdraw(self, batch: Encoded, amount: float) -> None:
        leaf = self.tree.leaf(batch.codes)
        self.tree.withdraw(batch.codes, amount)
        if self.tree.weight(batch.codes) == 0:
            self.library.remove(leaf)

    def _take_in(self, batch: Encoded) -> None:
        self.alphabet.grow(batch)
        self.classes = np.concatenate([self.classes, classes_of(batch.new)])


def _joined(prefix: Symbols, grown: Symbols) -> Symbols:
    if isinstance(prefix, str) and isinstance(grown, str):
        return prefix + grown
    if isinstance(prefix, bytes) and isinstance(grown, bytes):
        return prefix + grown
    return grown if len(prefix) == 0 else (*prefix, *grown)
