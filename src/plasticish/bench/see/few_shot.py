"""From one image a class to two hundred: the brain beside the best single voter at each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from plasticish.core import make_generator
from plasticish.data import few_shot as few_of_each
from plasticish.evaluation import (
    KNN,
    NCM,
    SLDA,
    Baseline,
    PowerTransformed,
    StreamLearner,
    accuracy_on,
)

from ..features import cifar10_images, seen
from ..scenario import Context, Findings, Goal, Metric, mean, scenario
from ._common import BRAIN, Factory, brain, taught

SHOTS = (1, 5, 10, 50, 200)
OVER = "over best voter"
OVER_POWER = "over best voter, power-transformed"
POWER = ", power-transformed"
_PLAIN: dict[str, Callable[[], Baseline]] = {
    "NCM": NCM,
    "kNN-1": partial(KNN, 1),
    "kNN-5": partial(KNN, 5),
    "kNN-50": partial(KNN, 50),
    "SLDA": SLDA,
    "SLDA, shrinkage 0.1": partial(SLDA, 0.1),
}


def _voter(make: Callable[[], Baseline], power: bool, seed: int) -> StreamLearner:
    del seed  # none of them draws anything
    return PowerTransformed(make()) if power else make()


VOTERS: dict[str, Factory] = {
    name + suffix: partial(_voter, make, power)
    for name, make in _PLAIN.items()
    for suffix, power in (("", False), (POWER, True))
}


@scenario(
    "see/few-shot",
    title="from one image a class to two hundred",
    question="Is the brain ever worse than the simplest learner that suits the number of shots?",
    protocol="""10-way test accuracy after one pass over 1, 5, 10, 50 or 200 random images of each
    class and a sleep; EfficientNet-Lite0 at 128 px, all stages. Voters see the
    features as they are, or power-transformed (signed square root). The last rows are the
    brain's accuracy less that of the best voter at this number of shots, on the same draws.""",
    data="CIFAR-10 (the part that is in PLASTICISH_DATA)",
    metrics=[Metric(f"{shots} shots") for shots in SHOTS],
    goals=[Goal(OVER, f"{shots} shots", ">=", -0.5, aim=0) for shots in SHOTS],
    baselines=list(VOTERS),
    requires_data=True,
)
def few_shot(context: Context) -> Findings:
    """Draw the same few images for every learner of a seed."""
    findings = Findings()
    source = seen(context, cifar10_images(context))
    width = source.train.inputs.shape[1]
    learners: dict[str, Factory] = {BRAIN: lambda seed: brain(width, seed), **VOTERS}
    for shots in SHOTS[:3:2] if context.quick else SHOTS:
        column = f"{shots} shots"
        for row, make in learners.items():
            reached = []
            for seed in context.seeds:
                train = few_of_each(source.train, shots, make_generator(seed))
                learner = taught(make(seed), train, seed)
                reached.append(100 * accuracy_on(learner, source.test))
            findings.add(row, **{column: reached})
        for row, transformed in ((OVER, False), (OVER_POWER, True)):
            rivals = [name for name in VOTERS if name.endswith(POWER) == transformed]
            best = max((findings.rows[name][column] for name in rivals), key=mean)
            pairs = zip(findings.rows[BRAIN][column], best, strict=True)
            findings.add(row, **{column: [ours - theirs for ours, theirs in pairs]})
    return findings
