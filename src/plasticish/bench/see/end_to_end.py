"""From image files to the report, eyes included: the first time, and again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from plasticish.data import class_splits
from plasticish.evaluation import run_stream
from plasticish.vision import FeatureCache, PretrainedEyes

from ..features import cifar10_images
from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import BATCH, BRAIN, brain

FIRST, AGAIN = "first run", "second run, feature cache"
RATE, FASTER, HOUR = "images/s", "times faster", "minutes for 60,000"


@scenario(
    "see/end-to-end",
    title="from images to the report on one core",
    question="How long from pictures on a disk to a brain that knows them, and to its report?",
    protocol="""One thread. Reads the files, looks at every train and test image (EfficientNet-Lite0
    at 128 px, last layer, as the command line does by default), learns 5 tasks of 2 classes in one
    pass in batches of 64, sleeps and tests after each. The first run starts with an empty feature
    cache, the second finds it full; everything else is done again. Loading the eyes is in both.""",
    data="CIFAR-10 (the part that is in PLASTICISH_DATA)",
    metrics=[
        Metric(RATE, "/s", 1, tolerance=0.3, relative=True),
        Metric("seconds", "s", 1, higher_is_better=False, tolerance=0.3, relative=True),
        Metric(HOUR, "min", 1, higher_is_better=None),
        Metric(FASTER, "x", 1, tolerance=0.3, relative=True),
        Metric("ACC"),
    ],
    goals=[Goal(FIRST, RATE, ">=", 60, aim=100), Goal(AGAIN, FASTER, ">=", 20)],
    seeds=(0,),
    requires_data=True,
)
def end_to_end(context: Context) -> Findings:
    """Do it twice with one cache."""
    findings = Findings()
    spent = {}
    with tempfile.TemporaryDirectory() as folder:
        for row in (FIRST, AGAIN):
            spent[row], images, accuracy = _once(context, Path(folder))
            findings.add(
                row,
                **{
                    RATE: images / spent[row],
                    "seconds": spent[row],
                    HOUR: 60_000 / images * spent[row] / 60,
                    "ACC": 100 * accuracy,
                },
            )
    findings.add(AGAIN, **{FASTER: spent[FIRST] / spent[AGAIN]})
    findings.notes.append(f"{BRAIN} with its defaults; minutes for 60,000 are projected.")
    return findings


def _once(context: Context, folder: Path) -> tuple[float, int, float]:
    start = time.perf_counter()
    images = cifar10_images(context, quick=(16, 8))
    cache = FeatureCache(folder)
    eyes = PretrainedEyes("efficientnet_lite0", cache=cache)
    source = images.map_inputs(eyes, batch_size=1024)
    learner = brain(eyes.width, context.seeds[0])
    report = run_stream(learner, class_splits(source), batch_size=BATCH)
    seconds = time.perf_counter() - start
    cache.close()
    return seconds, len(images.train) + len(images.test), report.average_accuracy
