"""A thousand turns, twenty thousand: does it grow, does it slow down?"""

from __future__ import annotations

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._life import live

YOUNG, OLD, ASKED = 1000, 20_000, 400
GROWN = "growth"

RESIDENT = Metric("resident memory", "MB", 1, higher_is_better=False, tolerance=0.1, relative=True)
TURN = Metric("turn, CPU", "ms", 2, higher_is_better=False, tolerance=0.5, relative=True)
MEMORY_GROWTH = Metric("memory", "%", 2, higher_is_better=False, tolerance=1.0)
TIME_GROWTH = Metric("turn time", "%", 2, higher_is_better=False, tolerance=3.0)


@scenario(
    "talk/flat",
    title="growing old",
    question="Do memory and the time of a turn stay as they are from 1,000 to 20,000 turns?",
    protocol="""One learner in a process of its own, its folder on the disk: 20,000 distinct turns
    of chitchat-dataset with replies of at most 60 characters; at each it answers and then hears
    what it should have answered, and it sleeps when it is tired. Resident memory of the whole
    process, torch and all, after 1,000 turns and after 20,000, right after a checkpoint. Then the
    learner as it was after 1,000 turns is read from a copy of its folder, and both live on with the
    same 400 prompts, in turns, so that a busy moment hits both: mean CPU time of a turn with its
    lesson.""",
    data="chitchat-dataset",
    metrics=[RESIDENT, TURN, MEMORY_GROWTH, TIME_GROWTH],
    goals=[Goal(GROWN, metric.name, "<=", 3.0, aim=1.0) for metric in (MEMORY_GROWTH, TIME_GROWTH)],
    seeds=(0,),
)
def flat(context: Context) -> Findings:
    """Live, look at the memory, and let the old and the young take the same turns."""
    young, old, asked = (20, 40, 10) if context.quick else (YOUNG, OLD, ASKED)
    findings = Findings()
    lives = [live(young, old, asked, seed, alone=not context.quick) for seed in context.seeds]
    ages = ((f"after {young:,} turns", "young"), (f"after {old:,} turns", "old"))
    megabytes = [[one["resident"][place] / 2**20 for one in lives] for place in range(2)]
    times = [[_mean(one[key]) for one in lives] for _, key in ages]
    for (row, _), held, taken in zip(ages, megabytes, times, strict=True):
        findings.add(row, **{RESIDENT.name: held, TURN.name: taken})
    findings.add(
        GROWN, **{MEMORY_GROWTH.name: _growth(*megabytes), TIME_GROWTH.name: _growth(*times)}
    )
    return findings


def _mean(turns: list[dict[str, float]]) -> float:
    return sum(one["turn_cpu"] for one in turns) / len(turns)


def _growth(young: list[float], old: list[float]) -> list[float]:
    """Return by how many per cent the old are more."""
    return [100.0 * (after / before - 1.0) for before, after in zip(young, old, strict=True)]
