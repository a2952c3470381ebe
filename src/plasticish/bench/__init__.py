"""Scenarios with permanent ids, their results as files, and the comparison with peers.

Here live the registry of scenarios (one package an area: ``see``, ``spike``, ``continual``), the
runner, result files, tables, timing and the peers. Nothing in the library may import from here
except the command line: what is measured does not know that it is measured.
"""

from .comparison import Change, Comparison, compare
from .environment import environment
from .judgement import Judgement, judge
from .report import write_report
from .results import (
    QUICK_RESULTS,
    RESULTS,
    GoalOutcome,
    Result,
    load_result,
    load_results,
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
from .table import ResultTable, goal_text, markdown_goals, markdown_table
from .timing import Timing, side_by_side

__all__ = [
    "QUICK_RESULTS",
    "RESULTS",
    "SCENARIOS",
    "Change",
    "Comparison",
    "Context",
    "Findings",
    "Goal",
    "GoalOutcome",
    "Judgement",
    "Metric",
    "Outcome",
    "Result",
    "ResultTable",
    "Scenario",
    "Timing",
    "UnavailableError",
    "compare",
    "environment",
    "goal_text",
    "judge",
    "load_result",
    "load_results",
    "load_scenarios",
    "markdown_goals",
    "markdown_table",
    "run_scenario",
    "run_scenarios",
    "save_result",
    "scenario",
    "select",
    "side_by_side",
    "write_report",
]
