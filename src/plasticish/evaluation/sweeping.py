"""A function over many settings and seeds, on the workers of an engine, into one table."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from plasticish.core import (
    CheckpointError,
    ConfigError,
    DataError,
    Engine,
    make_engine,
    make_folder,
    track,
    write_atomically,
)

from .comparison import Spread

__all__ = ["Run", "Sweep", "sweep"]

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Run:
    """One call of the function: what it was given, and the figures it returned."""

    setting: Mapping[str, Any]
    seed: int
    figures: Figures


@dataclass(frozen=True)
class Sweep:
    """Every run, in the order of settings and, within each, of seeds.

    Attributes
    ----------
    runs : tuple of Run
        What was found.
    """

    runs: tuple[Run, ...]

    def rows(self) -> list[tuple[Mapping[str, Any], dict[str, Spread]]]:
        """Return for each setting every figure over the seeds."""
        rows = []
        for _, group in itertools.groupby(self.runs, key=lambda run: _text(run.setting)):
            runs = list(group)
            figures = {
                name: Spread(tuple(float(run.figures[name]) for run in runs))
                for name in runs[0].figures
            }
            rows.append((runs[0].setting, figures))
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "runs": [{**vars(run), "setting": dict(run.setting)} for run in self.runs],
            "rows": [
                {
                    "setting": dict(setting),
                    "figures": {
                        name: {"mean": of.mean, "sd": of.sd} for name, of in figures.items()
                    },
                }
                for setting, figures in self.rows()
            ],
        }


def sweep(
    function: Callable[..., Figures],
    settings: Mapping[str, Sequence[Any]] | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    engine: Engine | None = None,
    folder: str | Path | None = None,
) -> Sweep:
    """Call ``function(seed=..., **setting)`` for every setting and seed.

    Whoever works, the table is the same: each run is alone on one thread, and gets its randomness
    from its seed.

    Parameters
    ----------
    function : callable
        Of a module, so that workers can import it (or a ``functools.partial`` of one); returns
        figures by name.
    settings : mapping of str to sequence, optional
        Values of each argument; every combination is run.
    seeds : sequence of int
        One run each of every setting.
    engine : Engine, optional
        Who works; by default this process.
    folder : path, optional
        Where each run is kept as soon as it is done. What is there is not run again, so that a
        sweep goes on after Ctrl-C.

    Returns
    -------
    Sweep
        The table.

    Raises
    ------
    ConfigError
        If there is nothing to run.
    DataError
        If the function returns no figures.
    Exception
        What the function raises; runs that were done are kept.

    Examples
    --------
    >>> def score(seed, rate):
    ...     return {"accuracy": rate + 0.01 * seed}
    >>> for setting, figures in sweep(score, {"rate": [0.5, 0.7]}, seeds=[0, 1]).rows():
    ...     print(setting, figures["accuracy"])
    {'rate': 0.5} 0.5050 ± 0.0071
    {'rate': 0.7} 0.7050 ± 0.0071
    """
    given = dict(settings or {})
    wanted = [
        (dict(zip(given, values, strict=True)), seed)
        for values in itertools.product(*given.values())
        for seed in seeds
    ]
    if not wanted:
        raise ConfigError(
            "there is nothing to sweep over",
            got=", ".join([*(f"{n}: {len(v)}" for n, v in given.items()), f"seeds: {len(seeds)}"]),
            expected="at least one value of each",
        )
    kept = _Kept(None if folder is None else Path(folder))
    found = {at: run for at, (s, seed) in enumerate(wanted) if (run := kept.find(s, seed))}
    missing = [at for at in range(len(wanted)) if at not in found]
    done = (engine or make_engine()).unordered(
        partial(_call, function), [wanted[at] for at in missing]
    )
    for position, figures in track(done, "sweeping", total=len(missing)):
        setting, seed = wanted[missing[position]]
        run = Run(setting, seed, figures)
        kept.keep(run)
        found[missing[position]] = run
    return Sweep(tuple(found[at] for at in range(len(wanted))))


def _call(function: Callable[..., Figures], wanted: tuple[Mapping[str, Any], int]) -> Figures:
    setting, seed = wanted
    found = function(seed=seed, **setting)
    if not isinstance(found, Mapping) or not found:
        raise DataError(
            "a run of the sweep returned no figures",
            got=repr(found),
            expected="numbers by name, such as {'accuracy': 0.9}",
        )
    return {str(name): float(value) for name, value in found.items()}


class _Kept:
    """Runs on the disk, one file each, named by what they were given."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        if folder is not None:
            make_folder(folder, "the folder of the sweep")

    def _path(self, folder: Path, setting: Mapping[str, Any], seed: int) -> Path:
        name = hashlib.blake2b(f"{_text(setting)} {seed}".encode(), digest_size=8).hexdigest()
        return folder / f"run-{name}.json"

    def find(self, setting: Mapping[str, Any], seed: int) -> Run | None:
        if self.folder is None:
            return None
        path = self._path(self.folder, setting, seed)
        if not path.exists():
            return None
        try:
            values = json.loads(path.read_bytes())
            return Run(setting, seed, {str(k): float(v) for k, v in values["figures"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(
                f"the run {path} is damaged", got=str(error), cure="remove the file to run it again"
            ) from error

    def keep(self, run: Run) -> None:
        if self.folder is not None:
            text = json.dumps({**vars(run), "setting": _text(run.setting)}, indent=2)
            write_atomically(self._path(self.folder, run.setting, run.seed), text.encode())


def _text(setting: Mapping[str, Any]) -> str:
    return json.dumps(setting, sort_keys=True, default=repr)
