"""``plasticish learn``: the main job."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from .options import EngineOption, JsonOption, QuietOption, WorkersOption

__all__ = ["learn"]


def learn(
    source: Annotated[
        str, typer.Argument(help="digits, cifar10, fashion, or folder:PATH.")
    ] = "digits",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The run folder to make.  [dim]\\[default: runs/NAME][/]", show_default=False
        ),
    ] = None,
    brain: Annotated[
        Path | None,
        typer.Option(help="Teach this brain on: a run folder, or a brain.", show_default=False),
    ] = None,
    classes_per_task: Annotated[int, typer.Option(help="Classes that come together.")] = 2,
    epochs: Annotated[int, typer.Option(help="Passes over each phase; 1 is a stream.")] = 1,
    eyes: Annotated[
        str, typer.Option(help="Pretrained eyes: efficientnet_lite0 (no download), or a timm name.")
    ] = "efficientnet_lite0",
    stages: Annotated[
        str,
        typer.Option(
            help="Stages of the eyes to use: last (quickest), all (about three points better on "
            "CIFAR-10), or how many of the last."
        ),
    ] = "last",
    image_size: Annotated[
        int | None,
        typer.Option(help="Pixels the eyes look at; smaller is faster.", show_default=False),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep what the eyes saw for the next run.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of every random draw.")] = 0,
    batch_size: Annotated[int, typer.Option(help="Examples learned together.")] = 64,
    shards: Annotated[
        int | None,
        typer.Option(
            help="Cut each phase into so many shards and merge what they learned.",
            show_default=False,
        ),
    ] = None,
    engine: EngineOption = None,
    workers: WorkersOption = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch the data set if it is not here.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the run that is in --out.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Teach a brain one group of classes after another, and see what it keeps.

    The bundled digits, two after two; needs no data, and a few seconds:

        plasticish learn

    Your own pictures, in one sub-folder a class; a quarter of them is kept
    back for testing:

        plasticish learn folder:photos --out runs/pets

    Teach that brain new classes later. It does not need the old pictures,
    and the run it came from stays as it is:

        plasticish learn folder:more_photos --brain runs/pets --out runs/more

    Each image is shown once. After each phase the brain sleeps and is asked
    about everything so far. At the end stands what it knew of each phase when
    that was new, what it knows now, and the share that is kept, beside a
    naive softmax network that saw the same features in the same order. The
    run folder holds brain/, report.json, report.png and config.json.

    A large source can be learned by many workers. Each learns a shard of the
    phase, and the brain merges what they learned into what it would have
    learned alone:

        plasticish learn cifar10 --engine processes --workers 4
        plasticish learn cifar10 --engine ray --shards 64

    Ctrl-C stops cleanly, and `plasticish resume` goes on to the same result.
    """
    from .beginning import LearnOptions, begin
    from .learning import finish
    from .output import Output

    output = Output(json, quiet)
    options = LearnOptions(
        source, out, brain, classes_per_task, epochs, eyes, stages, image_size, cache, seed,
        batch_size, download, force, shards, engine, workers,
    )  # fmt: skip
    with ExitStack() as held:
        with output.working():
            folder, config, examples = begin(options, held)
        finish(folder, config, examples, output)
