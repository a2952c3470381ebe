"""Living: events happen, in the log first, and a folder is moved into."""

from __future__ import annotations

from pathlib import Path

from plasticish.core import Checkpoint, CheckpointError, ConfigError, Persistent, State
from plasticish.core.restoring import restoring

from .config import PlasticLearnerConfig
from .event_log import EventLog
from .events import Birth, Event, Exchange, Forgetting, Overheard, Sleep, Taught, heard_in, texts_of
from .memory_folder import MemoryFolder
from .mind import Mind
from .response import SleepReport
from .sleeping import forget, sleep
from .teaching import hear, overhear, teach

__all__ = ["Living"]

_MANNERS = {
    "teacher_api_url",
    "teacher_model",
    "teacher_language",
    "teacher_timeout_s",
    "first_words_turns",
    "short_sentences_turns",
    "max_reply_tokens",
    "memory_dir",
}
"""Fields that may be others the next time."""


class Living(Persistent):
    """The half of a :class:`.ConversationalLearner` to which things happen, in a folder or not."""

    settings: PlasticLearnerConfig
    mind: Mind
    last: int
    _slept: SleepReport
    _log: EventLog | None
    _home: Path | None

    def live(self, *events: Event) -> float:
        """Let events happen: into the log first, all or none, and then into the network.

        Returns
        -------
        float
            The error of prediction that the last event taught; 0 if it did not teach.

        Raises
        ------
        CheckpointError
            If a conversation is open and its log cannot be written; nothing is changed then.
        """
        last = self.last + len(events) if self._log is None else self._log.append(*events)
        error = 0.0
        for number, event in enumerate(events, last - len(events) + 1):
            error = self._happen(number, event)
        return error

    def _happen(self, number: int, event: Event) -> float:
        """Change as the event with this number has it; all that a learner is follows from these."""
        self.last = number
        match event:
            case Exchange():
                hear(self.mind, event)
            case Overheard():
                overhear(self.mind, number, event)
            case Taught():
                return teach(self.mind, number, event)
            case Sleep():
                self._slept = sleep(self.mind)
            case Forgetting():
                self._forget(event)
            case Birth():
                pass
        return 0.0

    def _forget(self, event: Forgetting) -> None:
        log = self._log
        logged = [] if log is None else [log.about(number) for number in event.events]
        gone = [one.event for one in logged if one is not None]
        forget(
            self.mind,
            event.events,
            [text for one in gone for text in texts_of(one)],
            [text for one in gone for text in heard_in(one)],
            lambda text: log is None or not log.says(text, event.events),
        )

    def catch_up(self, folder: MemoryFolder) -> int:
        """Become who lives in a folder, and return how many events were learned from its log.

        Raises
        ------
        ConfigError
            If it is of another size, or this learner has lived already.
        CheckpointError
            If the folder is damaged.
        """
        before = self.mind, self.last
        try:
            if not folder.made and not self._is_at_home(folder):
                self._move_in(folder.read(self.kind), folder.log.birth)
            self._log, learned = folder.log, 0
            for logged in folder.log.after(self.last):
                self._happen(logged.number, logged.event)
                learned += not isinstance(logged.event, Birth)
        except BaseException:
            (self.mind, self.last), self._log = before, None
            raise
        self._home = folder.path.resolve()
        return learned

    def _is_at_home(self, folder: MemoryFolder) -> bool:
        """Whether it lived in this folder before, and nobody else has since."""
        return self._home == folder.path.resolve() and self.last == folder.log.last

    def _move_in(self, checkpoint: Checkpoint | None, birth: Birth | None) -> None:
        """Take on the state in a checkpoint; without one, be born again."""
        assert birth is not None
        if self.last:
            raise ConfigError(
                "this learner has lived already, and another one lives in that folder",
                cure="begin with a new learner, or choose another folder",
            )
        config = birth.config if checkpoint is None else checkpoint.config
        self._check_body(PlasticLearnerConfig.from_dict(config["config"]))
        if checkpoint is not None:
            with restoring("the memory", type(self).__name__, checkpoint.tensors):
                self._restore(checkpoint)

    def _restore(self, checkpoint: Checkpoint) -> None:
        try:
            self.import_state(State(checkpoint.state, checkpoint.tensors))
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(
                "the checkpoint does not fit this learner",
                got=str(error),
                cure="it was written by another version or altered by hand",
            ) from error

    def _check_body(self, stored: PlasticLearnerConfig) -> None:
        mine, theirs = self.settings.to_dict(), stored.to_dict()
        for name in sorted(mine.keys() - _MANNERS):
            if mine[name] != theirs[name]:
                raise ConfigError(
                    "the learner in this folder is built otherwise",
                    got=f"{name}={mine[name]!r}",
                    expected=repr(theirs[name]),
                    cure="leave it as it is there, or choose another folder",
                )
