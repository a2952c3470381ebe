"""Kernels are compiled once on a machine, and whoever waits for it is told why."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
import plasticish.core.compiled as compiled
compiled.progress_enabled = lambda: "told" in sys.argv
import kernel
print(kernel.twice(21), kernel.twice(2.0), sum(kernel.twice.stats.cache_hits.values()))
"""
KERNEL = """
from plasticish.core.compiled import compiled

@compiled
def twice(x):
    return x + x
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "kernel.py").write_text(KERNEL)

    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )

    return call


def test_machine_code_is_found_again_by_the_next_process(run):
    assert run().stdout == "42 4.0 0\n"
    assert run().stdout == "42 4.0 2\n"


def test_a_terminal_is_told_once_and_only_when_it_has_to_wait(run):
    first, second = run("told"), run("told")
    assert first.stderr.count("Compiling the inner loops") == 1
    assert second.stderr == ""


def test_a_pipe_is_told_nothing(run):
    assert run().stderr == ""
