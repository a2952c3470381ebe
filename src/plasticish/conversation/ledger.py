"""Which event each episode is from, and what it says to what, as numbers that tell no text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple

import numpy as np
import torch

from plasticish.core import Persistent, ShapeError, State

__all__ = ["Entry", "Ledger", "key_of", "words_of"]

READY = 1 << 15  # episodes for which there is room from the beginning
NOTHING = -1  # in place of an entry


class Entry(NamedTuple):
    """One episode.

    Attributes
    ----------
    event : int
        Number of the event that it is from.
    cue, line : int
        Keys of what was said, and of what the episode answers.
    """

    event: int
    cue: int
    line: int


class Ledger(Persistent):
    """Entries by the number of their episode, 24 bytes each.

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.enter(5, Entry(event=1, cue=key_of("hi"), line=key_of("hello")))
    >>> ledger.find(key_of("Hi!"), key_of("hello")), ledger.of_events([1])
    (5, [5])
    """

    kind: ClassVar[str] = "ledger"

    def __init__(self) -> None:
        self._entries = np.full((len(Entry._fields), READY), NOTHING)
        self._count = 0

    def enter(self, episode: int, entry: Entry) -> None:
        """Note an episode, which must not stand here yet."""
        places = self._entries.shape[1]
        if episode >= places:
            more = np.full((len(Entry._fields), max(episode + 1 - places, places)), NOTHING)
            self._entries = np.concatenate([self._entries, more], axis=1)
        self._entries[:, episode] = entry
        self._count += 1

    def remove(self, episode: int) -> None:
        """Strike an episode out."""
        self._entries[:, episode] = NOTHING
        self._count -= 1

    def find(self, cue: int, line: int) -> int | None:
        """Return the last episode that answers this to that, None if there is none."""
        found = (one for one in reversed(self.of_cue(cue)) if self[one].line == line)
        return next(found, None)

    def of_events(self, events: Iterable[int]) -> list[int]:
        """Return the episodes that are from some events."""
        found: list[int] = np.flatnonzero(np.isin(self._entries[0], list(events))).tolist()
        return found

    def of_cue(self, cue: int) -> tuple[int, ...]:
        """Return the episodes that answer something, the one of the last event last."""
        found = np.flatnonzero(self._entries[1] == cue)
        return tuple(found[np.argsort(self._entries[0, found], kind="stable")].tolist())

    def __iter__(self) -> Iterator[int]:
        return iter(np.flatnonzero(self._entries[0] != NOTHING).tolist())

    def __getitem__(self, episode: int) -> Entry:
        return Entry(*self._entries[:, episode].tolist())

    def __contains__(self, episode: object) -> bool:
        if not isinstance(episode, int) or not 0 <= episode < self._entries.shape[1]:
            return False
        return bool(self._entries[0, episode] != NOTHING)

    def __len__(self) -> int:
        return self._count

    def config(self) -> dict[str, object]:
        """Return the constructor arguments: none."""
        return {}

    def export_state(self) -> State:
        """Return every entry."""
        alive = np.flatnonzero(self._entries[0] != NOTHING)
        rows = np.column_stack([alive, self._entries[:, alive].T])
        return State(tensors={"entries": torch.from_numpy(rows)})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError
            If these are no entries; nothing is changed.
        """
        rows = state.tensors["entries"]
        if rows.ndim != 2 or rows.shape[1] != 1 + len(Entry._fields):
            raise ShapeError(
                "the stored entries are none", got=str(tuple(rows.shape)), expected="(episodes, 4)"
            )
        fresh = Ledger()
        for episode, *entry in rows.tolist():
            fresh.enter(episode, Entry(*entry))
        self._entries, self._count = fresh._entries, fresh._count


def words_of(text: str) -> tuple[str, ...]:
    """Return what a line is known by: its words, whatever their case and punctuation.

    A line without a word, such as one of emoji, is known by its characters.

    Examples
    --------
    >>> words_of("Hi,  THERE!"), words_of("😀!")
    (('hi', 'there'), ('😀', '!'))
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return tuple(re.findall(r"[^\W_]+", folded)) or tuple("".join(folded.split()))


def key_of(text: str) -> int:
    """Return a number for the words of a line, of 63 bits."""
    digest = hashlib.blake2b("\0".join(words_of(text)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
