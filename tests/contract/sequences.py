"""Every registered learner whose input is sequences, small, and a stream for it to live through."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from plasticish.sequence import PlasticMemory, RecognisingMemory

SEQUENCES: dict[str, Callable[[int], Any]] = {
    "plastic_memory": lambda seed: PlasticMemory(max_synapses=1500, seed=seed),
    "recognising_memory": lambda seed: RecognisingMemory(max_synapses=1500, seed=seed),
}

STREAM: tuple[list[str] | None, ...] = (
    ["emma", "emily", "olivia"],
    ["ava"],
    None,  # a sleep
    ["isabella", "sophia", "mia", "emma"],
    ["zoe", "zara"],
    None,
    ["emilia", "amelia", "ella", "emma"],
)
QUESTIONS = ["emma", "ella", "xenia"]


def live(learner: Any, stream: tuple[list[str] | None, ...] = STREAM) -> Any:
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
    tensors = {name: tensor.detach().clone() for name, tensor in state.tensors.items()}
    return json.dumps(state.values, sort_keys=True), tensors


def differences(one: Any, other: Any) -> list[str]:
    """Name what differs between two learners or snapshots, to the last bit."""
    (values, tensors), (others, theirs) = (
        part if isinstance(part, tuple) else snapshot(part) for part in (one, other)
    )
    named = sorted(set(tensors) ^ set(theirs))
    named += [k for k in set(tensors) & set(theirs) if not torch.equal(tensors[k], theirs[k])]
    return named + ([] if values == others else [f"{values} != {others}"])


def answers(learner: Any) -> list[Any]:
    """Return what a learner says, without any of its objects."""
    said: list[Any] = [learner.log_likelihood(QUESTIONS).tolist()]
    for prefix in ("", "em", "xe"):
        prediction = learner.predict(prefix)
        said += [prediction.probabilities.tolist(), prediction.end, prediction.new]
    return said


def fingerprints(seed: int = 0) -> dict[str, str]:
    """Return a digest of every learner's state after the stream."""
    digests = {}
    for name, make in SEQUENCES.items():
        values, tensors = snapshot(live(make(seed)))
        digest = hashlib.sha256(values.encode())
        for key in sorted(tensors):
            content = tensors[key].reshape(-1).view(torch.uint8).numpy().tobytes()
            digest.update(key.encode() + content)
        digests[name] = digest.hexdigest()
    return digests
