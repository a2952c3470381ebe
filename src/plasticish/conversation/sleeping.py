"""What sleep does, and how something is forgotten for good."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from plasticish.core import NotReadyError

from .mind import Mind
from .response import SleepReport

__all__ = ["forget", "sleep"]


def sleep(mind: Mind) -> SleepReport:
    """Settle the weak traces, replay what was taught, and let go of words that nobody uses.

    Replay awakens each tagged episode by its prompt, as that is heard with what is known by now of
    which of its parts are rare: the synapses that are active then grow, and those from common
    cells move to rarer ones, at constant number.
    """
    captured, lost = mind.traces.settle()
    for episode in captured:
        mind.network.reinforce(episode, 1.0)
    pruned = sum(mind.unlearn(episode) for episode in lost)
    replayed, rewired = _replay(mind) if mind.settings.use_sleep_replay else (0, 0)
    mind.tagged.clear()
    mind.adenosine.sleep(mind.adenosine.sleep_needed)
    mind.awake = False
    return SleepReport(replayed, len(captured), len(lost), pruned, rewired, _let_go_of_words(mind))


def _replay(mind: Mind) -> tuple[int, int]:
    rewired = 0
    for episode, prompt in mind.tagged.items():
        cue = mind.episodes.encoder.encode(prompt)
        mind.network.strengthen(cue, episode)
        if mind.settings.use_structural_plasticity:
            rewired += mind.network.rewire(cue, episode)
    return len(mind.tagged), rewired


def _let_go_of_words(mind: Mind) -> tuple[str, ...]:
    """Free the ids of rare pieces when there is no room for new ones, but of none that is said."""
    tokenizer = mind.tokenizer
    if not tokenizer.free:
        tokenizer.forget_rare()
    return _clear_idle(mind)


def _clear_idle(mind: Mind) -> tuple[str, ...]:
    # An id in quarantine still speaks in what was learned with it; it is free when that is gone.
    tokenizer = mind.tokenizer
    idle = [token for token in tokenizer.quarantine if not mind.network.says(token)]
    words = tuple(map(tokenizer.piece, idle))
    mind.network.clear_tokens(idle)
    tokenizer.cleared(idle)
    return words


def forget(
    mind: Mind, events: Iterable[int], texts: Iterable[str], gone: Callable[[str], bool]
) -> None:
    """Take away what was learned from some events.

    Parameters
    ----------
    mind : Mind
        Who forgets.
    events : iterable of int
        Their numbers.
    texts : iterable of str
        Everything that was said in them.
    gone : callable
        Whether a text was said in none but them.
    """
    said = tuple(dict.fromkeys(texts))
    for episode in mind.ledger.of_events(events):
        mind.unlearn(episode)
    for episode in [one for one, prompt in mind.tagged.items() if prompt in said]:
        del mind.tagged[episode]
    for text in said:
        with suppress(NotReadyError):  # it was not listened to, or has faded
            mind.listener.forget(text)
    mind.tokenizer.forget_said(said, gone)
    _clear_idle(mind)
    mind.surprise, mind.awake = None, True
