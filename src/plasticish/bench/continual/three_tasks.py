"""Three tasks, with and without: what is left of the first."""

from __future__ import annotations

from plasticish.data import load_digits
from plasticish.metrics import forgetting

from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import OURS, Setting, kept, measure, row_name

WITHOUT = "naive"
LEARNED = tuple(f"task {number} as learned" for number in (1, 2, 3))
AFTER, KEEPS = "task 1 after all", "task 1 keeps"
MODES = ("domain", "class")
SETTING = Setting(classes_per_task=3, tasks=3)


@scenario(
    "continual/three-tasks",
    title="three tasks, with and without continual learning",
    question="Three tasks come one after another. What is left of the first?",
    protocol="""Three tasks of three digits in a random order. Domain-incremental: the tasks share
    three outputs, and the learner is not told which task a question is from. Class-incremental:
    nine outputs. Network, epochs, optimizer, buffer and split as in continual/split-digits;
    without is the same network under plain SGD. Keeps: the accuracy on task 1 after all three, as
    a share of that when it was learned.""",
    data="scikit-learn digits",
    metrics=[
        *(Metric(name) for name in LEARNED),
        Metric(AFTER),
        Metric(KEEPS),
        Metric("forgetting", higher_is_better=False),
    ],
    goals=[
        *(Goal(row_name(OURS, mode), KEEPS, ">=", 95) for mode in MODES),
        *(Goal(row_name(OURS, mode), "forgetting", "<=", 5, aim=3) for mode in MODES),
        # Where there is nothing to lose, keeping it proves nothing.
        Goal(row_name(WITHOUT, "class"), "forgetting", ">=", 35),
    ],
    baselines=[row_name(WITHOUT, mode) for mode in MODES],
    seeds_apart=True,
)
def three_tasks(context: Context) -> Findings:
    """Run both rows in both modes."""
    findings = Findings()
    for mode in MODES:
        for row in (WITHOUT, OURS):
            lives = measure(row, lambda s: load_digits(seed=s), mode, SETTING, context.seeds)
            R = [life.matrix for life in lives]
            figures = {name: [100 * r[i][i] for r in R] for i, name in enumerate(LEARNED)}
            figures |= {
                AFTER: [100 * r[-1][0] for r in R],
                KEEPS: [kept(r) for r in R],
                "forgetting": [100 * forgetting(r) for r in R],
            }
            findings.add(row_name(row, mode), **figures)
    return findings
