"""Avalanche's own training, with our memory, our consolidation and our brain plugged in."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

from torch import Tensor

from plasticish.core import spawn_seed
from plasticish.data import Task, load_digits
from plasticish.vision import PlasticBrain

from ..peers import avalanche
from ..scenario import Context, Findings, Goal, Metric, UnavailableError, scenario
from ._common import STEP, Life, Setting, figures_of, live_in_avalanche, take_through

SETTING = Setting()
NAIVE, REPLAY = "Avalanche Naive", "Avalanche Replay"
OURS = "Naive + DarkReplayPlugin"
AS_MANY = f"{OURS}, as many rows"
SLEEPING = f"{OURS}, 100 steps of sleep"
BOTH = f"{OURS} + ConsolidationPlugin"
BRAIN = "PlasticBrainStrategy"
ABOVE = "points above Avalanche Replay"
BRAIN_BATCH, SLEEP_STEPS, STRENGTH = 64, 100, 10.0


def _ours(name: str) -> Any:
    """Return a module of ours that needs Avalanche."""
    for module in ("training.plugins", "training.templates", "models"):
        avalanche.load(module)
    return importlib.import_module(f"plasticish.estimators.{name}")


def _with(
    strategy: str, replay: dict[str, Any] | None = None, strength: float | None = None
) -> Callable[[list[Task], int], Life]:
    """Return how a strategy lives with our plugins, if replay has settings."""

    def live(tasks: list[Task], seed: int) -> Life:
        plugins = []
        if replay is not None:
            ours = _ours("avalanche_plugins")
            drawn = spawn_seed(seed, 3)
            plugins.append(ours.DarkReplayPlugin(SETTING.buffer, seed=drawn, **replay))
            if strength is not None:
                plugins.append(ours.ConsolidationPlugin(strength, seed=seed))
        return live_in_avalanche(strategy, tasks, "class", SETTING, seed, plugins)

    return live


def _brain(tasks: list[Task], seed: int) -> Life:
    brain = PlasticBrain(in_dim=tasks[0].train.inputs.shape[1], seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations
        made = _ours("avalanche_strategy").PlasticBrainStrategy(
            brain=brain, train_mb_size=BRAIN_BATCH, evaluator=avalanche.silent()
        )

    def answer(x: Tensor, j: int) -> Tensor:
        return brain.predict(x)

    return take_through(made, answer, tasks, "class", 1, BRAIN_BATCH, seed)


ROWS: dict[str, Callable[[list[Task], int], Life]] = {
    NAIVE: _with("Naive"),
    REPLAY: _with("Replay"),
    OURS: _with("Naive", {}),
    AS_MANY: _with("Naive", {"rows": SETTING.batch}),
    SLEEPING: _with("Naive", {"sleep_steps": SLEEP_STEPS}),
    BOTH: _with("Naive", {}, STRENGTH),
    BRAIN: _brain,
}


@scenario(
    "continual/avalanche-plugin",
    title="our memory in Avalanche's training",
    question="What do users of Avalanche gain by one line, our plugin, in their strategy?",
    protocol="""Split digits, class-incremental: five tasks of two classes in a random order, raw
    8x8 pixels. Network, optimizer, batches, epochs, split and a buffer of 200 examples as in
    continual/split-digits; Avalanche does the training in every row. Beside 16 new rows Avalanche
    Replay rehearses 16, our plugin 32 unless it says "as many rows". PlasticBrainStrategy goes
    through each task once, in batches of 64, without that network. Nothing was tuned here: weights
    of the losses are those of ContinualLearningSTDP, and the strength of 10 is a hundredth of
    1,000.""",
    data="scikit-learn digits",
    metrics=[
        Metric("ACC"),
        Metric("forgetting", higher_is_better=False),
        Metric("AIA"),
        Metric("BWT"),
        Metric(ABOVE, "points", tolerance=1.0),
        Metric(STEP, "ms", 2, higher_is_better=None),
    ],
    goals=[
        Goal(OURS, "ACC", ">=", 80, aim=88),
        Goal(OURS, "forgetting", "<=", 12),
        Goal(OURS, ABOVE, ">=", 0),
        Goal(BRAIN, "ACC", ">=", 97),
    ],
    baselines=[NAIVE, REPLAY],
)
def avalanche_plugin(context: Context) -> Findings:
    """Run every row over the same streams."""
    if reason := avalanche.available():
        raise UnavailableError(reason)
    findings, accuracies = Findings(), {}
    rows = (NAIVE, REPLAY, OURS) if context.quick else ROWS
    for row in rows:
        lives = [ROWS[row](SETTING.stream(load_digits(seed=s), s), s) for s in context.seeds]
        figures = figures_of(lives)
        accuracies[row] = figures["ACC"]
        if row not in (NAIVE, REPLAY):
            pairs = zip(accuracies[row], accuracies[REPLAY], strict=True)
            figures[ABOVE] = [ours - theirs for ours, theirs in pairs]
        findings.add(row, **figures)
    return findings
