"""Arguments that several of the commands of ``plasticish memory`` have, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["HERE", "FileArgument", "MemoryOption"]

HERE = Path("memory")

FileArgument = Annotated[
    Path | None,
    typer.Argument(
        help="A text file in UTF-8, one sequence a line; without it, the bundled first names.",
        show_default=False,
    ),
]
MemoryOption = Annotated[
    Path, typer.Option("--memory", "-m", help="The folder that the memory was saved to.")
]
