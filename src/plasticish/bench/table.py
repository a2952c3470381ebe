"""A result as a table: for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table

from .results import GoalOutcome, Result
from .scenario import Metric, deviation, mean

__all__ = [
    "cell",
    "columns",
    "goal_text",
    "heading",
    "markdown_goals",
    "markdown_table",
    "rich_table",
]


def cell(values: Sequence[float] | None, metric: Metric) -> str:
    """Return ``mean ± deviation``, the mean alone for one value, or a dash for none.

    Examples
    --------
    >>> cell([90.0, 92.0], Metric("ACC")), cell([3.0], Metric("s")), cell(None, Metric("s"))
    ('91.0 ± 1.4', '3.0', '–')
    """
    if not values:
        return "–"
    text = f"{mean(values):,.{metric.digits}f}"
    return text if len(values) == 1 else f"{text} ± {deviation(values):,.{metric.digits}f}"


def heading(metric: Metric) -> str:
    """Return the name with its unit."""
    return f"{metric.name} ({metric.unit})" if metric.unit else metric.name


def columns(result: Result) -> list[Metric]:
    """Return the metrics that any row has, in the order in which the scenario states them."""
    used = {name for metrics in result.rows.values() for name in metrics}
    return [metric for metric in result.metrics if metric.name in used]


def goal_text(outcome: GoalOutcome) -> str:
    """Return one goal and what became of it, as a line.

    Examples
    --------
    >>> from plasticish.bench import Goal
    >>> goal_text(GoalOutcome(Goal("brain", "ACC", ">=", 98.8, aim=99.1), 99.0))
    'brain: ACC ≥ 98.8 (aim 99.1): 99, reached'
    """
    goal = outcome.goal
    sign = "≥" if goal.op == ">=" else "≤"
    of = "" if goal.statistic == "mean" else f" ({goal.statistic} over seeds)"
    aim = "" if goal.aim is None else f" (aim {goal.aim:g})"
    if outcome.value is None:
        verdict = "not measured"
    else:
        word = "aim reached" if outcome.aim_reached else "reached" if outcome.reached else "missed"
        verdict = f"{outcome.value:.4g}, {word}"
    return f"{goal.row}: {goal.metric}{of} {sign} {goal.bound:g}{aim}: {verdict}"


def rich_table(result: Result) -> Table:
    """Return the result as a table for a terminal, its goals below."""
    table = Table(
        title=f"{result.id}: {result.title}",
        caption="\n".join(goal_text(outcome) for outcome in result.outcomes()) or None,
    )
    shown = columns(result)
    table.add_column("")
    for metric in shown:
        table.add_column(heading(metric), justify="right")
    for row, metrics in result.rows.items():
        style = "dim" if row in result.baselines else None
        cells = (cell(metrics.get(metric.name), metric) for metric in shown)
        table.add_row(row, *cells, style=style)
    return table


def markdown_table(result: Result) -> str:
    """Return the result as a Markdown table."""
    shown = columns(result)
    lines = [
        _line(["", *(heading(metric) for metric in shown)]),
        _line(["---", *("---:" for _ in shown)]),
    ]
    for row, metrics in result.rows.items():
        lines.append(_line([row, *(cell(metrics.get(m.name), m) for m in shown)]))
    return "\n".join(lines)


def markdown_goals(results: Iterable[Result]) -> str:
    """Return every goal of several results as one Markdown table."""
    lines = [
        _line(["scenario", "figure", "goal", "aim", "measured", ""]),
        _line(["---", "---", "---:", "---:", "---:", "---"]),
    ]
    for result in results:
        for outcome in result.outcomes():
            goal = outcome.goal
            sign = "≥" if goal.op == ">=" else "≤"
            figure = f"{goal.row}: {goal.metric}"
            if goal.statistic != "mean":
                figure += f" ({goal.statistic} over seeds)"
            aim = "" if goal.aim is None else f"{goal.aim:g}"
            measured = "–" if outcome.value is None else f"{outcome.value:.4g}"
            word = "aim" if outcome.aim_reached else "yes" if outcome.reached else "**no**"
            lines.append(_line([result.id, figure, f"{sign} {goal.bound:g}", aim, measured, word]))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"
