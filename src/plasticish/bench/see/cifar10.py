"""CIFAR-10 through frozen eyes, two classes after two, beside a probe that sees all at once."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from plasticish.core import make_generator, spawn_seed
from plasticish.data import Source, class_splits
from plasticish.evaluation import (
    class_orders,
    compare,
    run_stream,
)

from ..features import LAST_LAYER, cifar10_images, narrowed, seen
from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import (
    BATCH,
    BRAIN,
    JOINT,
    STREAM_METRICS,
    Factory,
    add_stream_rows,
    baselines,
    brain,
    cortex,
    joint_accuracy,
)

ALL, LAST = ", all stages", ", last layer"
CORTEX = "AssociativeCortex (sums alone)"
OVER_JOINT = "over joint probe"
UNLIKE = "answers unlike first order"


ROWS = ("naive softmax, z-scored, lr 0.01", "NCM", "kNN-50", "SLDA, shrinkage 0.1", "ridge")


def _rivals() -> dict[str, Factory]:
    """Return the baselines that are quick enough for ten runs over ten thousand images."""
    every = baselines(50)
    return {row: every[row] for row in ROWS}


BASELINES = [name + stages for stages in (ALL, LAST) for name in (*_rivals(), JOINT)]


@scenario(
    "see/cifar10",
    title="CIFAR-10 through frozen eyes, two classes after two",
    question="In one pass, class after class: does it beat a linear probe that sees all at once?",
    protocol="""Class-incremental, 5 tasks of 2 classes, 5 random class orders, one pass, batches
    of 64; EfficientNet-Lite0 eyes at 128 px, frozen, on all stages (2,048 features) and on the
    last layer (1,280); sleep after each task; ACC is 10-way test accuracy at the end. The joint
    probe is scikit-learn's logistic regression on all data at once, its penalty and a power
    transform chosen on a fifth of train, and does not depend on the order. The last column counts
    test answers that differ from those after the first class order.""",
    data="CIFAR-10 (the part that is in PLASTICISH_DATA)",
    metrics=[
        *STREAM_METRICS,
        Metric(OVER_JOINT, "points"),
        Metric(UNLIKE, "%", 2, higher_is_better=False),
    ],
    goals=[
        Goal(BRAIN + ALL, "ACC", ">=", 80.2, aim=82),
        Goal(BRAIN + LAST, "ACC", ">=", 77.0, aim=79),
        Goal(BRAIN + ALL, OVER_JOINT, ">=", 0),
        Goal(BRAIN + LAST, OVER_JOINT, ">=", 0),
        Goal(BRAIN + ALL, "ACC", "<=", 0.5, aim=0, statistic="range"),
        Goal(CORTEX + ALL, UNLIKE, "<=", 0.1, aim=0, statistic="max"),
    ],
    baselines=BASELINES,
    requires_data=True,
)
def cifar10(context: Context) -> Findings:
    """Run every learner over the same five class orders, on both sets of features."""
    findings = Findings()
    everything = seen(context, cifar10_images(context))
    views = {ALL: everything, LAST: narrowed(everything, LAST_LAYER)}
    for suffix, source in list(views.items())[1 if context.quick else 0 :]:
        width = source.train.inputs.shape[1]
        learners: dict[str, Factory] = {BRAIN: partial(brain, width), **_rivals()}
        comparison = compare(learners, source, seeds=context.seeds, batch_size=BATCH)
        add_stream_rows(findings, comparison, suffix)
        joint = joint_accuracy(source, context.seeds[0], context.quick)
        findings.add(JOINT + suffix, ACC=joint)
        reached = findings.rows[BRAIN + suffix]["ACC"]
        findings.add(BRAIN + suffix, **{OVER_JOINT: [value - joint for value in reached]})
        _add_cortex(findings, source, context.seeds, suffix)
    return findings


def _add_cortex(findings: Findings, source: Source, seeds: tuple[int, ...], suffix: str) -> None:
    """Add the slow store alone, and how many of its answers depend on the order of the stream."""
    accuracies: list[float] = []
    answers: list[Tensor] = []
    for seed, order in zip(seeds, class_orders(len(source.classes), seeds), strict=True):
        sums = cortex(source.train.inputs.shape[1], seeds[0])  # one expansion
        tasks = class_splits(source, 2, order=order)
        generator = make_generator(spawn_seed(seed, 1))
        report = run_stream(sums, tasks, batch_size=BATCH, generator=generator)
        accuracies.append(100 * report.average_accuracy)
        answers.append(sums.predict(source.test.inputs))
    unlike = [100 * float((a != answers[0]).to(torch.float64).mean()) for a in answers]
    findings.add(CORTEX + suffix, **{"ACC": accuracies, UNLIKE: unlike})
