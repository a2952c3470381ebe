"""``plasticish memory learn``: bundled names, kills, folders that are no memory, and length."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plasticish.cli import memory_learning
from plasticish.data import load_first_names
from plasticish.sequence import PlasticMemory

LEARNER = """
import sys
from plasticish.cli import memory_learning
from plasticish.cli.main import main

memory_learning.CHUNK = 50
sys.argv = ["plasticish", "memory", "learn", "--experts", "plain", "--save", sys.argv[1]]
main()
"""


def contents(folder: Path) -> str:
    """The tensors are named by their digest: the same name is the same memory."""
    (file,) = folder.glob("tensors-*.safetensors")
    return file.name


def progress(folder: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((folder / "checkpoint.json").read_text())["state"]
    return dict(state["reading"])


def test_without_a_file_the_bundled_names_are_learned(plasticish: Any, tmp_path: Path) -> None:
    done = plasticish("memory", "learn", "--save", tmp_path / "m", "--experts", "plain", "--json")
    names = load_first_names()
    assert json.loads(done.out)["sequences"] == len(names)
    assert dict(PlasticMemory.load(tmp_path / "m").sequences()) == dict.fromkeys(names, 1.0)


def test_killed_hard_it_goes_on_to_the_same_memory(
    plasticish: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", LEARNER, str(folder)])
    while not (folder / "checkpoint.json").exists() and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    reached = progress(folder)
    assert not reached["done"]
    assert PlasticMemory.load(folder).tree.count == reached["lines"] > 0
    monkeypatch.setattr(memory_learning, "CHUNK", 50)
    learn = ("memory", "learn", "--experts", "plain", "--save")
    assert "going on after" in plasticish(*learn, folder).err
    plasticish(*learn, tmp_path / "whole")
    assert contents(folder) == contents(tmp_path / "whole")
    assert progress(folder) == progress(tmp_path / "whole")


def test_killed_in_its_sleep_it_says_what_it_would_have_said(
    plasticish: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f.txt").write_text("emma\nemily\nava\n")
    learn = ("memory", "learn", tmp_path / "f.txt", "--json", "--save")

    def dying(self: PlasticMemory) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PlasticMemory, "sleep", dying)
        assert plasticish(*learn, tmp_path / "killed").code == 130
    one, other = (json.loads(plasticish(*learn, tmp_path / k).out) for k in ("killed", "whole"))
    assert {**one, "memory": ""} == {**other, "memory": ""}
    assert one["nats"] > 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.parametrize("fault", ["truncated", "foreign", "no manifest"])
def test_a_folder_that_is_no_memory_is_refused_and_left_alone(
    plasticish: Any, tmp_path: Path, fault: str
) -> None:
    folder = PlasticMemory("plain").save(tmp_path / "m")
    manifest = folder / "checkpoint.json"
    (tensors,) = folder.glob("tensors-*")
    if fault == "truncated":
        tensors.write_bytes(tensors.read_bytes()[:-5])
    elif fault == "foreign":
        manifest.write_text(manifest.read_text().replace("plastic_memory", "plastic_brain"))
    else:
        manifest.write_text("{")
    before = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    done = plasticish("memory", "learn", "--save", folder)
    assert done.code == 2
    assert done.err.strip().count("\n") == 0
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()} == before


def test_saves_become_rarer_as_the_file_grows_longer(
    plasticish: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_learning, "CHUNK", 10)
    saved: list[int] = []
    save = memory_learning._save

    def counting(memory: PlasticMemory, folder: Path, reading: Any) -> None:
        saved.append(reading.lines)
        save(memory, folder, reading)

    monkeypatch.setattr(memory_learning, "_save", counting)
    (tmp_path / "f.txt").write_text("\n".join(load_first_names()[:2000]))
    plasticish("memory", "learn", tmp_path / "f.txt", "--experts", "plain",
               "--save", tmp_path / "m")  # fmt: skip
    assert saved[:10] == [10 * i for i in range(1, 11)]
    steps = np.diff([0, *saved[:-1]])  # the last two are the end of the file and of the sleep
    assert all(step <= max(10, 0.1 * at) + 10 for at, step in zip(saved, steps, strict=False))
    assert len(saved) < 60
    assert saved[-2:] == [2000, 2000]


def test_many_sequences_need_no_recursion() -> None:
    # Each is inside the next: the deepest tree that there can be, far deeper than Python's stack.
    memory = PlasticMemory("plain")
    memory.learn(["a" * i for i in range(1, 1201)])
    rng = np.random.default_rng(0)
    memory.learn([bytes(row).decode() for row in rng.integers(97, 101, (20_000, 6), np.uint8)])
    assert memory.levels().keys() == set(range(1201))
    assert memory.tree.count == 21_200
    memory.draw("library", limit=5, layout="own")
    assert memory.draw(limit=5, layout="own").left_out == len(memory.tree) - 5
    memory.forget("a" * 1200)
    memory.sleep(1)
