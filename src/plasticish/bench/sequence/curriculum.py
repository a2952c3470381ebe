"""The same names in other orders: does it matter what comes first?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from plasticish.core import track
from plasticish.sequence import PlasticMemory

from ..scenario import Context, Findings, Goal, scenario
from ._common import NATS, SPLIT, load_names, memory_nats, shuffled

SHUFFLED = "shuffled"
SLEPT = ", sleep at the end"
NAPS = ", sleep every 1,000 names"


def popular_first(names: list[str]) -> list[str]:
    """Order names by how often they occur, the most frequent first."""
    counts = Counter(names)
    return sorted(names, key=lambda name: (-counts[name], name))


ORDERS: dict[str, Callable[[list[str]], list[str]]] = {
    SHUFFLED: list,
    "popular first": popular_first,
    "short first": lambda names: sorted(names, key=len),
    "long first": lambda names: sorted(names, key=len, reverse=True),
    "alphabetical": sorted,
}


@scenario(
    "sequence/curriculum",
    title="the order of the names",
    question="Does it matter what comes first, and does sleep repair it?",
    protocol="""makemore's split; the training names, shuffled by the seed, are then brought into an
    order and learned in one online pass: without sleep, with one sleep (three replays) at the end,
    and with a sleep of one replay after every 1,000 names and at the end. Nats a token of the 1,000
    test names, and how much more that is than in the shuffled order with as much sleep.""",
    data=SPLIT,
    metrics=[NATS],
    goals=[
        Goal(f"{order}{sleep}, above shuffled", "nats", "<=", 0.03)
        for sleep in (SLEPT, NAPS)
        for order in ORDERS
        if order != SHUFFLED
    ],
    requires_data=True,
)
def curriculum(context: Context) -> Findings:
    """Learn every order three ways."""
    split, findings = load_names(context), Findings()
    found: dict[str, list[float]] = {}
    for seed in context.seeds:
        base = shuffled(split.train, seed)
        for name, arrange in track(ORDERS.items(), f"orders, seed {seed}"):
            order = arrange(base)
            memory = PlasticMemory(seed=seed)
            memory.learn(order)
            found.setdefault(name, []).append(memory_nats(memory, split.test))
            memory.sleep()
            found.setdefault(name + SLEPT, []).append(memory_nats(memory, split.test))
            found.setdefault(name + NAPS, []).append(napping(order, split.test, seed))
    for row, nats in found.items():
        findings.add(row, nats=nats)
        sleep = next((sleep for sleep in (SLEPT, NAPS) if row.endswith(sleep)), "")
        if sleep and not row.startswith(SHUFFLED):
            least = found[SHUFFLED + sleep]
            excess = [n - m for n, m in zip(nats, least, strict=True)]
            findings.add(f"{row}, above shuffled", nats=excess)
    return findings


def napping(order: list[str], test: list[str], seed: int) -> float:
    """Return the surprise after a pass with a short sleep after every 1,000 names."""
    memory = PlasticMemory(seed=seed)
    for first in range(0, len(order), 1000):
        memory.learn(order[first : first + 1000])
        memory.sleep(1)
    return memory_nats(memory, test)
