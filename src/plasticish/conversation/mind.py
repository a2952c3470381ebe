"""What a learner is made of, and how it answers; what changes it is in teaching and sleeping."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from plasticish.core import DataError, Persistent, State
from plasticish.modulation import Acetylcholine, Adenosine, Dopamine

from .config import PlasticLearnerConfig
from .episodes import Episodes
from .ledger import Entry, Ledger, key_of
from .listener import Listener
from .network import PlasticSNN
from .network_recall import Recall
from .network_sleep import LOAD
from .response import Signals
from .tokenizer import BiologicalTokenizer
from .traces import Traces

__all__ = ["Mind", "Thought", "line_key"]

LISTENER_SYNAPSES = 400_000
TAGGED, LIVED = 512, 512  # episodes that sleep replays, and turns whose signals are kept
LEAST_AGED = 16  # old episodes of one night, at least


@dataclass(frozen=True)
class Thought:
    """An answer, before it is said.

    Attributes
    ----------
    pieces : tuple of str
        The answer, as it comes token by token.
    episode : int or None
        Whose line it is; None for imitation.
    recall : Recall
        What the prompt awoke.
    """

    pieces: tuple[str, ...]
    episode: int | None
    recall: Recall

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)

    @property
    def knew(self) -> float:
        """How well the episode that speaks matches the prompt, in [0, 1]; 0 for imitation."""
        if self.episode is None:
            return 0.0
        return self.recall.matches[self.recall.episodes.index(self.episode)]


class Mind:
    """Network, vocabulary, neuromodulators and traces of one learner.

    Parameters
    ----------
    config : PlasticLearnerConfig
        Sizes, rates and switches.

    Attributes
    ----------
    tagged : dict of int to None
        Numbers of the episodes that sleep will replay, in their order; the 512 last.
    aged : int
        How many old episodes it will replay beside them.
    lived : deque of Signals
        The neuromodulators of the last 512 turns.
    turns : int
        Turns lived through.
    awake : bool
        Whether anything happened since the last sleep.
    surprise : float or None
        Of what was heard last, in nats a character.
    """

    def __init__(self, config: PlasticLearnerConfig) -> None:
        self.settings = config
        self.episodes = Episodes(
            config.n_neurons,
            config.vocab_size,
            config.initial_connectivity,
            plasticity_rate=config.plasticity_rate,
            novelty=config.use_norepinephrine,
            norepinephrine=config.norepinephrine,
            seed=config.seed,
        )
        self.dopamine = Dopamine(config.value_rate, enabled=config.use_dopamine)
        self.acetylcholine = Acetylcholine(config.acetylcholine, enabled=config.use_acetylcholine)
        self.adenosine = Adenosine(config.adenosine, enabled=config.use_adenosine)
        self.traces = Traces(config.tagging, enabled=config.use_tagging)
        self.ledger = Ledger()
        self.listener = Listener(
            LISTENER_SYNAPSES,
            attention=config.use_acetylcholine,
            short_term=config.short_term if config.use_short_term_plasticity else None,
        )
        self.tagged: dict[int, None] = {}
        self.aged = LEAST_AGED
        self.lived: deque[Signals] = deque(maxlen=LIVED)
        self.turns = 0
        self.awake = False
        self.surprise: float | None = None

    @property
    def tokenizer(self) -> BiologicalTokenizer:
        """The vocabulary."""
        return self.episodes.tokenizer

    @property
    def network(self) -> PlasticSNN:
        """The cells and their synapses."""
        return self.episodes.network

    # ------------------------------------------------------------------ answering

    def think(self, prompt: str) -> Thought:
        """Return the answer to a prompt; nothing is changed."""
        answer = self.episodes.answer(prompt)
        pieces = tuple(self.episodes.stream(answer, self.settings.max_reply_tokens))
        if "".join(pieces).strip():
            return Thought(pieces, answer.episode, answer.recall)
        return Thought((self._imitation(prompt),), None, answer.recall)

    def _imitation(self, prompt: str) -> str:
        """Return the newest word of the prompt: so does a child that knows no answer."""
        return max(prompt.split(), key=self.episodes.encoder.novelty)

    def signals(self, prompt: str) -> Signals:
        """Return the neuromodulators as a prompt meets them; nothing is changed."""
        return Signals(
            attention=self.acetylcholine.level(key_of(prompt)),
            novelty=self.episodes.encoder.novelty(prompt),
            fatigue=self.adenosine.pressure,
        )

    @property
    def sleep_is_due(self) -> bool:
        """Whether it is tired, the sooner the fuller the network is beyond what sleep leaves.

        The need for sleep is the price of what was learned (Tononi & Cirelli 2014): a network that
        is full is tired of anything, and sleeps before it lets go of whole episodes.
        """
        adenosine, network = self.adenosine, self.network
        bounds = adenosine.parameters
        room = min((1.0 - network.synapses / network.budget) / (1.0 - LOAD), 1.0)
        due = bounds.lower + (bounds.upper - bounds.lower) * room
        return adenosine.pressure >= due and not adenosine.rested

    # ------------------------------------------------------------------ episodes and their names

    def form(self, number: int, prompt: str, text: str, strength: float) -> int:
        """Form an episode of this strength in (0, 1] for an event, and return it."""
        cue = self.episodes.encoder.encode(prompt)
        episode = self.network.learn_episode(cue, self.tokenizer.encode(text)).episode
        self.network.reinforce(episode, strength - 1.0)
        if episode in self.ledger:  # the network let go of that one and gives its number again
            self.strike(episode)
        self.ledger.enter(episode, Entry(number, key_of(prompt), line_key(text)))
        if len(self.ledger) > self.network.stats()["episodes"]:
            for gone in set(self.ledger) - set(self.network.episodes):
                self.strike(gone)
        return episode

    def tag(self, episode: int) -> None:
        """Mark an episode for replay; the oldest mark goes if there are too many."""
        self.tagged.pop(episode, None)
        self.tagged[episode] = None
        if len(self.tagged) > TAGGED:
            del self.tagged[next(iter(self.tagged))]

    def unlearn(self, episode: int) -> int:
        """Take an episode away, and return how many synapses that were."""
        self.strike(episode)
        return self.network.forget([episode])

    def strike(self, episode: int) -> None:
        """Strike an episode that is gone out of every list."""
        self.ledger.remove(episode)
        self.traces.drop(episode)
        self.tagged.pop(episode, None)

    # ------------------------------------------------------------------ numbers and state

    @property
    def patterns(self) -> int:
        """How many patterns were learned: dendritic segments, each of which detects one."""
        return int(self.network.stats()["segments"])

    def stats(self) -> dict[str, Any]:
        """Return plain numbers about the inside."""
        network = self.network.stats()
        return {
            "turns": self.turns,
            "episodes": network["episodes"],
            "patterns": network["segments"],
            "synapses": network["synapses"],
            "max_synapses": self.settings.max_synapses,
            "vocabulary": len(self.tokenizer),
            "attention": self.acetylcholine.level(),
            "fatigue": self.adenosine.pressure,
            "traces": len(self.traces),
            "tagged": len(self.tagged),
            "surprise": self.surprise,
        }

    def _parts(self) -> Iterator[tuple[str, Persistent]]:
        for name in ("episodes", "dopamine", "acetylcholine", "adenosine", "traces", "ledger",
                     "listener"):  # fmt: skip
            yield name, getattr(self, name)

    def export_state(self) -> State:
        """Return everything that life changed."""
        own = State(
            {
                "turns": self.turns,
                "awake": self.awake,
                "surprise": self.surprise,
                "tagged": list(self.tagged),
                "aged": self.aged,
            },
            {"lived": torch.tensor(list(self.lived), dtype=torch.float64).reshape(-1, 4)},
        )
        parts = {name: part.export_state() for name, part in self._parts()}
        return State.nest({**parts, "own": own})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned, into a mind that has not lived.

        Raises
        ------
        DataError
            If the parts do not fit each other.
        """
        for name, part in self._parts():
            part.import_state(state.part(name))
        own = state.part("own")
        self.turns, self.awake = int(own.values["turns"]), bool(own.values["awake"])
        self.surprise = own.values["surprise"]
        self.tagged = {int(episode): None for episode in own.values["tagged"]}
        self.aged = int(own.values["aged"])
        self.lived.extend(Signals(*row) for row in own.tensors["lived"].tolist())
        alive = set(self.network.episodes)
        if not alive >= set(self.ledger) >= set(self.tagged):
            raise DataError("the stored lists name episodes that there are not")


def line_key(text: str) -> int:
    """Return a number for a line to the letter, of 63 bits."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
