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

from .alphabet import Encoded, Symbols
from .asking import Asking
from .context_counts import FADING
from .experts import EXPERTS, OTHER, classes_of
from .library import ConceptLibrary
from .looking import Looking
from .soundness import check_alphabet, within
from .tree import AbstractionTree, check_amount

__all__ = ["PlasticMemory"]

Classes = npt.NDArray[np.int64]


@LEARNERS.register("plastic_memory")
class PlasticMemory(Asking, Looking, Persistent):
    """A memory of sequences that grows an abstraction tree and predicts what comes next.

    It learns one sequence at a time, as it reads: text (``str``), ``bytes``, or lists of integers
    or words, one kind in one memory. Nothing is trained by gradient descent through layers: counts
    are exact, and one mixing layer of experts follows the delta rule.

    Parameters
    ----------
    experts : {"rich", "text", "plain"}
        Contexts that are counted (:data:`EXPERTS`): ``rich`` knows names and words best, ``text``
        sentences, at a quarter of the cost; ``plain`` is for anything and costs a fifth.
    max_synapses : int, optional
        Bound on the predictor's counts, and on the symbols of the stored sequences, at least 1000;
        above it the weakest and oldest fade. Without it everything is kept.
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
        super().__init__(experts, max_synapses, seed)
        self.experts, self.max_synapses = experts, max_synapses
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
        nats = sum(self._learn_part(part) for part in self._parts_of(batch))
        self._symbols_read += len(batch.codes)
        self._rested = False
        return {
            "sequences": len(batch),
            "symbols": len(batch.codes),
            "new_symbols": len(batch.new),
            "nats": nats / len(batch.codes),
        }

    def _parts_of(self, batch: Encoded) -> Iterator[Encoded]:
        """Cut a batch so finely that what fades is known to within a few sequences."""
        if self.max_synapses is None:
            yield batch
        else:
            yield from batch.parts(self.max_synapses // (16 * len(self.predictor.experts)))

    def _learn_part(self, part: Encoded) -> float:
        stored = self.tree.insert(part, epoch=self.predictor.fades)
        nats = float(self.predictor.learn(part, self.classes, own=stored.own).sum())
        self.library.add(part, stored.leaves, stored.fresh)
        self._last = part.codes[part.starts[-2] :].copy()
        if self.max_synapses is not None and self.tree.symbols > self.max_synapses:
            # By half, since the library is then read anew: that has to be seldom.
            self.tree.fade(self.max_synapses // 2, FADING)
            # Concepts that only stood in what is gone go with it: the library is read anew.
            codes, starts, _counts = self.tree.gathered()
            self.library = ConceptLibrary(self.library.threshold)
            self.library.add(Encoded(codes, starts, part.kind, ()), self.tree.leaves())
        return nats

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
        batch = self._place(sequence)
        amount = check_amount(amount)
        if amount < 0:
            self._withdraw(batch, -amount)
        else:
            self._take_in(batch)
            stored = self.tree.insert(batch, amount)
            self.library.add(batch, stored.leaves, stored.fresh)
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
        batch = self._place(sequence)
        held = self.tree.weight(batch.codes)
        self._withdraw(batch, held or 1.0)
        self.predictor.count(batch, self.classes, -held)
        self._rested = False
        return {"forgotten": held}

    def sleep(self, passes: int = 3) -> Report:
        """Replay what is stored through the mixer, each token's own count left out of the experts.

        A stream in an odd order teaches the mixer to trust the wrong experts; the counts are the
        same in any order, and replayed in a random one they put that right. A second sleep with
        nothing learned in between changes nothing. Where counts have faded (``max_synapses``), what
        was learned since then is replayed.

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
        if len(self.tree) == 1:
            raise NotReadyError("nothing was learned yet", cure="learn before you sleep")
        # Of what was learned before counts last faded it is not known what they still hold.
        codes, starts, counts = self.tree.gathered(since=self.predictor.fades)
        if self._rested or len(counts) == 0:
            return {"sequences": 0, "passes": 0, "nats": 0.0}
        seed = spawn_seed(self.seed, self._sleeps)
        own = np.minimum(counts, self.tree.readings)
        nats = self.predictor.replay(codes, starts, counts, own, self.classes, passes, seed)
        self._sleeps += 1
        self._rested = True
        return {"sequences": len(counts), "passes": passes, "nats": nats}

    # ------------------------------------------------------------------ keeping

    @property
    def nbytes(self) -> int:
        """Bytes held by the tree, the library and the predictor."""
        return self.tree.nbytes + self.library.nbytes + self.predictor.nbytes

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
            },
            {"last": torch.from_numpy(self._last.copy())},
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
        alphabet = check_alphabet(own["kind"], own["symbols"])
        symbols = len(alphabet)
        tree, library = AbstractionTree(), ConceptLibrary()
        predictor = self._fresh_predictor(self.experts, self.max_synapses)
        tree.import_state(state.part("tree"), symbols)
        library.import_state(state.part("library"), symbols)
        predictor.import_state(state.part("predictor"))
        last = state.part("memory").tensors["last"].numpy().astype(np.int32).reshape(-1)
        within("symbols that were learned last", last, -(1 << 31) + 1, symbols + 1)
        if predictor.known != symbols + 1:
            raise DataError(
                "the stored counts are those of another alphabet",
                got=f"{predictor.known} codes",
                expected=str(symbols + 1),
            )
        self.alphabet, self.tree = alphabet, tree
        self.library, self.predictor = library, predictor
        self.classes = np.array([OTHER, *classes_of(alphabet.symbols)], np.int64)
        self._last = last.copy()
        self._symbols_read = int(own["symbols_read"])
        self._sleeps, self._rested = int(own["sleeps"]), bool(own["rested"])

    def _withdraw(self, batch: Encoded, amount: float) -> None:
        leaf = self.tree.leaf(batch.codes)
        self.tree.withdraw(batch.codes, amount)
        if self.tree.weight(batch.codes) == 0:
            self.library.remove(leaf)

    def _take_in(self, batch: Encoded) -> None:
        self.alphabet.grow(batch)
        self.classes = np.concatenate([self.classes, classes_of(batch.new)])
