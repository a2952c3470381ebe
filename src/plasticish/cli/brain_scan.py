"""``plasticish brain-scan``: a look inside a learner that talks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, QuietOption

__all__ = ["brain_scan"]


def brain_scan(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that the learner lives in.")
    ] = Path("memory"),
    out: Annotated[Path, typer.Option(help="Where the picture goes: .png, .svg or .pdf.")] = Path(
        "scan.png"
    ),
    say: Annotated[
        str | None,
        typer.Option(
            help="What it is asked, to see it answer.  [dim]\\[default: what it heard last][/]",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw who fires when it speaks, what it feels, and how its words lie and grew.

    Nothing is changed, and it may go on talking in another window:

        plasticish brain-scan memory --out scan.png
        plasticish brain-scan memory --say "What is your name?"

    Top left, the cells that fire at each token of its answer. Top right, its
    neuromodulators over the last turns. Bottom left, how its words grew out of
    characters; bottom right, how much the cells of two words have in common.
    """
    from plasticish.visualization import save_figure
    from plasticish.visualization.brain_scan import plot_brain_scan

    from .output import Output
    from .scanning import scan

    output = Output(json, quiet)
    with output.working():
        found = scan(folder, say)
        path = save_figure(plot_brain_scan(found), out)
    said = "".join(found.sentence)
    output.emit({"out": str(path), "said": said, "turns": len(found.lived)})
    output.say(f"{path}: its answer “{said}”, {len(found.lived):,} turns, {len(found.words)} words")
