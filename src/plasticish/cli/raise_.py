"""``plasticish raise``: lessons without a person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, QuietOption
from .talking_options import MemoryFolderOption, TeacherOption

__all__ = ["raise_"]


def raise_(
    teacher: TeacherOption = "corpus",
    turns: Annotated[int, typer.Option(help="Lessons of this teacher in all.")] = 1000,
    memory: MemoryFolderOption = Path("memory"),
    seed: Annotated[int, typer.Option(help="Of a new learner and the order of lessons.")] = 0,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Give a learner lessons, one after another, without a person.

    From the bundled dialogues, a minute's work; then talk with it:

        plasticish raise --turns 1000
        plasticish chat

    A lesson is something said to the learner. It answers, hears what it should
    have answered, and learns from the difference. You see how close its answers
    come (chrF, 100 % is the very words), how surprising language still is to
    it, how many words and syllables it has, and how tired it is; it sleeps
    when it has to.

    A language model on your machine makes up its own lessons, in ever longer
    sentences (docs/teachers.md):

        plasticish raise --teacher http://localhost:1234 --turns 200

    After a crash or Ctrl-C the same command goes on where it was. For more
    lessons, ask for more turns.
    """
    from .output import Output
    from .raising import raise_learner

    output = Output(json, quiet)
    with output.working():
        found = raise_learner(memory, teacher, turns, seed, output)
    output.emit(found)
    output.say(
        f"{found['lessons']:,} lessons; of the last {found['recent']:,}, "
        f"{100 * found['exact']:.0f} % answered in the very words, chrF "
        f"{100 * found['accuracy']:.0f} %; {found['patterns']:,} patterns, "
        f"{found['vocabulary']:,} pieces of words"
    )
