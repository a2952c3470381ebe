"""``plasticish bench``: measure, as the README's figures were measured."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import JsonOption, QuietOption

__all__ = ["bench"]


def bench(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Scenarios, such as 'see/*'.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Run every scenario.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short run to see that it works; nothing is kept.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="List the scenarios and leave.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure, as the figures in the README were measured.

    See what there is, then run one of them:

        plasticish bench --list
        plasticish bench see/split-digits

    A scenario has a permanent id, its own seeds and its baselines. Its result
    is printed as a table and written to benchmarks/results; a --quick run is
    not written. Scenarios that need data look into the folder that the
    variable PLASTICISH_DATA names, and are skipped with a reason without it.
    """
    from .measuring import list_scenarios, measure
    from .output import Output

    output = Output(json, quiet)
    if listed or not (ids or every):
        list_scenarios(output)
    else:
        measure(["*"] if every else list(ids or ()), quick, output)
