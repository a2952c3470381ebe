"""``plasticish resume``: go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import JsonOption, QuietOption

__all__ = ["resume"]


def resume(
    run: Annotated[
        Path, typer.Argument(help="The folder of a run that was stopped.", show_default=False)
    ],
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Go on with a run that was stopped, by Ctrl-C, a crash or a power cut.

    Name its folder, and nothing else:

        plasticish resume runs/pets

    The run goes on from its last checkpoint, with the data and options that it
    was begun with, to the same result that it would have had. The data has to
    be where it was, unchanged. A run that is finished is only reported again.
    """
    from .beginning import load_for
    from .learning import finish, show
    from .output import Output
    from .report import load_report
    from .run_claim import claim
    from .run_config import RunConfig
    from .train_config import TrainConfig, is_training

    output = Output(json, quiet)
    if is_training(run):
        from .training import finish as finish_training

        finish_training(run, TrainConfig.load(run), output)
        return
    config = RunConfig.load(run)
    report = load_report(run)
    if report is not None:
        output.remark(f"{run} is finished already")
        show(report, run, output)
        return
    with claim(run):
        with output.working():
            source = load_for(config)
        finish(run, config, source, output)
