"""Scenarios with permanent ids, their results as files, and the comparison with peers.

Here live the registry of scenarios (one package an area: ``see``, ``spike``, ``continual``), the
runner, result files, tables, timing and the peers. Nothing in the library may import from here
except the command line: what is measured does not know that it is measured.
"""

from .environment import environment
from .results import (
    RESULTS,
    GoalOutcome,
    Regression,
    Result,
    load_result,
    load_results,
    regressions,
    save_result,
)
from .runner import Outcome, load_scenarios, run_scenario, run_scenarios, select
from .scenario import (
    SCENARIOS,
    Context,
    Findings,
    Goal,
    Metric,
    Scenario,
    UnavailableError,
    scenario,
)
from .table import goal_text, markdown_goals, markdown_table, rich_table
from .timing import Timing, side_by_side

__all__ = [
    "RESULTS",
    "SCENARIOS",
    "Context",
    "Findings",
    "Goal",
    "GoalOutcome",
    "Metric",
    "Outcome",
    "Regression",
    "Result",
    "Scenario",
    "Timing",
    "UnavailableError",
    "environment",
    "goal_text",
    "load_result",
    "load_results",
    "load_scenarios",
    "markdown_goals",
    "markdown_table",
    "regressions",
    "rich_table",
    "run_scenario",
    "run_scenarios",
    "save_result",
    "scenario",
    "select",
    "side_by_side",
]
