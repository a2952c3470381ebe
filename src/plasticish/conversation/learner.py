"""A learner that starts with nothing and learns to talk from every turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from plasticish.core import (
    LEARNERS,
    Checkpoint,
    ConfigError,
    DataError,
    DTypeError,
    NotReadyError,
    Report,
    State,
    save_checkpoint,
)
from plasticish.core.restoring import restoring

from .config import PlasticLearnerConfig
from .conversation import Conversation
from .event_log import EventLog
from .events import Sleep, Taught
from .living import Living
from .memory_folder import LOG, MemoryFolder, lost_beginning, read_state
from .mind import Mind
from .response import Response, SleepReport
from .said import check_said
from .teachers import LLMTeacher, Teacher, TeacherReply
from .teaching import YOU

__all__ = ["ConversationalLearner"]


@LEARNERS.register("conversational_learner")
class ConversationalLearner(Living):
    """Learn to talk: from turns, from teachers, and in its sleep.

    A learner is complete in memory: :meth:`learn` takes prompts with their replies, :meth:`predict`
    answers. A *conversation* ties it to a folder, in which everything that happens is on the disk
    before it is acted on.

    Parameters
    ----------
    config : PlasticLearnerConfig or mapping, optional
        Sizes, rates and switches.

    Raises
    ------
    ConfigError
        If the config has an unknown field, or one out of range.

    Examples
    --------
    >>> learner = ConversationalLearner(PlasticLearnerConfig(n_neurons=1024))
    >>> report = learner.learn([("What is your name?", "I am new here.")])
    >>> learner.predict("what is your name")
    'I am new here.'
    """

    kind: ClassVar[str] = "conversational_learner"

    def __init__(self, config: PlasticLearnerConfig | Mapping[str, Any] | None = None) -> None:
        if config is None:
            config = PlasticLearnerConfig()
        elif not isinstance(config, PlasticLearnerConfig):
            config = PlasticLearnerConfig.from_dict(config)
        self.settings = config
        self.mind = Mind(config)
        self.last = 0  # number of the last event that it lived through
        self._slept = SleepReport()
        self._log: EventLog | None = None
        self._conversation: Conversation | None = None
        self._home: Path | None = None

    # ------------------------------------------------------------------ the protocol of learners

    def learn(self, batch: Any) -> Report:
        """Learn prompts with their replies, one after another.

        Parameters
        ----------
        batch : sequence of (prompt, reply)
            At least one pair of texts.

        Returns
        -------
        mapping
            ``pairs`` learned now, ``patterns`` and ``vocabulary`` in all.

        Raises
        ------
        DTypeError, DataError
            If it is no such sequence, or a text is blank, too long, or holds control characters;
            nothing is learned then.
        """
        pairs = _checked(batch)
        self.live(*(Taught(prompt, None, reply, None, YOU, True) for prompt, reply in pairs))
        return {
            "pairs": len(pairs),
            "patterns": self.mind.patterns,
            "vocabulary": len(self.mind.tokenizer),
        }

    def predict(self, prompt: Any) -> str:
        """Return the answer to a prompt; nothing is learned.

        Raises
        ------
        DTypeError, DataError
            If the prompt is blank, too long, or holds control characters.
        """
        return self.mind.think(check_said(prompt, "the prompt")).text

    def sleep(self) -> Report:
        """Replay what was taught, keep what was captured, and let the rest of the day go.

        Returns
        -------
        mapping
            As :meth:`SleepReport.to_dict`; after a sleep, a second one does nothing.
        """
        return self.doze().to_dict()

    def doze(self) -> SleepReport:
        """Sleep, and return what it did as an object."""
        if not self.mind.awake:
            return SleepReport()
        self.live(Sleep())
        return self._slept

    def stats(self) -> Report:
        """Return plain numbers about the inside."""
        return self.mind.stats()

    # ------------------------------------------------------------------ talking

    def start_conversation(
        self, teacher: Teacher | None = None, memory: str | Path | None = None
    ) -> Conversation:
        """Open the folder that the learner lives in, and begin to talk.

        What its checkpoint lacks is learned from its log, each event once. Used as a context, the
        conversation is saved and closed at its end.

        Parameters
        ----------
        teacher : Teacher, optional
            Who is asked about every turn; by default the model at ``teacher_api_url``, if there is
            one.
        memory : path, optional
            The folder; ``memory_dir`` by default.

        Raises
        ------
        CheckpointError
            If the folder holds something else, is damaged, or is open in another process.
        ConfigError
            If a conversation is open already, this learner has lived already and another one lives
            in the folder, or it is built otherwise.

        Examples
        --------
        >>> import tempfile
        >>> from plasticish.conversation import ScriptedTeacher
        >>> learner = ConversationalLearner(PlasticLearnerConfig(n_neurons=1024))
        >>> teacher = ScriptedTeacher([("hi", "Hello!")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with learner.start_conversation(teacher, f"{folder}/memory"):
        ...         said = [learner.process_input_and_respond("hi").reply for _ in range(2)]
        >>> said
        ['hi', 'Hello!']
        """
        if self._conversation is not None:
            raise ConfigError(
                "a conversation is open already", cure="close it before you start another"
            )
        folder = MemoryFolder(memory or self.settings.memory_dir, self.checkpoint, self.last)
        try:
            self._conversation = Conversation(self, folder, teacher or self._own_teacher())
        except BaseException:
            folder.close()
            raise
        return self._conversation

    def _own_teacher(self) -> Teacher | None:
        settings = self.settings
        if settings.teacher_api_url is None:
            return None
        return LLMTeacher(
            settings.teacher_api_url,
            model=settings.teacher_model,
            language=settings.teacher_language,
            timeout_s=settings.teacher_timeout_s,
        )

    def process_input_and_respond(
        self, text: str, on_piece: Callable[[str], None] | None = None
    ) -> Response:
        """Answer in the open conversation; see :meth:`Conversation.respond`.

        Raises
        ------
        NotReadyError
            If no conversation was started.
        """
        return self._talking().respond(text, on_piece=on_piece)

    def provide_feedback(
        self, reward: float | None = None, text: str | None = None, *, teacher: str = YOU
    ) -> Response:
        """Say how good the last answer was, in [0, 1], or what it should have been, or both.

        Raises
        ------
        NotReadyError
            If no conversation was started, or nothing was answered in it.
        DataError
            If it says nothing, or the reward is out of range; nothing is learned.
        """
        return self._talking().feedback(TeacherReply(teacher=teacher, text=text, reward=reward))

    def get_learning_stats(self) -> Report:
        """Return what :meth:`stats` does."""
        return self.stats()

    def _talking(self) -> Conversation:
        if self._conversation is None:
            raise NotReadyError(
                "there is no conversation", cure="start one with start_conversation()"
            )
        return self._conversation

    def hang_up(self) -> None:
        """Belong to no folder any more; a conversation does this when it is closed."""
        self._conversation = self._log = None

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {"config": self.settings.to_dict()}

    def export_state(self) -> State:
        """Return everything that life changed."""
        state = self.mind.export_state()
        return State({**state.values, "last": self.last}, state.tensors)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned; on an error nothing is changed."""
        last = state.values["last"]
        if isinstance(last, bool) or not isinstance(last, int) or last < 0:
            raise DataError("the stored number of events is none", got=repr(last))
        mind = Mind(self.settings)
        mind.import_state(state)
        self.mind, self.last = mind, last

    def checkpoint(self) -> Checkpoint:
        """Return everything that is needed to go on bit for bit."""
        state = self.export_state()
        return Checkpoint(self.kind, self.config(), state.values, state.tensors, self.settings.seed)

    def save(self, path: str | Path | None = None) -> Path:
        """Write the learner into the folder ``path``; that of its conversation by default.

        Raises
        ------
        NotReadyError
            If no folder is named and no conversation was started.
        CheckpointError
            If it cannot be written, or the folder holds something else; that stays as it is.
        """
        if path is not None:
            return save_checkpoint(path, self.checkpoint())
        self._talking().save()
        return self._talking().path

    @classmethod
    def load(cls, path: str | Path) -> ConversationalLearner:
        """Read what :meth:`save` wrote, or who lives in the folder of a conversation.

        The folder is left alone, and may be open in another process.

        Raises
        ------
        CheckpointError
            If it is missing, foreign, truncated, of another class, or from a newer version.
        """
        if not (Path(path) / LOG).is_file():
            return super().load(path)
        log = EventLog(Path(path) / LOG, writable=False)
        try:
            checkpoint = read_state(Path(path), log, cls.kind)
            birth = log.birth
            if birth is None:
                raise lost_beginning(log.path)
            stored = {} if checkpoint is None else checkpoint.tensors
            with restoring(f"the memory {path}", cls.__name__, stored):
                learner = cls(**(birth.config if checkpoint is None else checkpoint.config))
                if checkpoint is not None:
                    learner._restore(checkpoint)
                learner._log = log
                for logged in log.after(learner.last):
                    learner._happen(logged.number, logged.event)
                learner._log = None
        finally:
            log.close()
        return learner


def _checked(batch: Any) -> list[tuple[str, str]]:
    if isinstance(batch, str | bytes) or not isinstance(batch, Sequence):
        raise DTypeError(
            "this is no batch of lessons",
            got=type(batch).__name__,
            expected="a sequence of pairs (prompt, reply)",
        )
    if not batch:
        raise DataError("there is no lesson", expected="at least one pair (prompt, reply)")
    pairs = []
    for place, pair in enumerate(batch):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise DTypeError(
                f"lesson {place} is no pair", got=repr(pair)[:60], expected="(prompt, reply)"
            )
        prompt, reply = pair
        pairs.append(
            (
                check_said(prompt, f"the prompt of lesson {place}"),
                check_said(reply, f"the reply of lesson {place}"),
            )
        )
    return pairs
