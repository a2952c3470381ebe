"""A hundred names, a thousand, five thousand: how soon is something known?"""

from __future__ import annotations

from plasticish.sequence import PlasticMemory

from ..scenario import Context, Findings, Goal, scenario
from ._common import NATS, SPLIT, load_names, memory_nats, shuffled

SIZES = (100, 1000, 5000)
SLEPT = ", after sleep"


@scenario(
    "sequence/few",
    title="few names",
    question="How much is known of names after the first hundred, thousand, five thousand?",
    protocol="""makemore's split, the training file shuffled by the seed, one online pass over its
    first names; then one sleep. Nats a token of the 1,000 test names; a symbol never seen costs the
    logarithm of the mass kept for new symbols.""",
    data=SPLIT,
    metrics=[NATS],
    goals=[
        Goal("100 names", "nats", "<=", 2.75),
        Goal("1,000 names", "nats", "<=", 2.30),
        Goal("5,000 names", "nats", "<=", 2.09),
    ],
    seeds=(0, 1, 2, 3, 4),
    requires_data=True,
)
def few(context: Context) -> Findings:
    """Learn the first names of each order, asking at each size, awake and rested."""
    split, findings = load_names(context), Findings()
    found: dict[str, list[float]] = {}
    for seed in context.seeds:
        order = shuffled(split.train, seed)
        for size in SIZES:
            if size > len(order):
                continue
            memory, row = PlasticMemory(seed=seed), f"{size:,} names"
            memory.learn(order[:size])
            found.setdefault(row, []).append(memory_nats(memory, split.test))
            memory.sleep()
            found.setdefault(row + SLEPT, []).append(memory_nats(memory, split.test))
    for row, nats in found.items():
        findings.add(row, nats=nats)
    return findings
