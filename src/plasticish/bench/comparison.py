"""What became of each figure since it was stored: the same, better, worse, gone or new.

A figure is compared by its mean over the seeds that both runs have, and only if its metric has a
direction. What is worse by more than the metric tolerates is a regression, with two exceptions
that are told and never fail: rows that are not ours, and figures of the machine (times, speeds,
memory) where the machine or the versions are others, or where the run was a quick one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .results import Result
from .scenario import Metric, mean

__all__ = ["Change", "Comparison", "compare", "same_environment"]

Kind = Literal["same", "better", "worse", "gone", "new"]


@dataclass(frozen=True)
class Change:
    """One figure, then and now.

    Attributes
    ----------
    row : str
        Whose figure.
    metric : Metric
        Which figure.
    before, after : float or None
        Means; None where it was not measured.
    binding : bool
        Whether a loss counts as a regression.
    """

    row: str
    metric: Metric
    before: float | None
    after: float | None
    binding: bool = True

    @property
    def loss(self) -> float:
        """By how much it is worse, in the unit; 0 where it is new, infinite where it is gone."""
        if self.before is None:
            return 0.0
        return math.inf if self.after is None else self.metric.loss(self.before, self.after)

    @property
    def allowed(self) -> float:
        """The loss that its metric tolerates, in the unit."""
        return 0.0 if self.before is None else self.metric.allowed(self.before)

    @property
    def share(self) -> float:
        """The loss as a share of what is allowed: above 1 it is too much."""
        if self.loss <= 0:
            return 0.0
        return self.loss / self.allowed if self.allowed > 0 else math.inf

    @property
    def kind(self) -> Kind:
        """What became of it."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "gone"
        if self.loss > self.allowed:
            return "worse"
        return "better" if -self.loss > self.allowed else "same"

    @property
    def regressed(self) -> bool:
        """Whether this fails the run."""
        return self.binding and self.kind in ("worse", "gone")

    def __str__(self) -> str:
        before, after = (
            "nothing" if value is None else f"{value:.5g}" for value in (self.before, self.after)
        )
        return f"{self.row} / {self.metric.name}: {before} -> {after}"


@dataclass(frozen=True)
class Comparison:
    """Every compared figure of a scenario, and what else differs between the two runs."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def regressions(self) -> tuple[Change, ...]:
        """What fails the run."""
        return tuple(change for change in self.changes if change.regressed)

    def of_kind(self, *kinds: Kind) -> tuple[Change, ...]:
        """Return the changes of these kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)

    @property
    def worst(self) -> Change | None:
        """The binding figure that used up most of what is allowed; None if none is worse."""
        losses = [change for change in self.changes if change.binding and change.share > 0]
        return max(losses, key=lambda change: change.share, default=None)


def same_environment(old: Result, new: Result) -> bool:
    """Whether times and speeds of the two may be set against each other."""
    return not _differences(old, new)


def compare(old: Result, new: Result) -> Comparison:
    """Compare every figure that has a direction, by the tolerances of ``new``.

    Parameters
    ----------
    old : Result
        As stored.
    new : Result
        As measured now; its metrics say what is tolerated.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from plasticish.bench import Findings, Scenario, run_scenario
    >>> def run(context):
    ...     findings = Findings()
    ...     findings.add("brain", ACC=90.0)
    ...     return findings
    >>> made_up = Scenario("a/b", "", "", "", "", (Metric("ACC"),), run)
    >>> old = run_scenario(made_up)
    >>> new = replace(old, rows={"brain": {"ACC": (89.0,)}})
    >>> print(*compare(old, new).regressions)
    brain / ACC: 90 -> 89
    """
    differences = _differences(old, new)
    comparable = not (new.quick or differences)
    baselines = {*old.baselines, *new.baselines}
    changes = [
        Change(
            row,
            metric,
            before,
            after,
            binding=row not in baselines and (comparable or not metric.of_machine),
        )
        for row, metric, before, after in _figures(old, new)
    ]
    notes = (
        [f"measured elsewhere, so that times fail nothing: {', '.join(differences)}"]
        if differences
        else []
    )
    if old.seeds != new.seeds:
        shared = [str(seed) for seed in old.seeds if seed in new.seeds]
        over = f"compared over {', '.join(shared)}" if shared else "none is shared"
        notes.append(f"the seeds are others: {over}")
    notes += [
        f"the {name} is worded otherwise"
        for name in ("protocol", "data")
        if getattr(old, name) != getattr(new, name)
    ]
    return Comparison(tuple(changes), tuple(notes))


def _figures(old: Result, new: Result) -> Iterator[tuple[str, Metric, float | None, float | None]]:
    directed = [metric for metric in new.metrics if metric.higher_is_better is not None]
    for row in {**old.rows, **new.rows}:
        for metric in directed:
            before = old.rows.get(row, {}).get(metric.name)
            after = new.rows.get(row, {}).get(metric.name)
            if before and after:
                before, after = _of_shared_seeds(old, before, new, after)
            if before or after:
                yield row, metric, _mean(before), _mean(after)


def _mean(values: tuple[float, ...] | None) -> float | None:
    return mean(values) if values else None


def _of_shared_seeds(
    old: Result, before: tuple[float, ...], new: Result, after: tuple[float, ...]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the values of the seeds that both have; all, where they cannot be told apart."""
    shared = set(old.seeds) & set(new.seeds)
    if not shared or len(before) != len(old.seeds) or len(after) != len(new.seeds):
        return before, after
    return tuple(v for s, v in zip(old.seeds, before, strict=True) if s in shared), tuple(
        v for s, v in zip(new.seeds, after, strict=True) if s in shared
    )


def _differences(old: Result, new: Result) -> list[str]:
    """Return what of the two environments differs, our own code apart."""
    names = ("system", "machine", "processor", "cores", "threads", "python", "torch", "numpy")
    return [
        f"{name} {old.environment.get(name, 'unknown')} then, {new.environment.get(name)} now"
        for name in names
        if old.environment.get(name) != new.environment.get(name)
        or old.environment.get(name) is None
    ]
