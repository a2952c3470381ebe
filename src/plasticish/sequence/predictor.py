"""The predictor: exact counts of many contexts, mixed by one layer that learns by the delta rule.

Every expert (:class:`Expert`) is asked what it has counted after the context that it sees; the
mixture is log-linear, its weights chosen by the situation, and they change by the delta rule as
each symbol comes. Learning a symbol is a look-up, a correction and an increment for each expert:
its cost does not grow with what was learned before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import ConfigError, State, check_positive, make_generator, spawn_seed

from . import mixing_kernels as kernels
from .alphabet import Encoded
from .arrays import power_of_two
from .count_kernels import (
    ALIVE,
    FADES,
    NOVEL,
    ONCE,
    REPORTED,
    SEEN,
    SLOT,
    SYNAPSE,
    Counts,
    fade,
    move,
)
from .experts import Expert, expert_rows
from .mixing_kernels import (
    BUCKETS,
    CONSTANT,
    FEATURES,
    SHARPNESS,
    SITUATION,
    UNCERTAINTY,
    Cursor,
    Mixer,
    Scratch,
)
from .soundness import check_counts

__all__ = ["FADING", "GAINS", "Predictor", "Testimony"]

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

# Found on names held out of the training file: the loss after 100, 1,000, 5,000 and all names.
_STEP = 0.03
_DAMPING = 1000.0  # corrections (squared) that a weight takes before its steps begin to shrink
_TRUST = 2.0  # sum of the weights of all experts at first
_LOGS = np.log1p(np.arange(4096) / SHARPNESS)
_ROWS = kernels.POSITIONS + kernels.LONGEST + kernels.RECENT
_HEAD = 7
_KEPT = 0.85  # share of the room that stays in use when room is made
_RECURRENCE = 3  # power of the share of an expert's contexts that came again, in their worth

FADING = 0.95
"""What is left of a count when room is made."""

GAINS = {"situation": SITUATION, "uncertainty": UNCERTAINTY, "constant": CONSTANT}
"""What the weights of the mixer may follow; see :class:`Predictor`."""

_UNBOUNDED = 1 << 62
_TOLD = 256  # distributions that are written down at a time
_UNTOLD = np.zeros((0, 0))


class Testimony(NamedTuple):
    """What one expert said before one symbol.

    Attributes
    ----------
    expert : str
        Its name.
    seen : float
        How often it had seen its context.
    counts : dict of int to float
        How often each symbol (by code; 0 is the end) had followed.
    push : dict of int to float
        What it added to the score of each symbol, in nats.
    """

    expert: str
    seen: float
    counts: dict[int, float]
    push: dict[int, float]


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
        self._counts = Counts(
            np.zeros(64, SLOT), np.zeros(64, SYNAPSE), np.zeros(8), np.zeros(_HEAD)
        )
        self._counts.head[NOVEL] = 1  # the end is known from the start
        shape = (FEATURES, len(self.experts))
        self._mixer = Mixer(
            np.zeros((_ROWS, *shape)),
            np.zeros((_ROWS, *shape)),
            np.zeros((BUCKETS, *shape)),
            np.zeros((BUCKETS, *shape)),
        )
        # At first every expert is believed alike, and together about as much as one alone.
        self._mixer.own[:, 0, :] = _TRUST / len(self.experts)

    @property
    def synapses(self) -> int:
        """Number of counts kept."""
        return int(self._counts.head[ALIVE])

    @property
    def contexts(self) -> int:
        """Number of contexts known."""
        return int((self._counts.slots["size"] > 0).sum())

    @property
    def weights(self) -> int:
        """Number of weights of the mixer that were ever corrected."""
        return int((self._mixer.shared_sum > 0).sum() + (self._mixer.own_sum > 0).sum())

    @property
    def known(self) -> int:
        """Number of codes it knows, the end among them."""
        return int(self._counts.head[NOVEL])

    @property
    def fades(self) -> int:
        """How often counts have faded because there were too many of them."""
        return int(self._counts.head[FADES])

    @property
    def nbytes(self) -> int:
        """Bytes held by the tables and the mixer."""
        arrays = (*self._counts, *self._mixer)
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
        self._know(len(classes))
        cursor = Cursor(np.zeros(3, np.int64), np.zeros(kernels.TRAIL, np.uint64))
        scratch = self._scratch(len(classes))
        while not kernels.read(
            self._experts, self._counts, self._mixer, self._gains, _LOGS, scratch, codes, starts,
            classes, cursor, step, _DAMPING, amount, self._least, own,
            self.max_synapses or _UNBOUNDED, nats, told,
        ):  # fmt: skip
            if len(told) and cursor.place[2] == len(told):
                yield len(told)
                cursor.place[2] = 0
            else:
                self._make_room(len(classes))
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
        scratch = self._scratch(len(classes))
        nats = tokens = 0.0
        for turn in range(passes):
            generator = make_generator(spawn_seed(seed, turn))
            order = torch.randperm(len(weights), generator=generator).numpy()
            nats, tokens = kernels.replay(
                self._experts, self._counts, self._mixer, self._gains, _LOGS, scratch, codes,
                starts, weights, own, order, classes, _STEP / (turn + 1), _DAMPING,
            )  # fmt: skip
        return nats / tokens

    def distribution(self, prefix: Codes, classes: npt.NDArray[np.int64]) -> tuple[Floats, float]:
        """Return the probability of every known code after ``prefix``, and of a new symbol."""
        scratch = self._forecast(prefix, classes)
        size = self.known
        fresh = float(kernels.novelty(self._counts.head))
        return (1 - fresh) * kernels.floored(scratch.p[:size], size), fresh

    def testimonies(self, prefix: Codes, classes: npt.NDArray[np.int64]) -> list[Testimony]:
        """Return what every expert that knows its context said."""
        s = self._forecast(prefix, classes)
        found = []
        for e, expert in enumerate(self.experts):
            span = range(int(s.begin[e]), int(s.begin[e + 1]))
            if not span:
                continue
            slot = self._counts.slots[s.slot[e]]
            synapses = self._counts.synapses[slot["first"] :][: len(span)]
            symbols = [int(s.symbol[j]) for j in span]
            push = [float(s.weight[:2, e] @ s.feature[j] + s.weight[2, e]) for j in span]
            counts = [float(count) for count in synapses["count"]]
            found.append(
                Testimony(
                    expert.name,
                    float(slot["total"]),
                    dict(zip(symbols, counts, strict=True)),
                    dict(zip(symbols, push, strict=True)),
                )
            )
        return found

    def _forecast(self, prefix: Codes, classes: npt.NDArray[np.int64]) -> Scratch:
        scratch = self._scratch(self.known)
        kernels.forecast(
            self._experts, self._counts, self._mixer, self._gains, _LOGS, scratch, prefix, classes,
            self.known,
        )  # fmt: skip
        return scratch

    def _scratch(self, size: int) -> Scratch:
        count = len(self.experts)
        return Scratch(
            keys=np.zeros(count, np.uint64),
            slot=np.zeros(count, np.int64),
            bucket=np.zeros(count, np.int64),
            begin=np.zeros(count + 1, np.int64),
            symbol=np.zeros(count * min(size, REPORTED), np.int32),
            feature=np.zeros((count * min(size, REPORTED), 2)),
            weight=np.zeros((FEATURES, count)),
            error=np.zeros((FEATURES, count)),
            rows=np.zeros(3, np.int64),
            score=np.zeros(size),
            p=np.zeros(size),
            marked=np.zeros(size, np.bool_),
            named=np.zeros(size, np.int64),
            last=np.zeros(2),
        )

    def _know(self, size: int) -> None:
        """Have a place for the count of every code below ``size``."""
        seen = self._counts.seen
        if size > len(seen):
            larger = np.zeros(2 * size)
            larger[: len(seen)] = seen
            self._counts = self._counts._replace(seen=larger)

    def _make_room(self, size: int) -> None:
        """Let counts fade if there are too many of them, and make the tables large enough."""
        head, limit = self._counts.head, self.max_synapses
        # Only what is known decides, never how large a table happens to be: a learner that was
        # saved and loaded has to fade in the same places.
        if limit is not None and head[ALIVE] > limit:
            self._fade(head[ALIVE] - _KEPT * limit)
        count, alive = len(self.experts), self.synapses
        self._move_to(
            power_of_two(4 * (self.contexts + count)), alive + alive // 2 + 4 * count * size
        )

    def _fade(self, excess: float) -> None:
        """Let the contexts go that are worth least, with ``excess`` synapses or a few more."""
        slots = self._counts.slots[self._counts.slots["size"] > 0]
        owner = (slots["key"] >> np.uint64(56)).astype(np.int64)
        known = np.bincount(owner, minlength=256)
        again = np.bincount(owner[slots["total"] > 1], minlength=256)
        worth = ((again + 1) / (known + 2)) ** _RECURRENCE
        value = slots["total"] * worth[owner]
        values = np.unique(value)  # few: asking it for the inverse too would sort ten times longer
        lost = np.cumsum(np.bincount(np.searchsorted(values, value), weights=slots["size"]))
        last = int(np.searchsorted(lost, excess))
        below = float(lost[last - 1]) if last else 0.0
        ties = (excess - below) / (float(lost[last]) - below)
        before = self._counts.head[ALIVE]
        fade(self._counts, np.float32(FADING), worth, values[last], ties)
        if self._counts.head[ALIVE] == before:  # of a few large contexts the share may choose none
            fade(self._counts, np.float32(1.0), worth, values[last], 1.0)
        self._counts.head[FADES] += 1

    def _move_to(self, slots: int, synapses: int) -> None:
        fresh = Counts(
            np.zeros(slots, SLOT), np.zeros(synapses, SYNAPSE), self._counts.seen, np.zeros(_HEAD)
        )
        fresh.head[NOVEL:] = self._counts.head[NOVEL:]
        move(self._counts, fresh)
        self._counts = fresh

    def export_state(self) -> State:
        """Return the counts, contexts in the order of their keys, and the weights of the mixer."""
        self._move_to(power_of_two(2 * (self.contexts + 1)), self.synapses)
        slots = self._counts.slots[self._counts.slots["key"] != 0]
        slots = slots[np.argsort(slots["key"])]
        picked = _spans(slots["first"], slots["size"])
        arrays = {
            "key": slots["key"].view(np.int64),
            "total": slots["total"],
            "size": slots["size"],
            "symbol": self._counts.synapses["symbol"][picked],
            "count": self._counts.synapses["count"][picked],
            "seen": self._counts.seen[: self.known],
            **self._mixer._asdict(),
        }
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        head = self._counts.head
        values = {"known": self.known, "seen": head[SEEN], "once": head[ONCE], "fades": self.fades}
        return State(values, tensors)

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
        size = arrays["size"].astype(np.int64)
        slots, synapses = np.zeros(len(size), SLOT), np.zeros(len(arrays["symbol"]), SYNAPSE)
        slots["key"], slots["total"] = arrays["key"].view(np.uint64), arrays["total"]
        slots["size"], slots["first"] = size, np.cumsum(size) - size
        synapses["symbol"], synapses["count"] = arrays["symbol"], arrays["count"]
        head = np.zeros(_HEAD)
        head[NOVEL], head[SEEN] = state.values["known"], state.values["seen"]
        head[ONCE], head[FADES] = state.values["once"], state.values["fades"]
        self._mixer = mixer
        self._counts = Counts(slots, synapses, arrays["seen"].copy(), head)
        self._move_to(power_of_two(2 * (len(size) + 1)), len(synapses))


def _spans(first: npt.NDArray[np.int64], size: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the places ``first[i] … first[i] + size[i] - 1`` of all i, one behind the other."""
    ends = np.cumsum(size.astype(np.int64))
    return np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - ends + size, size)
