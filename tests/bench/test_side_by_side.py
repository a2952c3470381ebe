"""Scenarios run side by side: the figures are those of one after another."""

from __future__ import annotations

import pytest

from plasticish.bench import (
    SCENARIOS,
    Findings,
    Metric,
    load_scenarios,
    run_scenario,
    run_scenarios,
)
from plasticish.bench import scenario as declare
from plasticish.core import make_engine


@pytest.fixture
def made(monkeypatch):
    """Three scenarios that are there for one test: apart, together, and of the machine."""
    calls: list[tuple[str, tuple[int, ...]]] = []
    load_scenarios()
    monkeypatch.setattr(SCENARIOS, "_entries", dict(SCENARIOS._entries))

    def make(name: str, metric: Metric, **options) -> None:
        def run(context) -> Findings:
            calls.append((name, context.seeds))
            findings = Findings()
            findings.add("row", **{metric.name: [10.0 + seed for seed in context.seeds]})
            findings.notes.append("a note")
            return findings

        declare(
            f"test/{name}", title="t", question="q", protocol="p", data="none", metrics=[metric],
            seeds=(0, 1, 2), **options,
        )(run)  # fmt: skip

    make("apart", Metric("ACC"), seeds_apart=True)
    make("machine", Metric("wall", "s"))
    make("whole", Metric("ACC"))
    return calls


def test_seeds_apart_are_joined_and_the_machine_is_measured_last_and_here(made):
    engine = make_engine()
    found = {o.id: o.result for o in run_scenarios(["test/*"], engine=engine)}
    assert list(found) == ["test/apart", "test/whole", "test/machine"]
    assert made == [
        ("apart", (0,)), ("apart", (1,)), ("apart", (2,)), ("whole", (0, 1, 2)),
        ("machine", (0, 1, 2)),
    ]  # fmt: skip
    for id, result in found.items():
        whole = run_scenario(SCENARIOS[id])
        assert (result.rows, result.seeds, result.notes) == (whole.rows, whole.seeds, whole.notes)


def test_one_seed_that_fails_is_the_outcome(made, monkeypatch):
    def fails(context) -> Findings:
        if context.seeds == (1,):
            raise ValueError("seed one")
        findings = Findings()
        findings.add("row", ACC=[1.0])
        return findings

    declare(
        "test/broken", title="t", question="q", protocol="p", data="none", metrics=[Metric("ACC")],
        seeds=(0, 1, 2), seeds_apart=True,
    )(fails)  # fmt: skip
    (outcome,) = run_scenarios(["test/broken"], engine=make_engine())
    assert outcome.failed == "ValueError: seed one"
    assert "in fails" in outcome.traceback


def test_workers_find_what_one_process_finds():
    with make_engine("processes", 1) as engine:
        (outcome,) = run_scenarios(["spike/golden"], quick=True, engine=engine)
    whole = run_scenario(SCENARIOS["spike/golden"], quick=True)
    assert outcome.result.rows == whole.rows
