"""What a trainer is given, checked before anything is begun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core import ConfigError, Persistent
from .phase import PhaseConfig

__all__ = ["check_every", "check_phases", "check_savable", "name_loaders"]


def check_phases(phases: Sequence[PhaseConfig]) -> tuple[PhaseConfig, ...]:
    """Return the curriculum, refusing an empty one and one with a name twice."""
    listed = tuple(phases) if isinstance(phases, Iterable) else (phases,)
    for phase in listed:
        if not isinstance(phase, PhaseConfig):
            raise ConfigError(
                "a phase is not a PhaseConfig",
                got=type(phase).__name__,
                expected="PhaseConfig(name, epochs, loader)",
                cure="give a list of PhaseConfig, also for a single phase",
            )
    names = [phase.name for phase in listed]
    if not listed:
        raise ConfigError("the curriculum is empty", got="0 phases", expected="at least one")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ConfigError(
            "two phases have one name",
            got=", ".join(twice),
            cure="call a repetition by another name, so that tables can tell them apart",
        )
    return listed


def name_loaders(
    loaders: Mapping[str, Iterable[Any]] | Iterable[Any] | None,
) -> dict[str, Iterable[Any]]:
    """Return evaluation loaders by name, refusing what is spent after one pass."""
    if loaders is None:
        return {}
    named = dict(loaders) if isinstance(loaders, Mapping) else {"test": loaders}
    for name, loader in named.items():
        if isinstance(loader, Iterator) or not isinstance(loader, Iterable):
            raise ConfigError(
                f"the evaluation loader {name!r} cannot be gone through again",
                got=type(loader).__name__,
                expected="a DataLoader, a list of batches, or a BatchLoader",
            )
    return named


def check_every(eval_every: int | None) -> int | None:
    """Return ``eval_every``, refusing what is not a count."""
    if eval_every is not None and eval_every < 1:
        raise ConfigError("eval_every is out of range", got=repr(eval_every), expected=">= 1")
    return eval_every


def check_savable(run_folder: str | Path | None, brain: object) -> str | Path | None:
    """Return the run folder, refusing one for a brain that no checkpoint can hold."""
    if run_folder is not None and not isinstance(brain, Persistent):
        raise ConfigError(
            "a run folder needs a brain that can be saved",
            got=type(brain).__name__,
            expected="a plasticish.core.Persistent",
        )
    return run_folder
