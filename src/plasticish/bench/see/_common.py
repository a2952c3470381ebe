"""What the scenarios of seeing share: the learners that stand beside each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from plasticish.core import make_generator, spawn_seed
from plasticish.data import LabelledSet, Source, batches
from plasticish.evaluation import (
    KNN,
    NCM,
    SLDA,
    Comparison,
    JointLogistic,
    NaiveSoftmax,
    RanPAC,
    StreamingRidge,
    StreamLearner,
    accuracy_on,
)
from plasticish.memory import AssociativeCortex
from plasticish.vision import PlasticBrain

from ..scenario import Findings, Metric

__all__ = [
    "BATCH",
    "BRAIN",
    "JOINT",
    "STREAM_METRICS",
    "Factory",
    "add_stream_rows",
    "baselines",
    "brain",
    "cortex",
    "joint_accuracy",
    "taught",
]

BATCH = 64
BRAIN = "PlasticBrain"
JOINT = "joint logistic (all data at once)"
Factory = Callable[[int], StreamLearner]

STREAM_METRICS = (
    Metric("ACC"),
    Metric("forgetting", higher_is_better=False),
    Metric("AIA"),
    Metric("s per 1,000", "s", 2, higher_is_better=None),
)


def brain(in_dim: int, seed: int, **options: Any) -> PlasticBrain:
    """Return a fresh default brain for features of width ``in_dim``."""
    return PlasticBrain(in_dim=in_dim, seed=seed, **options)


def cortex(in_dim: int, seed: int) -> AssociativeCortex:
    """Return a fresh default slow store for features of width ``in_dim``."""
    return AssociativeCortex(in_dim, seed=seed)


def baselines(neighbours: int) -> dict[str, Factory]:
    """Return the stream baselines that every table has, by row."""
    return {
        "naive softmax, raw, lr 0.1": lambda seed: NaiveSoftmax("raw"),
        "naive softmax, z-scored, lr 0.01": lambda seed: NaiveSoftmax("zscore"),
        "NCM": lambda seed: NCM(),
        f"kNN-{neighbours}": lambda seed: KNN(neighbours),
        "SLDA": lambda seed: SLDA(),
        "SLDA, shrinkage 0.1": lambda seed: SLDA(0.1),
        "ridge": lambda seed: StreamingRidge(),
        "RanPAC 2000": lambda seed: RanPAC(2000, seed),
    }


def add_stream_rows(findings: Findings, comparison: Comparison, suffix: str = "") -> None:
    """Add ACC, forgetting, AIA and the seconds of 1,000 examples of every learner compared."""
    for name, reports in comparison.reports.items():
        findings.add(
            name + suffix,
            **{
                "ACC": [100 * r.average_accuracy for r in reports],
                "forgetting": [100 * r.forgetting for r in reports],
                "AIA": [100 * r.average_incremental_accuracy for r in reports],
                "s per 1,000": [
                    1000 * (r.seconds_learn + r.seconds_sleep) / r.examples for r in reports
                ],
            },
        )


def joint_accuracy(source: Source, seed: int, quick: bool = False) -> float:
    """Return the percentage that logistic regression reaches with all data at once."""
    joint = JointLogistic(strengths=(1e-2,), seed=seed) if quick else JointLogistic(seed=seed)
    joint.learn((source.train.inputs, source.train.labels))
    return 100 * accuracy_on(joint, source.test)


def taught(learner: StreamLearner, train: LabelledSet, seed: int) -> StreamLearner:
    """Show ``train`` to ``learner`` once, shuffled by ``seed``, let it sleep, and return it."""
    generator: torch.Generator = make_generator(spawn_seed(seed, 1))
    for batch in batches(train, BATCH, generator):
        learner.learn(batch)
    learner.sleep()
    return learner
