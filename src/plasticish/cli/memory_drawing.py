"""``plasticish memory draw``, ``export`` and ``watch``: what there is to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .memory_options import HERE, FileArgument, MemoryOption
from .options import JsonOption, QuietOption

__all__ = ["draw", "export", "watch"]


def draw(
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the picture goes: .svg or .png. By default tree.svg or library.svg.",
            show_default=False,
        ),
    ] = None,
    what: Annotated[str, typer.Option(help="tree or library.")] = "tree",
    fired: Annotated[
        str | None,
        typer.Option(
            help="Highlight the path of this, or what it is built of.", show_default=False
        ),
    ] = None,
    level: Annotated[
        int | None,
        typer.Option(help="Of the library, only concepts of this level.", show_default=False),
    ] = None,
    concept: Annotated[
        str | None, typer.Option(help="Of the library, only this one: C12.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(help="Nodes drawn at most, the strongest.")] = 300,
    layout: Annotated[
        str, typer.Option(help="own, dot (Graphviz), or auto: dot if it is there.")
    ] = "auto",
    folder: MemoryOption = HERE,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Draw the tree or the library: count as thickness, level as colour.

    The ending of the name says whether it is SVG or PNG:

        plasticish memory draw --out tree.svg
        plasticish memory draw --what library --fired marianne

    Graphviz is not needed. A large tree is drawn in its strongest part, and
    the picture says so.
    """
    from plasticish.core import ConfigError

    from .memory_asking import open_memory
    from .output import Output

    output = Output(json, quiet)
    out = Path(f"{what}.svg") if out is None else out
    if what != "library" and not (level is None and concept is None):
        raise ConfigError(
            "--level and --concept are of the library", got=f"--what {what}",
            cure="add --what library",
        )  # fmt: skip
    opened = open_memory(folder)
    with output.working():
        if what == "library":
            picture = opened.draw_library(
                counts=True, fired=fired, level=level, concept=concept, limit=limit, layout=layout
            )
        else:
            picture = opened.draw(what, counts=True, fired=fired, limit=limit, layout=layout)
    picture.save(out)
    output.emit({"out": str(out), "left_out": picture.left_out})
    left = f"; {picture.left_out:,} weaker nodes are not drawn" if picture.left_out else ""
    output.say(f"{out}{left}")


def export(
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("graph"),
    folder: MemoryOption = HERE,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write edges.csv and nodes.csv, as graph viewers such as Cosmograph read them.

    Name the folder:

        plasticish memory export --out graph

    Edges have source, target and color; nodes have id, count and r_level.
    """
    from .memory_asking import open_memory
    from .output import Output

    output = Output(json, quiet)
    edges, nodes = open_memory(folder).export(out)
    output.emit({"edges": str(edges), "nodes": str(nodes)})
    output.say(f"{edges}\n{nodes}")


def watch(
    file: FileArgument = None,
    out: Annotated[Path, typer.Option(help="Where the animation goes: .gif.")] = Path("growth.gif"),
    count: Annotated[int, typer.Option(help="How many sequences are learned.")] = 40,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Animate how the tree grows while it learns the first sequences of a file.

    Without a file, the first of the bundled names:

        plasticish memory watch --out growth.gif
        plasticish memory watch names.txt --count 60

    Blue signals are counts, green ones levels: both travel from the leaf to the
    root whenever a sequence is learned.
    """
    from plasticish.sequence.growth import animate_growth, check_ending

    from .memory_learning import read_sequences
    from .output import Output

    output = Output(json, quiet)
    check_ending(out)
    with output.working():
        animation = animate_growth(read_sequences(file)[0], count)
    animation.save(out)
    output.emit({"out": str(out), "sequences": animation.sequences, "frames": animation.frames})
    output.say(f"{out}: {animation.sequences} sequences, {animation.frames} frames")
