"""What the scenarios of conversation share: pairs, words left out, scores, and nearest neighbours.

Replies are scored by sacrebleu, whose signature stands in the notes of every result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from plasticish.conversation.episodes import Episodes
from plasticish.core import import_extra, make_generator, spawn_seed
from plasticish.data import is_fit_to_learn, load_dialogue, pairs
from plasticish.data.dialogue import Conversation

from ..dialogues import load_chitchat

__all__ = [
    "TFIDF_CHARACTERS",
    "TFIDF_WORDS",
    "Answerer",
    "NearestNeighbour",
    "Pair",
    "Scorer",
    "chatterbot_pairs",
    "chitchat_pairs",
    "clocked",
    "drawn",
    "exact",
    "fit",
    "taught",
    "without_a_word",
]

Pair = tuple[str, str]

TFIDF_CHARACTERS = "TF-IDF neighbour, characters"
TFIDF_WORDS = "TF-IDF neighbour, words"
_CHUNK = 256  # questions whose similarities to everything are held at once


def chatterbot_pairs() -> list[Pair]:
    """Return every distinct question of the bundled English dialogue with its first answer.

    Conversations with e-mail addresses or profanity are left out.
    """
    return first_answers([pair for topic in load_dialogue().values() for pair in pairs(fit(topic))])


def fit(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations without e-mail addresses or profanity."""
    return [one for one in conversations if is_fit_to_learn(one)]


def chitchat_pairs(longest: int) -> list[Pair]:
    """Return every distinct turn of small talk with its first reply of at most ``longest``."""
    return first_answers([pair for pair in pairs(load_chitchat()) if len(pair[1]) <= longest])


def first_answers(told: Sequence[Pair]) -> list[Pair]:
    """Return the pairs whose question did not occur before.

    Examples
    --------
    >>> first_answers([("Hi", "Hello"), ("Hi", "Hey"), ("Bye", "Bye")])
    [('Hi', 'Hello'), ('Bye', 'Bye')]
    """
    answers: dict[str, str] = {}
    for question, answer in told:
        answers.setdefault(question, answer)
    return list(answers.items())


def drawn(pairs: Sequence[Pair], seed: int, size: int | None = None) -> list[Pair]:
    """Return ``size`` of the pairs, or all, in a random order."""
    generator: torch.Generator = make_generator(spawn_seed(seed, 1))
    order = torch.randperm(len(pairs), generator=generator).tolist()
    return [pairs[place] for place in order[:size]]


def without_a_word(pairs: Sequence[Pair], seed: int, least: int) -> list[Pair]:
    """Return the pairs whose question has ``least`` words or more, with one word left out of it.

    Examples
    --------
    >>> without_a_word([("a b", "x"), ("c", "y")], seed=0, least=2)
    [('a', 'x')]
    """
    generator = make_generator(spawn_seed(seed, 2))
    left = []
    for question, answer in pairs:
        words = question.split()
        if len(words) >= least:
            del words[int(torch.randint(len(words), (1,), generator=generator))]
            left.append((" ".join(words), answer))
    return left


@runtime_checkable
class Answerer(Protocol):
    """Who answers questions."""

    def answers(self, questions: Sequence[str]) -> list[str]:
        """Return an answer to each."""
        ...


@dataclass(frozen=True)
class Learner:
    """The learner, asked in one way."""

    episodes: Episodes

    def answers(self, questions: Sequence[str]) -> list[str]:
        """Return what it says to each."""
        return [self.episodes.say(question) for question in questions]


def taught(pairs: Sequence[Pair], seed: int, **settings: Any) -> Learner:
    """Return a learner that was told every pair once, in this order."""
    episodes = Episodes(seed=seed, **settings)
    for question, answer in pairs:
        episodes.teach(question, answer)
    return Learner(episodes)


class NearestNeighbour:
    """The answer to the most similar question, by the cosine of TF-IDF, all pairs at hand at once.

    Parameters
    ----------
    pairs : sequence of pair
        What it may answer from.
    words : bool
        Features are words and pairs of words; else runs of two to four characters within words.
        Both with sublinear counts; these did best of seven settings on other splits.
    """

    def __init__(self, pairs: Sequence[Pair], words: bool) -> None:
        kind: dict[str, Any] = (
            {"token_pattern": r"\w+|[^\w\s]", "ngram_range": (1, 2)}
            if words
            else {"analyzer": "char_wb", "ngram_range": (2, 4)}
        )
        self.vectorizer = TfidfVectorizer(sublinear_tf=True, **kind)
        self.known = self.vectorizer.fit_transform([question for question, _ in pairs]).T.tocsr()
        self.told = [answer for _, answer in pairs]

    def answers(self, questions: Sequence[str]) -> list[str]:
        """Return the answers of the neighbours."""
        found: list[str] = []
        for first in range(0, len(questions), _CHUNK):
            asked = self.vectorizer.transform(questions[first : first + _CHUNK])
            nearest = np.asarray((asked @ self.known).todense()).argmax(axis=1)
            found += [self.told[place] for place in nearest.tolist()]
        return found


class Scorer:
    """BLEU, chrF and exact replies of an answerer.

    Raises
    ------
    MissingExtraError
        If sacrebleu is not installed.
    """

    def __init__(self) -> None:
        metrics = import_extra("sacrebleu.metrics", extra="bench", purpose="BLEU")
        self._bleu, self._chrf = metrics.BLEU(), metrics.CHRF()

    def bleu(self, said: Sequence[str], wanted: Sequence[str]) -> float:
        """Return the corpus BLEU."""
        return float(self._bleu.corpus_score(said, [wanted]).score)

    def chrf(self, said: Sequence[str], wanted: Sequence[str]) -> float:
        """Return the corpus chrF."""
        return float(self._chrf.corpus_score(said, [wanted]).score)

    def signatures(self) -> list[str]:
        """Return how it is computed, once something was."""
        return [f"BLEU: {self._bleu.get_signature()}", f"chrF: {self._chrf.get_signature()}"]


def exact(said: Sequence[str], wanted: Sequence[str]) -> float:
    """Return the percentage of replies that are exactly as wanted.

    Examples
    --------
    >>> exact(["a", "b"], ["a", "c"])
    50.0
    """
    return 100.0 * sum(map(str.__eq__, said, wanted)) / len(wanted)


def clocked(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what ``work`` returns and the CPU seconds that it took."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start
