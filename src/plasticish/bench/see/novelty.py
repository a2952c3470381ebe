"""Does it know that it has never seen such a thing?"""

from __future__ import annotations

import torch
from torch import Tensor

from plasticish.data import Source
from plasticish.evaluation import SLDA, class_orders, signed_sqrt
from plasticish.metrics import auroc

from ..features import cifar10_images, seen
from ..scenario import Context, Findings, Goal, Metric, scenario
from ._common import BRAIN, brain, taught

HELD_OUT = 4
DISTANCE, MAHALANOBIS = "kNN-10 cosine distance", "Mahalanobis to the nearest mean"


@scenario(
    "see/novelty",
    title="things never seen before",
    question="Are images of classes that were never taught told apart from those that were?",
    protocol="""4 random classes of the 10 are held out, the other 6 taught in one pass; then every
    test image gets a novelty. AUROC: the chance that an image of a class held out scores higher
    than one of a class taught. EfficientNet-Lite0 at 128 px, all stages.""",
    data="CIFAR-10 (the part that is in PLASTICISH_DATA)",
    metrics=[Metric("AUROC")],
    goals=[Goal(BRAIN, "AUROC", ">=", 75, aim=80)],
    baselines=[DISTANCE, MAHALANOBIS],
    seeds=tuple(range(10)),
    requires_data=True,
)
def novelty(context: Context) -> Findings:
    """Hold out another four classes for each seed."""
    findings = Findings()
    source = seen(context, cifar10_images(context))
    found: dict[str, list[float]] = {BRAIN: [], DISTANCE: [], MAHALANOBIS: []}
    orders = class_orders(len(source.classes), context.seeds)
    for seed, order in zip(context.seeds, orders, strict=True):
        known = Source(source.train.of_classes(order[HELD_OUT:]), source.test, source.name)
        strange = torch.isin(source.test.labels, torch.tensor(order[:HELD_OUT]))
        ours = brain(source.train.inputs.shape[1], seed)
        taught(ours, known.train, seed)
        scores = {
            BRAIN: ours.novelty(source.test.inputs),
            DISTANCE: neighbour_distance(known.train.inputs, source.test.inputs),
            MAHALANOBIS: mahalanobis(known),
        }
        for row, score in scores.items():
            found[row].append(100 * auroc(score, strange))
    for row, values in found.items():
        findings.add(row, AUROC=values)
    return findings


def neighbour_distance(stored: Tensor, queries: Tensor, k: int = 10) -> Tensor:
    """Return one less the mean cosine to the ``k`` nearest rows, on power-transformed features.

    Sun, Ming, Zhu & Li (2022), Out-of-distribution detection with deep nearest neighbors.
    """
    unit = torch.nn.functional.normalize
    keys, asked = unit(signed_sqrt(stored)), unit(signed_sqrt(queries))
    return 1 - (asked @ keys.T).topk(k, dim=1).values.mean(dim=1)


def mahalanobis(known: Source) -> Tensor:
    """Return the squared Mahalanobis distance of each test row to its nearest class mean.

    Lee, Lee, Lee & Shin (2018), A simple unified framework for detecting out-of-distribution
    samples; the shared covariance is that of SLDA, shrunk by a tenth of its mean variance.
    """
    moments = SLDA()
    moments.learn((signed_sqrt(known.train.inputs), known.train.labels))
    covariance = moments.covariance
    covariance.diagonal().add_(0.1 * covariance.diagonal().mean())
    factor = torch.linalg.cholesky(covariance)

    def whitened(x: Tensor) -> Tensor:
        white: Tensor = torch.linalg.solve_triangular(factor, x.T, upper=False).T
        return white

    means = whitened(moments.means[moments.counts > 0])
    asked = whitened(signed_sqrt(known.test.inputs).double())
    return torch.cdist(asked, means).amin(dim=1) ** 2
