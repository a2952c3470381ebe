"""Symbols and their codes: an alphabet that grows as symbols appear.

Code 0 is the end of a sequence; symbols are numbered from 1 in the order of their first
appearance. An alphabet is of one kind, fixed by the first sequence: text (``str``), ``bytes``, or
sequences of integers or of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from plasticish.core import DataError, DTypeError

__all__ = ["MAX_LENGTH", "Alphabet", "Encoded", "Symbol", "Symbols"]

Symbol = str | int
"""A character, a byte, an integer or a word."""

Symbols = str | bytes | Sequence[Symbol]
"""One sequence."""

MAX_LENGTH = 1_000_000
"""Longest sequence taken, in symbols: a longer one is a file whose line ends are missing."""

_EXPECTED = "str, bytes, or a list or tuple of integers or of strings"


@dataclass(frozen=True)
class Encoded:
    """A batch of sequences as codes, each closed by the code 0.

    Attributes
    ----------
    codes : int32 array [symbols]
        All sequences, one behind the other.
    starts : int64 array [sequences + 1]
        Where each begins; the last entry is the length of ``codes``.
    kind : str
        ``"text"``, ``"bytes"``, ``"integers"`` or ``"words"``.
    new : tuple
        Symbols that the alphabet does not have yet; their codes follow on its last.
    """

    codes: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    kind: str
    new: tuple[Symbol, ...]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def parts(self, symbols: int) -> Iterator[Encoded]:
        """Cut the batch between sequences into parts of about so many symbols at most."""
        first = 0
        while first < len(self):
            last = int(np.searchsorted(self.starts, self.starts[first] + symbols, side="right")) - 1
            last = max(last, first + 1)
            begin, end = self.starts[first], self.starts[last]
            yield Encoded(
                self.codes[begin:end], self.starts[first : last + 1] - begin, self.kind, ()
            )
            first = last

    def under(self, marks: npt.NDArray[np.int32]) -> Encoded:
        """Return the whole batch led by the first mark, then the whole batch led by the next, ….

        A mark is a code below 0 that stands for no symbol.
        """
        count, size = len(self), len(self.codes) + len(self)
        places = self.starts[:-1] + np.arange(count)
        inside = np.ones(size, np.bool_)
        inside[places] = False
        codes = np.empty((len(marks), size), np.int32)
        codes[:, inside] = self.codes
        codes[:, places] = marks[:, None]
        starts = np.full(len(marks) * count + 1, codes.size, np.int64)
        starts[:-1] = (places + size * np.arange(len(marks))[:, None]).ravel()
        return Encoded(codes.ravel(), starts, self.kind, self.new)


class Alphabet:
    """Symbols to codes and back.

    Examples
    --------
    >>> alphabet = Alphabet()
    >>> batch = alphabet.encode(["emma", "ann"])
    >>> batch.codes.tolist()
    [1, 2, 2, 3, 0, 3, 4, 4, 0]
    >>> alphabet.grow(batch)
    >>> alphabet.decode(batch.codes[:4])
    'emma'
    """

    def __init__(self, kind: str | None = None, symbols: Iterable[Symbol] = ()) -> None:
        self.kind = kind
        self.symbols: list[Symbol] = list(symbols)
        self._codes = {symbol: i + 1 for i, symbol in enumerate(self.symbols)}

    def __len__(self) -> int:
        """Number of symbols, the end not among them."""
        return len(self.symbols)

    def code(self, symbol: Symbol) -> int | None:
        """Return the code of a symbol, or None if it was never seen."""
        return self._codes.get(symbol)

    def encode(self, sequences: Any) -> Encoded:
        """Turn sequences into codes; the alphabet itself stays as it is.

        Raises
        ------
        DataError
            A sequence is empty or longer than :data:`MAX_LENGTH`, or there is none.
        DTypeError
            A sequence or symbol is of a wrong type, or of another kind than those before.
        """
        if not isinstance(sequences, Iterable):
            raise DTypeError(
                "these are no sequences",
                got=type(sequences).__name__,
                expected=f"an iterable of {_EXPECTED}",
                cure="put one sequence into a list: [sequence]",
            )
        items = list(sequences)
        if not items:
            raise DataError("there is no sequence to learn", cure="give at least one")
        kind = self.kind or _kind_of(items[0], 0)
        for i, item in enumerate(items):
            _check(item, i, kind)
        lengths = np.fromiter((len(item) for item in items), np.int64, len(items))
        starts = np.zeros(len(items) + 1, np.int64)
        np.cumsum(lengths + 1, out=starts[1:])
        # Distinct symbols are looked up once each, however long the batch is.
        flat, distinct = _factorised(items, kind)
        codes, new = self._codes_of(distinct)
        whole = np.zeros(int(starts[-1]), np.int32)
        inside = np.ones(len(whole), np.bool_)
        inside[starts[1:] - 1] = False
        whole[inside] = codes[flat]
        return Encoded(whole, starts, kind, new)

    def encode_prefix(self, prefix: Any) -> npt.NDArray[np.int32]:
        """Return the codes of one sequence that has not ended; unknown symbols become -1.

        Raises
        ------
        DataError, DTypeError
            As :meth:`encode`; an empty prefix is fine.
        """
        if isinstance(prefix, (str, bytes, list, tuple)) and len(prefix) == 0:
            return np.zeros(0, np.int32)
        kind = self.kind or _kind_of(prefix, 0)
        _check(prefix, 0, kind)
        return np.array([self._codes.get(symbol, -1) for symbol in prefix], np.int32)

    def grow(self, batch: Encoded) -> None:
        """Take in the new symbols of a batch that :meth:`encode` made."""
        self.kind = batch.kind
        for symbol in batch.new:
            self.symbols.append(symbol)
            self._codes[symbol] = len(self.symbols)

    def decode(self, codes: npt.NDArray[np.int32]) -> Symbols:
        """Return the sequence that these codes stand for; ends and marks are left out."""
        symbols = [self.symbols[code - 1] for code in codes.tolist() if code > 0]
        if self.kind == "text":
            return "".join(map(str, symbols))
        if self.kind == "bytes":
            return bytes(map(int, symbols))
        return tuple(symbols)

    def _codes_of(self, distinct: list[Symbol]) -> tuple[npt.NDArray[np.int32], tuple[Symbol, ...]]:
        codes, new = np.empty(len(distinct), np.int32), []
        for i, symbol in enumerate(distinct):
            code = self._codes.get(symbol)
            if code is None:
                new.append(symbol)
                code = len(self.symbols) + len(new)
            codes[i] = code
        return codes, tuple(new)


def _factorised(items: list[Any], kind: str) -> tuple[npt.NDArray[np.int64], list[Symbol]]:
    """Return all symbols as positions in the list of the distinct ones, by first appearance."""
    if kind in ("text", "bytes"):
        if kind == "text":
            # surrogatepass: a lone surrogate is an odd symbol, but a symbol.
            raw = "".join(items).encode("utf-32-le", "surrogatepass")
            points = np.frombuffer(raw, np.uint32).astype(np.int64)
        else:
            points = np.frombuffer(b"".join(items), np.uint8).astype(np.int64)
        seen = np.zeros(int(points.max()) + 1, np.int64)
        # Written backwards, so that the first appearance is the one that stays.
        seen[points[::-1]] = np.arange(len(points), 0, -1)
        order = np.flatnonzero(seen)
        order = order[np.argsort(seen[order], kind="stable")]
        seen[order] = np.arange(len(order))
        return seen[points], [chr(p) if kind == "text" else p for p in order.tolist()]
    places: dict[Symbol, int] = {}
    count = sum(map(len, items))
    flat = np.fromiter(
        (places.setdefault(s, len(places)) for item in items for s in item), np.int64, count
    )
    return flat, list(places)


def _kind_of(sequence: object, index: int) -> str:
    if isinstance(sequence, str):
        return "text"
    if isinstance(sequence, bytes):
        return "bytes"
    if isinstance(sequence, (list, tuple)) and len(sequence) > 0:
        if isinstance(sequence[0], str):
            return "words"
        if isinstance(sequence[0], int) and not isinstance(sequence[0], bool):
            return "integers"
        raise DTypeError(
            f"a symbol of sequence {index} is of no usable type",
            got=type(sequence[0]).__name__,
            expected="integers or strings",
            cure="number your symbols, or name them",
        )
    if isinstance(sequence, (list, tuple)):
        raise DataError(f"sequence {index} is empty", cure="leave empty sequences out")
    raise DTypeError(
        f"sequence {index} is of no usable type",
        got=type(sequence).__name__,
        expected=_EXPECTED,
        cure="for one sequence of integers or words, put it into a list of its own: [sequence]",
    )


_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "bytes": (bytes,),
    "integers": (list, tuple),
    "words": (list, tuple),
}


def _check(sequence: Any, index: int, kind: str) -> None:
    if not issubclass(type(sequence), _TYPES[kind]):
        found = _kind_of(sequence, index)
        raise DTypeError(
            f"sequence {index} is of another kind than those before",
            got=found,
            expected=kind,
            cure="keep one memory for each kind of sequence",
        )
    if len(sequence) == 0:
        raise DataError(f"sequence {index} is empty", cure="leave empty sequences out")
    if len(sequence) > MAX_LENGTH:
        raise DataError(
            f"sequence {index} is too long",
            got=f"{len(sequence):,} symbols",
            expected=f"at most {MAX_LENGTH:,}",
            cure="split it, by lines or sentences for instance",
        )
    if kind in ("integers", "words"):
        wanted = int if kind == "integers" else str
        for place, symbol in enumerate(sequence):
            if not isinstance(symbol, wanted) or isinstance(symbol, bool):
                raise DTypeError(
                    f"symbol {place} of sequence {index} is of the wrong type",
                    got=type(symbol).__name__,
                    expected=wanted.__name__,
                    cure="keep one kind of symbol in one memory",
                )
