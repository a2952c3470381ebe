"""What each stage of the eyes adds to a probe, the memory, the cortex and the whole brain."""

from __future__ import annotations

from functools import partial

from plasticish.evaluation import StreamLearner, accuracy_on
from plasticish.memory import EpisodicMemoryBank

from ..features import LAST_LAYER, LAST_THREE, cifar10_images, narrowed, seen
from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import BRAIN, Factory, brain, cortex, joint_accuracy, taught

PROBE, CORTEX = "joint logistic probe", "AssociativeCortex"
MEMORY, HIPPOCAMPUS = "EpisodicMemoryBank, raw cosine", "the brain's hippocampus, after blocks"
GAIN = "all over last"


@scenario(
    "see/cifar10-eyes",
    title="what each stage of the eyes adds",
    question="Is it worth looking at the early stages of a network made for another task?",
    protocol="""10-way test accuracy after one shuffled pass over all classes and a sleep; features
    of EfficientNet-Lite0 at 128 px: its last layer (1,280), its last three stages (1,792), all
    seven (2,048). The memory alone is asked under the cosine of raw features, which the variance
    of the early stages dominates, and under the metric that the blocks make of it. Seeds decide
    the order of the stream and the learner; the joint probe has none.""",
    data="CIFAR-10 (the part that is in PLASTICISH_DATA)",
    metrics=[
        Metric("last"),
        Metric("last three"),
        Metric("all"),
        Metric(GAIN, "points", higher_is_better=None),
    ],
    goals=[Goal(row, GAIN, ">=", 2.0) for row in (PROBE, MEMORY, HIPPOCAMPUS, CORTEX, BRAIN)],
    baselines=[PROBE],
    requires_data=True,
)
def cifar10_eyes(context: Context) -> Findings:
    """Teach the same stream on three widths of features."""
    findings = Findings()
    everything = seen(context, cifar10_images(context))
    views = {
        "last": narrowed(everything, LAST_LAYER),
        "last three": narrowed(everything, LAST_THREE),
        "all": everything,
    }
    if context.quick:
        del views["last three"]
    for column, source in views.items():
        width = source.train.inputs.shape[1]
        learners: dict[str, Factory] = {
            MEMORY: partial(_memory, width),
            HIPPOCAMPUS: partial(brain, width, use_cortex=False),
            CORTEX: partial(cortex, width),
            BRAIN: partial(brain, width),
        }
        findings.add(PROBE, **{column: joint_accuracy(source, context.seeds[0], context.quick)})
        for row, make in learners.items():
            reached = [
                100 * accuracy_on(taught(make(seed), source.train, seed), source.test)
                for seed in context.seeds
            ]
            findings.add(row, **{column: reached})
    for row, columns in findings.rows.items():
        gains = [a - b for a, b in zip(columns["all"], columns["last"], strict=True)]
        findings.add(row, **{GAIN: gains})
    return findings


def _memory(width: int, seed: int) -> StreamLearner:
    return EpisodicMemoryBank(width, seed=seed)
