"""The stored quick figures are of quick runs, of scenarios that there are, and were quick."""

from pathlib import Path

import pytest

from plasticish.bench import SCENARIOS, load_results, load_scenarios

QUICK = Path(__file__).resolve().parents[2] / "benchmarks" / "quick"
ALL_SECONDS, ONE_SECONDS = 180, 20


@pytest.fixture(scope="module")
def results():
    found = load_results(QUICK)
    assert found, "there are stored quick figures"
    return found


def test_each_is_a_quick_run_of_a_scenario_on_its_quick_seeds(results):
    load_scenarios()
    for id, result in results.items():
        assert result.quick, id
        assert result.seeds == SCENARIOS[id].quick_seeds, f"plasticish bench {id} --quick --update"


def test_each_states_what_the_scenario_states(results):
    load_scenarios()
    for id, result in results.items():
        stated = {metric.name for metric in SCENARIOS[id].metrics}
        measured = {name for values in result.rows.values() for name in values}
        assert measured <= stated, f"plasticish bench {id} --quick --update"


def test_they_were_measured_in_time(results):
    spent = {id: result.cpu_seconds for id, result in results.items()}
    slow = {id: seconds for id, seconds in spent.items() if seconds > ONE_SECONDS}
    assert not slow, "these quick forms are to be made shorter"
    assert sum(spent.values()) < ALL_SECONDS


def test_they_say_nothing_of_the_machine_but_its_kind(results):
    for id, result in results.items():
        assert set(result.environment) >= {"processor", "code", "torch"}, id
        assert str(Path.home()) not in str(result.to_dict()), id


def test_so_little_data_still_shows_what_a_scenario_is_about(results):
    # The run itself, and that its figures are still these, is what `make bench-quick` shows.
    digits = results["see/split-digits"]
    assert digits.mean("PlasticBrain", "ACC") > digits.mean("SLDA", "ACC")
    assert digits.mean("naive softmax, raw, lr 0.1", "forgetting") > 50
