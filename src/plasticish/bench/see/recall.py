"""How long a full hippocampus takes to answer, beside the matrix product it cannot avoid."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from plasticish.core import make_generator
from plasticish.memory import EpisodicMemoryBank

from ..scenario import Context, Findings, Goal, Metric, scenario
from ..timing import side_by_side

MEMORIES, WIDTH = 60_000, 512
CROWD, ONE = "256 queries", "one query"
BANK, PER_CLASS = "EpisodicMemoryBank, vote", "EpisodicMemoryBank, class similarity"
PRODUCT = "float32 product and top 50"


@scenario(
    "see/recall",
    title="a question to 60,000 memories",
    question="Does recall stay quick when the bank is full?",
    protocol="""60,000 random memories of width 512 in 10 classes, half-precision keys, exact
    search; one thread, in turns, the best of 9 runs. 'Vote' is over the 50 nearest; 'class
    similarity' the mean of the 10 nearest of each class, as the brain asks. Beside them the plain
    product of unit-norm float32 keys and its 50 largest.""",
    data="random vectors",
    metrics=[
        Metric(CROWD, "ms", 1, higher_is_better=False, tolerance=0.5, relative=True),
        Metric(ONE, "ms", 1, higher_is_better=False, tolerance=0.5, relative=True),
    ],
    goals=[Goal(BANK, CROWD, "<=", 300), Goal(BANK, ONE, "<=", 10)],
    baselines=[PRODUCT],
    seeds=(0,),
)
def recall(context: Context) -> Findings:
    """Time the three ways to ask, for a crowd and for one."""
    findings = Findings()
    generator = make_generator(context.seeds[0])
    memories = 6_000 if context.quick else MEMORIES
    bank = EpisodicMemoryBank(WIDTH, memory_size=memories)
    keys = torch.randn(memories, WIDTH, generator=generator)
    for part in torch.arange(memories).split(6_000):  # type: ignore[no-untyped-call]
        bank.store(keys[part], part % 10)
    keys = torch.nn.functional.normalize(keys, dim=1)
    for column, count in ((CROWD, 256), (ONE, 1)):
        queries = torch.randn(count, WIDTH, generator=generator)
        times = side_by_side(
            {
                BANK: partial(bank.vote, queries),
                PER_CLASS: partial(bank.class_similarity, queries),
                PRODUCT: partial(_product, keys, queries),
            },
            repeats=9,
        )
        for row, timing in times.items():
            findings.add(row, **{column: 1000 * timing.best})
    return findings


def _product(keys: Tensor, queries: Tensor) -> Tensor:
    return (queries @ keys.T).topk(50, dim=1).values
