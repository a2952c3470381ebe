"""The same seed gives the same bits in two fresh processes: every learner, every trainer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plasticish import training
from plasticish.core import LEARNERS

TESTS = Path(__file__).resolve().parents[1]


def lived_elsewhere(folder: Path, hash_seed: int, **environment: str) -> dict[str, str]:
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "contract.fresh", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": str(hash_seed), **environment},
    )
    assert not done.returncode, done.stderr
    digests: dict[str, str] = json.loads(done.stdout)
    return digests


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return lived_elsewhere(tmp_path_factory.mktemp("first"), 1)


def test_every_learner_and_trainer_is_among_them(first: dict[str, str]) -> None:
    ours = {n for n in LEARNERS if LEARNERS[n].__module__.startswith("plasticish.")}
    # The abstract one is named Trainer alone.
    trainers = {n for n in training.__all__ if n.endswith("Trainer") and n != "Trainer"}
    assert set(first) == ours | trainers


def test_two_fresh_processes_end_with_the_same_bits(first: dict[str, str], tmp_path: Path) -> None:
    second = lived_elsewhere(tmp_path, 4242)
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.skipif(
    "PLASTICISH_THOROUGH" not in os.environ,
    reason="compiles every kernel, which takes minutes: set PLASTICISH_THOROUGH",
)
def test_kernels_compiled_anew_give_the_same_bits(first: dict[str, str], tmp_path: Path) -> None:
    kernels = tmp_path / "kernels"
    second = lived_elsewhere(tmp_path / "lives", 1, NUMBA_CACHE_DIR=str(kernels))
    assert list(kernels.rglob("*.nbi")), "nothing was compiled"
    assert [name for name in first if first[name] != second[name]] == []
