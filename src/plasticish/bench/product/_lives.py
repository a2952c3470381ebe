"""Every learner at a size that people use, with an endless stream that stays as it is.

What a stream brings recurs: the same ten classes, names or questions for ever. So whatever grows
or changes in a learner that has met all of them is the learner's own doing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice, repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig
from plasticish.core import make_generator, spawn_seed
from plasticish.data import load_dialogue, load_first_names, pairs
from plasticish.estimators import PlasticClassifier
from plasticish.memory import AssociativeCortex, EpisodicMemoryBank
from plasticish.sequence import PlasticMemory, RecognisingMemory
from plasticish.spiking import ContinualLearningSTDP, MetaPlasticNetwork
from plasticish.vision import PlasticBrain, TriarchicBrain

__all__ = ["BATCH", "LIVES", "LONG_LIVES", "QUICK_LIVES", "Life", "examples"]

WIDTH, CLASSES, BATCH = 64, 10, 16
KEPT = 2000  # memories of the bounded stores
NAMES, PAIRS = 400, 300  # what recurs
LONGEST = 60  # characters of a reply
PROBES = 200

Batches = Iterator[Any]


def examples(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return rows of ten Gaussian classes, always the same ones, that overlap a little."""
    generator = make_generator(spawn_seed(seed, 1))
    centres = torch.randn(CLASSES, WIDTH, generator=make_generator(7))
    y = torch.randint(CLASSES, (count,), generator=generator)
    return centres[y] + 2.0 * torch.randn(count, WIDTH, generator=generator), y


def _of_rows(seed: int, rows: int) -> Batches:
    """Return rows that never come twice, of classes that always do."""
    part = 0
    while True:
        x, y = examples(64 * rows, spawn_seed(seed, part))
        yield from zip(torch.split(x, rows), torch.split(y, rows), strict=True)
        part += 1


def _recurring(items: Sequence[Any], seed: int, count: int) -> Batches:
    """Return the items in an order of chance, over and over, always ``count`` together."""
    generator = make_generator(seed)
    rounds = (torch.randperm(len(items), generator=generator).tolist() for _ in repeat(None))
    endless = (items[i] for i in chain.from_iterable(rounds))
    while True:
        yield list(islice(endless, count))


@cache
def _names() -> tuple[str, ...]:
    return tuple(load_first_names()[:NAMES])


@cache
def _pairs() -> tuple[tuple[str, str], ...]:
    answers: dict[str, str] = {}
    for topic in load_dialogue().values():
        for prompt, reply in pairs(topic):
            if len(reply) <= LONGEST:
                answers.setdefault(prompt, reply)
    return tuple(answers.items())[:PAIRS]


def _rows_right(learner: Any, probes: int) -> float:
    x, y = examples(probes, seed=99)
    return float(np.mean(np.asarray(learner.predict(x)) == y.numpy()))


def _symbols_right(learner: Any, probes: int) -> float:
    """Return how probable a symbol of the names is to the memory: the geometric mean."""
    names = _names()[:probes]
    nats = -float(np.sum(learner.log_likelihood(names)))
    return math.exp(-nats / sum(len(name) + 1 for name in names))


def _turns_right(learner: Any, probes: int) -> float:
    asked = _pairs()[:probes]
    right = [bool(learner.predict(prompt) == reply) for prompt, reply in asked]
    return sum(right) / len(right)


def _row_answers(learner: Any) -> list[float]:
    x, _ = examples(BATCH, seed=98)
    said = [np.asarray(learner.predict(x), dtype=float).ravel()]
    if hasattr(learner, "predict_proba"):
        said.append(np.asarray(learner.predict_proba(x), dtype=float).ravel())
    return [float(number) for number in np.concatenate(said)]


def _symbol_answers(learner: Any) -> list[float]:
    names = [*_names()[:BATCH], "xqz"]
    following = learner.predict(names[0][:2]).probabilities.tolist()
    return [*(float(n) for n in learner.log_likelihood(names)), *following]


def _turn_answers(learner: Any) -> list[float]:
    said = "\n".join(learner.predict(prompt) for prompt, _ in _pairs()[:BATCH])
    return [float(ord(character)) for character in said]


def _ask_rows(learner: Any, batch: Any) -> object:
    return learner.predict(batch[0])


def _ask_names(learner: Any, batch: Any) -> object:
    return [learner.predict(name[:2]) for name in batch[:2]]


def _ask_turns(learner: Any, batch: Any) -> object:
    return [learner.predict(prompt) for prompt, _ in batch[:1]]


@dataclass(frozen=True)
class Life:
    """One learner and what it meets.

    Attributes
    ----------
    make : callable
        From a seed to a newborn learner.
    batches : callable
        From a seed and a size to an endless stream of batches.
    ask : callable
        Puts to the learner what a batch asks.
    right : callable
        From the learner and a number of questions to the share it gets right, in [0, 1]; of a
        memory of sequences, the geometric mean probability of a symbol.
    answers : callable
        From the learner to all that it says to fixed questions, as numbers.
    every : int
        Batches between two sleeps.
    probes : int
        Questions asked to see what it knows.
    """

    make: Callable[[int], Any]
    batches: Callable[[int, int], Batches] = _of_rows
    ask: Callable[[Any, Any], object] = _ask_rows
    right: Callable[[Any, int], float] = _rows_right
    answers: Callable[[Any], list[float]] = _row_answers
    every: int = 100
    probes: int = PROBES

    def live(self, learner: Any, batches: Batches, count: int, *, sleep: bool = True) -> Any:
        """Let it learn ``count`` batches, and sleep at the end."""
        for _ in range(count):
            learner.learn(next(batches))
        if sleep:
            learner.sleep()
        return learner


def _of_names(seed: int, rows: int) -> Batches:
    return _recurring(_names(), seed, rows)


def _of_turns(seed: int, rows: int) -> Batches:
    return _recurring(_pairs(), seed, rows)


_SEQUENCE: dict[str, Any] = {
    "batches": _of_names,
    "ask": _ask_names,
    "right": _symbols_right,
    "answers": _symbol_answers,
}

LIVES: dict[str, Life] = {
    "plastic_brain": Life(
        lambda seed: PlasticBrain(WIDTH, memory_size=KEPT, expansion=448, seed=seed)
    ),
    "episodic_memory": Life(lambda seed: EpisodicMemoryBank(WIDTH, memory_size=KEPT, seed=seed)),
    "associative_cortex": Life(lambda seed: AssociativeCortex(WIDTH, 448, seed=seed)),
    "plastic_classifier": Life(
        lambda seed: PlasticClassifier(memory_size=KEPT, expansion=447, random_state=seed)
    ),
    "triarchic_brain": Life(
        lambda seed: TriarchicBrain.protected(WIDTH, 1024, CLASSES, 32, seed=seed)
    ),
    "continual_learner": Life(
        lambda seed: ContinualLearningSTDP(
            {"kind": "mlp", "sizes": [WIDTH, 128, CLASSES]},
            use_meta_plasticity=True,
            buffer={"capacity": 500, "policy": "class_balanced", "distinct": True},
            lr=0.02,
            seed=seed,
        )
    ),
    "meta_plastic_network": Life(lambda seed: MetaPlasticNetwork([WIDTH, 256, CLASSES], seed=seed)),
    "plastic_memory": Life(lambda seed: PlasticMemory(max_synapses=60_000, seed=seed), **_SEQUENCE),
    "recognising_memory": Life(
        lambda seed: RecognisingMemory(max_synapses=60_000, seed=seed), **_SEQUENCE
    ),
    "conversational_learner": Life(
        lambda seed: ConversationalLearner(PlasticLearnerConfig(seed=seed)),
        _of_turns,
        _ask_turns,
        _turns_right,
        _turn_answers,
        every=400,
        probes=50,
    ),
}
"""By the name under which a learner is registered."""
QUICK_LIVES = ["plastic_brain", "plastic_memory", "meta_plastic_network"]

# The bare equations lock what answered right and go on changing the rest: watched, not promised.
BARE = "triarchic_brain, bare"
LONG_LIVES: dict[str, Life] = {
    **LIVES,
    BARE: Life(lambda seed: TriarchicBrain(WIDTH, 1024, CLASSES, 32, seed=seed)),
}
"""Those, and what is worth watching besides."""
