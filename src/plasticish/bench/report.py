"""The report of a run: what was asked, how, what came out, and whether it became worse.

It is written for a reader who has never seen the code, as ``report.html`` (one file) and as
``report.md`` with its figures beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plasticish.core import write_atomically

from .comparison import Change
from .document import (
    Block,
    Bullets,
    Code,
    Heading,
    Inline,
    Link,
    Mark,
    Paragraph,
    Picture,
    Table,
    Tone,
    to_html,
    to_markdown,
)
from .environment import environment
from .figure import draw_result
from .judgement import VERDICTS, Judgement
from .results import GoalOutcome, Result
from .table import cell, columns, goal_text, heading

__all__ = ["Run", "report_blocks", "summary_row", "write_report"]

SUMMARY = (
    "scenario",
    "verdict",
    "closest to its limit",
    "change",
    "allowed",
    "figures",
    "goals",
    "s",
)
_TONES: dict[str, Tone] = {
    "failed": "bad",
    "regressed": "bad",
    "passed": "good",
    "new": "strong",
    "skipped": "quiet",
}


@dataclass(frozen=True)
class Run:
    """What a report is about.

    Attributes
    ----------
    judgements : sequence of Judgement
        One a scenario.
    quick : bool
        Whether these are short runs.
    stored : Path
        Where the results lie that they were compared with.
    unfinished : sequence of str
        Ids of the scenarios that the run did not come to.
    """

    judgements: Sequence[Judgement]
    quick: bool
    stored: Path
    unfinished: Sequence[str] = field(default=())

    def count(self, verdict: str) -> int:
        """Return how many scenarios have this verdict."""
        return sum(judgement.verdict == verdict for judgement in self.judgements)

    @property
    def bad(self) -> tuple[Judgement, ...]:
        """What fails the run."""
        return tuple(judgement for judgement in self.judgements if judgement.bad)

    @property
    def seconds(self) -> float:
        """What all scenarios took."""
        return sum(result.seconds for result in self._results())

    @property
    def cpu_seconds(self) -> float:
        """The CPU time of all."""
        return sum(result.cpu_seconds or 0.0 for result in self._results())

    def _results(self) -> list[Result]:
        return [j.outcome.result for j in self.judgements if j.outcome.result]

    @property
    def headline(self) -> str:
        """The run in one line."""
        counts = [f"{self.count(verdict)} {verdict}" for verdict in VERDICTS if self.count(verdict)]
        missing = [f"{len(self.unfinished)} not run"] if self.unfinished else []
        spent = f"{_minutes(self.seconds)} ({_minutes(self.cpu_seconds)} of CPU time)"
        return f"{', '.join(counts + missing)}; {spent}"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def write_report(run: Run, folder: Path) -> tuple[Path, Path]:
    """Write ``report.html`` and ``report.md``, draw the figures, and return the two paths.

    Raises
    ------
    CheckpointError
        If the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    blocks = list(report_blocks(run, folder))
    html, markdown = folder / "report.html", folder / "report.md"
    write_atomically(html, to_html(blocks, _title(run)).encode())
    write_atomically(markdown, to_markdown(blocks, folder).encode())
    return html, markdown


def report_blocks(run: Run, folder: Path) -> Iterator[Block]:
    """Yield the report; its figures are drawn under ``folder`` on the way."""
    yield Heading(1, _title(run), "top")
    yield Paragraph.of(Mark(run.headline, "bad" if run.bad else "strong"), ".")
    yield from _introduction(run)
    yield Heading(2, "All scenarios", "all")
    yield Table(SUMMARY, tuple(_linked(judgement) for judgement in run.judgements), texts=3)
    if run.unfinished:
        yield Paragraph.of("Stopped before: ", ", ".join(run.unfinished), ".")
    yield from _reading(run)
    for judgement in run.judgements:
        yield from _section(judgement, folder, quick=run.quick)


def _title(run: Run) -> str:
    return f"plasticish bench: {'quick run' if run.quick else 'measured figures'}"


def _introduction(run: Run) -> Iterator[Block]:
    if run.quick:
        yield Paragraph.of(
            "A quick run takes a part of the data and one or two seeds. It shows that everything "
            "works and that nothing became worse; ",
            Mark("its figures are no measurement", "strong"),
            ", and goals are not judged by them.",
        )
    yield Paragraph.of(
        "Every scenario asks one question of a learner, on stated data, by a stated protocol, over "
        f"stated seeds. What came out is set beside what is stored in {run.stored.as_posix()}."
    )
    complaints = tuple(
        Link(f"{judgement.scenario.id}: {line}", _anchor(judgement))
        for judgement in run.bad
        for line in _complaints(judgement)
    )
    if complaints:
        yield Bullets(complaints)


def _complaints(judgement: Judgement) -> list[str]:
    if judgement.outcome.failed is not None:
        return [judgement.outcome.failed]
    assert judgement.comparison is not None
    return [_in_words(change) for change in judgement.comparison.regressions]


def _in_words(change: Change) -> str:
    if change.before is None or change.after is None:
        return f"{change}"
    way = "worse" if change.loss > 0 else "better"
    return f"{change} ({abs(change.loss):.3g} {way}, {change.allowed:.3g} allowed)"


def summary_row(judgement: Judgement) -> tuple[str, ...]:
    """Return the scenario's line in the table of all: the texts under :data:`SUMMARY`."""
    comparison, result = judgement.comparison, judgement.outcome.result
    compared = f"{len(comparison.changes)}" if comparison else "–"
    worst = comparison.worst if comparison else None
    figure = f"{worst.row} / {worst.metric.name}" if worst else "–"
    change = "–" if worst is None else "gone" if worst.after is None else f"{worst.loss:.2g} worse"
    allowed = f"{worst.allowed:.2g}" if worst else "–"
    goals = "–" if judgement.goals is None else "{} of {}".format(*judgement.goals)
    seconds = "–" if result is None else f"{result.seconds:.1f}"
    return (
        judgement.scenario.id,
        judgement.verdict,
        figure,
        change,
        allowed,
        compared,
        goals,
        seconds,
    )


def _linked(judgement: Judgement) -> tuple[Inline, ...]:
    id, verdict, *rest = summary_row(judgement)
    return Link(id, _anchor(judgement)), Mark(verdict, _TONES[verdict]), *rest


def _anchor(judgement: Judgement) -> str:
    return judgement.scenario.id.replace("/", "-")


def _reading(run: Run) -> Iterator[Block]:
    yield Heading(3, "How to read this", "reading")
    yield Bullets(
        (
            *(f"{verdict}: {meaning}." for verdict, meaning in VERDICTS.items()),
            "Compared are the means over the seeds of every figure that has a better and a worse. "
            "The table names the figure that used up most of what its metric allows; a dash says "
            "that none is worse.",
            "Rows of baselines are shown and compared, and fail nothing: they are not ours.",
            "Times, speeds and sizes in memory fail nothing in a quick run, nor where the "
            "processor or the versions are others than those of the stored run.",
            "± is one standard deviation over the seeds.",
        )
    )
    yield Paragraph.of(
        "Measured with: ",
        "; ".join(f"{name} {value}" for name, value in environment().items()),
        ".",
    )


def _section(judgement: Judgement, folder: Path, *, quick: bool) -> Iterator[Block]:
    scenario, outcome = judgement.scenario, judgement.outcome
    yield Heading(2, f"{scenario.id}: {scenario.title}", _anchor(judgement))
    yield Paragraph.of(Mark(scenario.question, "strong"))
    yield Paragraph.of(
        Mark(judgement.verdict, _TONES[judgement.verdict]), f": {VERDICTS[judgement.verdict]}."
    )
    if outcome.skipped is not None:
        yield Paragraph.of(outcome.skipped)
    if outcome.failed is not None:
        yield Code(outcome.traceback or outcome.failed)
    if outcome.result is not None:
        worst = judgement.comparison.regressions if judgement.comparison else ()
        yield from _findings(outcome.result, folder, worst[0] if worst else None)
        yield from _compared(judgement)
    yield Heading(3, "Protocol", f"{_anchor(judgement)}-protocol")
    whole = " A quick run takes less of the data, fewer seeds or fewer rows." if quick else ""
    yield Paragraph.of(f"{scenario.protocol}{whole}")
    yield Paragraph.of(f"Data: {scenario.data}. {_seeds(judgement)}")
    yield Code(f"plasticish bench {scenario.id}{' --quick' if quick else ''}")
    yield Paragraph.of(Link("Back to all scenarios", "all"))


def _seeds(judgement: Judgement) -> str:
    result = judgement.outcome.result
    if result is None:
        return f"Seeds: {', '.join(map(str, judgement.scenario.seeds))}."
    again = " (kept from an earlier run of the same code)" if judgement.outcome.resumed else ""
    return f"Seeds: {', '.join(map(str, result.seeds))}. It took {result.seconds:.1f} s{again}."


def _findings(result: Result, folder: Path, regression: Change | None) -> Iterator[Block]:
    shown = columns(result)
    yield Table(
        ("", *(heading(metric) for metric in shown)),
        tuple(
            (
                Mark(f"{row} (baseline)", "quiet") if row in result.baselines else row,
                *(cell(metrics.get(metric.name), metric) for metric in shown),
            )
            for row, metrics in result.rows.items()
        ),
    )
    # What became worse is what a reader wants to see; otherwise the first figure stands for all.
    metric = shown[0].name
    if regression is not None and regression.after is not None:
        metric = regression.metric.name
    picture = draw_result(result, folder / "figures" / f"{result.id}.png", metric)
    yield Picture(picture, f"Bars of {result.title}: {metric}, as in the table.")
    if result.goals and not result.quick:
        yield Bullets(tuple(map(_goal, result.outcomes())))
    if result.notes:
        yield Bullets(result.notes)


def _goal(outcome: GoalOutcome) -> Inline:
    return Mark(f"Goal: {goal_text(outcome)}", "good" if outcome.reached else "bad")


def _compared(judgement: Judgement) -> Iterator[Block]:
    comparison = judgement.comparison
    if comparison is None:
        return
    yield Heading(3, "Beside the stored result", f"{_anchor(judgement)}-compared")
    same = len(comparison.of_kind("same"))
    yield Paragraph.of(f"{same} of {len(comparison.changes)} figures are within their tolerance.")
    moved = comparison.of_kind("worse", "gone", "better", "new")
    if moved:
        yield Table(
            ("row", "figure", "", "stored", "now", "allowed"), tuple(map(_moved, moved)), texts=3
        )
    if comparison.notes:
        yield Bullets(comparison.notes)


def _moved(change: Change) -> tuple[Inline, ...]:
    told = change.kind in ("worse", "gone") and not change.regressed
    word = f"{change.kind}, told only" if told else change.kind
    tone: Tone = "bad" if change.regressed else "good" if change.kind == "better" else "quiet"
    before, after = (
        "–" if value is None else f"{value:.5g}" for value in (change.before, change.after)
    )
    name = heading(change.metric)
    return change.row, name, Mark(word, tone), before, after, f"{change.allowed:.3g}"
