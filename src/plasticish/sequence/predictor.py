"""The predictor: exact counts of many contexts, mixed by one layer that learns by the delta rule.

Every expert (:class:`Expert`) is asked what it has counted after the context that it sees; the
mixture is log-linear, its weights chosen by the situation, and they change by the delta rule as
each symbol comes. Learning a symbol is a look-up, a correction and an increment for each expert:
its cost does not grow with what was learned before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import ConfigError, State, check_positive, make_generator, spawn_seed

from . import reading_kernels as kernels
from .alphabet import Encoded
from .context_counts import ContextCounts
from .context_kernels import TRAIL
from .experts import Expert, expert_rows
from .mixer import fresh_mixer, scratch_for
from .mixing_kernels import CONSTANT, SHARPNESS, SITUATION, UNCERTAINTY, Mixer, Scratch, floored
from .soundness import check_counts
from .testimony import Testimony, testimonies_of

__all__ = ["GAINS", "Predictor"]

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

# Found on names held out of the training file: the loss after 100, 1,000, 5,000 and all names.
_STEP = 0.03
_DAMPING = 1000.0  # corrections (squared) that a weight takes before its steps begin to shrink
_LOGS = np.log1p(np.arange(4096) / SHARPNESS)

GAINS = {"situation": SITUATION, "uncertainty": UNCERTAINTY, "constant": CONSTANT}
"""What the weights of the mixer may follow; see :class:`Predictor`."""

_UNBOUNDED = 1 << 62
_TOLD = 256  # distributions that are written down at a time
_UNTOLD = np.zeros((0, 0))


class Predictor:
    """Experts and their mixer, over codes.

    Parameters
    ----------
    experts : sequence of Expert
        The contexts that are counted.
    max_synapses : int, optional
        Bound on counts kept (one a context and symbol), at least 1000. Above it contexts go, whole,
        until 15 % of the room is free, and all other counts fade by a twentieth: those go first
        that were seen least, longest ago, and by experts whose contexts seldom come again.
    gains : {"situation", "uncertainty", "constant"}
        What the weight of an expert follows: position, last symbol, the longest known context and
        how much the expert has seen; only how certain the contexts of the experts are of what
        follows (how often each was seen, and how many symbols followed); or nothing.
    least_encoding : float
        Each symbol is counted by the probability that it was *not* expected with, at least by this
        share of one, in (0, 1]; 1 counts all alike.

    Raises
    ------
    ConfigError
        If an argument is out of its range.

    Examples
    --------
    >>> from plasticish.sequence import EXPERTS, Alphabet
    >>> alphabet, predictor = Alphabet(), Predictor(EXPERTS["plain"])
    >>> batch = alphabet.encode(["abab", "abab", "abab"])
    >>> alphabet.grow(batch)
    >>> nats = predictor.learn(batch, np.array([3, 1, 2]))
    >>> bool(nats[2] < nats[0])
    True
    """

    def __init__(
        self,
        experts: Sequence[Expert],
        max_synapses: int | None = None,
        *,
        gains: str = "situation",
        least_encoding: float = 1.0,
    ) -> None:
        if gains not in GAINS:
            raise ConfigError(
                "there are no such gains",
                got=repr(gains),
                expected="one of: " + ", ".join(sorted(GAINS)),
            )
        check_positive(least_encoding=least_encoding)
        if least_encoding > 1:
            raise ConfigError(
                "least_encoding is out of range", got=repr(least_encoding), expected="at most 1"
            )
        if max_synapses is not None and not 1000 <= max_synapses <= _UNBOUNDED:
            raise ConfigError(
                "max_synapses is out of range", got=repr(max_synapses), expected="at least 1000"
            )
        self.experts = tuple(experts)
        self.max_synapses = max_synapses
        self._gains, self._least = GAINS[gains], float(least_encoding)
        self._experts = expert_rows(self.experts)
        self._counts = ContextCounts()
        self._mixer = fresh_mixer(len(self.experts))

    @property
    def synapses(self) -> int:
        """Number of counts kept."""
        return self._counts.synapses

    @property
    def contexts(self) -> int:
        """Number of contexts known."""
        return self._counts.contexts

    @property
    def weights(self) -> int:
        """Number of weights of the mixer that were ever corrected."""
        return int((self._mixer.shared_sum > 0).sum() + (self._mixer.own_sum > 0).sum())

    @property
    def known(self) -> int:
        """Number of codes it knows, the end among them."""
        return self._counts.known

    @property
    def fades(self) -> int:
        """How often counts have faded because there were too many of them."""
        return self._counts.fades

    @property
    def nbytes(self) -> int:
        """Bytes held by the tables and the mixer."""
        arrays = (*self._counts.tables, *self._mixer)
        return sum(array.nbytes for array in arrays)

    def learn(
        self, batch: Encoded, classes: npt.NDArray[np.int64], amount: float = 1.0,
        own: Floats | None = None,
    ) -> Floats:  # fmt: skip
        """Predict every symbol, correct the mixer, count it; return the nats of each sequence.

        Where ``own`` [sequences] is above 0 a sequence was counted so often before: the mixer is
        corrected as if it had not, or it would learn to trust whatever knows sequences by heart.
        """
        return self._read(batch.codes, batch.starts, classes, _STEP, amount, own)

    def count(self, batch: Encoded, classes: npt.NDArray[np.int64], amount: float) -> None:
        """Add ``amount`` to the counts only; a negative one takes away what was counted."""
        self._read(batch.codes, batch.starts, classes, 0.0, amount)

    def nats(self, batch: Encoded, classes: npt.NDArray[np.int64]) -> Floats:
        """Return the surprise at each sequence, in nats, and learn nothing; codes < 0 are new."""
        return self._read(batch.codes, batch.starts, classes, 0.0, 0.0)

    def listen(
        self, batch: Encoded, classes: npt.NDArray[np.int64], *, learning: bool = True
    ) -> Iterator[tuple[Codes, Floats]]:
        """Learn sequences as :meth:`learn` does, or only read them, and tell what was expected.

        Yields
        ------
        codes : int32 array [n]
            The next symbols, a few hundred at a time, over the ends of sequences.
        expected : float64 array [n, codes known]
            The distribution before each of them came; valid until the next is asked for.
        """
        told = np.zeros((_TOLD, len(classes)))
        step, amount = (_STEP, 1.0) if learning else (0.0, 0.0)
        reading = self._reading(batch.codes, batch.starts, classes, step, amount, None, told)
        place = 0
        for rows in reading:
            yield batch.codes[place : place + rows], told[:rows]
            place += rows

    def _read(
        self, codes: Codes, starts: npt.NDArray[np.int64], classes: npt.NDArray[np.int64],
        step: float, amount: float, own: Floats | None = None,
    ) -> Floats:  # fmt: skip
        nats = np.zeros(len(starts) - 1)
        for _ in self._reading(codes, starts, classes, step, amount, own, _UNTOLD, nats):
            pass
        return nats

    def _reading(
        self, codes: Codes, starts: npt.NDArray[np.int64], classes: npt.NDArray[np.int64],
        step: float, amount: float, own: Floats | None, told: Floats, nats: Floats | None = None,
    ) -> Iterator[int]:  # fmt: skip
        """Read on, and yield how many rows of ``told`` are written, whenever it is full."""
        own = np.zeros(len(starts) - 1) if own is None else own
        nats = np.zeros(len(starts) - 1) if nats is None else nats
        self._counts.know(len(classes))
        cursor = kernels.Cursor(np.zeros(3, np.int64), np.zeros(TRAIL, np.uint64))
        scratch = scratch_for(len(self.experts), len(classes))
        while not kernels.read(
            self._experts, self._counts.tables, self._mixer, self._gains, _LOGS, scratch, codes,
            starts, classes, cursor, step, _DAMPING, amount, self._least, own,
            self.max_synapses or _UNBOUNDED, nats, told,
        ):  # fmt: skip
            if len(told) and cursor.place[2] == len(told):
                yield len(told)
                cursor.place[2] = 0
            else:
                self._counts.make_room(len(self.experts), len(classes), self.max_synapses)
        if cursor.place[2]:
            yield int(cursor.place[2])

    def replay(
        self, codes: Codes, starts: npt.NDArray[np.int64], weights: Floats, own: Floats,
        classes: npt.NDArray[np.int64], passes: int, seed: int,
    ) -> float:  # fmt: skip
        """Correct the mixer on stored sequences, ``own`` of each token's counts left out.

        Step sizes fall from one pass to the next. Returns the surprise of the last pass in nats a
        symbol.
        """
        scratch = scratch_for(len(self.experts), len(classes))
        nats = tokens = 0.0
        for turn in range(passes):
            generator = make_generator(spawn_seed(seed, turn))
            order = torch.randperm(len(weights), generator=generator).numpy()
            nats, tokens = kernels.replay(
                self._experts, self._counts.tables, self._mixer, self._gains, _LOGS, scratch, codes,
                starts, weights, own, order, classes, _STEP / (turn + 1), _DAMPING,
            )  # fmt: skip
        return nats / tokens

    def distribution(self, prefix: Codes, classes: npt.NDArray[np.int64]) -> tuple[Floats, float]:
        """Return the probability of every known code after ``prefix``, and of a new symbol."""
        scratch = self._forecast(prefix, classes)
        size = self.known
        fresh = float(kernels.novelty(self._counts.tables.head))
        return (1 - fresh) * floored(scratch.p[:size], size), fresh

    def testimonies(self, prefix: Codes, classes: npt.NDArray[np.int64]) -> list[Testimony]:
        """Return what every expert that knows its context said."""
        scratch = self._forecast(prefix, classes)
        return testimonies_of(self.experts, self._counts.tables, scratch)

    def _forecast(self, prefix: Codes, classes: npt.NDArray[np.int64]) -> Scratch:
        scratch = scratch_for(len(self.experts), self.known)
        kernels.forecast(
            self._experts, self._counts.tables, self._mixer, self._gains, _LOGS, scratch, prefix,
            classes, self.known,
        )  # fmt: skip
        return scratch

    def export_state(self) -> State:
        """Return the counts, contexts in the order of their keys, and the weights of the mixer."""
        figures, arrays = self._counts.export_state()
        arrays.update(self._mixer._asdict())
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        return State(figures, tensors)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        DataError
            If a count belongs to no context or to no symbol.
        """
        arrays = {name: tensor.numpy() for name, tensor in state.tensors.items()}
        check_counts(arrays, dict(state.values), state.values["known"])
        mixer = Mixer(*(arrays[name].copy() for name in Mixer._fields))
        if any(a.shape != b.shape for a, b in zip(mixer, self._mixer, strict=True)):
            raise ValueError("the weights of the mixer do not fit these experts")
        self._counts = ContextCounts.from_state(state.values, arrays)
        self._mixer = mixer
