"""``plasticish bench``: measure, as the README's figures were measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import EngineOption, JsonOption, QuietOption, WorkersOption

__all__ = ["bench"]


def bench(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Scenarios, such as 'see/*'.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Run every scenario.")] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A short run to see that it works and that nothing became worse."
        ),
    ] = False,
    update: Annotated[
        bool,
        typer.Option("--update", help="Store what is measured, in place of what was stored."),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Take over what the same code has measured already."),
    ] = False,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the report.")] = Path(
        "runs/bench"
    ),
    engine: EngineOption = None,
    workers: WorkersOption = None,
    listed: Annotated[bool, typer.Option("--list", help="List the scenarios and leave.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure, as the figures in the README were measured, and compare.

    See what there is, run one, run all of them, or all in short:

        plasticish bench --list
        plasticish bench see/split-digits
        plasticish bench --all
        plasticish bench --quick

    A scenario has a permanent id, its own seeds and its baselines. What a run
    measures is kept under runs/bench, compared with what is stored in
    benchmarks/results (benchmarks/quick for a --quick run), and reported in
    runs/bench/report.html and report.md. The exit status is 1 if a figure
    became worse by more than is allowed, or if a scenario raised an error.

    Stored results stay as they are without --update; only the first full run
    of a scenario is stored at once. After a look at the report, or after
    Ctrl-C, go on without measuring again what is done:

        plasticish bench --all --resume
        plasticish bench --all --resume --update

    Scenarios can run side by side, with the same figures. Those that measure
    times or memory run alone, after the others:

        plasticish bench --all --engine processes --workers 2

    Scenarios that need data look into the folder that the variable
    PLASTICISH_DATA names, and are skipped with a reason without it.
    """
    from .measuring import Wishes, list_scenarios, measure
    from .output import Output

    output = Output(json, quiet)
    patterns = ("*",) if every or not ids else tuple(ids)
    if listed or not (ids or every or quick):
        list_scenarios(output)
    elif not measure(Wishes(patterns, quick, update, resume, out, engine, workers), output):
        raise typer.Exit(1)
