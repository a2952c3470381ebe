"""How a conversation looks: for people a line and a quiet line, for programs a JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from plasticish.conversation import Conversation, TeacherReply
from plasticish.conversation.response import Response, SleepReport

from .output import Output

__all__ = ["Voice"]

LEARNER = "Learner: "
DIM, PLAIN = "\033[2m", "\033[0m"


class Voice:
    """Write answers as they come.

    Parameters
    ----------
    output : Output
        Whether JSON is wanted, and whether the quiet lines are left out.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self._colours = sys.stdout.isatty()

    # ------------------------------------------------------------------ turns

    def answer(self, conversation: Conversation, line: str) -> None:
        """Let the learner answer a line, and show the answer token by token."""
        if self.output.json:
            self.emit(conversation.respond(line).to_dict())
            return
        begun = False

        def show(piece: str) -> None:
            nonlocal begun
            self.write(piece if begun else LEARNER + piece)
            begun = True

        conversation.answer(line, on_piece=show)
        self.end_line()  # before the teacher is asked, which may take long
        self.after(conversation.be_taught())

    def after(self, response: Response) -> None:
        """Write what stands under an answer: what the teacher said, the signals, the sleep."""
        taught = response.taught
        if isinstance(taught, TeacherReply):
            if taught.text is not None and taught.text != response.reply:
                self.quiet(f"{taught.teacher}: {taught.text}")
        elif taught is not None:
            self.quiet(str(taught))
        signals = response.signals
        self.quiet(
            f"{response.patterns:,} patterns learned from {response.turns:,} turns · "
            f"attention {signals.attention:.2f} · novelty {signals.novelty:.2f} · "
            f"fatigue {signals.fatigue:.2f} · dopamine {signals.dopamine:+.2f}"
        )
        if response.sleep is not None:
            self.asleep(response.sleep)

    def asleep(self, report: SleepReport) -> None:
        """Announce a sleep and what it consolidated."""
        if self.output.json:
            self.emit({"sleep": report.to_dict()})
            return
        forgot = f", forgot {len(report.forgotten)} pieces of words" if report.forgotten else ""
        self.quiet(
            f"asleep: replayed {report.replayed:,} episodes, kept {report.captured:,} weak traces "
            f"and let {report.lost:,} go, moved {report.rewired:,} synapses, pruned "
            f"{report.pruned:,}{forgot}"
        )

    def greet(self, conversation: Conversation) -> None:
        """Say who is there."""
        if self.output.json or self.output.quiet or not sys.stdout.isatty():
            return
        turns = conversation.learner.mind.turns
        who = f"It has had {turns:,} turns." if turns else "It knows nothing yet; it imitates you."
        self.quiet(f"{who} /help lists the commands; Ctrl-D ends, and everything is kept.")

    # ------------------------------------------------------------------ words

    def say(self, text: str, values: Mapping[str, Any]) -> None:
        """Write what a command found, for people or for programs."""
        if self.output.json:
            self.emit(values)
        else:
            self.write(text + "\n")

    def error(self, error: Exception) -> None:
        """Say in one line what was wrong."""
        text = " ".join(str(error).split())
        if self.output.json:
            self.emit({"error": text})
        else:
            self.write(f"{text}\n")

    def quiet(self, text: str) -> None:
        """Write a line that does not press itself upon anybody."""
        if not self.output.quiet:
            self.write(f"{DIM}  {text}{PLAIN}\n" if self._colours else f"  {text}\n")

    def emit(self, values: Mapping[str, Any]) -> None:
        """Write one JSON object on one line."""
        self.write(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")

    def end_line(self) -> None:
        """End the line that stands open."""
        self.write("\n")

    def write(self, text: str) -> None:
        """Write at once; what the screen cannot show becomes a question mark."""
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
