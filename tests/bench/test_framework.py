"""Scenarios, results, tables, the README and timing, on scenarios made up for the purpose."""

import itertools
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from plasticish.bench import (
    SCENARIOS,
    Context,
    Findings,
    Goal,
    Metric,
    Result,
    ResultTable,
    Scenario,
    environment,
    goal_text,
    load_result,
    load_results,
    markdown_goals,
    markdown_table,
    run_scenario,
    run_scenarios,
    save_result,
    scenario,
    select,
    side_by_side,
)
from plasticish.bench import runner as runner_module
from plasticish.bench.environment import code_digest
from plasticish.bench.figure import digest, draw_result, plot_result
from plasticish.bench.readme import main as readme_main
from plasticish.bench.readme import render, stale
from plasticish.bench.scenario import UnavailableError
from plasticish.core import ConfigError, DataError, MissingExtraError


def made_up(run=None, **changes):
    def measured(context):
        findings = Findings()
        findings.add("brain", ACC=[90 + seed for seed in context.seeds], forgetting=[0.5, 0.7])
        findings.add("naive", ACC=19.9)
        findings.notes.append("a note")
        return findings

    settings = {
        "id": "test/made-up",
        "title": "made up",
        "question": "Does it work?",
        "protocol": "none",
        "data": "numbers",
        "metrics": (
            Metric("ACC"),
            Metric("forgetting", higher_is_better=False),
            Metric("unused"),
        ),
        "run": run or measured,
        "goals": (
            Goal("brain", "ACC", ">=", 90.0, aim=95.0),
            Goal("brain", "forgetting", "<=", 0.3),
            Goal("absent", "ACC", ">=", 1.0),
        ),
        "baselines": ("naive", "not run"),
        "seeds": (0, 1),
    }
    return Scenario(**{**settings, **changes})


@pytest.fixture
def result():
    return run_scenario(made_up())


class TestScenario:
    def test_ids_are_well_formed_and_permanent(self):
        with pytest.raises(ConfigError, match="no scenario id"):
            scenario("See/Digits", title="", question="", protocol="", data="", metrics=[])
        select(["*"])
        with pytest.raises(ConfigError, match="registered already"):
            scenario("see/split-digits", title="", question="", protocol="", data="", metrics=[])(
                lambda context: Findings()
            )

    def test_globs_select(self):
        assert [s.id for s in select(["see/split-*", "see/split-digits"])] == ["see/split-digits"]
        with pytest.raises(ConfigError, match="no scenario matches"):
            select(["hear/*"])

    def test_every_scenario_is_stated_in_full(self):
        for chosen in select(["*"]):
            assert chosen.title
            assert chosen.question.endswith("?")
            assert chosen.protocol.endswith(".")
            names = {metric.name for metric in chosen.metrics}
            assert {goal.metric for goal in chosen.goals} <= names
            assert len(chosen.seeds) >= 5 or len(chosen.seeds) == 1
            assert "\n" not in chosen.protocol
        assert SCENARIOS["see/split-digits"].goals[0].bound == 98.8

    def test_goals_judge_the_statistic_they_name(self):
        assert Goal("r", "m", "<=", 0.5, statistic="range").measure([1.0, 1.4, 1.1]) == (
            pytest.approx(0.4)
        )
        assert Goal("r", "m", ">=", 2, statistic="min").measure([1.0, 3.0]) == 1.0
        assert not Goal("r", "m", "<=", 0.5).reached(0.6)
        with pytest.raises(ConfigError, match="judged"):
            Goal("r", "m", ">", 1)


class TestRunner:
    def test_seeds_are_the_scenarios_own_the_quick_or_the_given(self):
        given = []
        spy = made_up(run=lambda context: (given.append(context), Findings())[1])
        run_scenario(spy)
        run_scenario(spy, quick=True)
        run_scenario(spy, seeds=[7])
        assert [(c.seeds, c.quick) for c in given] == [((0, 1), False), ((0,), True), ((7,), False)]

    def test_missing_data_and_extras_are_reasons_to_skip(self, monkeypatch):
        monkeypatch.delenv("PLASTICISH_DATA", raising=False)
        with pytest.raises(UnavailableError, match="PLASTICISH_DATA"):
            run_scenario(made_up(requires_data=True))

        def lacking(context):
            raise MissingExtraError("faces need the package 'faces'")

        with pytest.raises(UnavailableError, match="faces"):
            run_scenario(made_up(run=lacking))

    def test_outcomes_carry_the_reason(self, monkeypatch, tmp_path):
        def absent(context):
            raise UnavailableError("nothing to see here")

        def broken(context):
            raise ZeroDivisionError("of nothing")

        chosen = [made_up(run=absent), made_up(run=broken), made_up()]
        monkeypatch.setattr(runner_module, "select", lambda patterns: chosen)
        skipped, failed, done = run_scenarios(folder=tmp_path)
        assert (skipped.skipped, skipped.result) == ("nothing to see here", None)
        assert (failed.failed, failed.result) == ("ZeroDivisionError: of nothing", None)
        assert "in broken" in failed.traceback
        assert done.path == tmp_path / "test" / "made-up.json"
        assert done.result == load_result("test/made-up", tmp_path)

    def test_a_figure_that_is_none_is_a_failure_of_its_scenario_alone(self, monkeypatch, tmp_path):
        def nothing(values):
            findings = Findings()
            findings.add("brain", ACC=values)
            return findings

        chosen = [made_up(run=lambda c: nothing([])), made_up(run=lambda c: nothing([1.0, np.nan]))]
        monkeypatch.setattr(runner_module, "select", lambda patterns: chosen)
        for outcome in run_scenarios(folder=tmp_path):
            assert "found no figure for brain / ACC" in outcome.failed
        assert not list(tmp_path.iterdir())

    def test_nothing_is_written_unless_a_folder_is_named(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(runner_module, "select", lambda patterns: [made_up()])
        assert [outcome.path for outcome in run_scenarios()] == [None]
        assert not list(tmp_path.iterdir())

    def test_a_stop_keeps_what_is_done_and_resuming_measures_only_the_rest(
        self, monkeypatch, tmp_path
    ):
        ran = []

        def counted(name, stop=False):
            def run(context):
                ran.append(name)
                if stop and ran.count(name) == 1:
                    raise KeyboardInterrupt
                findings = Findings()
                findings.add("brain", ACC=float(len(ran)))
                return findings

            return made_up(run=run, id=f"test/{name}")

        chosen = [counted("one"), counted("two", stop=True)]
        monkeypatch.setattr(runner_module, "select", lambda patterns: chosen)
        with pytest.raises(KeyboardInterrupt):
            list(run_scenarios(folder=tmp_path))
        one, two = run_scenarios(folder=tmp_path, resume=True)
        assert ran == ["one", "two", "two"]
        assert (one.resumed, two.resumed) == (True, False)
        assert one.result.rows == {"brain": {"ACC": (1.0,)}}
        # Another code, other seeds or another kind of run would measure something else.
        list(run_scenarios(folder=tmp_path, resume=True, quick=True))
        assert ran[3:] == ["one", "two"]
        list(run_scenarios(folder=tmp_path, resume=True, seeds=[7]))
        assert ran[5:] == ["one", "two"]
        list(run_scenarios(folder=tmp_path, resume=True, seeds=[7]))
        monkeypatch.setattr(runner_module, "code_digest", lambda: "other code")
        list(run_scenarios(folder=tmp_path, resume=True, seeds=[7]))
        assert ran[7:] == ["one", "two"]

    def test_one_thread_while_it_runs(self):
        seen = []
        torch.set_num_threads(2)
        try:
            run_scenario(
                made_up(run=lambda c: (seen.append(torch.get_num_threads()), Findings())[1])
            )
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(1)
        assert seen == [1]

    def test_a_metric_that_was_not_stated_is_refused(self):
        def surprise(context):
            findings = Findings()
            findings.add("brain", luck=7)
            return findings

        with pytest.raises(ConfigError, match="luck"):
            run_scenario(made_up(run=surprise))

    def test_the_environment_names_no_host_and_no_path(self):
        text = json.dumps(environment())
        assert os.uname().nodename not in text
        assert str(Path.home()) not in text
        assert str(Path(__file__).parents[2]) not in text

    def test_the_digest_of_the_code_is_that_of_the_files(self):
        assert environment()["code"] == code_digest() == environment()["code"]
        assert re.fullmatch("[0-9a-f]{12}", code_digest())


class TestResults:
    def test_round_trip(self, result, tmp_path):
        save_result(result, tmp_path)
        again = load_result("test/made-up", tmp_path)
        assert again.rows == result.rows
        assert again.goals == result.goals
        assert again.metrics == result.metrics
        assert again.to_dict() == result.to_dict()
        assert load_results(tmp_path) == {"test/made-up": again}

    def test_the_file_says_what_was_reached(self, result):
        content = result.to_dict()
        assert content["schema"] == 1
        assert content["rows"]["brain"]["ACC"] == {
            "values": [90.0, 91.0],
            "mean": 90.5,
            "sd": pytest.approx(0.707107),
        }
        assert [(g["reached"], g["aim_reached"]) for g in content["goals"]] == [
            (True, False),
            (False, None),
            (False, None),
        ]
        assert content["baselines"] == ("naive",)
        assert content["notes"] == ("a note",)

    def test_no_figure_may_be_nan(self, result, tmp_path):
        broken = Result(**{**result.__dict__, "rows": {"brain": {"ACC": (float("nan"),)}}})
        save_result(result, tmp_path)
        with pytest.raises(ValueError, match="JSON"):
            save_result(broken, tmp_path)
        assert load_result("test/made-up", tmp_path).rows == result.rows

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", "damaged"),
            ('{"schema": 99}', "another schema"),
            ("[]", "another schema"),
            ('{"schema": 1, "goals": []}', "damaged"),
        ],
    )
    def test_bad_files_are_refused_by_name(self, content, message, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "b.json").write_text(content)
        with pytest.raises(DataError, match=f"a/b.*{message}"):
            load_result("a/b", tmp_path)

    def test_missing(self, tmp_path):
        with pytest.raises(DataError, match="no result of a/b"):
            load_result("a/b", tmp_path)


class TestTables:
    def test_markdown(self, result):
        lines = markdown_table(result).splitlines()
        assert lines[0] == "|  | ACC (%) | forgetting (%) |"  # the unused column is left out
        assert lines[2] == "| brain | 90.5 ± 0.7 | 0.6 ± 0.1 |"
        assert lines[3] == "| naive | 19.9 | – |"

    def test_goals(self, result):
        reached, missed, absent = result.outcomes()
        assert goal_text(reached) == "brain: ACC ≥ 90 (aim 95): 90.5, reached"
        assert goal_text(missed) == "brain: forgetting ≤ 0.3: 0.6, missed"
        assert goal_text(absent) == "absent: ACC ≥ 1: not measured"
        table = markdown_goals([result])
        assert "| test/made-up | brain: ACC | ≥ 90 | 95 | 90.5 | yes |" in table
        assert "| **no** |" in table

    def test_terminal(self, result):
        console = Console(width=100, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
        with console.file:
            console.print(ResultTable(result))
        text = console.export_text()
        assert "90.5 ± 0.7" in text
        assert "missed" in text

    def test_a_narrow_terminal_gets_a_figure_a_line(self, result):
        console = Console(width=26, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
        metrics = [Metric(f"a{n}", digits=3) for n in range(9)]
        row = {metric.name: (float(n),) for n, metric in enumerate(metrics)}
        with console.file:
            console.print(ResultTable(replace(result, metrics=tuple(metrics), rows={"row": row})))
        lines = console.export_text().splitlines()
        found = [line.split() for line in lines if "a3" in line]
        assert found == [["│", "│", "a3", "(%)", "│", "3.000", "│"]]

    def test_figure(self, result):
        figure = plot_result(result)
        assert len(figure.axes[0].patches) >= 2
        with pytest.raises(ConfigError, match="no such figures"):
            plot_result(result, "unused")

    def test_a_picture_knows_the_figures_it_shows(self, result, tmp_path):
        path = draw_result(result, tmp_path / "deep" / "one.png")
        name = next(iter(next(iter(result.rows.values()))))
        assert not stale(path, result, name)
        rows = {row: {name: (1.0,)} for row in result.rows}
        assert digest(replace(result, rows=rows), name) != digest(result, name)
        assert stale(path, replace(result, rows=rows), name)
        assert stale(tmp_path / "missing.png", result, name)


class TestReadme:
    text = "before\n<!-- bench:test/made-up -->\nold\n<!-- /bench -->\nafter\n"

    def test_blocks_are_generated_and_the_rest_is_left(self, result):
        fresh = render(self.text, {"test/made-up": result})
        assert fresh.startswith("before\n<!-- bench:test/made-up -->\n|  | ACC (%) |")
        assert fresh.endswith("<!-- /bench -->\nafter\n")
        assert "old" not in fresh
        assert render(fresh, {"test/made-up": result}) == fresh

    def test_a_block_without_a_result_is_an_error(self):
        with pytest.raises(DataError, match="test/made-up"):
            render(self.text, {})

    def test_check_fails_on_drift_and_changes_nothing(self, result, tmp_path, capsys):
        save_result(result, tmp_path / "results")
        document = tmp_path / "README.md"
        document.write_text(self.text)
        arguments = [str(document), "--results", str(tmp_path / "results")]
        assert readme_main([*arguments, "--check"]) == 1
        assert "make docs" in capsys.readouterr().err
        assert document.read_text() == self.text
        assert readme_main(arguments) == 0
        assert "90.5 ± 0.7" in document.read_text()
        assert readme_main([*arguments, "--check"]) == 0


class TestTiming:
    def test_interleaves_and_reports_the_minimum(self):
        calls = []
        ticks = itertools.accumulate(itertools.cycle([0, 1, 0, 2]))
        times = side_by_side(
            {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")},
            repeats=3,
            clock=lambda: float(next(ticks)),
        )
        assert calls == ["a", "b"] * 3
        assert times["a"].seconds == (1.0, 1.0, 1.0)
        assert times["b"].best == 2.0

    def test_setup_is_outside_the_time_and_fresh_each_round(self):
        made = itertools.count()
        got = []
        ticks = itertools.count()
        times = side_by_side(
            {"a": got.append},
            repeats=2,
            setup={"a": lambda: (next(ticks), next(made))[1]},
            clock=lambda: float(next(ticks)),
        )
        assert got == [0, 1]
        assert times["a"].seconds == (1.0, 1.0)

    def test_refuses_no_repeats(self):
        with pytest.raises(ConfigError, match="repeats"):
            side_by_side({"a": lambda: None}, repeats=0)


def test_context_defaults():
    assert Context((0,)) == Context((0,), quick=False, data_root=None, cache=None)
