"""One scenario's outcome beside what is stored of it, and the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .comparison import Comparison, compare
from .results import Result
from .runner import Outcome
from .scenario import SCENARIOS, Scenario

__all__ = ["VERDICTS", "Judgement", "Verdict", "judge"]

Verdict = Literal["failed", "regressed", "passed", "new", "skipped"]
VERDICTS: dict[Verdict, str] = {
    "failed": "it raised an error",
    "regressed": "a figure of ours is worse than the stored one by more than is allowed, or gone",
    "passed": "no figure of ours became worse by more than is allowed",
    "new": "nothing is stored to compare with",
    "skipped": "something it needs is not here",
}
"""What each verdict means, the worst first."""


@dataclass(frozen=True)
class Judgement:
    """What became of one scenario.

    Attributes
    ----------
    scenario : Scenario
        What was asked.
    outcome : Outcome
        What was found.
    stored : Result or None
        What earlier runs had found.
    comparison : Comparison or None
        The two beside each other, where there are two.
    """

    scenario: Scenario
    outcome: Outcome
    stored: Result | None = None
    comparison: Comparison | None = None

    @property
    def verdict(self) -> Verdict:
        """The one word."""
        if self.outcome.failed is not None:
            return "failed"
        if self.outcome.result is None:
            return "skipped"
        if self.comparison is None:
            return "new"
        return "regressed" if self.comparison.regressions else "passed"

    @property
    def bad(self) -> bool:
        """Whether it fails the run."""
        return self.verdict in ("failed", "regressed")

    @property
    def goals(self) -> tuple[int, int] | None:
        """How many goals were reached, of how many; None where they are not judged."""
        result = self.outcome.result
        if result is None or result.quick or not result.goals:
            return None
        outcomes = result.outcomes()
        return sum(outcome.reached for outcome in outcomes), len(outcomes)


def judge(outcome: Outcome, stored: Result | None) -> Judgement:
    """Set an outcome beside the stored result of its scenario, if there is one.

    Examples
    --------
    >>> from plasticish.bench import Outcome, load_scenarios
    >>> load_scenarios()
    >>> judge(Outcome("see/speed", skipped="no time"), None).verdict
    'skipped'
    """
    scenario = SCENARIOS[outcome.id]
    if stored is None or outcome.result is None:
        return Judgement(scenario, outcome, stored)
    return Judgement(scenario, outcome, stored, compare(stored, outcome.result))
