"""kill -9 at random moments, and at every single moment of a save."""

from __future__ import annotations

import pytest

from plasticish import training
from plasticish.bench.product._faults import Harness
from plasticish.bench.product._victims import VICTIMS
from plasticish.bench.product._victims_commands import COMMAND_VICTIMS
from plasticish.bench.product._victims_trainers import TRAINER_VICTIMS
from plasticish.core import LEARNERS

from .conftest import FEW, THOROUGH, due, points


def test_every_learner_and_every_trainer_is_killed() -> None:
    ours = {n for n in LEARNERS if LEARNERS[n].__module__.startswith("plasticish.")}
    assert ours <= set(VICTIMS)
    # The abstract one is named Trainer alone.
    trainers = {n for n in training.__all__ if n.endswith("Trainer") and n != "Trainer"}
    assert trainers == set(TRAINER_VICTIMS)
    assert len(COMMAND_VICTIMS) == 4


@pytest.mark.parametrize("victim", due(tuple(VICTIMS)))
def test_nothing_acknowledged_is_lost_at_any_moment(suffering: Harness, victim: str) -> None:
    tally = suffering.suffer("random_kills", victim, kills=THOROUGH or 2, seed=0)
    assert tally.flawless, tally
    assert tally.kills == (THOROUGH or 2)
    assert tally.runs >= 1


@pytest.mark.parametrize("middle", [False, True], ids=["from nothing", "in the middle"])
@pytest.mark.parametrize("victim", VICTIMS if THOROUGH else FEW)
def test_nothing_is_lost_at_any_point_of_a_save(traced: Harness, victim: str, middle: bool) -> None:
    most = points(12 if victim == "plastic_brain" else 3)
    tally = traced.suffer("every_kill", victim, middle=middle, most=most)
    assert tally.flawless, tally
    assert tally.kills >= 3


@pytest.mark.parametrize("middle", [False, True], ids=["from nothing", "in the middle"])
@pytest.mark.parametrize("victim", VICTIMS if THOROUGH else FEW)
def test_what_was_acknowledged_is_on_the_disk(traced: Harness, victim: str, middle: bool) -> None:
    assert traced.suffer("durability", victim, middle=middle).troubles == []
