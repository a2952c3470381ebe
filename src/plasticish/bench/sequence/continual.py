"""Names, then surnames, then names again: what is lost, and what comes back?"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

from plasticish.core import spawn_seed
from plasticish.data import load_surnames
from plasticish.sequence import PlasticMemory, RecognisingMemory

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import CPU, MEMORY, SPLIT, clocked, load_names, memory_nats, shuffled, warmed_up
from ._gru import CharacterGRU

TOLD = ", told which list"
RECOGNISING = "RecognisingMemory"
SLEPT = ", sleep after each list"
TOGETHER = f"{MEMORY}, both lists shuffled into one"
GRU = "GRU (makemore's size)"
NAME, SURNAME = ">", "<"
EPOCHS = 20
LOOKS = (1000, 5000)


@scenario(
    "sequence/continual",
    title="names, surnames, names",
    question="What is forgotten of the names while 20,000 surnames are learned?",
    protocol="""makemore's training names, then the 20,000 most frequent surnames of the census,
    then the names again, each shuffled by the seed. Nats a token of the 1,000 test names after each
    list; 'forgotten' is what they gained by the surnames, 'regained' what they lost
    again. Surnames asked are ranks 20,001 to 21,000, after 1,000, 5,000 and all surnames.
    PlasticMemory reads each list once. The GRU (one layer, 64 wide, AdamW, batches of 128, steps
    falling from 0.01 by a cosine, 20 epochs a list, near its best) learns them one after
    the other. 'Told which list': names begin with one symbol and surnames with another, which is
    given and not counted. RecognisingMemory is told nothing: it finds out while it learns and while
    it is asked. The test names are asked as one list, one after the other, so that those before say
    which list it is; 'asked alone' is what they surprise after the surnames if each is the only one
    (to the other learners that makes no difference).""",
    data=SPLIT + "; surnames of the package names",
    metrics=[
        Metric("names", "nats/token", 3, higher_is_better=False, tolerance=0.01),
        Metric("after surnames", "nats/token", 3, higher_is_better=False, tolerance=0.01),
        Metric("after names again", "nats/token", 3, higher_is_better=False, tolerance=0.01),
        Metric("forgotten", "nats/token", 3, higher_is_better=False, tolerance=0.01),
        Metric("regained", "nats/token", 3, None),
        Metric("asked alone", "nats/token", 3, None),
        Metric("1,000 surnames", "nats/token", 3, None),
        Metric("5,000 surnames", "nats/token", 3, None),
        Metric("surnames", "nats/token", 3, higher_is_better=False, tolerance=0.01),
        CPU,
    ],
    goals=[
        Goal(MEMORY, "forgotten", "<=", 0.02, aim=0.0),
        Goal(MEMORY + SLEPT, "forgotten", "<=", 0.02, aim=0.0),
        Goal(RECOGNISING, "forgotten", "<=", 0.02, aim=0.0),
        Goal(RECOGNISING + SLEPT, "forgotten", "<=", 0.02, aim=0.0),
        Goal(MEMORY + TOLD, "forgotten", "<=", 0.02, aim=0.0),
        Goal(MEMORY + TOLD + SLEPT, "forgotten", "<=", 0.02, aim=0.0),
    ],
    baselines=[GRU, GRU + TOLD],
    seeds=(0, 1, 2, 3, 4),
    requires_data=True,
)
def continual(context: Context) -> Findings:
    """Teach the three lists to each learner, as they are and marked."""
    split, findings = load_names(context), Findings()
    surnames = load_surnames(1500 if context.quick else 21_000)
    lists = Lists(split.train, surnames[:-1000], split.test, surnames[-1000:])
    epochs = 1 if context.quick else EPOCHS
    warmed_up()
    rows: dict[str, Callable[[int], Learner]] = {
        RECOGNISING: lambda seed: RecognisingLearner(seed, rests=False),
        RECOGNISING + SLEPT: lambda seed: RecognisingLearner(seed, rests=True),
        MEMORY: lambda seed: MemoryLearner(seed, rests=False),
        MEMORY + SLEPT: lambda seed: MemoryLearner(seed, rests=True),
        MEMORY + TOLD: lambda seed: MemoryLearner(seed, rests=False),
        MEMORY + TOLD + SLEPT: lambda seed: MemoryLearner(seed, rests=True),
        GRU: lambda seed: GRULearner(seed, epochs),
        GRU + TOLD: lambda seed: GRULearner(seed, epochs),
    }
    for row, build in rows.items():
        told = int(TOLD in row)
        given = lists.marked() if told else lists
        lives = [live(build(seed), given, seed, told) for seed in context.seeds]
        findings.add(row, **{key: [life[key] for life in lives] for key in lives[0]})
    mixed = [mixed_up(MemoryLearner(seed, rests=False), lists, seed) for seed in context.seeds]
    findings.add(TOGETHER, **{"after surnames": mixed})
    return findings


@dataclass(frozen=True)
class Lists:
    """What is learned, and what is asked for."""

    names: list[str]
    surnames: list[str]
    names_asked: list[str]
    surnames_asked: list[str]

    def marked(self) -> Lists:
        """Return them with a first symbol that tells which list it is."""
        marks = (NAME, SURNAME, NAME, SURNAME)
        lists = (self.names, self.surnames, self.names_asked, self.surnames_asked)
        return Lists(*([mark + s for s in one] for mark, one in zip(marks, lists, strict=True)))


@runtime_checkable
class Learner(Protocol):
    """Who reads the lists; ``looks`` are numbers of surnames after which it is asked, if any."""

    looks: Sequence[int]

    def learn(self, names: Sequence[str]) -> None:
        """Learn a list, or a part of it."""

    def rest(self) -> None:
        """Do what is to be done at the end of a list."""

    def nats(self, names: Sequence[str], told: int) -> float:
        """Return the surprise in nats a token; the first ``told`` symbols are given."""


class MemoryLearner:
    """PlasticMemory, which reads once and may sleep at the end of each list."""

    def __init__(self, seed: int, rests: bool) -> None:
        self.memory, self.rests = PlasticMemory(seed=seed), rests
        self.looks: Sequence[int] = LOOKS

    def learn(self, names: Sequence[str]) -> None:
        """Read the names once."""
        self.memory.learn(names)

    def rest(self) -> None:
        """Sleep, if it does."""
        if self.rests:
            self.memory.sleep()

    def nats(self, names: Sequence[str], told: int) -> float:
        """Return the surprise; a mark that is given costs nothing."""
        return (nats_after_mark if told else memory_nats)(self.memory, names)


class RecognisingLearner(MemoryLearner):
    """RecognisingMemory, which finds out which list it reads, and of which it is asked."""

    def __init__(self, seed: int, rests: bool) -> None:
        super().__init__(seed, rests)
        self.memory = RecognisingMemory(seed=seed)


class GRULearner:
    """The recurrent network, which is trained on one list after the other."""

    def __init__(self, seed: int, epochs: int) -> None:
        self.network = CharacterGRU(string.ascii_lowercase + NAME + SURNAME, seed)
        self.epochs = epochs
        self.looks: Sequence[int] = ()

    def learn(self, names: Sequence[str]) -> None:
        """Train on the names, several epochs."""
        self.network.learn(names, self.epochs)

    def rest(self) -> None:
        """Do nothing."""

    def nats(self, names: Sequence[str], told: int) -> float:
        """Return the surprise; a mark that is given is not asked for."""
        return self.network.nats(names, told)


def live(learner: Learner, lists: Lists, seed: int, told: int) -> dict[str, float]:
    """Teach the three lists and return what was found after each."""
    found: dict[str, float] = {}
    first, second, third = (
        shuffled(names, spawn_seed(seed, phase))
        for phase, names in enumerate((lists.names, lists.surnames, lists.names))
    )

    def read(names: list[str], looks: Sequence[int] = ()) -> None:
        for start, end in pairwise([0, *looks, len(names)]):
            part = names[start:end]
            found["CPU s"] = found.get("CPU s", 0) + clocked(lambda: learner.learn(part))  # noqa: B023
            if end in looks:
                found[f"{end:,} surnames"] = learner.nats(lists.surnames_asked, told)
        found["CPU s"] += clocked(learner.rest)

    read(first)
    found["names"] = learner.nats(lists.names_asked, told)
    read(second, [look for look in learner.looks if look < len(second)])
    found["after surnames"] = learner.nats(lists.names_asked, told)
    if isinstance(learner, RecognisingLearner):
        found["asked alone"] = asked_alone(learner, lists.names_asked)
    found["surnames"] = learner.nats(lists.surnames_asked, told)
    read(third)
    found["after names again"] = learner.nats(lists.names_asked, told)
    found["forgotten"] = found["after surnames"] - found["names"]
    found["regained"] = found["after surnames"] - found["after names again"]
    return found


def asked_alone(learner: Learner, names: Sequence[str]) -> float:
    """Return the surprise at names in nats a token, each asked as if it were the only one."""
    nats = sum(learner.nats([name], 0) * (len(name) + 1) for name in names)
    return nats / (sum(map(len, names)) + len(names))


def nats_after_mark(memory: PlasticMemory, names: Sequence[str]) -> float:
    """Return the surprise at what follows the first symbol, which all share, in nats a token."""
    tokens = sum(map(len, names)) + len(names)
    mark = -math.log(memory.predict("")[names[0][0]])
    return (memory_nats(memory, names) * tokens - mark * len(names)) / (tokens - len(names))


def mixed_up(learner: Learner, lists: Lists, seed: int) -> float:
    """Teach names and surnames as one list, and return the surprise at names."""
    learner.learn(shuffled([*lists.names, *lists.surnames], seed))
    return learner.nats(lists.names_asked, 0)
