"""The commands that work for long, begun and gone on with as a person would.

They are called as the installed command is, by its entry point: a scenario knows the command line
only from outside.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from plasticish.conversation import Conversation
from plasticish.core import CheckpointError
from plasticish.core.checkpoint import load_checkpoint

from ..small_learners import WORDS
from ._killing import Course, Place, Tell, Victim, digest_of
from ._victims_talkers import look_at_talker, relearned
from ._victims_trainers import look_at_run, place_of_run, saved_after_every_step

__all__ = ["COMMAND_VICTIMS"]

DONE = (9,)
REFUSED = 2  # its exit status
CHUNK, READ = 20, 400
LESSONS = 30
TIMES = ("seconds_learning", "seconds", "looking", "run")


def command(*arguments: object) -> None:
    """Run ``plasticish`` with these arguments in this process.

    Raises
    ------
    CheckpointError
        If it says in one line why it cannot go on.
    RuntimeError
        If it fails in any other way.
    """
    (script,) = entry_points(group="console_scripts", name="plasticish")
    before, sys.argv = sys.argv, ["plasticish", *map(str, arguments)]
    try:
        script.load()()
    except SystemExit as leaving:
        if leaving.code == REFUSED:
            raise CheckpointError("the command refused") from leaving
        if leaving.code:
            raise RuntimeError(f"{sys.argv} ended with {leaving.code}") from leaving
    finally:
        sys.argv = before


def everything(folder: Path, report: str) -> str:
    """Return a digest of all checkpoints in a folder, and of its report but for the times."""
    values: dict[str, Any] = {"report": _timeless(json.loads((folder / report).read_bytes()))}
    tensors: dict[str, Any] = {}
    for manifest in sorted(folder.glob("**/checkpoint.json")):
        place = str(manifest.parent.relative_to(folder))
        if place == "checkpoint":
            continue  # of the training, and told apart by look_at_run
        found = load_checkpoint(manifest.parent)
        values[place] = [found.config, found.state]
        tensors |= {f"{place}/{name}": tensor for name, tensor in found.tensors.items()}
    return digest_of(values, tensors)


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in TIMES}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


class Learn(Victim):
    """``plasticish learn digits``, then ``plasticish resume``."""

    name = "plasticish learn"

    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Begin, or resume if a run stands there."""
        with saved_after_every_step(tell):
            if (folder / "config.json").exists():
                command("resume", folder, "--quiet")
            else:
                command("learn", "digits", "--batch-size", 256, "--out", folder, "--quiet")
        tell(DONE)

    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Read the report, or the checkpoint while there is none."""
        if (folder / "report.json").exists():
            return DONE, everything(folder, "report.json")
        return look_at_run(folder)


class Train(Victim):
    """``plasticish train``, then ``plasticish resume``."""

    name = "plasticish train"

    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Begin, or resume if a run stands there."""
        with saved_after_every_step(tell, self._place):
            if (folder / "config.json").exists():
                command("resume", folder, "--quiet")
            else:
                command("train", "--epochs", 1, "--out", folder, "--quiet")
        tell(DONE)

    @staticmethod
    def _place(run: Path) -> Place:
        return (int(run.name == "without"), *place_of_run(run))

    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Read the report, or the checkpoint of the network in hand while there is none."""
        if (folder / "metrics.json").exists():
            return DONE, everything(folder, "metrics.json")
        inner = folder / "without"
        run = inner if (inner / "checkpoint" / "checkpoint.json").exists() else folder
        place, digest = look_at_run(run)
        return (int(run == inner), *place), digest


class MemoryLearn(Victim):
    """``plasticish memory learn FILE``, given again after a kill."""

    name = "plasticish memory learn"

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.file = Path(self._folder.name, "words.txt")
        self.file.write_text("".join(f"{WORDS[n % 24]}{WORDS[n * 7 % 23]}\n" for n in range(READ)))

    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Give the command, unless it is done: it would learn the file once more."""
        try:
            if self.look(folder)[0] == (READ, 1):
                return
        except CheckpointError:
            pass
        with _told_by_memory(tell):
            command("memory", "learn", self.file, "--save", folder, "--experts", "plain", "--quiet")

    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Read the checkpoint."""
        found = load_checkpoint(folder)
        reading = found.state["reading"]
        place = int(reading["lines"]), int(reading["done"])
        return place, digest_of(found.state, found.tensors)


@contextmanager
def _told_by_memory(tell: Tell) -> Iterator[None]:
    module: Any = import_module("plasticish.cli.memory_learning")
    save, chunk = module._save, module.CHUNK

    def told(memory: Any, folder: Path, reading: Any) -> None:
        save(memory, folder, reading)
        tell((reading.lines, int(reading.done)))

    module._save, module.CHUNK = told, CHUNK
    try:
        yield
    finally:
        module._save, module.CHUNK = save, chunk


class Raise(Victim):
    """``plasticish raise``, given again after a kill.

    A lesson that a kill cut in two is given anew, so the log differs from that of a learner that
    nobody killed. What is due is what follows from the log.
    """

    name = "plasticish raise"
    replayed = True

    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Give the command."""
        take_lesson = Conversation.take_lesson

        def told(self: Conversation, *arguments: Any) -> Any:
            response = take_lesson(self, *arguments)
            tell((self.learner.last,))
            return response

        Conversation.take_lesson = told  # type: ignore[assignment,method-assign]
        try:
            command("raise", "--turns", LESSONS, "-m", folder, "--quiet")
        finally:
            Conversation.take_lesson = take_lesson  # type: ignore[method-assign]

    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Load who lives there."""
        if not folder.exists():
            raise CheckpointError(f"{folder} is not there")
        return look_at_talker(folder)

    def due(self, folder: Path, place: Place | None, course: Course) -> set[str]:
        """Learn everything from the log, in one go."""
        return {relearned(folder)}


COMMAND_VICTIMS: Mapping[str, Callable[[], Victim]] = {
    victim.name: victim for victim in (Learn, Train, MemoryLearn, Raise)
}
"""Every command that works for long."""
