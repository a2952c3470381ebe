"""The engine of a cluster, on a cluster of this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plasticish.core import Engine, make_engine

sys.path.insert(0, str(Path(__file__).parent))

from engine_jobs import die_once, fail_on_two, product

pytestmark = [
    pytest.mark.slow,
    # Ray's own, of its sockets and of what it still imports.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Engine]:
    pytest.importorskip("ray", reason="needs the extra ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ":".join(sys.path))  # workers find the functions of this test
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        with make_engine("ray", 2) as engine:
            yield engine


def test_it_gives_what_the_sequential_engine_gives(cluster):
    here = list(make_engine().map(product, [0, 1, 2]))
    there = list(cluster.map(product, [0, 1, 2]))
    assert all(bool((one == other).all()) for one, other in zip(here, there, strict=True))


def test_a_killed_worker_is_replaced_and_errors_arrive(cluster, tmp_path):
    assert list(cluster.map(die_once, [str(tmp_path / "a"), str(tmp_path / "b")])) == ["a", "b"]
    with pytest.raises(KeyError, match="two"):
        list(cluster.map(fail_on_two, [1, 2]))
