"""The table of parts: what each part of the brain is worth, by taking it out."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from plasticish.core import make_generator, spawn_seed
from plasticish.data import LabelledSet, load_digits
from plasticish.data import few_shot as few_of_each
from plasticish.evaluation import accuracy_on
from plasticish.metrics import auroc
from plasticish.vision import NeuromodulatedBlock, PlasticBrain

from ..features import LAST_LAYER, cifar10_images, narrowed, seen
from ..scenario import Context, Findings, Goal, Metric, mean, scenario
from ._common import BRAIN, brain, taught

RANDOM, NEITHER = "random encoder", "no cortex, no blocks"
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    BRAIN: {},
    "no blocks": {"num_layers": 0},
    RANDOM: {},
    "no cortex": {"use_cortex": False},
    "no hippocampus": {"use_hippocampus": False},
    "cortex without expansion": {"expansion": 0},
    NEITHER: {"use_cortex": False, "num_layers": 0},
}
ADDED: Mapping[str, Mapping[str, Any]] = {
    "two blocks": {"num_layers": 2},
    "four blocks": {"num_layers": 4},
    "with reward": {"use_reward": True},
    "with neurogenesis": {"enable_neurogenesis": True},
    "2,048 random units": {"expansion": 2048},
}
DIGITS, FEW, SOME, ALL, NOVELTY = "digits", "10 shots", "50 shots", "all", "novelty"
TESTS = (DIGITS, FEW, SOME, ALL, NOVELTY)
LOSS, SECONDS = "lost without it", "s per 1,000"
STRANGERS = 4


@scenario(
    "see/ablation",
    title="what each part of the brain is worth",
    question="Does every part of the default brain earn its keep?",
    protocol="""One part out at a time, all else as it is, one pass and a sleep. Accuracy on the
    digits (pixels), and on CIFAR-10 through EfficientNet-Lite0 at 128 px (all stages) after 10, 50
    or all images a class; AUROC for 4 classes held out. 'Random encoder' puts random orthonormal
    units in the place of the learned ones, as many and with the same gates. 'Lost without it' is
    the default's figure less this one's, over all five columns; 's per 1,000' is learning and
    sleep with all images.""",
    data="scikit-learn digits; CIFAR-10 (the part that is in PLASTICISH_DATA)",
    metrics=[
        *(Metric(test) for test in TESTS),
        Metric(LOSS, "points", 2, higher_is_better=None),
        Metric(SECONDS, "s", 2, higher_is_better=None),
    ],
    goals=[Goal(row, LOSS, ">=", 0.0) for row in VARIANTS if row not in (BRAIN, NEITHER)],
    requires_data=True,
)
def ablation(context: Context) -> Findings:
    """Teach every variant the same streams."""
    findings = Findings()
    features = seen(context, cifar10_images(context))
    if context.quick:
        features = narrowed(features, LAST_LAYER)
    tests = TESTS[:1] if context.quick else TESTS
    for row, options in (VARIANTS if context.quick else {**VARIANTS, **ADDED}).items():
        runs = [_one(row, options, features.train, features.test, s, tests) for s in context.seeds]
        findings.add(row, **{name: [run[name] for run in runs] for name in runs[0]})
    default = findings.rows[BRAIN]
    for row, columns in findings.rows.items():
        losses = [
            mean([default[test][run] - columns[test][run] for test in tests])
            for run in range(len(context.seeds))
        ]
        if row != BRAIN:
            findings.add(row, **{LOSS: losses})
    return findings


def _one(
    row: str,
    options: Mapping[str, Any],
    train: LabelledSet,
    test: LabelledSet,
    seed: int,
    tests: Sequence[str],
) -> dict[str, float]:
    """Return the figures of one variant and seed."""

    def learned(rows: LabelledSet) -> PlasticBrain:
        learner = brain(rows.inputs.shape[1], seed, **options)
        taught(learner, rows, seed)
        if row == RANDOM:
            randomise(learner, seed)
        return learner

    digits = load_digits(seed=seed)
    found = {DIGITS: 100 * accuracy_on(learned(digits.train), digits.test)}
    for column, shots in ((FEW, 10), (SOME, 50)):
        if column in tests:
            few = few_of_each(train, shots, make_generator(seed))
            found[column] = 100 * accuracy_on(learned(few), test)
    if ALL not in tests:
        return found
    start = time.perf_counter()
    everything = learned(train)
    found[SECONDS] = 1000 * (time.perf_counter() - start) / len(train)
    found[ALL] = 100 * accuracy_on(everything, test)
    order = torch.randperm(len(train.classes), generator=make_generator(seed)).tolist()
    some = learned(train.of_classes(order[STRANGERS:]))
    strange = torch.isin(test.labels, torch.tensor(order[:STRANGERS]))
    found[NOVELTY] = 100 * auroc(some.novelty(test.inputs), strange)
    return found


def randomise(learner: PlasticBrain, seed: int) -> None:
    """Give every block random orthonormal units, as many and with the gates that it had."""
    for index, block in enumerate(learner.layers):
        state = block.export_state()
        generator = make_generator(spawn_seed(seed, index))
        drawn = torch.randn(state.tensors["units"].T.shape, generator=generator)
        units = torch.linalg.qr(drawn).Q.T.contiguous()
        other = NeuromodulatedBlock(**block.config())
        other.import_state(type(state)(state.values, {**state.tensors, "units": units}))
        learner.replace_layer(index, other)
        learner.freeze_layer(index)
    learner.sleep()
