"""From a folder to an open conversation with whoever lives there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plasticish.conversation import (
    Conversation,
    ConversationalLearner,
    PlasticLearnerConfig,
    Teacher,
)
from plasticish.conversation.memory_folder import read_config

from .output import Output

__all__ = ["open_conversation", "who_lives_in"]


def who_lives_in(folder: Path, seed: int) -> PlasticLearnerConfig:
    """Return the config of the learner in ``folder``, or that of a new one.

    Raises
    ------
    CheckpointError
        If the folder holds something else, or is damaged.
    """
    found = read_config(folder)
    if found is None:
        return PlasticLearnerConfig(seed=seed)
    return PlasticLearnerConfig.from_dict(found["config"])


@contextmanager
def open_conversation(
    folder: Path, config: PlasticLearnerConfig, teacher: Teacher | None, output: Output
) -> Iterator[Conversation]:
    """Open the learner in ``folder``, or a new one; save and close it at the end.

    Raises
    ------
    CheckpointError
        If the folder holds something else, is damaged, or is open in another process.
    """
    learner = ConversationalLearner(config)
    with learner.start_conversation(teacher, folder) as conversation:
        if conversation.relearned:
            output.remark(f"learned the last {conversation.relearned:,} events again from the log")
        yield conversation
