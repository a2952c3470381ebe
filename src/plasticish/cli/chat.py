"""``plasticish chat``: talk with a learner that starts with nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import QuietOption
from .talking_options import MemoryFolderOption, TeacherOption

__all__ = ["chat"]


def chat(
    memory: MemoryFolderOption = Path("memory"),
    teacher: TeacherOption = "none",
    idle: Annotated[
        float, typer.Option(help="Seconds of silence after which it falls asleep.")
    ] = 300.0,
    seed: Annotated[int, typer.Option(help="Of a new learner.")] = 0,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a line of input.", show_default=False),
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Talk with a learner that starts with nothing and learns from every turn.

    Just begin; it imitates you at first:

        plasticish chat

    Say what it should have answered, and ask again:

        You: what is your name?
        Learner: what
        You: /say I am new here
        You: what is your name?
        Learner: I am new here

    A teacher shows it what to say to everything: the bundled dialogues, or any
    language model on your machine (docs/teachers.md).

        plasticish chat --teacher corpus
        plasticish chat --teacher http://localhost:1234

    Under each answer stand the patterns learned, and what its neuromodulators
    do: attention (acetylcholine), novelty (norepinephrine), fatigue
    (adenosine) and dopamine, which is how much better its answer was than it
    expected. /help lists the commands; only a line that you type and that
    begins with a slash is one.

    Every turn is on the disk before you see the answer. It lives in the
    folder memory/, unless you name another, and goes on there the next time.
    In a pipe it answers line by line:

        echo "hi" | plasticish chat --json
    """
    from plasticish.conversation import open_teacher
    from plasticish.core import check_positive

    from .output import Output
    from .talking import talk
    from .talking_opening import open_conversation, who_lives_in

    output = Output(json, quiet)
    check_positive(idle=idle)
    asked = open_teacher(teacher)  # before anything is made: its name may be wrong
    config = who_lives_in(memory, seed)
    with output.working(), open_conversation(memory, config, asked, output) as conversation:
        talk(conversation, output, idle_s=idle)
