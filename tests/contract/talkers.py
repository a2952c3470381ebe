"""Every registered learner that talks, small, and a stream of lessons for it to live through."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig

from .sequences import snapshot

__all__ = ["LESSONS", "TALKERS", "answers", "fingerprint", "live"]

TALKERS: dict[str, Callable[[], Any]] = {
    "conversational_learner": lambda: ConversationalLearner(PlasticLearnerConfig(n_neurons=1024)),
}

Lessons = list[tuple[str, str]]

LESSONS: tuple[Lessons | None, ...] = (
    [("hello", "Hi there!"), ("what is your name", "I am new here.")],
    [("do you like tea", "Only with milk.")],
    None,  # a sleep
    [("hello", "Hi again!"), ("where do you live", "In a folder.")],
    [("Привет", "Привет! 🙂")],
    None,
    [("who are you", "A learner.")],
)
PROMPTS = ["hello", "what is your name?", "do you live here", "Привет", "something else"]


def live(learner: Any, stream: tuple[Lessons | None, ...] = LESSONS) -> Any:
    """Let a learner go through a stream; ``None`` is a sleep."""
    for lessons in stream:
        if lessons is None:
            learner.sleep()
        else:
            learner.learn(lessons)
    return learner


def answers(learner: Any) -> list[str]:
    """Return what a learner says."""
    return [learner.predict(prompt) for prompt in PROMPTS]


def fingerprint(name: str) -> str:
    """Return a digest of a learner's state after the stream."""
    values, tensors = snapshot(live(TALKERS[name]()))
    digest = hashlib.sha256(values.encode())
    for key in sorted(tensors):
        content = tensors[key].reshape(-1).view(torch.uint8).numpy().tobytes()
        digest.update(key.encode() + content)
    return digest.hexdigest()
