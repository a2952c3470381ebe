"""What a turn and a sleep come to, as plain numbers and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .teachers import TeacherReply, TeacherUnavailable

__all__ = ["Response", "Signals", "SleepReport"]


class Signals(NamedTuple):
    """The neuromodulators at one turn.

    Attributes
    ----------
    attention : float
        Acetylcholine: how often this kind of prompt was answered wrong, in [0, 1].
    novelty : float
        Norepinephrine: how new the prompt was, in [0, 1].
    fatigue : float
        Adenosine: sleep pressure, in [0, 1).
    dopamine : float
        Reward less what the prompt promised, in [-1, 1]; 0 if nobody taught.
    """

    attention: float = 0.0
    novelty: float = 0.0
    fatigue: float = 0.0
    dopamine: float = 0.0


@dataclass(frozen=True)
class SleepReport:
    """What a sleep did.

    Attributes
    ----------
    replayed : int
        Episodes that were gone through again.
    captured, lost : int
        Weak traces that lasted, and such that faded.
    pruned : int
        Synapses taken away, with what faded or because fewer are enough.
    rewired : int
        Synapses that moved from common to rarer cells.
    forgotten : tuple of str
        Pieces of words that were not used any more.
    """

    replayed: int = 0
    captured: int = 0
    lost: int = 0
    pruned: int = 0
    rewired: int = 0
    forgotten: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), "forgotten": list(self.forgotten)}


@dataclass(frozen=True)
class Response:
    """What came of one turn.

    Attributes
    ----------
    prompt, reply : str
        What was said, and the answer.
    knew : float
        How well the episode that spoke matches the prompt, in [0, 1]; 0 for babble.
    signals : Signals
        The neuromodulators.
    patterns : int
        Patterns learned so far.
    turns : int
        Turns so far.
    surprise : float or None
        Of the prompt, in nats a character, if somebody listens.
    taught : TeacherReply, TeacherUnavailable or None
        What the teacher said to it.
    sleep : SleepReport or None
        What the sleep after it did, if there was one.
    """

    prompt: str
    reply: str
    knew: float
    signals: Signals
    patterns: int
    turns: int
    surprise: float | None = None
    taught: TeacherReply | TeacherUnavailable | None = None
    sleep: SleepReport | None = None

    def __str__(self) -> str:
        return self.reply

    def to_dict(self) -> Mapping[str, Any]:
        """Return it as JSON holds it."""
        taught = None
        if isinstance(self.taught, TeacherReply):
            taught = asdict(self.taught)
        elif self.taught is not None:
            taught = {**asdict(self.taught), "unavailable": True}
        return {
            "prompt": self.prompt,
            "reply": self.reply,
            "knew": self.knew,
            **self.signals._asdict(),
            "patterns": self.patterns,
            "turns": self.turns,
            "surprise": self.surprise,
            "taught": taught,
            "sleep": None if self.sleep is None else self.sleep.to_dict(),
        }
