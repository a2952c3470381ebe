"""``plasticish why``: look into a brain while it looks at an image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import BrainArgument, JsonOption, QuietOption

__all__ = ["why"]


def why(
    brain: BrainArgument,
    image: Annotated[Path, typer.Argument(help="An image file.", show_default=False)],
    out: Annotated[Path, typer.Option(help="Where the picture goes.")] = Path("why.png"),
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """See why a brain says what it says about an image.

    Name the brain, the image, and where the picture should go:

        plasticish why runs/pets a_photo.jpg --out why.png

    The picture follows the image through the brain: what the eyes made of it,
    which neurons spoke in each block, which memories woke and of what class
    they are, and how the hippocampus (what is remembered) and the cortex (what
    is known) voted. The same is printed in short.
    """
    from .explaining import explain, print_thought
    from .opening import open_mind
    from .output import Output

    output = Output(json, quiet)
    with output.working():
        thought = explain(open_mind(brain), image, out)
    output.emit(thought)
    if not json:
        print_thought(thought, output)
