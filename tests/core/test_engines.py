"""Engines: the same results in the same order, whoever works and whoever dies meanwhile."""

from __future__ import annotations

import multiprocessing
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from plasticish.core import (
    ENGINES,
    ConfigError,
    Engine,
    MissingExtraError,
    WorkerError,
    make_engine,
)

sys.path.insert(0, str(Path(__file__).parent))  # workers are given it too, and import from there

from engine_jobs import (
    die,
    die_once,
    fail_oddly,
    fail_on_two,
    product,
    square,
    unpicklable,
)


@pytest.fixture(scope="module")
def processes() -> Iterator[Engine]:
    with make_engine("processes", 2) as engine:
        yield engine


def test_names_are_permanent():
    assert {"sequential", "processes", "ray"} <= set(ENGINES)


@pytest.mark.parametrize("workers", [0, -1, True])
def test_odd_numbers_of_workers_are_refused(workers):
    with pytest.raises(ConfigError, match="workers is out of range"):
        make_engine("sequential", workers)


def test_an_unknown_engine_names_those_there_are():
    with pytest.raises(ConfigError, match=r"unknown engine: got 'threads'.*processes, ray"):
        make_engine("threads")


def test_ray_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"plasticish\[ray\]"):
        make_engine("ray")


def test_results_come_in_the_order_of_the_items(processes):
    numbers = [float(n) for n in range(20)]
    assert list(processes.map(square, numbers)) == [n * n for n in numbers]
    assert dict(processes.unordered(square, numbers)) == {i: n * n for i, n in enumerate(numbers)}


def test_no_items_no_results(processes):
    assert list(processes.map(square, [])) == []


def test_every_engine_rounds_alike(processes):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        here = list(make_engine().map(product, [0, 1, 2]))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    there = list(processes.map(product, [0, 1, 2]))
    assert all(torch.equal(one, other) for one, other in zip(here, there, strict=True))
    assert here[0][-1] == 1  # thread


def test_an_error_arrives_with_the_traceback_of_the_worker(processes):
    for engine in (make_engine(), processes):
        results = engine.map(fail_on_two, [1, 2, 3])
        with pytest.raises(KeyError) as caught:
            list(results)
        told = "".join(traceback.format_exception(caught.value))
        assert "in fail_on_two" in told
        assert 'raise KeyError("two")' in told


def test_after_an_error_the_engine_works_on(processes):
    with pytest.raises(KeyError):
        list(processes.map(fail_on_two, [2]))
    assert list(processes.map(square, [3.0])) == [9.0]


def test_what_cannot_be_handed_over_says_so(processes):
    with pytest.raises(WorkerError, match="OddError: one and two"):
        list(processes.map(fail_oddly, [0]))
    with pytest.raises(WorkerError, match="a result cannot be handed over"):
        list(processes.map(unpicklable, [0]))


def test_what_a_killed_worker_had_goes_to_another(processes, tmp_path):
    (tmp_path / "b").write_text("this one lives")
    markers = [str(tmp_path / name) for name in "ab"]
    assert list(processes.map(die_once, markers)) == ["a", "b"]


def test_work_that_kills_every_worker_is_given_up():
    before = set(multiprocessing.active_children())
    with (
        make_engine("processes", 1, retries=0) as engine,
        pytest.raises(WorkerError, match=r"1 deaths on item 0, the last with exit status -9"),
    ):
        list(engine.map(die, [0]))
    assert set(multiprocessing.active_children()) == before


def test_who_is_told_to_stop_stops(processes):
    answers = iter([False, False])
    done = list(make_engine().unordered(square, [1.0] * 5, stop=lambda: next(answers, True)))
    assert [position for position, _ in done] == [0, 1]
    assert list(processes.unordered(square, [1.0] * 5, stop=lambda: True)) == []


def test_work_in_hand_ends_with_whoever_wanted_it(processes):
    results = processes.unordered(square, [1.0] * 50)
    next(results)
    results.close()
    assert list(processes.map(square, [2.0])) == [4.0]
