"""Running for long: does memory grow, does what was known fade, does a step become slower?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from plasticish.core import track

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._lives import LIVES, LONG_LIVES, QUICK_LIVES
from ._soaking import measure, soak

SECONDS = 60  # for each; ten minutes for all learners
QUICK_STEPS = 30

STEPS = Metric("steps", "", 0, higher_is_better=None, tolerance=0.5, relative=True)
RESIDENT = Metric("resident memory", "MB", 0, higher_is_better=False, tolerance=0.1, relative=True)
MEMORY = Metric("memory", "%", 2, higher_is_better=False, tolerance=3.0)
STORED = Metric("checkpoint", "%", 2, higher_is_better=False, tolerance=5.0)
RIGHT = Metric("right", "%", 1, tolerance=1.0)
KNOWN = Metric("points gained", "%", 2, higher_is_better=None)
STEP = Metric("step, median", "ms", 2, higher_is_better=False, tolerance=0.3, relative=True)
P99 = Metric("p99", "x", 2, higher_is_better=False, tolerance=0.3, relative=True)
SLEEP = Metric("sleep", "x", 2, higher_is_better=False, tolerance=0.3, relative=True)
LOG = Metric("log, a step", "B", 0, higher_is_better=None)


@scenario(
    "product/soak",
    title="two hours on end",
    question="Do memory, what is known and the time of a step stay as they are?",
    protocol="""Each learner in a process of its own, one thread, 60 s of CPU time (600 s for the
    ten), a clock on which 2 hours pass meanwhile where it has one: it learns a batch of 16 (the
    talker one turn, its folder on the disk) and is asked about it, step by step, and sleeps after
    every 100 steps (the talker 400, and when tired). What comes is stationary: ten overlapping
    Gaussian classes of width 64, new rows for ever, 400 names, or 300 questions, over and over;
    stores are bounded (2,000 memories, 500 in the buffer, 60,000 synapses) and full in the second
    tenth. Compared are the second tenth of that life and the last. Memory: resident, the mean of
    five looks, growth in %. Checkpoint: growth of its bytes. Right: share of 200 fixed questions
    (names: mean probability of a symbol; the talker: 50 replies, word for word), in the last tenth,
    and points gained since the second. p99: CPU time of a step, in the quietest fifth of each
    tenth, last over second; sleep: the same of the median sleep. The log of the talker grows with
    every turn by design: bytes a step. TriarchicBrain is protected; the bare equations of its
    prototype run beside it.""",
    data="synthetic features, first names, bundled dialogue",
    metrics=[STEPS, RESIDENT, MEMORY, STORED, RIGHT, KNOWN, STEP, P99, SLEEP, LOG],
    goals=[
        goal
        for name in LIVES
        for goal in (
            Goal(name, MEMORY.name, "<=", 3.0),
            Goal(name, KNOWN.name, ">=", -1.0),
            Goal(name, P99.name, "<=", 1.2),
        )
    ],
    seeds=(0,),
)
def soaking(context: Context) -> Findings:
    """Let them live one after another, and compare early with late."""
    findings = Findings()
    for name in track(QUICK_LIVES if context.quick else list(LONG_LIVES), "learners"):
        lives = [_life(name, seed, context.quick) for seed in context.seeds]
        figures = [_figures(one) for one in lives]
        findings.add(name, **{key: [one[key] for one in figures] for key in figures[0]})
    findings.notes.append(
        "a step is a batch of 16 learned and asked, and for the conversational learner a turn"
    )
    return findings


def _life(name: str, seed: int, quick: bool) -> dict[str, Any]:
    if not quick:
        return measure(name, SECONDS, seed)
    with tempfile.TemporaryDirectory() as folder:
        return soak(name, seed, Path(folder), steps=QUICK_STEPS)


def _figures(life: dict[str, Any]) -> dict[str, float]:
    early, late = life["second"], life["last"]
    figures = {
        STEPS.name: life["steps"],
        RESIDENT.name: late["resident"] / 2**20,
        MEMORY.name: _growth(early["resident"], late["resident"]),
        STORED.name: _growth(early["stored"], late["stored"]),
        RIGHT.name: 100.0 * late["right"],
        KNOWN.name: 100.0 * (late["right"] - early["right"]),
        STEP.name: 1e3 * late["median"],
        P99.name: late["p99"] / early["p99"],
    }
    if early["sleep"] and late["sleep"]:
        figures[SLEEP.name] = late["sleep"] / early["sleep"]
    if late["log"]:
        figures[LOG.name] = late["log"] / life["steps"]
    return figures


def _growth(early: float, late: float) -> float:
    return 100.0 * (late / early - 1.0)
