r"""Text in, text out: what was said to what, kept once heard and found again by what is like it.

A question that is recognised is answered as it was taught. One that is not awakens several engrams,
and what they would say is heard before it is said: with the share :math:`p_e \propto
e^{m_e/\tau}` of each by how well it matches, the reply wins on which they agree most,

.. math:: \hat r = \arg\max_{r} \sum_e p_e\,\frac{2\,|r \cap r_e|}{|r| + |r_e|},

where a reply is the bag of its parts (Dice's coefficient). This is decoding by least expected loss
(Kumar & Byrne 2004), where recollection fails and familiarity has to do (Yonelinas 2002).

References
----------
Kumar, S. & Byrne, W. (2004). Minimum Bayes-risk decoding for statistical machine translation.
HLT-NAACL.
Yonelinas, A. P. (2002). The nature of recollection and familiarity. Journal of Memory and Language
46.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from plasticish.core import Persistent, State, check_positive
from plasticish.modulation import NorepinephrineParameters

from .cues import CueEncoder
from .network import PlasticSNN
from .network_recall import Recall
from .tokenizer import BiologicalTokenizer

__all__ = ["Answer", "Episodes", "Taught"]

VOICES = 10
"""Engrams that are heard before an unfamiliar question is answered."""

SAME = 0.95  # match from which on a lesson is taken for one that was had before


@dataclass(frozen=True)
class Answer:
    """What is going to be said, and why.

    Attributes
    ----------
    episode : int or None
        The engram that says it; None if nothing was awoken.
    recall : Recall
        The engrams that were awoken, best first.
    agreement : float
        Share of the voices that would say the like, in [0, 1]; 1 for what was recognised.
    """

    episode: int | None
    recall: Recall
    agreement: float

    @property
    def recognised(self) -> bool:
        """Whether it was said without asking other engrams."""
        return self.agreement == 1.0 and self.episode is not None


@dataclass(frozen=True)
class Taught:
    """What a lesson changed.

    Attributes
    ----------
    episode : int
        The engram that holds it.
    new : bool
        Whether it was formed now; else it held this already and was strengthened.
    novelty : float
        Of the question, in [0, 1], before it was heard.
    match : float
        Of the best engram, in [0, 1], before it was taught.
    synapses : int
        How many grew.
    grown : tuple of int
        Ids of the pieces of words that were learned.
    """

    episode: int
    new: bool
    novelty: float
    match: float
    synapses: int
    grown: tuple[int, ...]


class Episodes(Persistent):
    """What is answered to what: a tokenizer, an encoder of cues and a network, put together.

    Parameters
    ----------
    n_neurons, vocab_size, initial_connectivity, plasticity_rate, seed
        See :class:`PlasticSNN`.
    novelty : bool
        Whether rare parts of a question weigh more; see :class:`CueEncoder`.
    norepinephrine : NorepinephrineParameters or mapping, optional
        Constants of the novelty signal.
    familiar : float
        Match in (0, 1] from which on a question is taken for recognised.
    temperature : float
        How far below the best match an engram may be and still have a voice, > 0.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> episodes = Episodes(1024)
    >>> taught = episodes.teach("What is your name?", "I am called Ada.")
    >>> episodes.say("what is your name")
    'I am called Ada.'
    >>> "".join(episodes.stream(episodes.answer("Your name?")))
    'I am called Ada.'
    """

    kind: ClassVar[str] = "episodes"

    def __init__(
        self,
        n_neurons: int = 14173,
        vocab_size: int = 800,
        initial_connectivity: float = 0.08,
        *,
        plasticity_rate: float = 0.01,
        novelty: bool = True,
        norepinephrine: NorepinephrineParameters | Mapping[str, Any] | None = None,
        familiar: float = 0.8,
        temperature: float = 0.15,
        seed: int = 0,
    ) -> None:
        check_positive(familiar=familiar, temperature=temperature)
        self.familiar, self.temperature = familiar, temperature
        self.tokenizer = BiologicalTokenizer(vocab_size)
        self.encoder = CueEncoder(
            n_neurons, norepinephrine=norepinephrine, novelty=novelty, seed=seed
        )
        self.network = PlasticSNN(
            n_neurons, vocab_size, initial_connectivity, plasticity_rate=plasticity_rate, seed=seed
        )

    # ------------------------------------------------------------------ asking

    def answer(self, text: str) -> Answer:
        """Decide what to say to a text; nothing is changed.

        Raises
        ------
        DataError
            If the text is blank.
        """
        recall = self.network.recall(self.encoder.encode(text), VOICES)
        if not recall.episodes:
            return Answer(None, recall, 0.0)
        if recall.match >= self.familiar or len(recall.episodes) == 1:
            return Answer(recall.episodes[0], recall, 1.0)
        return self._consensus(recall)

    def _consensus(self, recall: Recall) -> Answer:
        share = np.exp((np.array(recall.matches) - recall.match) / self.temperature)
        lines = [self._line(episode) for episode in recall.episodes]
        voices = [place for place, line in enumerate(lines) if line.strip()]
        if not voices:
            return Answer(recall.episodes[0], recall, 0.0)
        alike = self.encoder.alikeness([lines[place] for place in voices])
        support = alike @ share[voices] / share[voices].sum()
        best = int(support.argmax())
        return Answer(recall.episodes[voices[best]], recall, float(support[best]))

    def stream(self, answer: Answer, max_tokens: int = 2000) -> Iterator[str]:
        """Say an answer piece by piece, as the network comes to it; nothing if it is None."""
        if answer.episode is None:
            return iter(())
        said = self.network.reply(answer.episode, max_tokens)
        return self.tokenizer.stream(one.token for one in said)

    def say(self, text: str, max_tokens: int = 2000) -> str:
        """Return the whole answer to a text; empty if nothing was awoken.

        Raises
        ------
        DataError
            If the text is blank.
        """
        answer = self.answer(text)
        return "" if answer.episode is None else self._line(answer.episode, max_tokens)

    def _line(self, episode: int, max_tokens: int = 2000) -> str:
        return self.tokenizer.decode(said.token for said in self.network.reply(episode, max_tokens))

    # ------------------------------------------------------------------ learning

    def teach(self, text: str, reply: str) -> Taught:
        """Learn in one presentation that a text is answered by a reply.

        What is answered so already is strengthened; otherwise an engram is formed, and of two
        that match alike the later speaks.

        Raises
        ------
        DataError
            If either is blank; nothing is changed.
        """
        self.encoder.encode(reply)
        novelty = self.encoder.observe(text)
        cue = self.encoder.encode(text)
        recall = self.network.recall(cue, 1)
        if recall.match >= SAME and self._line(recall.episodes[0]) == reply:
            self.network.strengthen(cue, recall.episodes[0])
            return Taught(recall.episodes[0], False, novelty, recall.match, 0, ())
        grown = self.tokenizer.hear(text) + self.tokenizer.hear(reply)
        learned = self.network.learn_episode(cue, self.tokenizer.encode(reply))
        synapses = learned.cue_synapses + learned.speech_synapses
        return Taught(learned.episode, True, novelty, recall.match, synapses, grown)

    # ------------------------------------------------------------------ state

    def stats(self) -> dict[str, float]:
        """Return plain numbers about the inside."""
        return {**self.network.stats(), "vocabulary": len(self.tokenizer)}

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        network = self.network
        return {
            "n_neurons": network.n_neurons,
            "vocab_size": network.vocab_size,
            "initial_connectivity": network.initial_connectivity,
            "plasticity_rate": network.plasticity_rate,
            "novelty": self.encoder.norepinephrine.enabled,
            "norepinephrine": self.encoder.config()["norepinephrine"],
            "familiar": self.familiar,
            "temperature": self.temperature,
            "seed": network.seed,
        }

    def export_state(self) -> State:
        """Return the states of the three parts."""
        return State.nest(
            {
                "tokenizer": self.tokenizer.export_state(),
                "encoder": self.encoder.export_state(),
                "network": self.network.export_state(),
            }
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError, DataError
            If it is of others; nothing is changed.
        """
        fresh = Episodes(**self.config())
        fresh.tokenizer.import_state(state.part("tokenizer"))
        fresh.encoder.import_state(state.part("encoder"))
        fresh.network.import_state(state.part("network"))
        self.tokenizer, self.encoder, self.network = fresh.tokenizer, fresh.encoder, fresh.network
