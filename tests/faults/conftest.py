"""A warm process that forks, and how thorough it is to be: ``PLASTICISH_FAULTS=50`` is all."""

import os

import pytest

from plasticish.bench.product._faults import Harness, harness

THOROUGH = int(os.environ.get("PLASTICISH_FAULTS", "0"))
"""Kills a victim at random; 0 is the short form, which leaves out what takes long."""

# A learner, a trainer, a log and a command stand for the others, which are written by the same
# few functions.
FEW = ("plastic_brain", "PlasticTrainer", "conversation", "plasticish memory learn")
HEAVY = ("plasticish learn", "plasticish train", "plasticish raise")


def due(names: tuple[str, ...]) -> list[str]:
    """Return those of these victims that are due in this run of the tests."""
    return [name for name in names if THOROUGH or name not in HEAVY]


def points(few: int) -> int | None:
    """Return how many points are to be tried; None is all of them."""
    return None if THOROUGH else few


@pytest.fixture(scope="session")
def suffering() -> Harness:
    with harness() as held:
        yield held


@pytest.fixture(scope="session")
def traced(suffering: Harness) -> Harness:
    if reason := suffering.cannot_trace():
        pytest.skip(reason)
    return suffering
