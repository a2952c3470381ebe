"""Recall: what a cue awakens, what an engram says and remembers; nothing here changes a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plasticish.core import DataError, check_positive

from .cues import Cue
from .network_checks import as_line, check_cue
from .network_inside import NetworkInside
from .network_sleep import trace_back
from .network_speech import Said

__all__ = ["NetworkRecall", "Recall"]


@dataclass(frozen=True)
class Recall:
    """Which engrams a cue awakes, best first.

    Attributes
    ----------
    episodes : tuple of int
        Their numbers.
    matches : tuple of float
        How well each matches, in [0, 1].
    """

    episodes: tuple[int, ...]
    matches: tuple[float, ...]

    @property
    def match(self) -> float:
        """Match of the best; 0 if nothing was awoken."""
        return self.matches[0] if self.matches else 0.0

    @property
    def margin(self) -> float:
        """By how much the best is ahead of the second."""
        return self.match - (self.matches[1] if len(self.matches) > 1 else 0.0)


class NetworkRecall(NetworkInside):
    """What a :class:`.PlasticSNN` can be asked."""

    def recall(self, cue: Cue, count: int = 8) -> Recall:
        """Return the engrams that match a cue best; nothing is changed.

        Parameters
        ----------
        cue : Cue
            Active cells and their drive.
        count : int
            How many, at most; >= 1.

        Raises
        ------
        DataError, ConfigError
            If the cue is not one of this network, or the count is not positive.
        """
        check_positive(count=count)
        check_cue(cue, self.n_neurons)
        best, matches = self._engrams.ranked(cue, count)
        return Recall(tuple(best.tolist()), tuple(matches.tolist()))

    def familiarity(self, cue: Cue) -> float:
        """Return how well the best engram matches a cue, in [0, 1]."""
        return self.recall(cue, 1).match

    def reply(self, episode: int, max_tokens: int = 2000) -> Iterator[Said]:
        """Say the line of an engram, token by token, as they come to it; nothing is changed.

        It ends where the end is expected most, where no segment is half active, or after
        ``max_tokens``.

        Raises
        ------
        DataError
            If there is no such engram.
        """
        return self._speech.say(self._index(episode), max_tokens)

    def expect(self, tokens: Sequence[int], episode: int | None = None) -> npt.NDArray[np.float32]:
        """Return how much each token is expected after a line so far, in [0, 1].

        Parameters
        ----------
        tokens : sequence of int
            What was said since the line began; none to ask for its first token.
        episode : int, optional
            The engram that says it; none to listen.

        Returns
        -------
        array of float32 of shape (vocab_size,)
            For every token the share of its best segment's synapses that are active.

        Raises
        ------
        DataError
            If a token or the engram is unknown.
        """
        heard = as_line(tokens, self.vocab_size)[:-1]
        return self._speech.expect(self._speech.after(self._index(episode), heard))[2]

    def regenerate(self, episode: int) -> Cue:
        """Return the cue that an engram remembers: the cells that lead to it, by their synapses.

        Raises
        ------
        DataError
            If there is no such engram, or no cell leads to it.
        """
        (contacts,) = trace_back(self._engrams, self._engrams.known([episode]))
        if not len(contacts):
            raise DataError("no cell leads to this engram", got=repr(episode))
        return contacts.cue()

    def says(self, token: int) -> bool:
        """Return whether any line has a token in it.

        Raises
        ------
        DataError
            If the token is unknown.
        """
        as_line([token], self.vocab_size)
        return bool((self._speech.table["token"] == token).any())

    def longest_untouched(self, count: int) -> tuple[int, ...]:
        """Return the engrams that are let go of first, at most ``count``; see :meth:`make_room`.

        Raises
        ------
        ConfigError
            If the count is not positive.
        """
        check_positive(count=count)
        return tuple(self._engrams.by_worth()[:count].tolist())
