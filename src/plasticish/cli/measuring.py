"""Running scenarios from the command line, and setting them beside what is stored."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from plasticish.bench import (
    QUICK_RESULTS,
    RESULTS,
    SCENARIOS,
    Change,
    Judgement,
    Result,
    ResultTable,
    judge,
    load_result,
    load_scenarios,
    run_scenarios,
    save_result,
    select,
)
from plasticish.bench.figure import draw_result
from plasticish.bench.report import SUMMARY, Run, summary_row, write_report
from plasticish.bench.results import result_path
from plasticish.core import ConfigError, Engine, make_engine

from .output import Output

__all__ = ["Wishes", "list_scenarios", "measure"]

RUNS = Path("runs/bench")
FEW = 3
"""Up to so many scenarios are printed as whole tables; more are a line each."""
_COLOURS = {"failed": "bold red", "regressed": "bold red", "passed": "green", "skipped": "yellow"}


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for: see ``plasticish bench --help``."""

    patterns: tuple[str, ...]
    quick: bool = False
    update: bool = False
    resume: bool = False
    out: Path = RUNS
    engine: str | None = None
    workers: int | None = None

    @property
    def stored(self) -> Path:
        """Where the results lie that this run is compared with."""
        return QUICK_RESULTS if self.quick else RESULTS

    @property
    def again(self) -> str:
        """The command that goes on with this run."""
        words = ["--all"] if self.patterns == ("*",) else list(self.patterns)
        words += ["--quick"] * self.quick
        words += ["--out", str(self.out)] if self.out != RUNS else []
        words += ["--engine", self.engine] if self.engine else []
        words += ["--workers", str(self.workers)] if self.workers else []
        return shlex.join(["plasticish", "bench", *words, "--resume"])


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


def measure(wishes: Wishes, output: Output) -> bool:
    """Run scenarios, report them, and return whether all is well.

    Raises
    ------
    ConfigError
        If a pattern matches nothing, or the folder of the report cannot be made.
    DataError
        If a stored result is damaged. As after the other, nothing was run.
    """
    ids = [scenario.id for scenario in select(wishes.patterns)]
    stored = {id: _load(id, wishes.stored) for id in ids}
    _make(wishes.out)
    judgements: list[Judgement] = []
    try:
        with output.working(), _engine(wishes) as engine:
            for outcome in run_scenarios(
                wishes.patterns,
                quick=wishes.quick,
                folder=wishes.out / ("quick" if wishes.quick else "full"),
                resume=wishes.resume,
                engine=engine,
            ):
                judgements.append(judge(outcome, stored[outcome.id]))
                _tell(judgements[-1], output, whole=len(ids) <= FEW)
    except KeyboardInterrupt:
        if judgements:
            done = {judgement.outcome.id for judgement in judgements}
            unfinished = [id for id in ids if id not in done]
            _conclude(wishes, _in_order(judgements, ids), unfinished, output)
        print(f"plasticish: what is done is kept; go on with: {wishes.again}", file=sys.stderr)
        raise
    return _conclude(wishes, _in_order(judgements, ids), (), output)


def _engine(wishes: Wishes) -> AbstractContextManager[Engine | None]:
    """Return who runs the scenarios; None is this process, one after another."""
    if wishes.engine is None and wishes.workers is None:
        return nullcontext()
    return make_engine(wishes.engine or "processes", wishes.workers)


def _in_order(judgements: Sequence[Judgement], ids: Sequence[str]) -> list[Judgement]:
    return sorted(judgements, key=lambda judgement: ids.index(judgement.outcome.id))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the folder of the report cannot be made: {folder}",
            got=error.strerror or "",
            cure="name another with --out",
        ) from error


def _load(id: str, folder: Path) -> Result | None:
    return load_result(id, folder) if result_path(id, folder).exists() else None


def _tell(judgement: Judgement, output: Output, *, whole: bool) -> None:
    """Print one scenario as it is done."""
    outcome = judgement.outcome
    if whole and outcome.result is not None:
        output.say(ResultTable(outcome.result))
    line = Text(f"{outcome.id}: ")
    line.append(judgement.verdict, style=_COLOURS.get(judgement.verdict, "bold"))
    if reason := outcome.skipped or outcome.failed:
        line.append(f": {reason}")
    elif outcome.result is not None:
        line.append(f", {'kept' if outcome.resumed else f'{outcome.result.seconds:.1f} s'}")
    output.say(line)
    if outcome.traceback is not None:
        output.remark(outcome.traceback)


def _conclude(
    wishes: Wishes, judgements: Sequence[Judgement], unfinished: Sequence[str], output: Output
) -> bool:
    """Write the report, store what is to be stored, and print the table of all."""
    run = Run(judgements, wishes.quick, wishes.stored, unfinished)
    html, markdown = write_report(run, wishes.out)
    files = {judgement.scenario.id: _store(wishes, judgement) for judgement in judgements}
    output.emit(
        {
            "headline": run.headline,
            "report": str(html),
            "results": [
                _as_json(judgement, files[judgement.scenario.id]) for judgement in judgements
            ],
        }
    )
    output.say()
    output.say(_summary(run))
    for judgement in run.bad:
        for change in judgement.comparison.regressions if judgement.comparison else ():
            output.say(Text(f"{judgement.scenario.id}: {change}", style="red"))
    for file in filter(None, files.values()):
        output.say(f"stored in {file}")
    changed = [j for j in judgements if j.outcome.result and not files[j.scenario.id]]
    output.say(f"report: {html} and {markdown}")
    if changed:
        output.say(f"{wishes.stored} is as it was; store this run with: {wishes.again} --update")
    return not (run.count("failed") if wishes.update else run.bad)


def _store(wishes: Wishes, judgement: Judgement) -> Path | None:
    """Store a result if it was asked for, or if it is the first of a full run."""
    result = judgement.outcome.result
    first = judgement.stored is None and not wishes.quick
    if result is None or not (wishes.update or first):
        return None
    path = save_result(result, wishes.stored)
    if not wishes.quick:
        draw_result(result, path.with_suffix(".png"))
    return path


def _summary(run: Run) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", caption=run.headline)
    for position, heading in enumerate(SUMMARY):
        table.add_column(heading, no_wrap=position < 2, justify="left" if position < 3 else "right")
    for judgement in run.judgements:
        id, verdict, *rest = summary_row(judgement)
        table.add_row(id, Text(verdict, style=_COLOURS.get(verdict, "bold")), *rest)
    return table


def _as_json(judgement: Judgement, file: Path | None) -> dict[str, Any]:
    outcome, comparison = judgement.outcome, judgement.comparison
    found: dict[str, Any] = {
        "id": outcome.id,
        "verdict": judgement.verdict,
        "file": None if file is None else str(file),
    }
    found |= {name: why for name in ("skipped", "failed") if (why := getattr(outcome, name))}
    if comparison is not None:
        found["changes"] = [
            _change_as_json(change) for change in comparison.changes if change.kind != "same"
        ]
        found["differs"] = list(comparison.notes)
    return found | (outcome.result.to_dict() if outcome.result is not None else {})


def _change_as_json(change: Change) -> dict[str, Any]:
    return {
        "row": change.row,
        "metric": change.metric.name,
        "kind": change.kind,
        "stored": change.before,
        "now": change.after,
        "allowed": change.allowed,
        "regressed": change.regressed,
    }
