"""Options that several commands have, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["BrainArgument", "EngineOption", "JsonOption", "QuietOption", "WorkersOption"]

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object instead of text.", show_default=False)
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Draw no progress.", show_default=False)
]
BrainArgument = Annotated[
    Path,
    typer.Argument(
        metavar="BRAIN", help="A run folder, or the folder of a brain.", show_default=False
    ),
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        help="Who works: sequential, processes (of this machine) or ray (a cluster; extra ray).",
        show_default=False,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        help="How many work at once.  [dim]\\[default: one a core][/]", show_default=False
    ),
]
