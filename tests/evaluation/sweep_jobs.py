"""What is swept over in tests: functions of a module, as a worker imports them."""

from __future__ import annotations

from plasticish import PlasticBrain
from plasticish.data import class_splits, load_digits
from plasticish.evaluation import class_orders, run_stream


def digits(seed: int, order: int, sparsity_k: int) -> dict[str, float]:
    source = load_digits()
    few = type(source)(source.train.subset(list(range(300))), source.test, source.name)
    (labels,) = class_orders(10, [order])
    learner = PlasticBrain(64, hidden_dim=16, sparsity_k=sparsity_k, expansion=32, seed=seed)
    report = run_stream(learner, class_splits(few, 5, order=labels))
    return {"accuracy": report.average_accuracy, "forgetting": report.forgetting}


def line(seed: int, slope: float) -> dict[str, float]:
    return {"height": slope * seed}
