"""Digits, pair after pair, in one small network: what each way of protecting the past keeps."""

from __future__ import annotations

from plasticish.data import load_digits

from ..peers import avalanche
from ..scenario import Context, Findings, Goal, scenario
from ._common import (
    AVALANCHE,
    JOINT,
    METRICS,
    MODES,
    OURS,
    OVER,
    PARTS,
    Setting,
    add_rows,
    baselines,
    row_name,
    step_ratio,
)

SETTING = Setting()
ROWS = (*PARTS, JOINT)


@scenario(
    "continual/split-digits",
    title="handwritten digits, five pairs in one network",
    question="A network learns five pairs of digits, one after another. What protects the first?",
    protocol="""Five tasks of two classes in a random order; class-incremental (asked among all
    classes seen), domain-incremental (two outputs shared by all pairs) and task-incremental (asked
    among the two classes of the task, which is told). Raw 8x8 pixels, an MLP of one hidden layer
    of 256, plain SGD of rate 0.1, batches of 16, 5 epochs a task, a buffer of 200 examples: the
    same for every row. EWC and ours have a strength of 1,000, and a hundredth of it beside
    replay; Avalanche's EWC the best of 1, 10, 100 and 1,000 on held-out training data. Each seed
    draws a class order and a stratified 75/25 split. Time: the whole stream of the first seed, what
    is done between tasks in it, in turns, the best of 3.""",
    data="scikit-learn digits",
    metrics=METRICS,
    goals=[
        Goal(row_name(OURS, "class"), "ACC", ">=", 80, aim=88),
        Goal(row_name(OURS, "class"), "forgetting", "<=", 12),
        Goal(row_name(OURS, "class"), OVER, "<=", 0.5),
    ],
    baselines=[*baselines(ROWS), *baselines(list(AVALANCHE), ("class",))],
)
def split_digits(context: Context) -> Findings:
    """Run every row over the same streams, and the steps beside Avalanche's."""
    findings = Findings()
    for mode in MODES[:1] if context.quick else MODES:
        rows = (*ROWS, *AVALANCHE) if mode == "class" else ROWS
        add_rows(findings, lambda s: load_digits(seed=s), mode, SETTING, context.seeds, rows)
    if reason := avalanche.available():
        findings.notes.append(f"Without Avalanche: {reason}.")
    else:
        ratio = step_ratio(load_digits(), SETTING, 1 if context.quick else 3)
        findings.add(row_name(OURS, "class"), **{OVER: ratio})
    return findings
