"""Checkpoints are the old state or the new one, whatever happens, and nothing else passes."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plasticish.core import (
    Checkpoint,
    CheckpointError,
    Persistent,
    State,
    inspect_checkpoint,
    load_checkpoint,
    save_checkpoint,
    write_atomically,
)


def checkpoint(value: int = 1, size: int = 100) -> Checkpoint:
    return Checkpoint(
        "counter", {"start": 0}, {"value": value}, {"array": torch.full((size,), value)}, seed=7
    )


def manifest(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((path / "checkpoint.json").read_text())
    return loaded


def write(path: Path, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (path / "checkpoint.json").write_text(text)


# --------------------------------------------------------------------------- round trip


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
)
def test_everything_comes_back(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {
        "a": torch.arange(12).reshape(3, 4).to(dtype),
        "across": torch.arange(12).reshape(3, 4).to(dtype).T,
        "none": torch.zeros(0, 5, dtype=dtype),
        "one": torch.tensor(3).to(dtype),
    }
    tensors["view"] = tensors["a"][1:, 1:]
    saved = Checkpoint("thing", {"x": [1, None]}, {"name": "Zoë", "share": 0.1}, tensors, 3)
    loaded = load_checkpoint(save_checkpoint(tmp_path / "c", saved))
    assert (loaded.kind, loaded.seed) == ("thing", 3)
    assert (loaded.config, loaded.state) == (saved.config, saved.state)
    assert loaded.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded.tensors[name].dtype == dtype
        assert torch.equal(loaded.tensors[name], tensor)


def test_inspect_names_what_is_inside(tmp_path: Path) -> None:
    found = inspect_checkpoint(save_checkpoint(tmp_path / "c", checkpoint()))
    assert (found["kind"], found["seed"], found["state"]) == ("counter", 7, {"value": 1})
    assert found["tensors"]["arrays"] == {"array": {"shape": [100], "dtype": "I64"}}
    assert found["format_version"] == 1
    assert found["package_version"]


@pytest.mark.parametrize("state", [{"x": float("nan")}, {"x": {1, 2}}, {"x": torch.ones(1)}])
def test_what_json_cannot_hold_changes_nothing(tmp_path: Path, state: dict[str, Any]) -> None:
    path = save_checkpoint(tmp_path / "c", checkpoint())
    with pytest.raises((TypeError, ValueError)):
        save_checkpoint(path, Checkpoint("counter", {}, state))
    assert load_checkpoint(path).state == {"value": 1}
    with pytest.raises((TypeError, ValueError)):
        save_checkpoint(tmp_path / "d", Checkpoint("counter", {}, state))
    assert not (tmp_path / "d").exists()


# --------------------------------------------------------------------------- accidents


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes: what a full disk does, for this process alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100, 50_000])
def test_a_full_disk_leaves_the_old_state(tmp_path: Path, size: int) -> None:
    path = save_checkpoint(tmp_path / "c", checkpoint(1))
    with room_for(size), pytest.raises(CheckpointError, match="could not be written: got File too"):
        save_checkpoint(path, checkpoint(2, 20_000))
    assert load_checkpoint(path).state == {"value": 1}
    assert not list(path.glob(".*.tmp"))
    save_checkpoint(path, checkpoint(2, 20_000))
    assert load_checkpoint(path).state == {"value": 2}
    assert len(list(path.glob("tensors-*"))) == 1


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "note"
    write_atomically(file, b"old")
    with room_for(10), pytest.raises(CheckpointError, match="the earlier state"):
        write_atomically(file, b"new" * 100)
    assert file.read_bytes() == b"old"
    with pytest.raises(CheckpointError, match="note could not be written"):
        write_atomically(tmp_path / "nowhere" / "note", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["note"]


ACCIDENTS = """
import os, random, signal, sys, time
import torch
from plasticish.core import Checkpoint, load_checkpoint, save_checkpoint
torch.set_num_threads(1)
path, kind = sys.argv[1:]

def save(value):
    size = 1000 + 5000 * (value % 7)
    array = torch.full((size,), value)
    save_checkpoint(path, Checkpoint("counter", {}, {"value": value, "size": size}, {"a": array}))

def check():
    found = load_checkpoint(path, "counter")
    value, array = found.state["value"], found.tensors["a"]
    assert len(array) == found.state["size"] and bool((array == value).all()), "torn"
    return value

def fork(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return child

def forever(start):
    value = start
    while True:
        value += 1
        save(value)

save(0)
draw = random.Random(0)
if kind == "kill":
    last = 0
    for _ in range(25):
        child = fork(lambda: forever(last))
        time.sleep(draw.uniform(0.002, 0.08))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        value = check()
        assert value >= last, "an older state came back"
        last = value
    assert last >= 5, last
    save(last + 1)
    left = [n for n in os.listdir(path) if n.endswith(".tmp") or n.startswith("tensors")]
    assert len(left) == 1, left
else:
    children = [fork(lambda: [save(100 * k + i) for i in range(40)]) for k in (1, 2)]
    seen = set()
    while children:
        seen.add(check())
        children = [c for c in children if os.waitpid(c, os.WNOHANG) == (0, 0)]
    assert check() in (139, 239)
    assert len(seen) > 3, seen
print("sound")
"""


@pytest.mark.parametrize("kind", ["kill", "writers"])
def test_every_moment_has_a_sound_state(tmp_path: Path, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ACCIDENTS, str(tmp_path / "c"), kind],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "sound", done.stderr


@pytest.mark.parametrize("left", [[], [".lock"], [".lock", ".checkpoint.json.7.tmp"], ["tensors"]])
def test_a_save_that_died_before_its_manifest_is_taken_up(tmp_path: Path, left: list[str]) -> None:
    for name in left:
        file = "tensors-0123456789abcdef.safetensors" if name == "tensors" else name
        (tmp_path / file).write_bytes(b"torn")
    save_checkpoint(tmp_path, checkpoint())
    assert load_checkpoint(tmp_path).state == {"value": 1}
    assert len(list(tmp_path.glob("tensors-*"))) == 1


def test_a_reader_follows_a_writer_that_came_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_checkpoint(tmp_path / "c", checkpoint(1))
    read = Path.read_bytes

    def interrupted(self: Path) -> bytes:
        content = read(self)
        if self.name == "checkpoint.json":
            monkeypatch.setattr(Path, "read_bytes", read)
            save_checkpoint(path, checkpoint(2))
        return content

    monkeypatch.setattr(Path, "read_bytes", interrupted)
    assert load_checkpoint(path).state == {"value": 2}


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / ".lock").mkdir()  # permissions would not stop the superuser
    with pytest.raises(CheckpointError, match="the checkpoint folder cannot be written"):
        save_checkpoint(tmp_path / "c", checkpoint())


# --------------------------------------------------------------------------- impostors


@pytest.mark.parametrize(
    "name",
    ["../outside.safetensors", "/etc/passwd", "..", "", ".", "a\0b", "\ud800", "checkpoint.json",
     "tensors-0123456789abcdef.safetensors/../x", "x" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("read", [load_checkpoint, inspect_checkpoint])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, name: str, read: Any) -> None:
    path = save_checkpoint(tmp_path / "c", checkpoint())
    outside = next(path.glob("tensors-*")).read_bytes()
    (tmp_path / "outside.safetensors").write_bytes(outside)
    found = manifest(path)
    found["tensors"]["file"] = name
    write(path, found)
    with pytest.raises(CheckpointError, match="lacks a field or has one of the wrong type"):
        read(path)


def test_a_matching_checksum_over_something_else_is_refused(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path / "c", checkpoint())
    found = manifest(path)
    for content in (b"", b"not tensors at all", b"\xff" * 64):
        digest = hashlib.sha256(content).hexdigest()
        found["tensors"] |= {"bytes": len(content), "sha256": digest}
        (path / found["tensors"]["file"]).write_bytes(content)
        write(path, found)
        for read in (load_checkpoint, inspect_checkpoint):
            with pytest.raises(CheckpointError, match="truncated or damaged"):
                read(path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is a foreign folder"),
        ({"format": "keras"}, "is a foreign folder: got .* of another program"),
        ({"format_version": 2}, "from a newer plasticish: got format version 2.*Upgrade"),
        ({"format_version": "1"}, "from a newer plasticish"),
        ({"kind": 3}, "wrong type"),
        ({"config": None}, "wrong type"),
        ({"state": []}, "wrong type"),
        ({"seed": "x"}, "wrong type"),
        ({"tensors": {}}, "wrong type"),
    ],
)
def test_manifests_that_are_none_are_refused(tmp_path: Path, change: Any, text: str) -> None:
    path = save_checkpoint(tmp_path / "c", checkpoint())
    write(path, change if isinstance(change, str) else {**manifest(path), **change})
    with pytest.raises(CheckpointError, match=text):
        load_checkpoint(path)
    with pytest.raises(CheckpointError, match=text):
        inspect_checkpoint(path)


def test_missing_tensors_are_noticed_even_beside_numbers_that_equal_nothing(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path / "c", checkpoint())
    text = (path / "checkpoint.json").read_text()
    write(path, text.replace('"bytes":', '"x": NaN, "bytes":'))
    next(path.glob("tensors-*")).unlink()
    with pytest.raises(CheckpointError, match=r"truncated or damaged: got tensors-.*No such file"):
        load_checkpoint(path)


class Counter(Persistent):
    """The smallest thing that a checkpoint can hold."""

    kind = "counter"

    def __init__(self, start: int) -> None:
        self.value = start

    def config(self) -> dict[str, Any]:
        return {"start": 0}

    def export_state(self) -> State:
        return State({"value": self.value}, {"array": torch.full((3,), self.value)})

    def import_state(self, state: State) -> None:
        self.value = int(state.values["value"])
        assert len(state.tensors["array"].tolist()) >= 0


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Counter(5).save(tmp_path_factory.mktemp("fuzz") / "c")


def read_both(path: Path, content: bytes) -> None:
    """Read a manifest: it is loaded, or refused in our own words."""
    original = (path / "checkpoint.json").read_bytes()
    try:
        (path / "checkpoint.json").write_bytes(content)
        for read in (load_checkpoint, inspect_checkpoint, Counter.load):
            with suppress(CheckpointError):
                read(path)
    finally:
        (path / "checkpoint.json").write_bytes(original)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
slow_is_fine = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@slow_is_fine
@given(content=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(sound: Path, content: bytes) -> None:
    read_both(sound, content)


@slow_is_fine
@given(data=st.data())
def test_any_slip_of_the_disk_is_read_or_refused(sound: Path, data: st.DataObject) -> None:
    content = bytearray((sound / "checkpoint.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    read_both(sound, bytes(content[: data.draw(st.integers(0, len(content)))]))


@slow_is_fine
@given(
    field=st.sampled_from(
        ["format", "format_version", "kind", "seed", "config", "state", "tensors",
         "tensors.file", "tensors.bytes", "tensors.sha256", "state.value", "config.start"]
    ),
    value=JSON,
)  # fmt: skip
def test_any_field_may_hold_anything(sound: Path, field: str, value: Any) -> None:
    found = manifest(sound)
    *outer, name = field.split(".")
    (found[outer[0]] if outer else found)[name] = value
    read_both(sound, json.dumps(found).encode())
