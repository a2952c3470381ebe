"""What a person can ask for with a slash while they talk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from plasticish.conversation import Conversation, TeacherReply
from plasticish.core import ConfigError

from .talking_voice import Voice

__all__ = ["Commands"]

GOOD, BAD = 1.0, 0.0
HELP = {
    "/say TEXT": "what it should have answered",
    "/good, /bad": "how its last answer was",
    "/why": "which episodes and synapses spoke",
    "/stats": "what it is made of by now",
    "/sleep": "consolidate what was lived today",
    "/forget TEXT": "unlearn every turn with these words, and erase them from the log",
    "/save": "write a checkpoint now (every turn is kept anyway)",
    "/quit": "end, like Ctrl-D",
}


class Commands:
    """Do what a line that begins with a slash says.

    Parameters
    ----------
    conversation : Conversation
        With whom the person talks.
    voice : Voice
        What says what came of it.
    """

    def __init__(self, conversation: Conversation, voice: Voice) -> None:
        self.conversation, self.voice = conversation, voice
        self._plain: dict[str, Callable[[], None]] = {
            "/good": lambda: self._judge(GOOD),
            "/bad": lambda: self._judge(BAD),
            "/why": self._why,
            "/stats": self._stats,
            "/sleep": self._sleep,
            "/save": self._save,
            "/help": self._help,
        }
        self._with_text: dict[str, Callable[[str], None]] = {
            "/say": self._say,
            "/forget": self._forget,
        }

    def run(self, line: str) -> bool:
        """Do it, and return whether the talk is to end.

        Raises
        ------
        ConfigError
            If there is no such command, or it lacks its text or has one.
        PlasticishError
            If it cannot be done.
        """
        name, _, text = line.strip().partition(" ")
        text = text.strip()
        if name == "/quit" and not text:
            return True
        if name in self._with_text and text:
            self._with_text[name](text)
        elif name in self._plain and not text:
            self._plain[name]()
        else:
            wrong = "lacks its text" if name in self._with_text else "does not exist"
            if name in self._plain or name == "/quit":
                wrong = "takes no text"
            raise ConfigError(
                f"the command {wrong}", got=repr(line[:40]), cure="see /help for the commands"
            )
        return False

    def _judge(self, reward: float) -> None:
        self._teach(TeacherReply(teacher="you", reward=reward))

    def _say(self, text: str) -> None:
        self._teach(TeacherReply(teacher="you", text=text))

    def _teach(self, answer: TeacherReply) -> None:
        response = self.conversation.feedback(answer)
        if self.voice.output.json:
            self.voice.emit(response.to_dict())
        else:
            self.voice.quiet(
                f"{response.patterns:,} patterns learned · "
                f"dopamine {response.signals.dopamine:+.2f}"
            )

    def _why(self) -> None:
        reasons = self.conversation.why()
        lines = [reason.sentence() for reason in reasons]
        said = "\n".join(lines) or "nothing spoke: it knew nothing like it, and imitated"
        self.voice.say(said, {"why": [asdict(reason) for reason in reasons]})

    def _stats(self) -> None:
        stats = self.conversation.learner.stats()
        width = max(map(len, stats))
        lines = (f"{name:{width}}  {_number(value)}" for name, value in stats.items())
        self.voice.say("\n".join(lines), {"stats": dict(stats)})

    def _sleep(self) -> None:
        self.voice.asleep(self.conversation.sleep())

    def _forget(self, text: str) -> None:
        count = self.conversation.forget(text)
        told = (
            f"forgot {count:,} events and erased them" if count else "these words were never said"
        )
        self.voice.say(told, {"forgot": count})

    def _save(self) -> None:
        self.conversation.save()
        path = str(self.conversation.path)
        self.voice.say(f"saved in {path}", {"saved": path})

    def _help(self) -> None:
        width = max(map(len, HELP))
        lines = (f"{name:{width}}  {text}" for name, text in HELP.items())
        self.voice.say("\n".join(lines), {"help": HELP})


def _number(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "–")
