"""The loop of ``plasticish chat``: a line in, an answer out, until there are no more lines."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from plasticish.conversation import Conversation
from plasticish.core import PlasticishError

from .output import Output
from .talking_commands import Commands
from .talking_voice import Voice

__all__ = ["talk"]

YOU = "You: "


def talk(conversation: Conversation, output: Output, *, idle_s: float) -> None:
    """Answer line by line until the input ends, ``/quit``, or Ctrl-C.

    What cannot be taken in, or cannot be written, is said in one line, and the talk goes on.

    Parameters
    ----------
    conversation : Conversation
        Who answers.
    output : Output
        Where the words go.
    idle_s : float
        Seconds of silence, in a terminal, after which the learner falls asleep.
    """
    voice = Voice(output)
    commands = Commands(conversation, voice)
    voice.greet(conversation)
    for line in _lines(conversation, voice, idle_s):
        try:
            if line.startswith("/"):
                if commands.run(line):
                    break
            else:
                voice.answer(conversation, line)
        except PlasticishError as error:
            voice.error(error)


def _lines(conversation: Conversation, voice: Voice, idle_s: float) -> Iterator[str]:
    """Yield what is typed; only this can be a command, never what a teacher or the learner says."""
    # Bytes that are no UTF-8 come through as half characters, which are refused with a reason.
    with suppress(AttributeError):
        sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        for line in sys.stdin:
            yield line.rstrip("\r\n")
        return
    with suppress(ImportError):
        import readline  # noqa: F401  (its import gives input() a history)
    while True:
        try:
            with _asleep_when_idle(conversation, voice, idle_s):
                line = input(YOU)
        except EOFError:
            voice.end_line()
            return
        yield line


@contextmanager
def _asleep_when_idle(conversation: Conversation, voice: Voice, idle_s: float) -> Iterator[None]:
    """Let the learner sleep if nothing is typed for so long."""

    def doze(*_: Any) -> None:
        # It runs in the main thread while that waits for a key, so nothing else is going on.
        if conversation.learner.mind.awake:
            voice.end_line()
            voice.asleep(conversation.sleep())
            voice.write(YOU)

    before = signal.signal(signal.SIGALRM, doze)
    signal.setitimer(signal.ITIMER_REAL, idle_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
