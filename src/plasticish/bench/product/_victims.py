"""All that is killed: every learner, every trainer, every command that works for long."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ._killing import Victim
from ._victims_commands import COMMAND_VICTIMS
from ._victims_learners import LEARNER_VICTIMS
from ._victims_talkers import TALKER_VICTIMS
from ._victims_trainers import TRAINER_VICTIMS

__all__ = ["VICTIMS"]

VICTIMS: Mapping[str, Callable[[], Victim]] = {
    **LEARNER_VICTIMS,
    **TRAINER_VICTIMS,
    **TALKER_VICTIMS,
    **COMMAND_VICTIMS,
}
"""What makes each of them, by its name."""
