"""Victims: one is begun, killed at any moment, opened again, and goes on.

A *victim* is whatever keeps itself in a folder: a learner that is saved after every step, a trainer
with its run folder, a command. It says what it has acknowledged; that is kept in memory shared
with the process that kills it, so that it outlives the killed one.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import random
import select
import signal
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from struct import Struct
from typing import Any

from torch import Tensor, contiguous_format, uint8

from plasticish.conversation.event_log import EventLog
from plasticish.core import CheckpointError, checkpoint

__all__ = ["Course", "Place", "Shared", "Tally", "Victim", "digest_of", "fork", "kill_at_random"]

Place = tuple[int, ...]
"""How far a victim is; later places are larger."""

Tell = Callable[[Place], None]
"""Takes note that everything up to a place was acknowledged: saved, or shown to the user."""

_SLOT = Struct("5q")
_STUCK = 8  # kills in a row without an acknowledgement: the next may come later
_LIMIT_S = 120.0  # a run that takes longer hangs


class Victim(ABC):
    """Something that lives in a folder, and can be killed there.

    Attributes
    ----------
    name : str
        A learner of the registry, a trainer, or a command.
    replayed : bool
        Whether what it is due to be follows from its folder, not from how far it is.
    """

    name: str
    replayed: bool = False

    @abstractmethod
    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Begin in ``folder`` or go on there, to the end."""

    @abstractmethod
    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Open the folder as a reader does; return how far it is, if it says so, and a digest.

        Raises
        ------
        CheckpointError
            If nothing was begun there.
        """

    def due(self, folder: Path, place: Place | None, course: Course) -> set[str]:
        """Return the digests that a victim which was never killed has at this place."""
        return course.digests.get(place, set()) if place else set()


@dataclass
class Course:
    """How a victim goes that nobody kills.

    Attributes
    ----------
    digests : dict of place to set of str
        What it was when it had come so far.
    seconds : float
        What it took.
    """

    digests: dict[Place, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: float = 0.0

    @classmethod
    def of(
        cls, victim: Victim, folder: Path, at: Callable[[Place], None] = lambda place: None
    ) -> Course:
        """Live through it in this process, which also has everything compiled from then on."""
        course, spent = cls(), 0.0

        def tell(place: Place) -> None:
            nonlocal spent
            start = time.perf_counter()
            course.digests[place].update(() if victim.replayed else [victim.look(folder)[1]])
            at(place)
            spent += time.perf_counter() - start

        start = time.perf_counter()
        victim.run(folder, tell, course)
        course.seconds = time.perf_counter() - start - spent
        return course

    @property
    def end(self) -> Place:
        """The last place."""
        return max(self.digests)

    def place_of(self, digest: str) -> Place | None:
        """Return the last place at which it had this digest; None if there is none."""
        return max((p for p, found in self.digests.items() if digest in found), default=None)


class Shared:
    """What a killed process leaves: its last acknowledgement, and whether it was in a save."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)

    def tell(self, place: Place) -> None:
        """Note a place; one that is killed here leaves the one before."""
        slot = 1 - self._memory[0]
        _SLOT.pack_into(
            self._memory, 8 + slot * _SLOT.size, len(place), *place, *(0,) * (4 - len(place))
        )
        self._memory[0] = slot

    @property
    def acknowledged(self) -> Place | None:
        """The last place that was told of."""
        size, *values = _SLOT.unpack_from(self._memory, 8 + self._memory[0] * _SLOT.size)
        return tuple(values[:size]) or None

    @property
    def saving(self) -> bool:
        """Whether it was writing."""
        return bool(self._memory[1])

    @saving.setter
    def saving(self, value: bool) -> None:
        self._memory[1] = value

    def watch(self) -> None:
        """Have every write of a checkpoint or a log noted; for the process to be killed alone."""
        writer_lock = self._noted(checkpoint.writer_lock)  # type: ignore[attr-defined]
        checkpoint.writer_lock = writer_lock  # type: ignore[attr-defined]
        EventLog._transaction = self._noted(EventLog._transaction)  # type: ignore[method-assign]

    def _noted(self, manager: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def noted(*arguments: Any) -> Iterator[Any]:
            self.saving = True
            try:
                with manager(*arguments) as value:
                    yield value
            finally:
                self.saving = False

        return noted


@dataclass
class Tally:
    """What became of the kills.

    Attributes
    ----------
    kills, saving : int
        How many, and how many of them while something was being written.
    reopened : int
        After how many of them the folder could be opened again.
    lost : int
        After how many something that was acknowledged was gone.
    sound : int
        After how many it stood, bit for bit, where a victim that was never killed has stood.
    runs, identical : int
        Victims that came to their end in spite of kills, and those of them that ended bit for bit
        like one that was never killed.
    troubles : list of str
        What went wrong.
    """

    kills: int = 0
    saving: int = 0
    reopened: int = 0
    lost: int = 0
    sound: int = 0
    runs: int = 0
    identical: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def flawless(self) -> bool:
        """Whether nothing went wrong."""
        whole = self.reopened == self.sound == self.kills and self.identical == self.runs
        return whole and not self.lost and not self.troubles

    def add(self, other: Tally) -> None:
        """Count what another one counted, too."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    def add_kill(
        self, victim: Victim, folder: Path, course: Course, shared: Shared
    ) -> Place | None:
        """Open what a killed victim left, judge it, and return how far it is."""
        self.kills += 1
        self.saving += shared.saving
        acknowledged = shared.acknowledged
        try:
            place, digest = victim.look(folder)
        except CheckpointError as error:
            if acknowledged is None:  # killed before it had promised anything
                self.reopened, self.sound = self.reopened + 1, self.sound + 1
                return None
            self.troubles.append(f"after {acknowledged}: {error}")
            return None
        self.reopened += 1
        place = course.place_of(digest) if place is None else place
        if digest in victim.due(folder, place, course):
            self.sound += 1
        else:
            self.troubles.append(f"after {acknowledged}: torn at {place}")
        if acknowledged is not None and (place is None or place < acknowledged):
            self.lost += 1
            self.troubles.append(f"{acknowledged} was acknowledged, {place} is there")
        return place

    def add_end(self, victim: Victim, folder: Path, course: Course) -> None:
        """Compare a victim that came to its end with one that was never killed."""
        self.runs += 1
        place, digest = victim.look(folder)
        place = course.place_of(digest) if place is None else place
        if (
            digest in victim.due(folder, place, course)
            and place is not None
            and place >= course.end
        ):
            self.identical += 1
        else:
            self.troubles.append(f"ended otherwise: at {place}, due {course.end}")

    def add_step(self, victim: Victim, folder: Path, course: Course, shared: Shared) -> None:
        """Compare a victim that went on after a kill with one that was never killed."""
        place, digest = victim.look(folder)
        if digest not in victim.due(folder, place or course.place_of(digest), course):
            self.troubles.append(f"went on otherwise, to {place or shared.acknowledged}")

    def add_refusal(self, victim: Victim, what: str, status: int, due: int = 3) -> None:
        """See that a process was told no in words, which is exit status 3."""
        if (code := os.waitstatus_to_exitcode(status)) != due:
            self.troubles.append(f"{what}: exit status {code}, not {due}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def kill_at_random(victim: Victim, course: Course, scratch: Path, kills: int, seed: int) -> Tally:
    """Kill a victim at random moments, open what it left, and let it go on.

    The moment of a kill is drawn uniformly from a stretch of a quarter of the whole run, so that
    one run meets several. One that comes to its end is compared, and another one begun.
    """
    draw, tally, reach, stuck = random.Random(seed), Tally(), course.seconds / 4, 0
    folder, shared = scratch / "run-0", Shared()
    while tally.kills < kills:
        before = shared.acknowledged
        child = fork(living(victim, folder, course), shared)
        if ended_within(child, draw.uniform(0.0, reach)):
            tally.add_end(victim, folder, course)
            reach /= 2
            folder, shared = scratch / f"run-{tally.runs}", Shared()
            continue
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        tally.add_kill(victim, folder, course, shared)
        stuck = 0 if shared.acknowledged != before else stuck + 1
        if stuck == _STUCK:
            reach, stuck = reach * 1.5, 0
    child = fork(living(victim, folder, course), shared)
    if not ended_within(child, _LIMIT_S):
        os.kill(child, signal.SIGKILL)
        raise TimeoutError(f"{victim.name} does not come to its end")
    tally.add_end(victim, folder, course)
    return tally


def living(victim: Victim, folder: Path, course: Course) -> Callable[[Shared], None]:
    """Return what lives on in a folder, to the end."""
    return lambda shared: victim.run(folder, shared.tell, course)


def fork(
    work: Callable[[Shared], None], shared: Shared, first: Callable[[], None] | None = None
) -> int:
    """Have a copy of this process do some work, silently, and return its number."""
    shared.saving = False
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if first is not None:
            first()
        shared.watch()
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            sys.stdout = nowhere
            work(shared)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def ended_within(child: int, seconds: float) -> bool:
    """Wait, and return whether the process came to its end; one that failed raises here.

    Raises
    ------
    RuntimeError
        If it failed; its traceback stands on stderr.
    """
    handle = os.pidfd_open(child)
    try:
        if not select.select([handle], [], [], seconds)[0]:
            return False
    finally:
        os.close(handle)
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the process failed with status {status}; see above")
    return True


def digest_of(values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """Return a digest of a state, to the last bit."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for key in sorted(tensors):
        tensor = tensors[key].detach()
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.flatten().clone(memory_format=contiguous_format)
        digest.update(flat.view(uint8).numpy().tobytes())
    return digest.hexdigest()[:32]
