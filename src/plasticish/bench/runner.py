"""Run scenarios by id, skip with a reason what cannot run here, and keep what was found.

One that raises is told and does not stop the others. What is done is written at once, so that a
run that was stopped goes on where it was.
"""

from __future__ import annotations

import fnmatch
import importlib
import os
import pkgutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import format_exc

from plasticish.core import ConfigError, DataError, Engine, MissingExtraError, one_thread, track

from .environment import code_digest, environment
from .results import Result, load_result, make_result, result_path, save_result
from .scenario import SCENARIOS, Context, Scenario, UnavailableError

__all__ = ["AREAS", "Outcome", "load_scenarios", "run_scenario", "run_scenarios", "select"]

AREAS = ("see", "spike", "continual", "sequence", "talk", "product")
"""The packages whose modules are scenarios; an id begins with the name of its area."""


@dataclass(frozen=True)
class Outcome:
    """What became of one scenario: a result, or the reason why there is none.

    Attributes
    ----------
    id : str
        Of the scenario.
    result : Result or None
        What was measured.
    path : Path or None
        Where it was written.
    skipped : str or None
        What it lacks here.
    failed : str or None
        The error that it raised, as one line.
    traceback : str or None
        The whole of that error.
    resumed : bool
        Whether the result is one that an earlier run of the same code had kept.
    """

    id: str
    result: Result | None = None
    path: Path | None = None
    skipped: str | None = None
    failed: str | None = None
    traceback: str | None = None
    resumed: bool = False


def load_scenarios() -> None:
    """Import every scenario of the package, so that it is registered."""
    for area in AREAS:
        package = importlib.import_module(f"{__package__}.{area}")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")


def select(patterns: Iterable[str]) -> list[Scenario]:
    """Return the scenarios whose ids match any of the patterns (``see/*``), each once.

    Raises
    ------
    ConfigError
        If a pattern matches nothing.

    Examples
    --------
    >>> [scenario.id for scenario in select(["see/split-*"])]
    ['see/split-digits']
    """
    load_scenarios()
    chosen: dict[str, Scenario] = {}
    for pattern in patterns:
        ids = fnmatch.filter(SCENARIOS, pattern)
        if not ids:
            raise ConfigError(
                "no scenario matches", got=repr(pattern), expected="one of: " + ", ".join(SCENARIOS)
            )
        chosen.update((id, SCENARIOS[id]) for id in ids)
    return list(chosen.values())


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of those it has waited for."""
    return sum(os.times()[:4])


def default_data_root() -> Path | None:
    """Return the folder that ``PLASTICISH_DATA`` names, if it does."""
    named = os.environ.get("PLASTICISH_DATA")
    return Path(named) if named else None


def run_scenario(
    scenario: Scenario,
    *,
    quick: bool = False,
    seeds: Sequence[int] | None = None,
    data_root: Path | None = None,
    cache: Path | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """Run one scenario and return its result; nothing is written.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    quick : bool
        A short run on the quick seeds.
    seeds : sequence of int, optional
        Others than the scenario's own.
    data_root : Path, optional
        Data beyond the bundled; by default ``PLASTICISH_DATA``.
    cache : Path, optional
        Folder of the feature cache; by default that of the library.
    clock : callable
        Gives seconds.

    Raises
    ------
    UnavailableError
        If something it needs is not here.
    """
    data_root = data_root or default_data_root()
    if scenario.requires_data and data_root is None:
        raise UnavailableError(
            f"{scenario.id} needs {scenario.data}",
            cure="set PLASTICISH_DATA to the folder that holds it",
        )
    chosen = _seeds(scenario, quick, seeds)
    context = Context(chosen, quick, data_root, cache)
    start, cpu_start = clock(), _cpu_seconds()
    try:
        with one_thread():
            findings = scenario.run(context)
            described = environment()
    except (MissingExtraError, FileNotFoundError) as error:
        raise UnavailableError(f"{scenario.id} cannot run here: {error}") from error
    return make_result(
        scenario,
        findings,
        seeds=chosen,
        quick=quick,
        seconds=clock() - start,
        cpu_seconds=_cpu_seconds() - cpu_start,
        environment=described,
    )


def run_scenarios(
    patterns: Iterable[str] = ("*",),
    *,
    quick: bool = False,
    seeds: Sequence[int] | None = None,
    data_root: Path | None = None,
    cache: Path | None = None,
    folder: Path | None = None,
    resume: bool = False,
    engine: Engine | None = None,
) -> Iterator[Outcome]:
    """Run scenarios by id or pattern, and yield what became of each as it is done.

    With an engine of several workers scenarios run side by side, and so do the seeds of those
    that treat each seed alone (:attr:`Scenario.seeds_apart`). One that measures the machine runs
    here, alone, once the others are done.

    Parameters
    ----------
    patterns : iterable of str
        Ids, or patterns such as ``"see/*"``.
    quick, seeds, data_root, cache
        As :func:`run_scenario` takes them.
    folder : Path, optional
        Where each result is written as soon as it is there; by default nowhere.
    resume : bool
        Whether to take from ``folder`` what the same code has measured on the same seeds.
    engine : Engine, optional
        Who runs them; by default this process, one after another.

    Raises
    ------
    ConfigError
        If a pattern matches nothing.
    CheckpointError
        If a result cannot be written.
    """
    chosen = select(patterns)
    todo: list[Scenario] = []
    for scenario in chosen:
        kept = _kept(scenario, folder, quick, seeds) if resume and folder else None
        if kept is None:
            todo.append(scenario)
        else:
            yield kept
    options = _Options(quick, data_root, cache)
    outcomes = _outcomes(todo, options, seeds, engine)
    for outcome in track(outcomes, "scenarios", total=len(todo)):
        if outcome.result is None or folder is None:
            yield outcome
            continue
        path = save_result(outcome.result, folder)
        # From the file, whose figures are rounded: what anything later compares with.
        yield Outcome(outcome.id, load_result(outcome.id, folder), path)


@dataclass(frozen=True)
class _Options:
    quick: bool
    data_root: Path | None
    cache: Path | None


def _outcomes(
    scenarios: Sequence[Scenario],
    options: _Options,
    seeds: Sequence[int] | None,
    engine: Engine | None,
) -> Iterator[Outcome]:
    """Yield the outcome of each scenario as it is done."""
    here = [s for s in scenarios if engine is None or s.of_machine]
    yield from _side_by_side([s for s in scenarios if s not in here], options, seeds, engine)
    for scenario in here:
        yield _attempt(scenario, options, _seeds(scenario, options.quick, seeds))


def _side_by_side(
    scenarios: Sequence[Scenario],
    options: _Options,
    seeds: Sequence[int] | None,
    engine: Engine | None,
) -> Iterator[Outcome]:
    if engine is None or not scenarios:
        return
    pieces = [
        (scenario.id, options, part)
        for scenario in scenarios
        for part in _parts(scenario, _seeds(scenario, options.quick, seeds))
    ]
    total = Counter(id for id, _, _ in pieces)
    found: dict[str, dict[int, Outcome]] = {}
    for position, outcome in engine.unordered(_attempt_piece, pieces):
        parts = found.setdefault(outcome.id, {})
        parts[position] = outcome
        if len(parts) == total[outcome.id]:
            yield joined([parts[at] for at in sorted(parts)])


def _parts(scenario: Scenario, seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [(seed,) for seed in seeds] if scenario.seeds_apart else [seeds]


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Return one outcome of a scenario whose seeds were run apart, in their order.

    Times add up: they are those of one worker after another. One part that failed or was skipped
    decides for all.
    """
    for outcome in outcomes:
        if outcome.result is None:
            return outcome
    results = [outcome.result for outcome in outcomes if outcome.result is not None]
    first = results[0]
    rows = {
        row: {name: tuple(v for r in results for v in r.rows[row][name]) for name in metrics}
        for row, metrics in first.rows.items()
    }
    return Outcome(
        first.id,
        replace(
            first,
            rows=rows,
            seeds=tuple(seed for result in results for seed in result.seeds),
            notes=tuple(dict.fromkeys(note for result in results for note in result.notes)),
            seconds=sum(result.seconds for result in results),
            cpu_seconds=sum(result.cpu_seconds or 0.0 for result in results),
        ),
    )


def _attempt_piece(piece: tuple[str, _Options, tuple[int, ...]]) -> Outcome:
    """Run a scenario, or some seeds of it, on a worker, which has to load it first."""
    id, options, seeds = piece
    if id not in SCENARIOS:
        load_scenarios()
    return _attempt(SCENARIOS[id], options, seeds)


def _attempt(scenario: Scenario, options: _Options, seeds: tuple[int, ...]) -> Outcome:
    try:
        result = run_scenario(
            scenario,
            quick=options.quick,
            seeds=seeds,
            data_root=options.data_root,
            cache=options.cache,
        )
    except UnavailableError as reason:
        return Outcome(scenario.id, skipped=str(reason))
    except Exception as error:  # whatever one scenario does wrong, the others are still measured
        return Outcome(
            scenario.id,
            failed=" ".join(f"{type(error).__name__}: {error}".split()),
            traceback=format_exc(),
        )
    return Outcome(scenario.id, result)


def _kept(
    scenario: Scenario, folder: Path, quick: bool, seeds: Sequence[int] | None
) -> Outcome | None:
    """Return what ``folder`` holds of the scenario, if the same run would measure it again."""
    try:
        result = load_result(scenario.id, folder)
    except DataError:  # none, or damaged: it is measured again
        return None
    same = (_seeds(scenario, quick, seeds), quick, code_digest())
    if (result.seeds, result.quick, result.environment.get("code")) != same:
        return None
    return Outcome(scenario.id, result, result_path(scenario.id, folder), resumed=True)


def _seeds(scenario: Scenario, quick: bool, seeds: Sequence[int] | None) -> tuple[int, ...]:
    return tuple(seeds) if seeds else (scenario.quick_seeds if quick else scenario.seeds)
