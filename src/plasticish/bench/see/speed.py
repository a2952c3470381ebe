"""How fast it learns after the eyes, beside its peers, and whether it slows down with age."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from plasticish.core import make_generator
from plasticish.data import LabelledSet, batches
from plasticish.evaluation import SLDA

from ..peers import avalanche
from ..peers.sklearn import mlp, sgd
from ..scenario import Context, Findings, Goal, Metric, scenario
from ..timing import side_by_side
from ._common import BATCH, BRAIN, brain

WIDTH, CLASSES = 1280, 10
BATCHED, SINGLE, GROWTH = "batches of 64", "one at a time", "cost at 60,000 over 1,000"
OVER_BATCHED, OVER_SINGLE = "x Avalanche SLDA, batched", "x Avalanche SLDA, singly"
OVER_FIT = "x its fit() alone, batched"
AVALANCHE_SLDA = "Avalanche SLDA, train()"
AVALANCHE_FIT = "Avalanche SLDA, its fit() alone"
OWN_SLDA, OWN_SLDA_32 = "SLDA (ours)", "SLDA (ours, float32)"
Runs = dict[str, tuple[int, Callable[[], Any], Callable[[Any], object]]]
"""Row to: examples of a run, what makes a fresh learner, what is timed on it."""


@scenario(
    "see/speed",
    title="examples learned a second, after the eyes",
    question="Is it fast enough for one example at a time, and does it stay so?",
    protocol="""Features of width 1,280 of 10 Gaussian classes, in batches of 64 and one at a time;
    one thread, one process, learners in turns, the best of 5 runs (3 one at a time). Avalanche
    0.6 through its public train(), and its update alone (without the prediction that train() makes
    for every batch). Growth: seconds for 1,024 examples after 56,500 seen over those after 1,000
    seen, batches of 64, side by side. Sleep is not in it.""",
    data="synthetic features",
    metrics=[
        Metric(BATCHED, "/s", 0, tolerance=0.3, relative=True),
        Metric(SINGLE, "/s", 0, tolerance=0.3, relative=True),
        Metric(OVER_BATCHED, "x", 1, tolerance=0.3, relative=True),
        Metric(OVER_SINGLE, "x", 1, tolerance=0.3, relative=True),
        Metric(OVER_FIT, "x", 1, tolerance=0.3, relative=True),
        Metric(GROWTH, "x", 2, higher_is_better=False, tolerance=0.1, relative=True),
    ],
    goals=[
        Goal(BRAIN, OVER_BATCHED, ">=", 10),
        Goal(BRAIN, OVER_SINGLE, ">=", 10),
        Goal(BRAIN, GROWTH, "<=", 1.2),
    ],
    baselines=[
        OWN_SLDA,
        OWN_SLDA_32,
        AVALANCHE_SLDA,
        AVALANCHE_FIT,
        "Avalanche Naive, linear",
        "Avalanche Replay 200, linear",
        "scikit-learn SGDClassifier",
        "scikit-learn MLPClassifier",
    ],
    seeds=(0,),
)
def speed(context: Context) -> Findings:
    """Time everything twice, batched and singly, and the brain young and old."""
    findings = Findings()
    seed = context.seeds[0]
    _measure(findings, BATCHED, BATCH, 2 if context.quick else 5, seed)
    _measure(findings, SINGLE, 1, 1 if context.quick else 3, seed)
    for over, column, peer in (
        (OVER_BATCHED, BATCHED, AVALANCHE_SLDA),
        (OVER_SINGLE, SINGLE, AVALANCHE_SLDA),
        (OVER_FIT, BATCHED, AVALANCHE_FIT),
    ):
        if peer in findings.rows:
            theirs = findings.rows[peer][column][0]
            for row, columns in findings.rows.items():
                findings.add(row, **{over: columns[column][0] / theirs})
    findings.add(BRAIN, **{GROWTH: _growth(seed, 4_000 if context.quick else 56_500)})
    if reason := avalanche.available():
        findings.notes.append(f"Without Avalanche: {reason}.")
    return findings


def gaussian_classes(count: int, seed: int) -> LabelledSet:
    """Return non-negative features of ten classes, as eyes hand them out."""
    generator = make_generator(seed)
    means = torch.rand(CLASSES, WIDTH, generator=make_generator(seed + 1))
    y = torch.randint(CLASSES, (count,), generator=generator)
    x = (means[y] + 0.5 * torch.randn(count, WIDTH, generator=generator)).relu()
    return LabelledSet(x, y, tuple(str(label) for label in range(CLASSES)), "gaussian classes")


def learn_all(learner: Any, rows: LabelledSet, batch: int) -> None:
    """Show every row once."""
    for part in batches(rows, batch):
        learner.learn(part)


def _measure(findings: Findings, column: str, batch: int, repeats: int, seed: int) -> None:
    runs = _runs(batch, seed)
    times = side_by_side(
        {row: run for row, (_, _, run) in runs.items()},
        repeats,
        setup={row: fresh for row, (_, fresh, _) in runs.items()},
    )
    for row, (examples, _, _) in runs.items():
        findings.add(row, **{column: examples / times[row].best})


def _runs(batch: int, seed: int) -> Runs:
    many, few = (512, 128) if batch > 1 else (64, 2)
    rows = gaussian_classes(many, seed)

    def show(learner: Any) -> None:
        learn_all(learner, rows, batch)

    runs: Runs = {
        BRAIN: (many, lambda: _warm(brain(WIDTH, seed)), show),
        OWN_SLDA: (many, SLDA, show),
        OWN_SLDA_32: (many, lambda: SLDA(dtype=torch.float32), show),
        "scikit-learn SGDClassifier": (many, lambda: sgd(CLASSES), show),
        "scikit-learn MLPClassifier": (many, lambda: mlp(CLASSES), show),
    }
    if avalanche.available() is None:
        _add_avalanche(runs, rows, batch, few)
    return runs


def _add_avalanche(runs: Runs, rows: LabelledSet, batch: int, few: int) -> None:
    x, y = rows.inputs, rows.labels
    some, everything = avalanche.experience(x[:few], y[:few]), avalanche.experience(x, y)

    def fit_each(strategy: Any) -> None:
        for row in range(few):
            strategy.fit(x[row : row + 1], y[row : row + 1])

    def lda() -> Any:
        return avalanche.streaming_lda(WIDTH, CLASSES, batch)

    # The slow ones get fewer examples: their cost an example does not depend on how many came.
    runs[AVALANCHE_SLDA] = (few, lda, lambda s: avalanche.train(s, some))
    runs[AVALANCHE_FIT] = (few, lda, fit_each)
    for row, make in (
        ("Avalanche Naive, linear", partial(avalanche.naive, WIDTH, CLASSES, batch)),
        ("Avalanche Replay 200, linear", partial(avalanche.replay, WIDTH, CLASSES, batch)),
    ):
        runs[row] = (len(x), make, lambda s: avalanche.train(s, everything))


def _warm(learner: Any) -> Any:
    """Let a learner allocate what its first batch allocates, outside the time."""
    learn_all(learner, gaussian_classes(BATCH, 99), BATCH)
    return learner


def _growth(seed: int, old_age: int) -> float:
    """Return the cost of examples late in life over that of the same examples early on."""
    learners = {name: brain(WIDTH, seed) for name in ("young", "old")}
    for name, age in (("young", 1_000), ("old", old_age)):
        for start in range(0, age, 500):
            learn_all(learners[name], gaussian_classes(500, seed + start), 500)
    # A multiple of what the cortex gathers before it adds up, so that both do so equally often.
    more = gaussian_classes(16 * BATCH, seed + 7)
    calls = {name: partial(learn_all, its, more, BATCH) for name, its in learners.items()}
    times = side_by_side(calls, repeats=3)
    return times["old"].best / times["young"].best
