"""A learner that talks: all that happens is in the log of its folder first."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig
from plasticish.conversation.memory_folder import LOG
from plasticish.core import CheckpointError

from ..small_learners import LESSONS
from ._killing import Course, Place, Tell, Victim, digest_of

__all__ = ["TALKER_VICTIMS", "look_at_talker", "relearned"]

CONFIG = PlasticLearnerConfig(n_neurons=1024)
FORGET, SLEEP, SAVE = "forget", "sleep", "save"
Step = str | list[tuple[str, str]]
"""What is said, or a lesson, or one of the above."""


def look_at_talker(folder: Path) -> tuple[Place, str]:
    """Return the number of the last event that a learner lived through, and a digest of it."""
    learner = ConversationalLearner.load(folder)
    state = learner.export_state()
    return (learner.last,), digest_of(state.values, state.tensors)


def relearned(folder: Path) -> str:
    """Return the digest of one that learned everything from the log of a folder, in one go."""
    with tempfile.TemporaryDirectory() as copy:
        for file in folder.glob(f"{LOG}*"):
            shutil.copy2(file, copy)
        return look_at_talker(Path(copy))[1]


def _script() -> list[tuple[Step, int]]:
    """Return what happens, and how many events each of it is."""
    steps: list[tuple[Step, int]] = []
    for turn, lesson in enumerate(LESSONS * 3):
        steps += [(lesson[0], 1), ([lesson, LESSONS[turn % 3]], 2)]
        if turn % 5 == 4:
            steps.append((SLEEP, 1))
        if turn % 7 == 3:
            steps.append((SAVE, 0))
        if turn == 9:
            steps.append((FORGET, 1))
    return steps


class ConversationVictim(Victim):
    """Turns, lessons, sleep, saves, and something that is to be forgotten, in one folder."""

    name = "conversation"

    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Open the folder and go on after the last event that is in its log."""
        learner = ConversationalLearner(CONFIG)
        with learner.start_conversation(memory=folder) as conversation:

            def shown(piece: str) -> None:
                tell((learner.last,))

            at = 1  # the birth
            tell((learner.last,))
            for step, events in _script():
                at += events
                if at < learner.last or (events and at == learner.last):
                    continue  # lived through already
                if step == FORGET:
                    conversation.forget("folder")
                elif step == SLEEP:
                    conversation.sleep()
                elif step == SAVE:
                    conversation.save()
                elif isinstance(step, str):
                    conversation.answer(step, on_piece=shown, overhear=False)
                else:
                    learner.learn(step)
                assert learner.last == at, f"{step} led to {learner.last}, not {at}"
                tell((learner.last,))

    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Load who lives there, beside the process that has the folder open."""
        if not folder.exists():
            raise CheckpointError(f"{folder} is not there")
        return look_at_talker(folder)


TALKER_VICTIMS: Mapping[str, Callable[[], Victim]] = {"conversation": ConversationVictim}
