"""``plasticish inspect``: what is in a run folder or a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, QuietOption

__all__ = ["inspect"]


def inspect(
    path: Annotated[
        Path,
        typer.Argument(
            help="A run folder, the folder of a talker, or a checkpoint.", show_default=False
        ),
    ],
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look into a run folder, a talker or a checkpoint, without loading it.

    A run, the brain in it, a network, or one who talks:

        plasticish inspect runs/pets
        plasticish inspect runs/pets/brain
        plasticish inspect runs/train-vision
        plasticish inspect memory

    Of a run you see what it was asked to learn, how far it is, and what it
    came to; of a talker how much it has lived through; of a brain or another
    checkpoint its kind, version, seed, configuration and arrays. Nothing in
    the files is executed.
    """
    from .inspecting import look_into, print_inspection
    from .output import Output

    output = Output(json, quiet)
    found = look_into(path)
    output.emit(found)
    if not json:
        print_inspection(found, output)
