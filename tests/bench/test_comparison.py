"""What counts as a regression, and what is only told."""

import math
from dataclasses import replace

import pytest

from plasticish.bench import Change, Metric, Result, compare

ENVIRONMENT = {
    "system": "Linux",
    "machine": "x86_64",
    "processor": "abacus",
    "cores": 2,
    "threads": 1,
    "python": "3.11",
    "torch": "2.13",
    "numpy": "2.4",
}
METRICS = (
    Metric("ACC"),
    Metric("forgetting", higher_is_better=False),
    Metric("rate", "/s", tolerance=0.3, relative=True),
    Metric("described", higher_is_better=None),
)


def result(seeds=(0, 1), quick=False, environment=ENVIRONMENT, **rows):
    return Result(
        id="test/made-up",
        title="",
        question="",
        protocol="as ever",
        data="numbers",
        seeds=seeds,
        quick=quick,
        metrics=METRICS,
        baselines=("naive",),
        rows=rows or {"brain": {"ACC": (90.0, 92.0)}},
        goals=(),
        notes=(),
        seconds=1.0,
        environment=environment,
    )


def kinds(comparison):
    return {(c.row, c.metric.name): c.kind for c in comparison.changes}


def test_a_run_beside_itself_has_no_change():
    same = compare(result(), result())
    assert kinds(same) == {("brain", "ACC"): "same"}
    assert (same.regressions, same.notes, same.worst) == ((), (), None)


def test_worse_is_judged_by_direction_and_tolerance():
    old = result(brain={"ACC": (90.0,), "forgetting": (1.0,)})
    worse = compare(old, result(brain={"ACC": (89.0,), "forgetting": (2.0,)}))
    assert [str(change) for change in worse.regressions] == [
        "brain / ACC: 90 -> 89",
        "brain / forgetting: 1 -> 2",
    ]
    within = compare(old, result(brain={"ACC": (89.5,), "forgetting": (0.5,)}))
    assert within.regressions == ()
    assert set(kinds(within).values()) == {"same"}
    assert (within.worst.loss, within.worst.share) == (0.5, 1.0)


def test_better_is_told_and_does_not_fail():
    better = compare(result(), result(brain={"ACC": (95.0, 95.0)}))
    assert kinds(better) == {("brain", "ACC"): "better"}
    assert (better.regressions, better.worst) == ((), None)


def test_gone_is_a_regression_and_new_is_not():
    change = compare(result(), result(brain={"forgetting": (1.0,)}))
    assert kinds(change) == {("brain", "ACC"): "gone", ("brain", "forgetting"): "new"}
    assert [str(c) for c in change.regressions] == ["brain / ACC: 91 -> nothing"]
    assert change.worst.loss == math.inf


def test_baselines_are_compared_and_fail_nothing():
    old = result(naive={"ACC": (20.0,)}, peer={"ACC": (50.0,)})
    change = compare(replace(old, baselines=("naive", "peer")), result(naive={"ACC": (10.0,)}))
    assert kinds(change) == {("naive", "ACC"): "worse", ("peer", "ACC"): "gone"}
    assert change.regressions == ()


def test_figures_without_a_direction_are_left_out():
    described = result(brain={"described": (1.0,)})
    assert compare(described, result(brain={"described": (99.0,)})).changes == ()


@pytest.mark.parametrize(
    ("rate", "here", "quick", "fails"),
    [
        (750.0, {}, False, False),
        (650.0, {}, False, True),
        (650.0, {"processor": "slide rule"}, False, False),
        (650.0, {"torch": "3.0"}, False, False),
        (650.0, {}, True, False),
    ],
)
def test_speeds_bind_only_a_full_run_on_the_same_machine(rate, here, quick, fails):
    old = result(quick=quick, brain={"rate": (1000.0,), "ACC": (90.0,)})
    new = result(
        quick=quick, environment={**ENVIRONMENT, **here}, brain={"rate": (rate,), "ACC": (80.0,)}
    )
    change = compare(old, new)
    assert ("rate" in [c.metric.name for c in change.of_kind("worse")]) == (rate < 700)
    assert [c.metric.name for c in change.regressions] == ["ACC"] + ["rate"] * fails


def test_what_does_not_name_its_processor_was_measured_elsewhere():
    nameless = {name: value for name, value in ENVIRONMENT.items() if name != "processor"}
    old = result(environment=nameless, brain={"rate": (1000.0,)})
    (note,) = compare(old, result(brain={"rate": (1.0,)})).notes
    assert "processor" in note
    assert compare(old, replace(old, rows={"brain": {"rate": (1.0,)}})).regressions == ()


def test_only_the_seeds_that_both_have_are_compared():
    old = result(seeds=(0, 1), brain={"ACC": (90.0, 92.0), "forgetting": (3.0,)})
    new = result(seeds=(1, 2), brain={"ACC": (92.0, 10.0), "forgetting": (3.0,)})
    change = compare(old, new)
    assert [(c.before, c.after) for c in change.changes] == [(92.0, 92.0), (3.0, 3.0)]
    assert "compared over 1" in change.notes[0]
    assert "none is shared" in compare(old, replace(new, seeds=(8, 9))).notes[0]


def test_another_protocol_is_told():
    notes = compare(result(), replace(result(), protocol="otherwise", data="letters")).notes
    assert notes == ("the protocol is worded otherwise", "the data is worded otherwise")


def test_a_tolerance_of_none_is_used_up_by_anything():
    exact = Metric("missing", "", 0, higher_is_better=False, tolerance=0)
    assert Change("r", exact, 0.0, 0.0).share == 0
    assert Change("r", exact, 0.0, 1.0).share == math.inf
    assert Change("r", exact, 0.0, 1.0).regressed


def test_the_worst_is_the_one_that_used_up_most_of_what_is_allowed():
    old = result(brain={"ACC": (90.0,), "forgetting": (1.0,), "rate": (1000.0,)})
    new = result(brain={"ACC": (89.8,), "forgetting": (1.4,), "rate": (900.0,)})
    assert compare(old, new).worst.metric.name == "forgetting"
