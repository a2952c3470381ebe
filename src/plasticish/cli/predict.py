"""``plasticish predict``: ask a brain what is in an image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import BrainArgument, JsonOption, QuietOption

__all__ = ["predict"]


def predict(
    brain: BrainArgument,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Image files.", show_default=False)
    ],
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Ask a brain what is in an image.

    Name the brain, then as many image files as you like:

        plasticish predict runs/pets a_photo.jpg another.png

    For each image you get the class and how sure the brain is of it; or that
    it has never seen anything like it, and what it is reminded of. An image is
    called strange if it is stranger than 99 of 100 things that the brain
    remembers.

    A brain of the bundled digits looks at any image as the digits are: grey,
    8x8 pixels, light strokes on a dark ground. A light border is taken for
    paper and inverted, and what is drawn is cut out and centred.

    An image that cannot be read is named on stderr, the others are answered,
    and the exit code is 2.
    """
    from plasticish.core import DataError

    from .asking import ask
    from .opening import open_mind
    from .output import Output
    from .wording import answer_table

    output = Output(json, quiet)
    with output.working():
        found = list(ask(open_mind(brain), images))
    answers = [answer for answer in found if not isinstance(answer, DataError)]
    errors = [error for error in found if isinstance(error, DataError)]
    output.emit(
        {
            "brain": str(brain),
            "answers": [answer.to_dict() for answer in answers],
            "errors": [str(error) for error in errors],
        }
    )
    if answers:
        output.say(answer_table(answers))
    for error in errors:
        print(f"plasticish: {error}", file=sys.stderr)
    if errors:
        raise typer.Exit(2)
