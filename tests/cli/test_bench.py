"""``plasticish bench`` on scenarios made up for the purpose: compare, store, stop, go on."""

import json
from pathlib import Path

import pytest

from plasticish.bench import SCENARIOS, Findings, Metric, UnavailableError, load_scenarios, scenario

STORED, QUICK = (Path("benchmarks", kind, "test", "cli.json") for kind in ("results", "quick"))


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """A scenario ``test/cli`` whose figure can be set, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    load_scenarios()
    monkeypatch.setattr(SCENARIOS, "_entries", dict(SCENARIOS._entries))
    found = {"ACC": 90.0, "ran": 0}

    def run(context):
        found["ran"] += 1
        if isinstance(found["ACC"], BaseException):
            raise found["ACC"]
        findings = Findings()
        findings.add("brain", ACC=found["ACC"])
        return findings

    for id in ("test/cli", "test/other"):
        scenario(
            id,
            title="a test",
            question="Does it run?",
            protocol="none",
            data="none",
            metrics=[Metric("ACC")],
            seeds=(0,),
        )(run)
    return found


def accuracy(path):
    return json.loads(path.read_text())["rows"]["brain"]["ACC"]["mean"]


def test_the_first_full_run_is_stored_and_later_ones_only_when_asked(plasticish, measured):
    first = plasticish("bench", "test/cli")
    assert (first.code, accuracy(STORED)) == (0, 90.0)
    assert STORED.with_suffix(".png").exists()
    assert str(STORED) in first.out
    measured["ACC"] = 95.0
    better = plasticish("bench", "test/cli")
    assert (better.code, accuracy(STORED)) == (0, 90.0)
    assert "--resume --update" in better.out
    stored = plasticish("bench", "test/cli", "--resume", "--update")
    assert (stored.code, accuracy(STORED)) == (0, 95.0)
    assert measured["ran"] == 2


def test_a_regression_fails_and_names_the_figure(plasticish, measured):
    plasticish("bench", "test/cli")
    measured["ACC"] = 89.0
    worse = plasticish("bench", "test/cli")
    assert worse.code == 1
    assert "test/cli: brain / ACC: 90 -> 89" in worse.out
    assert "regressed" in Path("runs/bench/report.md").read_text()
    assert accuracy(STORED) == 90.0
    accepted = plasticish("bench", "test/cli", "--update")
    assert (accepted.code, accuracy(STORED)) == (0, 89.0)


def test_quick_figures_have_a_store_of_their_own_and_enter_it_only_when_asked(plasticish, measured):
    assert plasticish("bench", "test/cli", "--quick").code == 0
    assert not Path("benchmarks").exists()
    plasticish("bench", "test/cli", "--quick", "--update")
    assert accuracy(QUICK) == 90.0
    assert not STORED.exists()
    assert not QUICK.with_suffix(".png").exists()
    measured["ACC"] = 80.0
    assert plasticish("bench", "test/cli", "--quick").code == 1


def test_one_that_raises_is_told_and_the_others_go_on(plasticish, measured):
    measured["ACC"] = ZeroDivisionError("of nothing")
    done = plasticish("bench", "test/*", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert [r["failed"] for r in report["results"]] == ["ZeroDivisionError: of nothing"] * 2
    assert not STORED.exists()
    # Nothing can be stored of it, so that asking to store does not make it well.
    assert plasticish("bench", "test/cli", "--update").code == 1


def test_a_lack_is_told_and_is_no_failure(plasticish, measured):
    measured["ACC"] = UnavailableError("no numbers here")
    done = plasticish("bench", "test/cli")
    assert done.code == 0
    assert "skipped: no numbers here" in done.out


def test_a_stop_keeps_what_is_done_and_says_how_to_go_on(plasticish, measured, tmp_path):
    entries = SCENARIOS._entries
    entries["test/other"] = type(entries["test/other"])(
        **{
            **vars(entries["test/other"]),
            "run": lambda context: (_ for _ in ()).throw(KeyboardInterrupt),
        }
    )
    stopped = plasticish("bench", "test/*", "--out", "here")
    assert stopped.code == 130
    assert "go on with: plasticish bench 'test/*' --out here --resume" in stopped.err
    assert "1 not run" in Path("here/report.md").read_text()
    entries["test/other"] = type(entries["test/other"])(
        **{**vars(entries["test/other"]), "run": entries["test/cli"].run}
    )
    done = plasticish("bench", "test/*", "--out", "here", "--resume", "--json")
    assert [r["id"] for r in json.loads(done.out)["results"]] == ["test/cli", "test/other"]
    assert measured["ran"] == 2


def test_a_stored_result_that_cannot_be_read_is_found_before_hours_are_spent(plasticish, measured):
    STORED.parent.mkdir(parents=True)
    STORED.write_text("{")
    done = plasticish("bench", "test/*")
    assert done.code == 2
    assert "test/cli is damaged" in done.err
    assert measured["ran"] == 0


def test_a_folder_that_cannot_be_made_is_found_before_too(plasticish, measured):
    Path("file").touch()
    done = plasticish("bench", "test/cli", "--out", "file/deep")
    assert done.code == 2
    assert "file/deep" in done.err
    assert measured["ran"] == 0


def test_a_few_are_printed_whole_and_json_has_all_figures(plasticish, measured):
    whole = plasticish("bench", "test/cli", "--quick")
    assert "90.0" in whole.out
    assert "runs/bench/report.html" in whole.out
    report = json.loads(plasticish("bench", "test/cli", "--quick", "--json").out)
    assert report["headline"].startswith("1 new")
    assert report["results"][0]["rows"]["brain"]["ACC"]["values"] == [90.0]


def test_json_says_what_changed(plasticish, measured):
    plasticish("bench", "test/cli")
    measured["ACC"] = 89.0
    (found,) = json.loads(plasticish("bench", "test/cli", "--json").out)["results"]
    assert (found["verdict"], found["file"]) == ("regressed", None)
    assert found["changes"] == [
        {
            "row": "brain",
            "metric": "ACC",
            "kind": "worse",
            "stored": 90.0,
            "now": 89.0,
            "allowed": 0.5,
            "regressed": True,
        }
    ]
