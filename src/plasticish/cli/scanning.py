"""What ``plasticish brain-scan`` looks at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from plasticish.conversation import ConversationalLearner
from plasticish.conversation.event_log import EventLog
from plasticish.conversation.events import Exchange
from plasticish.conversation.ledger import words_of
from plasticish.conversation.memory_folder import LOG
from plasticish.conversation.mind import Mind
from plasticish.conversation.said import check_said
from plasticish.visualization.brain_scan import BrainScan

__all__ = ["scan"]

WORDS, HEARD = 12, 500  # words that are compared, and turns out of which they are taken
LONGEST = 40  # tokens of the sentence that are drawn


def scan(folder: Path, prompt: str | None) -> BrainScan:
    """Look into the learner that lives in ``folder``, changing nothing.

    Parameters
    ----------
    folder : Path
        Where it lives; it may be open elsewhere.
    prompt : str or None
        What it is asked; None for what it heard last.

    Raises
    ------
    CheckpointError
        If nobody lives there, or it is damaged.
    DataError
        If the prompt cannot be said.
    """
    if prompt is not None:
        check_said(prompt, "what it is asked")
    mind = ConversationalLearner.load(folder).mind
    heard = _heard(folder)
    prompt = prompt if prompt is not None else (heard[-1] if heard else None)
    sentence, spikes = ((), ()) if prompt is None else _speaking(mind, prompt)
    words = _words(heard)
    cells = [set(mind.episodes.encoder.encode(word).cells.tolist()) for word in words]
    grown = sorted(mind.tokenizer.pieces, key=mind.tokenizer.use, reverse=True)
    pieces = mind.tokenizer.pieces
    return BrainScan(
        sentence=sentence,
        spikes=spikes,
        neurons=mind.settings.n_neurons,
        lived=np.array(mind.lived, dtype=np.float64).reshape(-1, 4),
        words=words,
        overlap=np.array([[len(a & b) / min(len(a), len(b)) for b in cells] for a in cells]),
        pieces={pieces[token].text: pieces[token].parts for token in grown},
    )


def _heard(folder: Path) -> list[str]:
    if not (folder / LOG).is_file():  # a learner that was saved by itself
        return []
    log = EventLog(folder / LOG, writable=False)
    try:
        recent = [one.event for one in log.recent(HEARD)]
    finally:
        log.close()
    return [event.prompt for event in recent if isinstance(event, Exchange)]


def _speaking(mind: Mind, prompt: str) -> tuple[tuple[str, ...], tuple[np.ndarray, ...]]:
    """Return the tokens of an answer, and the cells that are active as each is said."""
    episode = mind.think(prompt).episode
    if episode is None:
        return (), ()
    tokens = [said.token for said in mind.network.reply(episode, LONGEST)]
    states = (mind.network.state(tokens[:at], episode) for at in range(len(tokens)))
    return (
        tuple(map(mind.tokenizer.piece, tokens)),
        tuple(np.array(state, dtype=np.int64) for state in states),
    )


def _words(heard: list[str]) -> tuple[str, ...]:
    counts = Counter(word for prompt in heard for word in words_of(prompt) if len(word) > 1)
    return tuple(word for word, _ in counts.most_common(WORDS))
