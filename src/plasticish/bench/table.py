"""A result as a table: for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.table import Table

from .results import GoalOutcome, Result
from .scenario import Metric, deviation, mean

__all__ = [
    "ResultTable",
    "cell",
    "columns",
    "goal_text",
    "heading",
    "markdown_goals",
    "markdown_table",
]

_BOUNDLESS = 10_000  # characters


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


class ResultTable:
    """A result for a terminal, its goals below; where that is too narrow, a figure a line.

    Parameters
    ----------
    result : Result
        What is shown.
    """

    def __init__(self, result: Result) -> None:
        self.result = result

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Table]:
        whole = self.whole()
        # Headings may be broken between words, but not within one.
        least = Measurement.get(console, options.update(max_width=_BOUNDLESS), whole).minimum
        yield whole if least <= options.max_width else self.listed()

    def whole(self) -> Table:
        """Return a table with a column a metric."""
        table, shown = self._begun(), columns(self.result)
        table.add_column("")
        for metric in shown:
            table.add_column(heading(metric), justify="right")
        for row, metrics in self.result.rows.items():
            cells = (cell(metrics.get(metric.name), metric) for metric in shown)
            table.add_row(row, *cells, style=self._style(row))
        return table

    def listed(self) -> Table:
        """Return a table with a line a figure."""
        table = self._begun()
        table.show_header = False
        for justify in ("left", "left", "right"):
            table.add_column(justify=justify)
        for row, metrics in self.result.rows.items():
            had = [metric for metric in columns(self.result) if metric.name in metrics]
            for place, metric in enumerate(had):
                values = cell(metrics[metric.name], metric)
                table.add_row("" if place else row, heading(metric), values, style=self._style(row))
        return table

    def _begun(self) -> Table:
        return Table(
            title=f"{self.result.id}: {self.result.title}",
            caption="\n".join(goal_text(outcome) for outcome in self.result.outcomes()) or None,
        )

    def _style(self, row: str) -> str | None:
        return "dim" if row in self.result.baselines else None


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
