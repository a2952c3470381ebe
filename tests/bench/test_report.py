"""The report of a run says what a reader must know, of every way in which a scenario can end."""

from dataclasses import replace
from pathlib import Path

import pytest

from plasticish.bench import SCENARIOS, Findings, Goal, Metric, Outcome, judge, run_scenario
from plasticish.bench import scenario as register
from plasticish.bench.readme import stale
from plasticish.bench.report import SUMMARY, Run, summary_row, write_report


@pytest.fixture
def made_up(monkeypatch):
    monkeypatch.setattr(SCENARIOS, "_entries", dict(SCENARIOS._entries))

    def run(context):
        findings = Findings()
        findings.add("brain <1>", ACC=[90.0, 91.0], speed=[10.0])
        findings.add("naive", ACC=[20.0])
        findings.notes.append("a note & more")
        return findings

    return register(
        "test/report",
        title="made up",
        question="Is it told?",
        protocol="Two seeds.",
        data="numbers",
        metrics=[Metric("ACC"), Metric("speed", "/s", tolerance=0.3, relative=True)],
        goals=[Goal("brain <1>", "ACC", ">=", 90.0), Goal("naive", "ACC", ">=", 30.0)],
        baselines=["naive"],
        seeds=(0, 1, 2, 3, 4),
    )(run)


def judged(scenario, old=None, *, quick=False):
    result = run_scenario(scenario, seeds=[0, 1], quick=quick)
    stored = None
    if old is not None:
        stored = replace(result, rows={**result.rows, "brain <1>": old})
    return judge(Outcome(scenario.id, result), stored)


def written(tmp_path, *judgements, quick=False, unfinished=()):
    run = Run(judgements, quick, tmp_path / "stored", unfinished)
    html, markdown = write_report(run, tmp_path)
    return run, html.read_text(), markdown.read_text()


def test_the_first_run_is_new_and_says_it_all(made_up, tmp_path):
    run, html, markdown = written(tmp_path, judged(made_up))
    assert (run.count("new"), run.bad) == (1, ())
    for text in (
        "Is it told?",
        "Two seeds.",
        "numbers",
        "90.5 ± 0.7",
        "plasticish bench test/repo",
    ):
        assert text in html
        assert text in markdown
    assert "brain &lt;1&gt;" in html
    assert "a note &amp; more" in html
    assert "naive (baseline)" in html
    assert "ACC ≥ 90: 90.5, reached" in html
    assert "missed" in html
    assert 'src="data:image/png;base64,' in html
    assert (tmp_path / "figures" / "test" / "report.png").exists()


def test_a_regression_is_said_first_and_in_numbers(made_up, tmp_path):
    judgement = judged(made_up, {"ACC": (93.0, 93.0), "speed": (10.0,)})
    run, html, markdown = written(tmp_path, judgement)
    assert [j.verdict for j in run.bad] == ["regressed"]
    line = "test/report: brain <1> / ACC: 93 -> 90.5 (2.5 worse, 0.5 allowed)"
    assert html.index(line.replace("<", "&lt;").replace(">", "&gt;")) < html.index("All scenarios")
    row = dict(zip(SUMMARY, summary_row(judgement), strict=True))
    assert row["verdict"] == "regressed"
    assert (row["change"], row["allowed"], row["goals"]) == ("2.5 worse", "0.5", "1 of 2")
    assert "**regressed**" in markdown


def test_the_picture_is_of_what_became_worse(made_up, tmp_path):
    for old, shown in (((10.0,), "ACC"), ((99.0,), "speed")):
        judgement = judged(made_up, {"ACC": (90.0, 91.0), "speed": old})
        written(tmp_path, judgement)
        assert not stale(tmp_path / "figures/test/report.png", judgement.outcome.result, shown)


def test_a_quick_run_judges_no_goals_and_no_speeds(made_up, tmp_path):
    judgement = judged(made_up, {"ACC": (90.0, 91.0), "speed": (99.0,)}, quick=True)
    run, html, _ = written(tmp_path, judgement, quick=True)
    assert run.bad == ()
    assert judgement.verdict == "passed"
    assert judgement.goals is None
    assert "Goal:" not in html
    assert "worse, told only" in html
    assert "its figures are no measurement" in html


def test_skipped_failed_and_unfinished_are_told(made_up, tmp_path):
    skipped = judge(Outcome(made_up.id, skipped="no data here"), None)
    failed = judge(
        Outcome(made_up.id, failed="ValueError: 1 < 2", traceback="in deep\nValueError: 1 < 2"),
        None,
    )
    run, html, markdown = written(tmp_path, skipped, failed, unfinished=["test/other"])
    assert [j.verdict for j in run.bad] == ["failed"]
    assert run.headline.startswith("1 failed, 1 skipped, 1 not run")
    for text in ("no data here", "ValueError: 1 &lt; 2", "in deep\nValueError", "test/other"):
        assert text in html
    assert "    in deep\n    ValueError: 1 < 2" in markdown


def test_the_time_is_that_of_all(made_up):
    result = replace(run_scenario(made_up, seeds=[0, 1]), seconds=50.4, cpu_seconds=3.0)
    two = [judge(Outcome(made_up.id, result), None)] * 2
    assert Run(two, False, Path()).headline == "2 new; 1 min 41 s (0 min 06 s of CPU time)"
