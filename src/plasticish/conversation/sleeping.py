"""What sleep does, and how something is forgotten for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from .mind import LEAST_AGED, Mind
from .network_sleep import Replayed
from .response import SleepReport

__all__ = ["forget", "sleep"]

MOST_AGED = 512  # old episodes of one night, at most
RESTLESS = 1.0  # synapses that one of them moves on average, from which on more are looked at


def sleep(mind: Mind) -> SleepReport:
    """Settle the weak traces, replay, and let go of words that nobody uses.

    What is replayed are the episodes that were tagged, and between them old ones, those first that
    would be let go of first. Nothing is kept for it but their numbers: the network regenerates the
    cues, see :mod:`plasticish.conversation.network_sleep`.
    """
    captured, lost = mind.traces.settle()
    for episode in captured:
        mind.network.reinforce(episode, 1.0)
        mind.tag(episode)
    pruned = sum(mind.unlearn(episode) for episode in lost)
    night = _replay(mind) if mind.settings.use_sleep_replay else Replayed()
    mind.tagged.clear()
    mind.adenosine.sleep(mind.adenosine.sleep_needed)
    mind.listener.rest()
    mind.awake = False
    return SleepReport(
        replayed=night.replayed,
        captured=len(captured),
        lost=len(lost),
        pruned=pruned + night.pruned,
        rewired=sum(night.rewired),
        forgotten=_let_go_of_words(mind),
    )


def _replay(mind: Mind) -> Replayed:
    """Replay the tagged and some old episodes; of the old twice as many if they still change."""
    tagged = tuple(mind.tagged)
    aged = [one for one in mind.network.longest_untouched(mind.aged + len(tagged))
            if one not in mind.tagged][: mind.aged]  # fmt: skip
    night = mind.network.replay((*tagged, *aged), rewiring=mind.settings.use_structural_plasticity)
    changing = night.pruned > 0 or sum(night.rewired[len(tagged) :]) > RESTLESS * len(aged)
    mind.aged = min(2 * mind.aged, MOST_AGED) if changing else max(mind.aged // 2, LEAST_AGED)
    return night


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
    mind: Mind,
    events: Iterable[int],
    texts: Iterable[str],
    heard: Iterable[str],
    gone: Callable[[str], bool],
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
    heard : iterable of str
        What was listened to in them, as often as it was.
    gone : callable
        Whether a text was said in none but them.
    """
    said = tuple(dict.fromkeys(texts))
    for episode in mind.ledger.of_events(events):
        mind.unlearn(episode)
    for text, times in Counter(heard).items():
        mind.listener.forget(text, times)
    mind.tokenizer.forget_said(said, gone)
    _clear_idle(mind)
    mind.surprise, mind.awake = None, True
