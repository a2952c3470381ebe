"""The figures of the documents are those of the result files, and every scenario has one."""

import re
from pathlib import Path

import pytest

from plasticish.bench import load_results
from plasticish.bench.readme import pictures, render, stale

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DESIGN = [f"docs/design/{name}.md" for name in ("determinism", "faults", "scaling")]


@pytest.mark.parametrize("name", ["README.md", "QUICKSTART.md", "benchmarks/README.md", *DESIGN])
def test_documents_show_what_was_measured(name):
    document = ROOT / name
    if not document.exists():
        pytest.skip(f"{name} is not part of this tree")
    text = document.read_text(encoding="utf-8")
    assert render(text, load_results(RESULTS)) == text, "run: make docs"


def test_pictures_show_what_was_measured():
    results = load_results(RESULTS)
    shown = pictures((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown
    for path, id, metric in shown:
        assert not stale(ROOT / path, results[id], metric), f"{path} is old; run: make docs"


def test_every_result_has_its_picture():
    for id, result in load_results(RESULTS).items():
        shown = {name for values in result.rows.values() for name in values}
        first = next(metric.name for metric in result.metrics if metric.name in shown)
        assert not stale(RESULTS / f"{id}.png", result, first), f"run: plasticish bench {id}"


def test_results_are_full_runs_and_say_nothing_of_the_machine():
    for result in load_results(RESULTS).values():
        assert not result.quick, result.id
        text = str(result.to_dict())
        # A path would name the machine; no text of a result has a reason to hold one.
        assert not re.search(r"(^|[\s'\"])/[a-z]+/", text), result.id
