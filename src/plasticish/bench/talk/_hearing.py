"""What the scenarios of listening share: conversations to hear, and others to be asked about."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch

from plasticish.conversation.listener import Listener
from plasticish.core import make_generator, spawn_seed
from plasticish.data import Conversation

from ..dialogues import load_chitchat
from ..scenario import Context

__all__ = ["frozen_nats", "hearing", "turns_of"]


def hearing(
    context: Context, seed: int, heard: int, asked: int
) -> tuple[list[Conversation], list[Conversation]]:
    """Return conversations to hear and the next ones, in the order that the seed draws."""
    conversations = _chitchat()
    generator: torch.Generator = make_generator(spawn_seed(seed, 1))
    order = torch.randperm(len(conversations), generator=generator).tolist()
    if context.quick:
        heard, asked = 10, 3
    drawn = [conversations[place] for place in order[: heard + asked]]
    return drawn[:heard], drawn[heard:]


@cache
def _chitchat() -> tuple[Conversation, ...]:
    return tuple(load_chitchat())


def turns_of(conversations: Sequence[Conversation]) -> list[str]:
    """Return the turns of some conversations, one after another."""
    return [turn for turns in conversations for turn in turns]


def frozen_nats(listener: Listener, conversations: Sequence[Conversation]) -> float:
    """Return the surprise a symbol at conversations of which nothing is learned."""
    return float(np.concatenate([listener.surprise(turns) for turns in conversations]).mean())
