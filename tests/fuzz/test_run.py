"""The run itself: what it counts, and that nothing escapes what it watches."""

from __future__ import annotations

import json
import os
import signal
import time
from random import Random

import pytest

from plasticish.bench.fuzzing import join, mutated, split
from plasticish.bench.fuzzing.readers import Reader
from plasticish.bench.fuzzing.watch import Guard, attempt
from plasticish.bench.fuzzing.worker import smaller
from plasticish.core import DataError


def reader(read, **options):
    return Reader("it", lambda folder: [b""], read, **options)


def busy():
    until = time.process_time() + 5
    while time.process_time() < until:
        pass


def tried(read, folder, data=b"x", **options):
    guard = Guard()
    # Installed by a test, a hook would listen to all others: it is asked directly.
    return attempt(reader(read, **options), data, folder, guard)


@pytest.mark.parametrize("parts", [(b"",), (b"a", b""), (b"a", b"bc", b"\0" * 9)])
def test_parts_come_back(parts):
    assert split(join(*parts), len(parts)) == list(parts)


@pytest.mark.parametrize("number", range(50))
def test_any_bytes_have_parts_and_the_same_number_makes_the_same_input(number):
    seeds = [join(json.dumps({"a": [1, {"b": None}]}).encode(), bytes(40)), b"\xff" * 7]
    data = mutated(seeds, Random(number), 2)
    assert data == mutated(seeds, Random(number), 2)
    assert len(split(data, 2)) == 2


def test_what_is_documented_is_no_finding(tmp_path):
    def read(data, folder):
        raise DataError("no")

    assert tried(read, tmp_path) is None


def test_another_error_is_a_crash_and_is_made_smaller(tmp_path):
    def read(data, folder):
        if b"!" in data:
            raise KeyError("!")

    found = tried(read, tmp_path, b"abc!def")
    assert found.kind == "crash"
    assert "KeyError" in found.where
    assert smaller(reader(read), b"abc!def" * 9, found, tmp_path, Guard()) == b"!"


def test_an_input_that_takes_too_long_is_a_hang(tmp_path):
    found = tried(lambda data, folder: busy(), tmp_path, patience_s=0.05)
    assert found.kind == "hang"
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_work_is_interrupted_and_may_end(tmp_path):
    def read(data, folder):
        try:
            busy()
        except KeyboardInterrupt:
            raise DataError("stopped") from None

    assert tried(read, tmp_path, patience_s=0.05, works=True) is None


@pytest.mark.parametrize(
    "event",
    [
        ("open", ("{}/x", "w", 0)),
        ("open", ("{}/x", None, os.O_CREAT | os.O_RDWR)),
        ("os.mkdir", ("{}/x", 511, -1)),
        ("os.rename", ("{}/x", "{}/inside/y", -1, -1)),
        ("os.symlink", ("x", "{}/y", -1)),
        ("sqlite3.connect", ("file://{}/x?mode=rwc",)),
        ("sqlite3.connect", ("{}/x",)),
        ("subprocess.Popen", ("ls", [], None, None)),
        ("socket.connect", (None, ("192.0.2.1", 80))),
    ],
    ids=lambda event: event[0],
)
def test_a_change_outside_is_refused(event, tmp_path):
    guard, (name, given) = Guard(), event
    (tmp_path / "inside").mkdir()
    guard.arm([tmp_path / "inside"])
    filled = tuple(one.format(tmp_path) if isinstance(one, str) else one for one in given)
    with pytest.raises(PermissionError):
        guard._heard(name, filled)
    assert len(guard.refused) == 1


def test_a_link_out_of_the_folder_does_not_hide_a_change(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    guard = Guard()
    guard.arm([inside])
    guard._heard("open", (f"{inside}/x", "w", 0))
    guard._heard("open", (f"{tmp_path}/x", "r", 0))
    guard._heard("socket.connect", (None, ("127.0.0.1", 80)))
    with pytest.raises(PermissionError):
        guard._heard("open", (f"{inside}/link/x", "w", 0))


def test_what_is_renamed_into_a_named_place_is_made_beside_it(tmp_path):
    (tmp_path / "inside").mkdir()
    guard = Guard()
    guard.arm([tmp_path / "inside"], [tmp_path / "named"])
    guard._heard("os.mkdir", (f"{tmp_path}/named", 511, -1))
    guard._heard("os.mkdir", (f"{tmp_path}/.named.7.new", 511, -1))
    for other in (".inside.7.new", "named.new", ".other.new"):
        with pytest.raises(PermissionError):
            guard._heard("os.mkdir", (f"{tmp_path}/{other}", 511, -1))
