"""A report as a table and a few sentences."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from .output import Output, percent

__all__ = ["fate_cells", "kept_cell", "print_report"]


def print_report(report: Mapping[str, Any], folder: Path, output: Output) -> None:
    """Print what a run came to, and what can be done with it."""
    output.say(_table(report))
    output.say()
    for line in _findings(report):
        output.say(line)
    if any(phase["untested"] for phase in report["phases"]):
        output.say(
            "* no test example was left: asked about what it was taught",
        )
    output.say()
    name = str(folder)
    steps = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    steps.add_row("the picture", str(folder / "report.png"))
    steps.add_row("ask it", f"plasticish predict {name} IMAGE")
    steps.add_row("teach it more", f"plasticish learn folder:PHOTOS --brain {name}")
    output.say(steps)


def _table(report: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("\nphase", no_wrap=True, overflow="ellipsis")
    for who in ("this brain", "naive network"):
        table.add_column(f"{who}\nas learned", justify="right", no_wrap=True)
        table.add_column("\nnow", justify="right", no_wrap=True)
        table.add_column("\nkept", justify="right", no_wrap=True)
    for phase in report["phases"]:
        mark = " *" if phase["untested"] else ""
        fates = [fate_cells(**phase[who]) for who in ("brain", "naive")]
        table.add_row(phase["name"] + mark, *fates[0], *fates[1])
    learners = report["learners"]
    if len(report["phases"]) > 1:
        table.add_row(Text("all", style="bold"), *_all(learners["brain"]), *_all(learners["naive"]))
    return table


def fate_cells(as_learned: float, now: float, retention: float | None) -> list[Text]:
    """Return what became of one task: its score as learned, now, and the share that is kept."""
    return [Text(percent(as_learned)), Text(percent(now), style="bold"), kept_cell(retention)]


def kept_cell(kept: float | None, *, bold: bool = False) -> Text:
    """Return a share that is kept, in the colour of how much it is."""
    shown = "–" if kept is None else f"{percent(kept, 0)} %"
    return Text(shown, style=f"bold {_colour(kept)}" if bold else _colour(kept))


def _all(learner: Mapping[str, float | None]) -> list[Text]:
    average = Text(percent(learner["average_accuracy"]), style="bold")
    return [Text(""), average, kept_cell(learner["retention"], bold=True)]


def _colour(kept: float | None) -> str:
    if kept is None:
        return "default"
    return "green" if kept >= 0.95 else "yellow" if kept >= 0.7 else "red"


def _findings(report: Mapping[str, Any]) -> list[str]:
    brain, naive = report["learners"]["brain"], report["learners"]["naive"]
    lines = []
    if brain["retention"] is not None:
        lines.append(
            f"[bold]It keeps {percent(brain['retention'])} % of what it learned before the last "
            f"phase[/]; the naive network keeps {percent(naive['retention'])} %."
        )
        points = f"{percent(brain['forgetting'])} points (naive {percent(naive['forgetting'])})"
        lines.append(
            f"Accuracy over all: {percent(brain['average_accuracy'])} %. Forgetting: {points}."
        )
    else:
        lines.append(
            f"[bold]Accuracy: {percent(brain['average_accuracy'])} %[/]; "
            f"the naive network: {percent(naive['average_accuracy'])} %."
        )
    scaled = report["learners"].get("naive_standardised")
    if scaled is not None and scaled["retention"] is not None:
        lines.append(
            f"[dim]The naive network learns on features as they are, at rate 0.1; on standardised "
            f"ones, at 0.01, it keeps {percent(scaled['retention'])} % and ends at "
            f"{percent(scaled['average_accuracy'])} %.[/]"
        )
    seconds = f"{report['examples']:,} examples learned in {report['seconds_learning']:.1f} s"
    looking = report["looking"]
    if looking is not None and looking["images"]:
        seconds += f"; {looking['images']:,} images seen in {looking['seconds']:.1f} s"
    lines.append(f"[dim]{seconds}, asked about {report['tested_on']:,} it never learned.[/]")
    if brain["retention"] is not None:
        lines.append("[dim]Always asked among all classes so far: more to confuse every time.[/]")
    return lines
