"""Every registered learner, small, with what it promises beyond the common contract."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plasticish.core import make_generator
from plasticish.estimators import PlasticClassifier
from plasticish.memory import AssociativeCortex, EpisodicMemoryBank
from plasticish.spiking.continual import ContinualLearningSTDP
from plasticish.spiking.meta_network import MetaPlasticNetwork
from plasticish.vision import PlasticBrain, TriarchicBrain

WIDTH, CLASSES = 12, 4
BLOCKS = {"hidden_dim": 32, "sparsity_k": 6, "expansion": 24}


@dataclass(frozen=True)
class Case:
    """One learner under test.

    Attributes
    ----------
    make : callable
        From a seed to a fresh learner.
    fixed : callable, optional
        A learner with exactly CLASSES classes, if it can be told.
    grows : bool
        Whether it predicts a class that came after the last sleep.
    speaks_core : bool
        Whether its answers refuse input in the words of core (scikit-learn has its own).
    answers_empty : bool
        Whether it answers before it has learned anything.
    sleeps_empty : bool
        Whether it can sleep before it has learned anything.
    any_label : bool
        Whether labels need not be integers from 0.
    """

    make: Callable[[int], Any]
    fixed: Callable[[], Any] | None = None
    grows: bool = True
    speaks_core: bool = True
    answers_empty: bool = False
    sleeps_empty: bool = False
    any_label: bool = False


CASES = {
    "plastic_brain": Case(
        lambda seed: PlasticBrain(WIDTH, num_layers=2, memory_size=200, seed=seed, **BLOCKS),
        lambda: PlasticBrain(WIDTH, num_layers=2, num_classes=CLASSES, **BLOCKS),
    ),
    "triarchic_brain": Case(
        lambda seed: TriarchicBrain(WIDTH, 64, 6, 4, seed=seed),
        lambda: TriarchicBrain(WIDTH, 64, CLASSES, 4),
        grows=False,
        answers_empty=True,
        sleeps_empty=True,
    ),
    "episodic_memory": Case(
        lambda seed: EpisodicMemoryBank(WIDTH, memory_size=50, k_neighbors=5, seed=seed),
        lambda: EpisodicMemoryBank(WIDTH, num_classes=CLASSES),
        sleeps_empty=True,
    ),
    "associative_cortex": Case(
        lambda seed: AssociativeCortex(WIDTH, 24, seed=seed),
        lambda: AssociativeCortex(WIDTH, 24, num_classes=CLASSES),
        grows=False,
    ),
    "continual_learner": Case(
        lambda seed: ContinualLearningSTDP(
            {"kind": "mlp", "sizes": [WIDTH, 16, CLASSES]},
            use_meta_plasticity=True,
            buffer={"capacity": 20, "policy": "class_balanced", "distinct": True},
            seed=seed,
        ),
        lambda: ContinualLearningSTDP({"kind": "mlp", "sizes": [WIDTH, 16, CLASSES]}),
        grows=False,
    ),
    "plastic_classifier": Case(
        lambda seed: PlasticClassifier(**BLOCKS, sleep_every=None, random_state=seed),
        speaks_core=False,
        any_label=True,
    ),
    "meta_plastic_network": Case(
        lambda seed: MetaPlasticNetwork([WIDTH, 64, 4], hidden_dim=8, seed=seed),
        lambda: MetaPlasticNetwork([WIDTH, 64, CLASSES], hidden_dim=8),
        grows=False,
        sleeps_empty=True,
    ),
}


def examples(count: int, seed: int = 0, labels: tuple[int, ...] = (0, 1, 2)) -> tuple[Any, Any]:
    """Return rows of clusters that are easy to tell apart."""
    generator = make_generator(seed)
    centres = 3 * torch.randn(CLASSES, WIDTH, generator=make_generator(99))
    y = torch.tensor(labels)[torch.randint(len(labels), (count,), generator=generator)]
    return centres[y] + 0.5 * torch.randn(count, WIDTH, generator=generator), y


STREAM: tuple[tuple[Any, Any] | None, ...] = (
    examples(20, 1),
    examples(1, 2),
    None,  # a sleep
    examples(30, 3),
    examples(10, 4, labels=(3,)),
    None,
    examples(40, 5, labels=(0, 1, 2, 3)),
)


def live(learner: Any, stream: tuple[tuple[Any, Any] | None, ...] = STREAM) -> Any:
    """Let a learner go through a stream; ``None`` is a sleep."""
    for batch in stream:
        if batch is None:
            learner.sleep()
        else:
            learner.learn(batch)
    return learner


def snapshot(learner: Any) -> tuple[str, dict[str, Tensor]]:
    """Return a copy of everything that learning changed."""
    state = learner.export_state()
    return (
        json.dumps(state.values, sort_keys=True),
        {name: tensor.detach().clone() for name, tensor in state.tensors.items()},
    )


def differences(one: Any, other: Any) -> list[str]:
    """Name what differs between two learners or snapshots, to the last bit."""
    (values, tensors), (others, theirs) = (
        part if isinstance(part, tuple) else snapshot(part) for part in (one, other)
    )
    named = sorted(set(tensors) ^ set(theirs))
    named += [key for key in set(tensors) & set(theirs) if not same(tensors[key], theirs[key])]
    return named + ([] if values == others else [f"{values} != {others}"])


def same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


def answers(learner: Any, x: Any) -> np.ndarray[Any, Any]:
    """Return labels and, where there are, probabilities."""
    parts = [np.asarray(learner.predict(x), dtype=float)[:, None]]
    if hasattr(learner, "predict_proba"):
        parts.append(np.asarray(learner.predict_proba(x)))
    return np.concatenate(parts, axis=1)


def fingerprints(seed: int = 0) -> dict[str, str]:
    """Return a digest of every learner's state after the stream."""
    digests = {}
    for name, case in CASES.items():
        values, tensors = snapshot(live(case.make(seed)))
        digest = hashlib.sha256(values.encode())
        for key in sorted(tensors):
            digest.update(
                key.encode() + tensors[key].reshape(-1).view(torch.uint8).numpy().tobytes()
            )
        digests[name] = digest.hexdigest()
    return digests
