"""Digits, two classes after two: does anything get forgotten?"""

from __future__ import annotations

from plasticish.data import load_digits
from plasticish.evaluation import compare

from ..scenario import Context, Findings, Goal, scenario
from ._common import (
    BATCH,
    BRAIN,
    JOINT,
    STREAM_METRICS,
    add_stream_rows,
    baselines,
    brain,
    joint_accuracy,
)


@scenario(
    "see/split-digits",
    title="handwritten digits, two classes after two",
    question="Ten classes arrive in pairs, once each. What is left of the first at the end?",
    protocol="""Class-incremental, 5 tasks of 2 classes in a random order, one pass, batches of 64,
    raw 8x8 pixels; sleep after each task; every test row is asked among all classes known. Each
    seed draws a class order and a stratified 75/25 split. ACC is the mean accuracy over tasks at
    the end.""",
    data="scikit-learn digits",
    metrics=STREAM_METRICS,
    goals=[
        Goal(BRAIN, "ACC", ">=", 98.8, aim=99.1),
        Goal(BRAIN, "forgetting", "<=", 0.6, aim=0.3),
    ],
    baselines=[*baselines(5), JOINT],
    seeds=tuple(range(10)),  # 450 test digits a split: five would leave the mean half a point wide
)
def split_digits(context: Context) -> Findings:
    """Run the brain and the baselines over the same streams."""
    findings = Findings()
    rivals = baselines(5)
    if context.quick:
        del rivals["RanPAC 2000"]  # four fifths of the time
    comparison = compare(
        {BRAIN: lambda seed: brain(64, seed), **rivals},
        lambda seed: load_digits(seed=seed),
        seeds=context.seeds,
        batch_size=BATCH,
    )
    add_stream_rows(findings, comparison)
    findings.add(JOINT, ACC=[joint_accuracy(load_digits(seed=s), s) for s in context.seeds])
    return findings
