"""Why it said what it said: the episodes that the prompt awoke, and how they came to be."""

from __future__ import annotations

from dataclasses import dataclass

from .event_log import EventLog
from .events import Exchange, Overheard, Taught
from .ledger import words_of
from .mind import Mind, Thought

__all__ = ["Reason", "reasons"]


@dataclass(frozen=True)
class Reason:
    """One episode that a prompt awoke.

    Attributes
    ----------
    episode : int
        Its number.
    spoke : bool
        Whether it is the one that was heard.
    line : str
        What it says.
    match : float
        How well the prompt matches it, in [0, 1].
    gain : float
        How strong it is, in [0, 1], after all praise and blame.
    synapses : int
        How many synapses led from the prompt to it.
    heard : str or None
        What was said when it was formed; None if that was before the log began.
    by : str or None
        Who taught it.
    shared : tuple of str
        Words that both have.
    """

    episode: int
    spoke: bool
    line: str
    match: float
    gain: float
    synapses: int
    heard: str | None
    by: str | None
    shared: tuple[str, ...]

    def sentence(self) -> str:
        """Return it as a person would say it."""
        who = "spoke" if self.spoke else "was awake"
        how = f"match {self.match:.2f}, strength {self.gain:.2f}, {self.synapses:,} synapses"
        origin = "" if self.heard is None else f", from “{self.heard}” ({self.by})"
        words = f"; in common: {', '.join(self.shared)}" if self.shared else ""
        return f"episode {self.episode} {who}: “{self.line}”{origin}; {how}{words}"


def reasons(
    mind: Mind, thought: Thought, prompt: str, log: EventLog, count: int = 3
) -> tuple[Reason, ...]:
    """Return the episodes that a prompt awoke, the one that spoke first and then by match."""
    cue = mind.episodes.encoder.encode(prompt)
    alive = set(mind.network.episodes)  # some may have been forgotten since
    pairs = zip(thought.recall.episodes, thought.recall.matches, strict=True)
    awake = {episode: match for episode, match in pairs if episode in alive}
    order = sorted(awake, key=lambda one: (one != thought.episode, -awake[one]))
    found = []
    for episode in order[:count]:
        heard, by = _origin(mind, episode, log)
        said = mind.network.reply(episode, mind.settings.max_reply_tokens)
        found.append(
            Reason(
                episode=episode,
                spoke=episode == thought.episode,
                line=mind.tokenizer.decode(one.token for one in said),
                match=awake[episode],
                gain=mind.network.gain(episode),
                synapses=mind.network.synapses_onto(cue, episode),
                heard=heard,
                by=by,
                shared=_shared(prompt, heard),
            )
        )
    return tuple(found)


def _origin(mind: Mind, episode: int, log: EventLog) -> tuple[str | None, str | None]:
    logged = log.about(mind.ledger[episode].event) if episode in mind.ledger else None
    match logged.event if logged is not None else None:
        case Taught(prompt=prompt, teacher=teacher):
            return prompt, teacher
        case Overheard(prompt=prompt):
            return prompt, "overheard"
        case Exchange(prompt=prompt):
            return prompt, "itself"
        case _:
            return None, None


def _shared(prompt: str, heard: str | None) -> tuple[str, ...]:
    others = set() if heard is None else set(words_of(heard))
    return tuple(word for word in dict.fromkeys(words_of(prompt)) if word in others)
