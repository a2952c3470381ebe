"""From Enter to the first word of the answer, and to the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._life import live

LIVED, ASKED = 10_000, 1000
LENGTHS = (10, 14)  # tokens of the replies that are looked at: 12, about
NEW, KNOWN = "a prompt never heard", "a prompt it was taught"

FIRST = Metric("first", "ms", 1, higher_is_better=False, tolerance=0.5, relative=True)
WHOLE = Metric("whole", "ms", 1, higher_is_better=False, tolerance=0.5, relative=True)
WHOLE95 = Metric("whole, p95", "ms", 1, higher_is_better=False, tolerance=1.0, relative=True)
WHOLE_CPU = Metric("whole, CPU", "ms", 1, higher_is_better=False, tolerance=0.5, relative=True)
TURN_CPU = Metric("with its lesson, CPU", "ms", 1, False, tolerance=0.5, relative=True)
TOKENS = Metric("tokens", "", 1, None)
LOOKED = Metric("turns looked at", "", 0, None)


@scenario(
    "talk/turn",
    title="how long it takes to answer",
    question="How long is it from Enter to the first token, and to the whole reply of 12 tokens?",
    protocol="""One learner, one process, its folder on the disk, learning: 10,000 distinct turns
    of chitchat-dataset with replies of at most 60 characters; at each it answers and then hears
    what it should have answered. Then 1,000 more prompts, and the last 1,000 that it was taught
    again; looked at are those that it answers in 10 to 14 tokens. From the call with what was typed
    to the first piece of the answer that is handed out, and to the last: median wall time; p95 of
    it; median CPU time; and that of the whole turn, in which it is taught. The turn is on the disk
    (SQLite, write-ahead log, synchronised) before its first token is shown, and that takes the
    whole reply: first and last are a moment apart. To a prompt never heard ten engrams say their
    line before one is chosen.""",
    data="chitchat-dataset",
    metrics=[FIRST, WHOLE, WHOLE95, WHOLE_CPU, TURN_CPU, TOKENS, LOOKED],
    goals=[
        Goal(row, metric.name, "<=", most, aim=aim)
        for row in (NEW, KNOWN)
        for metric, most, aim in ((FIRST, 30.0, 10.0), (WHOLE, 150.0, 60.0))
    ],
    seeds=(0,),
)
def turn(context: Context) -> Findings:
    """Live 10,000 turns and time the next."""
    lived, asked = (100, 60) if context.quick else (LIVED, ASKED)
    findings = Findings()
    lives = [
        live(lived // 10, lived, asked, seed, alone=not context.quick) for seed in context.seeds
    ]
    for row, key in ((NEW, "old"), (KNOWN, "known")):
        times = [summary(one[key]) for one in lives]
        findings.add(row, **{name: [one[name] for one in times] for name in times[0]})
    return findings


def summary(turns: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return medians over the turns whose replies are about as long as asked for."""
    looked = [one for one in turns if LENGTHS[0] <= one["pieces"] <= LENGTHS[1]]

    def middle(name: str, percent: float = 50.0) -> float:
        return float(np.percentile([one[name] for one in looked], percent))

    return {
        FIRST.name: middle("first"),
        WHOLE.name: middle("whole"),
        WHOLE95.name: middle("whole", 95.0),
        WHOLE_CPU.name: middle("whole_cpu"),
        TURN_CPU.name: middle("turn_cpu"),
        TOKENS.name: float(np.mean([one["pieces"] for one in looked])),
        LOOKED.name: float(len(looked)),
    }
