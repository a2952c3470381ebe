"""``plasticish memory``: learning on, going on after a kill, asking, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plasticish.cli import memory_learning
from plasticish.sequence import PlasticMemory

NAMES = ["emma", "emily", "olivia", "ava", "isabella", "sophia", "mia", "amelia", "emilia", "ella"]
COMMANDS = ("learn", "complete", "sample", "concepts", "draw", "export", "watch", "compare")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "names.txt"
    path.write_text("\n".join([*NAMES, "", *NAMES[:3]]) + "\n")
    return path


@pytest.fixture
def folder(plasticish: Any, file: Path, tmp_path: Path) -> Path:
    done = plasticish("memory", "learn", file, "--save", tmp_path / "m", "--experts", "plain")
    assert done.code == 0, done.err
    assert done.out.startswith("13 sequences")
    return tmp_path / "m"


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example_and_the_common_options(plasticish: Any, command: str) -> None:
    done = plasticish("memory", command, "--help")
    assert done.code == 0
    assert f"    plasticish memory {command}" in done.out
    assert "--json" in done.out
    assert "--quiet" in done.out


def test_the_memory_is_that_of_the_lines(folder: Path) -> None:
    stored = dict(PlasticMemory.load(folder).sequences())
    assert stored == {name: 2 if name in NAMES[:3] else 1 for name in NAMES}


def test_it_learns_on(plasticish: Any, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_bytes("zoë\r\nzara\r\n".encode())
    done = plasticish("memory", "learn", tmp_path / "more.txt", "--save", folder, "--json")
    assert json.loads(done.out)["sequences"] == 15
    assert dict(PlasticMemory.load(folder).sequences())["zoë"] == 1


def test_a_killed_run_goes_on_to_the_same_memory(
    plasticish: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_learning, "CHUNK", 4)
    learn = PlasticMemory.learn
    learned = 0

    def dying(self: PlasticMemory, sequences: Any) -> Any:
        nonlocal learned
        learned += 1
        if learned == 3:
            raise KeyboardInterrupt
        return learn(self, sequences)

    with monkeypatch.context() as patch:
        patch.setattr(PlasticMemory, "learn", dying)
        assert plasticish("memory", "learn", file, "--save", tmp_path / "killed").code == 130
    assert PlasticMemory.load(tmp_path / "killed").tree.count == 8
    other = tmp_path / "other.txt"
    other.write_text("else\n")
    refused = plasticish("memory", "learn", other, "--save", tmp_path / "killed")
    assert (refused.code, "in the middle of another file" in refused.err) == (2, True)
    done = plasticish("memory", "learn", file, "--save", tmp_path / "killed")
    assert "going on after 8 of 13" in done.err
    plasticish("memory", "learn", file, "--save", tmp_path / "whole")
    # The folder names its tensors by their digest: the same name is the same memory.
    tensors = [next((tmp_path / k).glob("tensors-*")).name for k in ("killed", "whole")]
    assert tensors[0] == tensors[1]


def test_questions_are_answered_in_text_and_json(
    plasticish: Any, folder: Path, tmp_path: Path
) -> None:
    done = plasticish("memory", "complete", "em", "-m", folder)
    assert "something new" in done.out
    assert "emily (2)" in done.out
    found = json.loads(plasticish("memory", "complete", "em", "-m", folder, "--json").out)
    assert found["completion"].startswith("em")
    assert found["next"][0]["symbol"] in "mi"
    samples = ("memory", "sample", "-n", 3, "--prefix", "e", "-m", folder, "--seed", 5, "--json")
    made = json.loads(plasticish(*samples).out)["samples"]
    assert len(made) == 3
    assert all(name.startswith("e") for name in made)
    assert json.loads(plasticish(*samples).out)["samples"] == made
    found = json.loads(plasticish("memory", "concepts", "-m", folder, "--json").out)["concepts"]
    assert {c["expansion"] for c in found} >= {"em", "ia"}


BAD = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \n", "is empty"),
    "not UTF-8": (b"ab\nc\xff\n", "is not UTF-8: got byte 0xff in line 2"),
    "one line": (b"a" * 10_000_000, "too long: got 10,000,000 symbols"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_files_are_one_line_of_error_and_change_nothing(
    plasticish: Any, folder: Path, tmp_path: Path, bad: str
) -> None:
    content, text = BAD[bad]
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    before = sorted(p.name for p in folder.iterdir()), (folder / "checkpoint.json").read_bytes()
    done = plasticish("memory", "learn", path, "--save", folder)
    assert done.code == 2
    assert text in done.err
    assert done.err.strip().count("\n") == 0
    after = sorted(p.name for p in folder.iterdir()), (folder / "checkpoint.json").read_bytes()
    assert after == before


def test_other_mistakes_are_named(plasticish: Any, folder: Path, tmp_path: Path) -> None:
    cases = {
        ("learn", tmp_path / "none.txt"): "cannot be read",
        ("complete", "a", "-m", tmp_path / "nowhere"): "is not a checkpoint",
        ("sample", "--temperature", "0", "-m", folder): "temperature is out of range",
        ("draw", "--out", tmp_path / "t.bmp", "-m", folder): "cannot be written",
        ("draw", "--what", "forest", "-m", folder): "expected 'tree' or 'library'",
        ("draw", "--level", "1", "-m", folder): "are of the library: got --what tree",
        ("draw", "--what", "library", "--concept", "C9999", "-m", folder): "no concept named",
        ("draw", "--layout", "neato", "-m", folder): "unknown layout",
        ("watch", "--count", "0"): "count is out of range",
        ("watch", "--out", tmp_path / "t.mp4"): "expected '.gif'",
    }
    for arguments, text in cases.items():
        done = plasticish("memory", *arguments)
        assert done.code == 2
        assert text in " ".join(done.err.split())
