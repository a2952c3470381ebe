"""A disk that is full or locked, and two processes that write at once."""

from __future__ import annotations

import pytest

from plasticish.bench.product._faults import Harness
from plasticish.bench.product._victims import VICTIMS

from .conftest import FEW, THOROUGH, points

LEFT = pytest.mark.parametrize("middle", [False, True], ids=["from nothing", "in the middle"])
THEM = pytest.mark.parametrize("victim", VICTIMS if THOROUGH else FEW)
MIDDLE = pytest.mark.parametrize("middle", [False, True] if THOROUGH else [True])


@MIDDLE
@THEM
def test_a_full_disk_is_one_error_and_loses_nothing(
    traced: Harness, victim: str, middle: bool
) -> None:
    tally = traced.suffer("full_disks", victim, middle=middle, most=points(3))
    assert tally.flawless, tally
    assert tally.kills >= 3


def test_a_disk_that_is_full_while_a_log_is_recovered_loses_nothing(traced: Harness) -> None:
    # SQLite deletes a log that it could not read, unless a reader goes first.
    assert traced.suffer("full_disks", "conversation", middle=True, first=6).flawless


@MIDDLE
@THEM
def test_a_file_that_may_not_grow_is_one_error(
    suffering: Harness, victim: str, middle: bool
) -> None:
    tally = suffering.suffer("small_files", victim, middle=middle)
    assert tally.flawless, tally
    assert tally.kills == 3


@LEFT
@THEM
def test_a_locked_folder_is_one_error_and_can_be_read(
    suffering: Harness, victim: str, middle: bool
) -> None:
    tally = suffering.suffer("read_only", victim, middle=middle)
    assert tally.flawless, tally


@LEFT
@THEM
def test_two_writers_come_to_the_end_of_one(suffering: Harness, victim: str, middle: bool) -> None:
    tally = suffering.suffer("two_writers", victim, middle=middle)
    assert tally.flawless, tally
    assert tally.identical == 1
