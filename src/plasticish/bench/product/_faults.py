"""Everything that is done to a victim: each returns a :class:`Tally`.

It is done in a process of its own, which has a single thread and is asked line by line
(``python -m plasticish.bench.product._faults``): a fork of a process with threads may hang.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from plasticish.core import PlasticishError

from . import _tracing
from ._killing import Course, Place, Shared, Tally, Victim, ended_within, fork, kill_at_random
from ._tracing import GO, HALF, KILL, Operation
from ._victims import VICTIMS

__all__ = ["Harness", "harness"]

ACKNOWLEDGEMENTS = 3
"""How many a stretch of a victim has, of which every operation is enumerated."""

_LIMIT_S = 120.0
_CAPABILITIES = 0x20080522  # version 3 of capset(2)
_GROWING = ("open", "write", "truncate", "mkdir")
_REFUSED = 3  # exit status of one that was told no, in words


class Stage:
    """A victim, how it goes undisturbed, and folders to begin from: none, and one of its middle.

    Parameters
    ----------
    name : str
        Of the victim.
    scratch : Path
        An empty folder.
    """

    def __init__(self, name: str, scratch: Path) -> None:
        self.victim: Victim = VICTIMS[name]()
        self.scratch = scratch
        self.half: tuple[Path, Place] | None = None
        told = 0

        def at(place: Place) -> None:
            nonlocal told
            told += 1
            if told == 2 * ACKNOWLEDGEMENTS:
                shutil.copytree(scratch / "whole", scratch / "half")
                self.half = scratch / "half", place

        self.course = Course.of(self.victim, scratch / "whole", at)

    def begin(self, middle: bool) -> tuple[Path, Shared]:
        """Return a folder, empty or from the middle of a run, and what is acknowledged there."""
        folder, shared = self.scratch / "folder", Shared()
        shutil.rmtree(folder, ignore_errors=True)
        if middle:
            assert self.half is not None, "this victim is too short"
            shutil.copytree(self.half[0], folder)
            shared.tell(self.half[1])
        return folder, shared

    def stretch(self, folder: Path, count: int) -> Callable[[Shared], None]:
        """Return what lives on until so many acknowledgements, and ends the process then."""

        def live(shared: Shared) -> None:
            left = count

            def tell(place: Place) -> None:
                nonlocal left
                shared.tell(place)
                left -= 1
                if not left:
                    os._exit(0)

            self.victim.run(folder, tell, self.course)

        return live

    def operations(self, middle: bool) -> list[Operation]:
        """Return the file operations of a stretch that goes well."""
        folder, shared = self.begin(middle)
        child = fork(self.traced(folder), shared)
        found, status = _tracing.follow(child, self.scratch)
        if status:
            raise RuntimeError(f"{self.victim.name} fails when it is traced: status {status}")
        return found

    def traced(self, folder: Path) -> Callable[[Shared], None]:
        """Return a stretch that asks to be followed."""
        live = self.stretch(folder, ACKNOWLEDGEMENTS)
        return lambda shared: _tracing.traced(lambda: live(shared))()

    def goes_on(self, tally: Tally, folder: Path, shared: Shared) -> None:
        """See that the next process opens the folder, and comes one acknowledgement further."""
        child = fork(self.stretch(folder, 1), shared)
        if not ended_within(child, _LIMIT_S):
            raise TimeoutError(f"{self.victim.name} hangs in {folder}")
        tally.add_step(self.victim, folder, self.course, shared)


# --------------------------------------------------------------------------- what is done


def random_kills(stage: Stage, kills: int, seed: int) -> Tally:
    """Kill at random moments."""
    with tempfile.TemporaryDirectory(dir=stage.scratch) as scratch:
        return kill_at_random(stage.victim, stage.course, Path(scratch), kills, seed)


def every_kill(stage: Stage, middle: bool, most: int | None = None) -> Tally:
    """Kill before every file operation of a stretch, and in the middle of every write."""
    tally = Tally()
    points = [
        (one.number, action)
        for one in stage.operations(middle)
        for action in ((KILL, HALF) if one.kind == "write" else (KILL,))
    ]
    for number, action in spread(points, most):
        folder, shared = stage.begin(middle)
        child = fork(stage.traced(folder), shared)

        def deadly(one: Operation, number: int = number, action: str = action) -> str:
            return action if one.number == number else GO

        _, status = _tracing.follow(child, stage.scratch, deadly)
        if not os.WIFSIGNALED(status):
            raise RuntimeError(f"{stage.victim.name} outlived operation {number}: status {status}")
        shared.saving = True
        tally.add_kill(stage.victim, folder, stage.course, shared)
        stage.goes_on(tally, folder, shared)
    return tally


def full_disks(
    stage: Stage, middle: bool, most: int | None = None, first: int | None = None
) -> Tally:
    """Let the disk be full from every operation of a stretch on, or the first of them.

    Then there is space again.
    """
    tally = Tally()
    needs = [one.number for one in stage.operations(middle) if one.kind in _GROWING]
    for number in spread(needs[:first], most):
        folder, shared = stage.begin(middle)
        child = fork(refused(stage.traced(folder)), shared)

        def full(one: Operation, first: int = number) -> str | int:
            return errno.ENOSPC if one.number >= first and one.kind in _GROWING else GO

        _, status = _tracing.follow(child, stage.scratch, full)
        tally.add_refusal(stage.victim, f"no space from operation {number} on", status)
        tally.add_kill(stage.victim, folder, stage.course, shared)
        stage.goes_on(tally, folder, shared)
    return tally


def durability(stage: Stage, middle: bool) -> Tally:
    """See that what was acknowledged is on the disk, where a power cut leaves it."""
    return Tally(troubles=_tracing.undurable(stage.operations(middle)))


def small_files(stage: Stage, middle: bool) -> Tally:
    """Let no file grow beyond a size (RLIMIT_FSIZE), which no harness can get wrong."""
    tally = Tally()
    for size in (0, 700, 5000):
        folder, shared = stage.begin(middle)
        child = fork(refused(stage.stretch(folder, ACKNOWLEDGEMENTS)), shared, limited(size))
        tally.add_refusal(stage.victim, f"no file above {size} bytes", os.waitpid(child, 0)[1])
        tally.add_kill(stage.victim, folder, stage.course, shared)
        stage.goes_on(tally, folder, shared)
    return tally


def read_only(stage: Stage, middle: bool) -> Tally:
    """Let whoever may read but not write go on there; a reader has to succeed."""
    tally = Tally()
    folder, shared = stage.begin(middle)
    with locked_away(stage.scratch):
        child = fork(refused(stage.stretch(folder, 1)), shared, give_up_rights)
        tally.add_refusal(stage.victim, "a read-only folder", os.waitpid(child, 0)[1])
        if middle:
            child = fork(lambda shared: check_read(stage, folder), shared, give_up_rights)
            tally.add_refusal(stage.victim, "read there", os.waitpid(child, 0)[1], due=0)
    tally.add_kill(stage.victim, folder, stage.course, shared)
    stage.goes_on(tally, folder, shared)
    return tally


def two_writers(stage: Stage, middle: bool) -> Tally:
    """Let two processes go on in one folder at once: to its end, or one is told no."""
    tally = Tally()
    folder, shared = stage.begin(middle)
    other = Shared()

    def live(shared: Shared) -> None:
        stage.victim.run(folder, shared.tell, stage.course)

    children = [fork(refused(live), one) for one in (shared, other)]
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if set(statuses) - {0, _REFUSED} or statuses == [_REFUSED, _REFUSED]:
        tally.troubles.append(f"two writers ended with {statuses}")
    tally.add_end(stage.victim, folder, stage.course)
    return tally


# --------------------------------------------------------------------------- how it is done


def spread(points: list[Any], most: int | None) -> list[Any]:
    """Return at most so many of them, from all over."""
    if most is None or len(points) <= most:
        return points
    return [points[place * len(points) // most] for place in range(most)]


def refused(work: Callable[[Shared], None]) -> Callable[[Shared], None]:
    """Return work that ends with a status of its own where it is told no in words."""

    def told(shared: Shared) -> None:
        try:
            work(shared)
        except PlasticishError as error:
            if len(str(error).splitlines()) > 1:
                raise  # words are one line
            os._exit(_REFUSED)

    return told


def limited(size: int) -> Callable[[], None]:
    """Return what forbids files above a size."""

    def limit() -> None:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)  # it may be a file as well
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return limit


def give_up_rights() -> None:
    """Be a user for whom permissions count, as they do for everybody but the superuser.

    It stays the same user: another one might not be allowed to read the package itself.
    """
    if os.geteuid() == 0:
        this_process = (ctypes.c_uint32 * 2)(_CAPABILITIES, 0)
        none = (ctypes.c_uint32 * 6)()  # effective, permitted and inheritable, 64 bits each
        library = ctypes.CDLL(None, use_errno=True)
        if library.capset(this_process, none):
            raise OSError(ctypes.get_errno(), "the superuser's rights cannot be given up")


@contextmanager
def locked_away(folder: Path) -> Iterator[None]:
    """Let everybody read, and nobody but the superuser write."""
    below = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode & 0o777 for path in below}
    for path in below:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def check_read(stage: Stage, folder: Path) -> None:
    """See that a reader finds what stands there."""
    place, digest = stage.victim.look(folder)
    assert digest in stage.victim.due(folder, place or stage.course.place_of(digest), stage.course)


# --------------------------------------------------------------------------- a process for it

JOBS: dict[str, Callable[..., Tally]] = {
    job.__name__: job
    for job in (
        random_kills,
        every_kill,
        full_disks,
        durability,
        small_files,
        read_only,
        two_writers,
    )
}


class Harness:
    """The process in which all this is done; it stays warm from one job to the next."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"},
        )

    def suffer(self, job: str, victim: str, **arguments: Any) -> Tally:
        """Have a job done to a victim.

        Raises
        ------
        RuntimeError
            If it could not be done; its traceback stands on stderr.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([job, victim, arguments]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{job} of {victim} could not be done; see stderr")
        return Tally(**json.loads(answer))

    def cannot_trace(self) -> str | None:
        """Return why no process can be traced here; None if it can be."""
        return self.suffer("tracing", "").troubles[0] or None

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def harness() -> Iterator[Harness]:
    """Hold such a process for a while."""
    held = Harness()
    try:
        yield held
    finally:
        held.close()


def serve() -> None:
    """Do job after job, as stdin says."""
    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a victim says is no answer
    stages: dict[str, Stage] = {}
    with tempfile.TemporaryDirectory(prefix="plasticish-faults-") as scratch:
        os.environ["PLASTICISH_CACHE"] = f"{scratch}/cache"
        for line in sys.stdin:
            job, victim, arguments = json.loads(line)
            if job == "tracing":
                tally = Tally(troubles=[_tracing.can_trace() or ""])
            else:
                if victim not in stages:
                    folder = Path(scratch, str(len(stages)))
                    folder.mkdir()
                    stages[victim] = Stage(victim, folder)
                tally = JOBS[job](stages[victim], **arguments)
            print(json.dumps(tally.to_dict()), file=answers, flush=True)


if __name__ == "__main__":
    serve()
