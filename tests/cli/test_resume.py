"""A run that is stopped, and killed, ends as one that never was."""

import json
import signal
import subprocess
import sys
import time

import pytest

from plasticish.core import load_checkpoint

# Small batches make the run long enough to be stopped in its middle, however busy the machine.
OPTIONS = ("--classes-per-task", "4", "--batch-size", "2")
START = "from plasticish.cli.main import main; main()"


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-c", START, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_phase(process, run, phase, limit_s=60.0):
    """Wait until so many phases are finished and saved."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        manifest = run / "checkpoint" / "checkpoint.json"
        if manifest.is_file():
            position = json.loads(manifest.read_text())["state"]["position"]
            if position["phase"] >= phase:
                return
        time.sleep(0.02)
    process.kill()
    raise AssertionError(f"phase {phase} was never reached: {process.communicate()}")


@pytest.mark.slow
def test_interrupted_then_killed_then_resumed(plasticish, tmp_path):
    run, whole = tmp_path / "my run", tmp_path / "whole"

    process = start("learn", "--out", run, *OPTIONS)
    wait_for_phase(process, run, 0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert f"plasticish: stopped; go on with: plasticish resume '{run}'" in err
    assert "Traceback" not in err
    found = json.loads(plasticish("inspect", run, "--json").out)
    assert found["finished"] is False
    assert f"plasticish resume {run}" in plasticish("inspect", run).out

    process = start("resume", run)
    wait_for_phase(process, run, 1)
    process.kill()
    process.communicate()
    assert not (run / "report.json").exists()

    resumed = plasticish("resume", run, "--json")
    assert resumed.code == 0, resumed.err
    assert plasticish("learn", "--out", whole, *OPTIONS, "--quiet").code == 0
    ours, theirs = (json.loads((f / "report.json").read_text()) for f in (run, whole))
    for report in (ours, theirs):
        del report["seconds_learning"]
    assert ours == theirs
    brains = [load_checkpoint(folder / "brain") for folder in (run, whole)]
    assert brains[0].state == brains[1].state
    assert brains[0].tensors.keys() == brains[1].tensors.keys()
    assert all(bool((a == brains[1].tensors[k]).all()) for k, a in brains[0].tensors.items())


def test_a_run_that_stopped_before_its_first_step_begins_again(plasticish, digits, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_bytes((digits.folder / "config.json").read_bytes())
    assert "has not begun" in plasticish("inspect", run).out
    done = plasticish("resume", run, "--json")
    assert done.code == 0
    assert json.loads(done.out)["matrices"] == digits.report["matrices"]


def test_a_source_that_changed_is_refused(plasticish, digits, tmp_path):
    config = json.loads((digits.folder / "config.json").read_text())
    config |= {"classes": [*config["classes"], "ten"], "order": [*config["order"], 10]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    done = plasticish("resume", tmp_path)
    assert done.code == 2
    assert "has changed since" in done.err
