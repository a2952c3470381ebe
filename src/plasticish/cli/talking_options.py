"""Arguments that the commands of a conversation share, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["MemoryFolderOption", "TeacherOption"]

MemoryFolderOption = Annotated[
    Path, typer.Option("--memory", "-m", help="The folder that the learner lives in.")
]
TeacherOption = Annotated[
    str,
    typer.Option(
        help="Who shows it what to say: corpus, chitchat, none, or the address of a server."
    ),
]
