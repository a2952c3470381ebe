"""Options that several commands have, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["BrainArgument", "JsonOption", "QuietOption"]

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
