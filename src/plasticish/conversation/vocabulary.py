"""Ids and what they say: given once, put in quarantine, given again only when they were cleared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from plasticish.core import DataError

from .syllables import is_within_word

__all__ = ["BYTES", "END", "START", "Piece", "Vocabulary"]

BYTES = 256
"""Ids below are the bytes."""

START = 0xFE
"""Id of the beginning of a turn: a byte that no text has. It says nothing."""

END = 0xFF
"""Id of the end of a turn: a byte that no text has. It says nothing."""


class Piece(NamedTuple):
    """Something that was learned to be one token.

    Attributes
    ----------
    text : str
        What it says.
    parts : tuple of str
        The two pieces that grew together; none for a character.
    """

    text: str
    parts: tuple[str, ...]


class Vocabulary:
    """The pieces of a tokenizer, beyond the bytes.

    Parameters
    ----------
    size : int
        All ids are below it, >= 256.

    Examples
    --------
    >>> vocabulary = Vocabulary(258)
    >>> vocabulary.add(Piece("mama", ("ma", "ma"))), list(vocabulary.cut("mama!"))
    (256, ['mama', '!'])
    >>> vocabulary.retire([256])
    >>> list(vocabulary.cut("mama!")), vocabulary.content(256), vocabulary.free
    (['m', 'a', 'm', 'a', '!'], b'mama', 1)
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.pieces: dict[int, Piece] = {}
        self.quarantine: dict[int, Piece] = {}
        self._released: list[int] = []
        self._fresh = BYTES  # ids from here on were never given
        self._index()

    def _index(self) -> None:
        self.ids = {chr(byte): byte for byte in range(128)}
        self._reach: dict[str, int] = {}  # length of the longest piece, by its first character
        for token, piece in self.pieces.items():
            self._enter(token, piece.text)

    def _enter(self, token: int, text: str) -> None:
        self.ids[text] = token
        self._reach[text[0]] = max(self._reach.get(text[0], 1), len(text))

    # ------------------------------------------------------------------ looking up

    @property
    def free(self) -> int:
        """How many pieces can be added before some have to be retired and released."""
        return self.size - self._fresh + len(self._released)

    def cut(self, text: str) -> Iterator[str]:
        """Yield the longest known pieces from left to right, and characters where there is none."""
        known, reach, at, end = self.ids, self._reach, 0, len(text)
        while at < end:
            stop = min(at + reach.get(text[at], 1), end)
            while stop > at + 1 and text[at:stop] not in known:
                stop -= 1
            yield text[at:stop]
            at = stop

    def content(self, token: int) -> bytes:
        """Return the UTF-8 of an id, in quarantine or not.

        Raises
        ------
        DataError
            If the id belongs to nothing.
        """
        if 0 <= token < BYTES:
            return b"" if token in (START, END) else bytes((token,))
        piece = self.pieces.get(token) or self.quarantine.get(token)
        if piece is None:
            raise DataError(
                "this id belongs to no piece",
                got=repr(token),
                expected=f"0 to {BYTES - 1}, or one of the {len(self.pieces)} pieces learned",
                cure="an id whose piece was forgotten and cleared must not be said any more",
            )
        return piece.text.encode()

    # ------------------------------------------------------------------ changing

    def add(self, piece: Piece) -> int:
        """Give ``piece`` a free id, which there has to be, and return it."""
        if self._released:
            token = self._released.pop(0)
        else:
            token, self._fresh = self._fresh, self._fresh + 1
        self.pieces[token] = piece
        self._enter(token, piece.text)
        return token

    def retire(self, tokens: Iterable[int]) -> None:
        """Put ids into quarantine: they can be said, and are not heard any more."""
        for token in tokens:
            self.quarantine[token] = self.pieces.pop(token)
        self._index()

    def release(self, tokens: Iterable[int]) -> None:
        """Give ids back to new pieces.

        Raises
        ------
        DataError
            If an id is not in quarantine; nothing is changed.
        """
        tokens = list(dict.fromkeys(tokens))
        if foreign := [token for token in tokens if token not in self.quarantine]:
            raise DataError(
                "these ids are not in quarantine",
                got=repr(foreign[:8]),
                expected=f"some of {sorted(self.quarantine)[:8]}",
                cure="clear only what forget_rare returned, once",
            )
        for token in tokens:
            del self.quarantine[token]
        self._released.extend(tokens)

    # ------------------------------------------------------------------ state

    def to_lists(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        rows = {
            name: [[token, piece.text, list(piece.parts)] for token, piece in table.items()]
            for name, table in (("pieces", self.pieces), ("quarantine", self.quarantine))
        }
        return {**rows, "released": list(self._released), "fresh": self._fresh}

    @classmethod
    def from_lists(cls, size: int, lists: Mapping[str, Any], longest: int) -> Vocabulary:
        """Return what :meth:`to_lists` wrote.

        Raises
        ------
        DataError
            If it is no vocabulary of this size; that covers every wrong type and value.
        """
        vocabulary = cls(size)
        for name in ("pieces", "quarantine"):
            rows = lists[name]
            if not (isinstance(rows, list) and all(_is_row(row, longest) for row in rows)):
                raise DataError(f"the stored {name} are none", expected="rows of id, text, parts")
            table = {token: Piece(text, tuple(parts)) for token, text, parts in rows}
            setattr(vocabulary, name, table)
            if not len(table) == len(rows) == len({piece.text for piece in table.values()}):
                raise DataError(f"an id or a text occurs twice in the stored {name}")
        released, fresh = lists["released"], lists["fresh"]
        given = [*vocabulary.pieces, *vocabulary.quarantine, *released]
        if not (type(fresh) is int and BYTES <= fresh <= size) or sorted(given) != list(
            range(BYTES, fresh)
        ):
            raise DataError(
                "the stored ids do not add up",
                got=f"{len(given)} ids up to {fresh}",
                expected=f"every id from {BYTES} on once, all below {size}",
            )
        vocabulary._released, vocabulary._fresh = list(released), fresh
        vocabulary._index()
        return vocabulary


def _is_row(row: Any, longest: int) -> bool:
    if not (isinstance(row, list) and len(row) == 3):
        return False
    token, text, parts = row
    sound = type(token) is int and isinstance(text, str) and isinstance(parts, list)
    if not sound or not all(isinstance(part, str) for part in parts):
        return False
    if not parts:
        return len(text) == 1 and text >= "\x80" and not "\ud800" <= text <= "\udfff"
    return (
        len(parts) == 2 and "".join(parts) == text and len(text) <= longest and is_within_word(text)
    )
