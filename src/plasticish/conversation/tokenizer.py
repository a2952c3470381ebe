r"""Words out of what is heard: a vocabulary that begins with characters and grows syllables.

At birth there are the 256 bytes, and so every ASCII character; a character beyond them becomes a
token when it is heard a second time, and until then is spelled in the bytes of UTF-8. Neighbours
that keep recurring grow together, one pair at a time: of every pair within a word the tokenizer
keeps a count that decays,

.. math:: c \leftarrow c\,2^{-n/h} + 1,

with the number :math:`n` of tokens heard since and the half-life :math:`h`, and when it reaches
:math:`\theta` for what can be a syllable, or :math:`2\theta` for what cannot, the two become one
piece. Infants find words in running speech from how often one syllable follows another (Saffran,
Aslin & Newport 1996); growing from the most frequent pair is the merge of Gage (1994), here over a
fading memory instead of a corpus.

A piece never crosses the border of a word, except that the space before a word may belong to its
first piece: the beginning of a word sounds otherwise than its middle. Text is cut into the longest
pieces known, from left to right, which depends on nothing but the pieces: a forgotten piece changes
only the words it was used in, and every text comes back whatever was learned or forgotten.

References
----------
Gage, P. (1994). A new algorithm for data compression. The C Users Journal 12.
Saffran, J. R., Aslin, R. N. & Newport, E. L. (1996). Statistical learning by 8-month-old infants.
Science 274.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from plasticish.core import (
    ConfigError,
    DataError,
    Persistent,
    State,
    check_positive,
)

from .fading_counts import FadingCounts
from .growth import Growth
from .vocabulary import BYTES, END, START, Piece, Vocabulary
from .vocabulary_file import damaged, read_vocabulary, write_vocabulary

__all__ = ["BiologicalTokenizer"]

_CANDIDATES_PER_ID = 32


class BiologicalTokenizer(Persistent):
    """Cut text into ids and put it together again, and learn pieces from what is heard.

    ``decode(encode(text)) == text`` for every string. An id means the same piece for as long as it
    lives: :meth:`forget_rare` takes rare pieces out of use and puts their ids in quarantine, where
    they still decode, and only :meth:`cleared` gives the ids to new pieces. So a learner forgets
    in its sleep, takes away the synapses of those ids, and then says so.

    Parameters
    ----------
    max_vocab_size : int
        All ids are below it, >= 256.
    recurrence : float
        Decayed count at which two neighbours become a piece, > 0; below it, a piece is rare.
    half_life : float
        Tokens that have to be heard until a count is worth half, > 0.
    longest : int
        Characters in a piece, at most; >= 1.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> tokenizer = BiologicalTokenizer()
    >>> len(tokenizer.encode("hello mama"))
    10
    >>> for _ in range(40):
    ...     new = tokenizer.hear("hello mama")
    >>> [tokenizer.piece(token) for token in tokenizer.encode("hello mama")]
    ['hello', ' mama']
    >>> tokenizer.decode(tokenizer.encode("¿mama? 😀\\n")) == "¿mama? 😀\\n"
    True
    """

    kind: ClassVar[str] = "biological_tokenizer"

    def __init__(
        self,
        max_vocab_size: int = 800,
        *,
        recurrence: float = 6.0,
        half_life: float = 20_000.0,
        longest: int = 12,
    ) -> None:
        check_positive(recurrence=recurrence, half_life=half_life)
        for name, value, least in (
            ("max_vocab_size", max_vocab_size, BYTES),
            ("longest", longest, 1),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(
                    f"{name} is out of range",
                    got=repr(value),
                    expected=f"a whole number >= {least}",
                )
        self.max_vocab_size, self.longest = max_vocab_size, longest
        self.recurrence, self.half_life = float(recurrence), float(half_life)
        self._vocabulary = Vocabulary(max_vocab_size)
        self._uses = FadingCounts[int](self.half_life)
        self._growth = self._new_growth()

    def _new_growth(self) -> Growth:
        bound = _CANDIDATES_PER_ID * self.max_vocab_size
        return Growth(self.recurrence, self.half_life, self.longest, bound)

    # ------------------------------------------------------------------ text and ids

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; nothing is learned.

        Examples
        --------
        >>> BiologicalTokenizer().encode("hé")
        [104, 195, 169]
        """
        known = self._vocabulary.ids
        ids: list[int] = []
        for piece in self._vocabulary.cut(text):
            token = known.get(piece)
            if token is None:
                ids.extend(piece.encode("utf-8", "surrogatepass"))
            else:
                ids.append(token)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of some ids; bytes that make no character show as U+FFFD.

        Raises
        ------
        DataError
            If an id belongs to no piece.
        """
        content = b"".join(map(self._vocabulary.content, ids))
        try:
            return content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return content.decode("utf-8", "replace")

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """Return the text of ids that come one after another, as soon as it can be shown.

        A character in several bytes comes with the last of them. Lone surrogates, which no screen
        can show, come as U+FFFD.

        Examples
        --------
        >>> list(BiologicalTokenizer().stream([104, 195, 169]))
        ['h', 'é']
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for token in ids:
            if text := decoder.decode(self._vocabulary.content(token)):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def piece(self, token: int) -> str:
        """Return what one id says, for people to read; a lone byte shows as ``<C3>``.

        Raises
        ------
        DataError
            If the id belongs to no piece.
        """
        content = self._vocabulary.content(token)
        if token in (START, END):
            return "<start>" if token == START else "<end>"
        return f"<{token:02X}>" if 128 <= token < BYTES else content.decode()

    # ------------------------------------------------------------------ growing

    def hear(self, text: str) -> tuple[int, ...]:
        """Count what recurs in a text, and return the ids of the pieces that it made.

        At most one pair grows together; characters that are heard the second time come besides.
        While there is no free id, nothing grows.
        """
        vocabulary = self._vocabulary
        pieces = list(vocabulary.cut(text))
        self._uses.fade(len(pieces))
        for piece in pieces:
            token = vocabulary.ids.get(piece, 0)
            if token >= BYTES:
                self._uses.add(token)
        ripe = self._growth.count(pieces, vocabulary.ids, full=not self.free)
        grown = tuple(vocabulary.add(piece) for piece in ripe[: self.free])
        for token in grown:
            self._uses.add(token, 2 * self.recurrence)  # not rare before a half-life has passed
        return grown

    # ------------------------------------------------------------------ forgetting

    def forget_rare(self, at_most: int = 16) -> tuple[int, ...]:
        """Take the rarest pieces out of use and return their ids, which wait to be cleared.

        Rare is a piece whose decayed use is below ``recurrence``. Its id still decodes, so that
        what was stored with it can still be said, but :meth:`encode` no longer gives it.

        Raises
        ------
        ConfigError
            If ``at_most`` is negative.
        """
        if at_most < 0:
            raise ConfigError("at_most is out of range", got=repr(at_most), expected=">= 0")
        rare = [token for token in self._vocabulary.pieces if self._uses[token] < self.recurrence]
        forgotten = tuple(sorted(rare, key=self._uses.__getitem__)[:at_most])
        self._vocabulary.retire(forgotten)
        for token in forgotten:
            self._uses.pop(token)
        return forgotten

    def forget_said(self, texts: Iterable[str], gone: Callable[[str], bool]) -> tuple[int, ...]:
        """Take pieces out of use that were learned from ``texts`` alone, and return their ids.

        Unlike rare ones they leave no count behind, nor do the candidates among what was said.
        Their ids wait to be cleared as well.

        Parameters
        ----------
        texts : iterable of str
            What is to be forgotten.
        gone : callable
            Whether a piece was said nowhere else.

        Examples
        --------
        >>> tokenizer = BiologicalTokenizer()
        >>> for _ in range(40):
        ...     new = tokenizer.hear("mama")
        >>> forgotten = tokenizer.forget_said(["mama"], gone=lambda piece: True)
        >>> len(tokenizer.encode("mama"))
        4
        """
        said = tuple(dict.fromkeys(texts))

        def only_there(piece: str) -> bool:
            return any(piece in text for text in said) and gone(piece)

        forgotten = tuple(i for i, piece in self.pieces.items() if only_there(piece.text))
        self._vocabulary.retire(forgotten)
        for token in forgotten:
            self._uses.pop(token)
        self._growth.drop(only_there)
        return forgotten

    def cleared(self, ids: Iterable[int]) -> None:
        """Give ids back to new pieces: no synapse speaks for them any more.

        Raises
        ------
        DataError
            If an id is not in quarantine; nothing is changed.
        """
        self._vocabulary.release(ids)

    # ------------------------------------------------------------------ what there is

    @property
    def pieces(self) -> Mapping[int, Piece]:
        """The pieces in use, by id (a copy)."""
        return dict(self._vocabulary.pieces)

    @property
    def quarantine(self) -> tuple[int, ...]:
        """Ids of forgotten pieces that were not cleared yet."""
        return tuple(self._vocabulary.quarantine)

    @property
    def free(self) -> int:
        """How many pieces can be learned before some have to be forgotten and cleared."""
        return self._vocabulary.free

    def use(self, token: int) -> float:
        """Return the decayed count of a piece's uses; 0 for bytes and what is not in use."""
        return self._uses[token]

    def __len__(self) -> int:
        """Return the number of ids in use: the bytes, and the pieces learned."""
        return BYTES + len(self._vocabulary.pieces)

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "max_vocab_size": self.max_vocab_size,
            "recurrence": self.recurrence,
            "half_life": self.half_life,
            "longest": self.longest,
        }

    def export_state(self) -> State:
        """Return pieces, ids and counts; JSON holds all of it."""
        return State(
            {
                **self._vocabulary.to_lists(),
                "uses": self._uses.to_lists(),
                "candidates": self._growth.to_lists(),
            }
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        DataError
            If it is no vocabulary of this size; nothing is changed.
        """
        try:
            vocabulary = Vocabulary.from_lists(self.max_vocab_size, state.values, self.longest)
            uses = FadingCounts[int].from_lists(self.half_life, state.values["uses"])
            growth = self._new_growth()
            growth.restore(state.values["candidates"])
        except (LookupError, TypeError) as error:
            raise DataError("the stored vocabulary lacks a part", got=str(error)) from error
        if set(uses) != set(vocabulary.pieces):
            raise DataError(
                "the stored uses are not those of the pieces",
                got=f"{len(uses)} for {len(vocabulary.pieces)} pieces",
                expected="one count a piece",
            )
        self._vocabulary, self._uses, self._growth = vocabulary, uses, growth

    def save(self, path: str | Path) -> Path:
        """Write one JSON file, atomically.

        Raises
        ------
        CheckpointError
            If it cannot be written; what stood there before still does.
        """
        return write_vocabulary(Path(path), self.config(), self.export_state().values)

    @classmethod
    def load(cls, path: str | Path) -> BiologicalTokenizer:
        """Read what :meth:`save` wrote; it goes on bit for bit.

        Raises
        ------
        CheckpointError
            If the file is missing, foreign, truncated, altered, or from a newer version.
        """
        path = Path(path)
        config, state = read_vocabulary(path)
        try:
            tokenizer = cls(**config)
            tokenizer.import_state(State(state))
        except (DataError, ConfigError, TypeError) as error:
            raise damaged(path, str(error)) from error
        return tokenizer
