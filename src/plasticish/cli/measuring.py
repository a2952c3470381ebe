"""Running scenarios from the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from plasticish.bench import (
    SCENARIOS,
    load_result,
    load_scenarios,
    rich_table,
    run_scenarios,
)
from plasticish.bench.figure import draw_result

from .output import Output

__all__ = ["list_scenarios", "measure"]


def list_scenarios(output: Output) -> None:
    """Print every scenario."""
    load_scenarios()
    scenarios = [SCENARIOS[id] for id in SCENARIOS]
    output.emit(
        {
            "scenarios": [
                {"id": s.id, "title": s.title, "question": s.question, "data": s.data}
                for s in scenarios
            ]
        }
    )
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("id", "what", "data"):
        table.add_column(heading, no_wrap=heading == "id")
    for scenario in scenarios:
        table.add_row(Text(scenario.id, style="bold"), scenario.title, scenario.data)
    output.say(table)
    output.say()
    output.say("Run one with: plasticish bench ID")


def measure(patterns: Sequence[str], quick: bool, output: Output) -> None:
    """Run scenarios and print each result as it is done.

    Raises
    ------
    ConfigError
        If a pattern matches nothing.
    """
    found = []
    with output.working():
        for outcome in run_scenarios(patterns, quick=quick):
            if outcome.result is None:
                found.append({"id": outcome.id, "skipped": outcome.skipped})
                output.say(Text(f"{outcome.id}: skipped: {outcome.skipped}", style="yellow"))
                continue
            file = None if outcome.path is None else str(outcome.path)
            found.append({"id": outcome.id, "file": file, **outcome.result.to_dict()})
            output.say(rich_table(outcome.result))
            if outcome.path is not None:
                # From the file, whose rows are sorted and rounded: what documents compare with.
                stored = load_result(outcome.id, outcome.path.parents[1])
                picture = draw_result(stored, outcome.path.with_suffix(".png"))
                output.say(f"written to {outcome.path} and {picture}")
            output.say()
    output.emit({"results": found})
