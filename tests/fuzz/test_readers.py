"""A few hostile inputs for every reader; ``plasticish bench product/fuzz`` reads a million."""

from __future__ import annotations

import warnings
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from plasticish.bench.fuzzing import READERS, mutated
from plasticish.bench.fuzzing.run import available_readers
from plasticish.bench.fuzzing.watch import empty

FOUND = Path(__file__).parent.parent / "data" / "fuzz"
# A command line may do real work, which is not for a test: the scenario interrupts it.
NAMES = [name for name in available_readers() if not READERS[name].works]
SLOW = ("learner", "network", "brain", "cortex", "memory", "classifier", "conversation")


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    made = {}

    def of(name):
        if name not in made:
            made[name] = list(READERS[name].corpus(tmp_path_factory.mktemp("seeds")))
        return made[name]

    return of


def read(name, data, folder):
    """Let a reader read; what it may raise is passed over, and all else fails the test."""
    empty(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            READERS[name].read(data, folder)
        except (*READERS[name].errors, TypeCheckError):  # types are checked in tests alone
            return


@pytest.mark.parametrize("name", NAMES)
def test_a_reader_refuses_in_so_many_words(name, seeds, tmp_path):
    sound = seeds(name)
    count = 4 if name.split()[-1] in SLOW else 25

    @settings(
        max_examples=count, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.integers(0, 2**32) | st.binary(max_size=200))
    def check(given):
        number = isinstance(given, int)
        data = mutated(sound, Random(given), READERS[name].parts) if number else given
        read(name, data, tmp_path)

    for data in sound:
        read(name, data, tmp_path)
    check()


@pytest.mark.parametrize("path", sorted(FOUND.rglob("*.bin")), ids=lambda path: path.stem)
def test_what_was_found_once_is_refused_for_good(path, tmp_path):
    read(path.parent.name.replace("-", " "), path.read_bytes(), tmp_path)
