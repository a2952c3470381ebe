"""Our plugins in Avalanche's training: skipped where it is not, and better than without them."""

from __future__ import annotations

import sys

import pytest

from plasticish.bench import SCENARIOS, UnavailableError, load_scenarios, run_scenario
from plasticish.bench.peers import avalanche

ID = "continual/avalanche-plugin"


def test_it_says_that_avalanche_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    load_scenarios()
    monkeypatch.setattr(avalanche, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match="avalanche-lib is not installed"):
        run_scenario(SCENARIOS[ID], quick=True)


@pytest.mark.skipif(avalanche.available() is not None, reason="avalanche-lib is not installed")
def test_one_line_more_keeps_what_was_learned() -> None:
    load_scenarios()
    result = run_scenario(SCENARIOS[ID], quick=True)
    ours, naive = "Naive + DarkReplayPlugin", "Avalanche Naive"
    assert result.mean(ours, "ACC") > result.mean(naive, "ACC") + 50
    assert result.mean(ours, "forgetting") < 20 < result.mean(naive, "forgetting")


def test_who_wants_wandb_after_avalanche_gets_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    with avalanche._stand_in_for_wandb():
        import wandb

        assert not hasattr(wandb, "init")
    assert "wandb" not in sys.modules
