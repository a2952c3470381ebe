"""Fashion-MNIST, pair after pair, in one small network."""

from __future__ import annotations

from functools import cache

import torch

from plasticish.core import DataError, make_generator, spawn_seed
from plasticish.data import LabelledSet, Source, few_shot, load_fashion

from ..peers import avalanche
from ..scenario import Context, Findings, Goal, UnavailableError, scenario
from ._common import (
    AVALANCHE,
    JOINT,
    METRICS,
    MODES,
    OURS,
    PARTS,
    Setting,
    add_rows,
    baselines,
    row_name,
)

SETTING = Setting(epochs=2)
ROWS = (*PARTS, JOINT)
TRAIN, TEST = 600, 200  # images a class


@scenario(
    "continual/split-fashion",
    title="Fashion-MNIST, five pairs in one network",
    question="A network learns five pairs of clothes, one after another. What protects the first?",
    protocol="""As continual/split-digits, with 600 random training and 200 random test images of
    every class for each seed, 28x28 pixels in [0, 1], and 2 epochs a task.""",
    data="Fashion-MNIST",
    metrics=METRICS,
    goals=[
        Goal(row_name(OURS, "class"), "ACC", ">=", 60, aim=70),
        Goal(row_name(OURS, "class"), "forgetting", "<=", 25),
    ],
    baselines=[*baselines(ROWS), *baselines(list(AVALANCHE), ("class",))],
)
def split_fashion(context: Context) -> Findings:
    """Run every row over the same streams."""
    try:
        whole = load_fashion(context.data_root)
    except DataError:
        try:
            whole = load_fashion()
        except DataError as error:
            raise UnavailableError(f"continual/split-fashion cannot run here: {error}") from error

    less = 10 if context.quick else 1

    @cache
    def source(seed: int) -> Source:
        train, test = (
            _few(part, shots // less, spawn_seed(seed, number))
            for number, (part, shots) in enumerate([(whole.train, TRAIN), (whole.test, TEST)])
        )
        return Source(train, test, "fashion")

    findings = Findings()
    for mode in MODES[:1] if context.quick else MODES:
        rows = (*ROWS, *AVALANCHE) if mode == "class" else ROWS
        add_rows(findings, source, mode, SETTING, context.seeds, rows)
    if reason := avalanche.available():
        findings.notes.append(f"Without Avalanche: {reason}.")
    return findings


def _few(part: LabelledSet, shots: int, seed: int) -> LabelledSet:
    chosen = few_shot(part, shots, make_generator(seed))
    return chosen.with_inputs(chosen.inputs.flatten(1).to(torch.float32) / 255)
