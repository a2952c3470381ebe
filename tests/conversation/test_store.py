"""The log is the truth: what was acknowledged is there, whole, once, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from plasticish.conversation.event_log import EventLog
from plasticish.conversation.events import (
    Birth,
    Event,
    Exchange,
    Forgetting,
    Overheard,
    Sleep,
    Taught,
)
from plasticish.conversation.memory_folder import CHECKPOINT, LOG, MemoryFolder, read_config
from plasticish.conversation.said import LONGEST, check_said
from plasticish.core import Checkpoint, CheckpointError, DataError, DTypeError

EVENTS: tuple[Event, ...] = (
    Birth({"n_neurons": 64}, blank=True),
    Exchange("hi\nthere", "héllo 😀"),
    Taught("hi", "hello", None, 0.5, "you"),
    Taught("hi", None, "good day", None, "lesson"),
    Overheard("hello", "who are you?"),
    Sleep(),
    Forgetting((1, 2)),
)
KIND = "talker"


def state(last: int = 0) -> Checkpoint:
    return Checkpoint(KIND, {"size": 3}, {"last": last}, {"w": torch.arange(3.0)})


def opened(path: Path, last: int = 0) -> MemoryFolder:
    return MemoryFolder(path, lambda: state(last), last)


def content(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# --------------------------------------------------------------------------- the log


def test_events_come_back_as_they_were_and_in_order(tmp_path: Path) -> None:
    log = EventLog(tmp_path / LOG, clock=lambda: 7.5)
    assert log.append(*EVENTS[:3]) == 3
    assert [log.append(event) for event in EVENTS[3:]] == [4, 5, 6, 7]
    log.close()
    log = EventLog(tmp_path / LOG, writable=False)
    found = list(log.after(0))
    assert tuple(one.event for one in found) == EVENTS
    assert [one.number for one in found] == list(range(1, 8))
    assert {one.at_s for one in found} == {7.5}
    assert [one.number for one in log.after(5)] == [6, 7]
    assert log.last == 7
    assert log.birth == EVENTS[0]
    log.close()


def test_every_event_is_synchronised_to_the_disk(tmp_path: Path) -> None:
    log = EventLog(tmp_path / LOG)
    connection = log._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    log.append(Sleep())
    # Another connection sees it at once: it was committed, not kept for later.
    other = EventLog(tmp_path / LOG, writable=False)
    assert other.last == 1
    other.close()
    log.close()


def test_a_process_that_is_killed_leaves_every_event_it_acknowledged(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from plasticish.conversation.event_log import EventLog\n"
        "from plasticish.conversation.events import Exchange\n"
        "log = EventLog(Path(sys.argv[1]))\n"
        "while True: print(log.append(Exchange('a' * 500, 'b')), flush=True)\n"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / LOG)]
    for _ in range(2):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(20)]
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        acknowledged = int([line for line in told if line.endswith("\n")][-1])
        log = EventLog(tmp_path / LOG, writable=False)
        assert log.last in (acknowledged, acknowledged + 1)
        assert [one.number for one in log.after(0)] == list(range(1, log.last + 1))
        log.close()


def test_who_reads_leaves_nothing_behind(tmp_path: Path) -> None:
    log = EventLog(tmp_path / LOG)
    log.append(*EVENTS)
    log.close()
    before = content(tmp_path)
    reader = EventLog(tmp_path / LOG, writable=False)
    assert [one.event for one in reader.after(0)] == list(EVENTS)
    assert content(tmp_path) == before
    reader.close()
    assert content(tmp_path) == before


def test_what_is_erased_is_in_no_file_any_more(tmp_path: Path) -> None:
    log = EventLog(tmp_path / LOG)
    log.append(Exchange("my pin is 4711", "oh"), Exchange("bye", "bye"))
    log.append(Forgetting((1,)))
    assert log.says("4711")
    assert not log.says("4711", besides=[1])
    assert log.forgotten() == [1]
    log.erase([1])
    assert log.forgotten() == []
    assert not log.says("4711")
    assert not any(b"4711" in data for data in content(tmp_path).values())
    assert log.about(1) is None
    assert log.append(Sleep()) == 4  # numbers are never given twice
    log.close()
    assert not any(b"4711" in data for data in content(tmp_path).values())


def test_a_full_disk_is_one_error_and_adds_nothing(tmp_path: Path) -> None:
    log = EventLog(tmp_path / LOG)
    log.append(Sleep())
    pages = log._connection.execute("PRAGMA page_count").fetchone()[0]
    log._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(CheckpointError, match=r"could not be written: got .*full"):
        log.append(Exchange("a", "b"), Exchange("x" * 50_000, "y"))
    assert log.last == 1
    assert log.append(Exchange("a", "b")) == 2
    log.close()


@pytest.mark.parametrize("fault", ["text", "cut", "other", "newer", "kind"])
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, fault: str) -> None:
    path = tmp_path / LOG
    log = EventLog(path)
    log.append(*(Exchange("a" * 3000, "b") for _ in range(20)))
    log.close()
    if fault == "text":
        path.write_text("this is no database at all, but a text of some length" * 9)
    elif fault == "cut":
        path.write_bytes(path.read_bytes()[:20_000])
    else:
        change = {
            "other": "PRAGMA application_id = 5",
            "newer": "PRAGMA user_version = 9",
            "kind": "UPDATE events SET kind = 'dream'",
        }
        connection = sqlite3.connect(path)
        connection.execute(change[fault])
        connection.commit()
        connection.close()
    text = {"other": "database of something else", "newer": "from a newer plasticish"}
    with pytest.raises(CheckpointError, match=text.get(fault, "truncated or damaged")):
        list(EventLog(path, writable=False).after(0))


# --------------------------------------------------------------------------- the folder


def test_a_new_folder_holds_a_checkpoint_and_the_birth(tmp_path: Path) -> None:
    folder = opened(tmp_path / "deep" / "memory")
    assert folder.made
    assert folder.log.birth == Birth({"size": 3}, blank=True)
    folder.close()
    assert sorted(p.name for p in folder.path.iterdir()) == [".lock", CHECKPOINT, LOG]
    again = opened(tmp_path / "deep" / "memory")
    assert not again.made
    found = again.read(KIND)
    assert found is not None
    assert found.state == {"last": 0}
    again.close()
    assert read_config(tmp_path / "deep" / "memory") == {"size": 3}
    assert read_config(tmp_path / "nothing") is None


def test_only_one_at_a_time(tmp_path: Path) -> None:
    folder = opened(tmp_path / "m")
    before = content(tmp_path)
    with pytest.raises(CheckpointError, match=r"another process has the memory .* open"):
        opened(tmp_path / "m")
    assert content(tmp_path) == before
    folder.close()
    opened(tmp_path / "m").close()


def test_another_process_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from plasticish.conversation.memory_folder import MemoryFolder\n"
        "folder = MemoryFolder(Path(sys.argv[1]), None)\n"
        "print('open', flush=True); time.sleep(60)\n"
    )
    opened(tmp_path / "m").close()
    arguments = [sys.executable, "-c", code, str(tmp_path / "m")]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    with pytest.raises(CheckpointError, match="another process"):
        opened(tmp_path / "m")
    process.kill()
    process.wait()
    process.stdout.close()
    opened(tmp_path / "m").close()


def test_a_creation_that_dies_leaves_nothing_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(self: EventLog, *_: object) -> None:
        raise CheckpointError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(EventLog, "begin", dying)
        with pytest.raises(CheckpointError, match="full"):
            opened(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []
    opened(tmp_path / "m").close()


@pytest.mark.parametrize("what", ["file", "foreign", "sequences", "headless"])
def test_a_place_that_is_something_else_is_refused_and_left_alone(
    tmp_path: Path, what: str
) -> None:
    path = tmp_path / "m"
    if what == "file":
        path.write_text("hello")
    else:
        path.mkdir()
    if what == "foreign":
        (path / "letter.txt").write_text("hello")
    elif what == "sequences":
        (path / "checkpoint.json").write_text("{}")
    elif what == "headless":
        EventLog(path / LOG).close()
    before = content(tmp_path)
    text = {"file": "is a file", "headless": "lost its beginning", "sequences": "of sequences"}
    with pytest.raises(CheckpointError, match=text.get(what, "holds something else")):
        opened(path)
    if what != "headless":
        assert content(tmp_path) == before


def test_a_checkpoint_that_is_gone_follows_from_the_log_and_a_damaged_one_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "m"
    opened(path).close()
    (tensors,) = (path / CHECKPOINT).glob("tensors-*")
    tensors.write_bytes(tensors.read_bytes()[:-3])
    folder = opened(path)
    with pytest.raises(CheckpointError, match=r"damaged.*learned again from turns\.db"):
        folder.read(KIND)
    shutil.rmtree(path / CHECKPOINT)
    assert folder.read(KIND) is None
    folder.close()


def test_who_knew_something_before_its_log_needs_its_checkpoint(tmp_path: Path) -> None:
    folder = opened(tmp_path / "m", last=40)
    assert [one.number for one in folder.log.after(0)] == [41]
    found = folder.read(KIND)
    assert found is not None
    assert found.state["last"] == 40
    shutil.rmtree(tmp_path / "m" / CHECKPOINT)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        folder.read(KIND)
    folder.close()


def test_a_log_older_than_the_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = opened(tmp_path / "m")
    folder.save(state(last=5))
    with pytest.raises(CheckpointError, match="older than the checkpoint"):
        folder.read(KIND)
    folder.close()


# --------------------------------------------------------------------------- what may be said


@pytest.mark.parametrize("text", ["😀", "你好吗", "a", "two\nlines\tand a tab", "a" * LONGEST])
def test_any_script_may_be_said(text: str) -> None:
    assert check_said(text) is text


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("", DataError, "is blank"),
        (" \n\t", DataError, "is blank"),
        ("a" * (LONGEST + 1), DataError, "too long: got 4,001 characters"),
        ("a" * 100_000, DataError, "too long"),
        ("\x1b[31mred", DataError, r"control character: got '\\x1b' at character 1"),
        ("ab\x00", DataError, "at character 3"),
        ("ab\x85", DataError, "control character"),
        ("\udcff", DataError, "no UTF-8"),
        (7, DTypeError, "no text"),
        (None, DTypeError, "no text"),
    ],
)
def test_what_may_not_is_refused(text: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        check_said(text)  # type: ignore[arg-type]
