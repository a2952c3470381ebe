"""Which event each episode is from, and what it says to what, as numbers that tell no text."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import ClassVar, NamedTuple

import torch

from plasticish.core import Persistent, ShapeError, State

__all__ = ["Entry", "Ledger", "key_of", "words_of"]


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
    """Entries by the number of their episode.

    Examples
    --------
    >>> ledger = Ledger()
    >>> ledger.enter(5, Entry(event=1, cue=key_of("hi"), line=key_of("hello")))
    >>> ledger.find(key_of("Hi!"), key_of("hello")), ledger.of_events([1])
    (5, [5])
    """

    kind: ClassVar[str] = "ledger"

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._by_cue: dict[int, tuple[int, ...]] = {}

    def enter(self, episode: int, entry: Entry) -> None:
        """Note an episode."""
        self._entries[episode] = entry
        self._by_cue[entry.cue] = (*self._by_cue.get(entry.cue, ()), episode)

    def remove(self, episode: int) -> None:
        """Strike an episode out."""
        cue = self._entries.pop(episode).cue
        left = tuple(one for one in self._by_cue.pop(cue) if one != episode)
        if left:
            self._by_cue[cue] = left

    def find(self, cue: int, line: int) -> int | None:
        """Return the last episode that answers this to that, None if there is none."""
        found = (one for one in reversed(self.of_cue(cue)) if self._entries[one].line == line)
        return next(found, None)

    def of_events(self, events: Iterable[int]) -> list[int]:
        """Return the episodes that are from some events."""
        wanted = set(events)
        return [one for one, entry in self._entries.items() if entry.event in wanted]

    def of_cue(self, cue: int) -> tuple[int, ...]:
        """Return the episodes that answer something."""
        return self._by_cue.get(cue, ())

    def __iter__(self) -> Iterator[int]:
        return iter(self._entries)

    def __getitem__(self, episode: int) -> Entry:
        return self._entries[episode]

    def __contains__(self, episode: object) -> bool:
        return episode in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def config(self) -> dict[str, object]:
        """Return the constructor arguments: none."""
        return {}

    def export_state(self) -> State:
        """Return every entry."""
        rows = [[episode, *entry] for episode, entry in self._entries.items()]
        return State(tensors={"entries": torch.tensor(rows, dtype=torch.int64).reshape(-1, 4)})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError
            If these are no entries; nothing is changed.
        """
        rows = state.tensors["entries"]
        if rows.ndim != 2 or rows.shape[1] != 4:
            raise ShapeError(
                "the stored entries are none", got=str(tuple(rows.shape)), expected="(episodes, 4)"
            )
        self._entries, self._by_cue = {}, {}
        for episode, *entry in rows.tolist():
            self.enter(episode, Entry(*entry))


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
