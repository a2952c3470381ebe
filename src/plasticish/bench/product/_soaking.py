"""A fresh process in which one learner lives on and on, and says whether it stays as it was.

Run as ``python -m plasticish.bench.product._soaking NAME SECONDS SEED``; it prints one line of
JSON. A process of its own, because what another learner allocated before would count here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from plasticish.conversation import TeacherReply
from plasticish.conversation.conversation import Conversation
from plasticish.conversation.memory_folder import LOG, MemoryFolder

from ..resident import resident_bytes
from ._lives import BATCH, LONG_LIVES, Life

__all__ = ["SIMULATED_S", "TALKER", "main", "measure", "soak"]

TALKER = "conversational_learner"
SIMULATED_S = 7200.0  # what passes on the clock of a learner that has one
ROOM = 1 << 16  # steps of a fifth of a tenth that are timed at most
WARM = 20  # steps of another one before, by which everything is imported and compiled
LOOKS = 5  # at what it knows, and at its memory, in each tenth: one in each fifth of it


class _Alone:
    """A learner on its own: it learns a batch and is asked about the next."""

    rows = BATCH

    def __init__(self, life: Life, seed: int, folder: Path, clock: Callable[[], float]) -> None:
        self.life, self.learner, self.folder = life, life.make(seed), folder

    def step(self, batch: Any) -> None:
        self.learner.learn(batch)
        self.life.ask(self.learner, batch)

    def sleep(self) -> None:
        self.learner.sleep()

    def right(self) -> float:
        return self.life.right(self.learner, self.life.probes)

    def stored(self) -> tuple[int, int]:
        """Return the bytes of its checkpoint, and of its log, which it has not."""
        return _bytes(self.learner.save(self.folder / "checkpoint")), 0


class _Talking(_Alone):
    """A talker in its folder: every turn is answered, corrected and on the disk."""

    rows = 1

    def __init__(self, life: Life, seed: int, folder: Path, clock: Callable[[], float]) -> None:
        super().__init__(life, seed, folder, clock)
        learner = self.learner
        home = MemoryFolder(folder / "memory", learner.checkpoint, learner.last, clock)
        self.conversation = Conversation(learner, home, None)

    def step(self, batch: Any) -> None:
        ((prompt, reply),) = batch
        self.conversation.answer(prompt, overhear=False)
        self.conversation.be_taught(TeacherReply(teacher="corpus", text=reply))

    def sleep(self) -> None:
        self.conversation.sleep()

    def stored(self) -> tuple[int, int]:
        self.conversation.save()
        log = _bytes(self.conversation.path, f"{LOG}*")
        return _bytes(self.conversation.path) - log, log


def _bytes(folder: Path, pattern: str = "*") -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


class _Tenth:
    """What is seen in one tenth of a life; its room is taken before the life begins."""

    def __init__(self) -> None:
        self.times, self.steps = np.full((LOOKS, ROOM), np.nan), [0] * LOOKS
        self.sleeps: list[float] = []
        self.resident: list[int] = []
        self.right: list[float] = []
        self.stored, self.log = 0, 0

    def note(self, fifth: int, seconds: float) -> None:
        self.times[fifth, self.steps[fifth] % ROOM] = seconds
        self.steps[fifth] += 1

    def told(self) -> dict[str, Any]:
        fifths = [times[: min(n, ROOM)] for times, n in zip(self.times, self.steps, strict=True)]
        return {
            "steps": sum(self.steps),
            "median": float(np.median(np.concatenate(fifths))),
            # The quietest: other work of the machine comes and goes, what ages is there always.
            "p99": min(float(np.quantile(times, 0.99)) for times in fifths if len(times)),
            "sleep": float(np.median(self.sleeps)) if self.sleeps else None,
            "resident": float(np.mean(self.resident)),
            "right": float(np.mean(self.right)),
            "stored": self.stored,
            "log": self.log,
        }


def soak(
    name: str, seed: int, folder: Path, *, seconds: float | None = None, steps: int | None = None
) -> dict[str, Any]:
    """Let a learner live for so many seconds of CPU time, or so many steps, and look at it.

    Returns
    -------
    mapping
        ``steps`` in all, and what was seen in the ``second`` tenth of the life and in the ``last``.
    """
    life, begun, done = LONG_LIVES[name], time.process_time(), 0

    def share() -> float:
        spent = time.process_time() - begun
        return spent / seconds if seconds is not None else done / (steps or 1)

    kind = _Talking if name == TALKER else _Alone
    it = kind(life, seed, folder, lambda: SIMULATED_S * share())
    batches = life.batches(seed, kind.rows)
    tenths = {1: _Tenth(), 9: _Tenth()}
    looked = 0
    while (now := share()) < 1.0:
        tenth = tenths.get(int(10 * now))
        batch, start = next(batches), time.process_time()
        it.step(batch)
        if tenth is not None:
            tenth.note(int(10 * LOOKS * now) % LOOKS, time.process_time() - start)
        done += 1
        if done % (life.every if seconds is not None else 10) == 0:
            start = time.process_time()
            it.sleep()
            if tenth is not None:
                tenth.sleeps.append(time.process_time() - start)
        if tenth is not None and int(10 * LOOKS * now) > looked:
            looked = int(10 * LOOKS * now)
            tenth.right.append(it.right())
            tenth.stored, tenth.log = it.stored()
            tenth.resident.append(resident_bytes()[0])
    return {"steps": done, "second": tenths[1].told(), "last": tenths[9].told()}


def measure(name: str, seconds: float, seed: int) -> dict[str, Any]:
    """Return what :func:`soak` does, from a fresh process.

    Raises
    ------
    RuntimeError
        If that process fails; its last words are in the message.
    """
    command = [sys.executable, "-m", __spec__.name, name, str(seconds), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the process of {name} failed: {done.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Live, and print what was seen."""
    name, seconds, seed = sys.argv[1:] if arguments is None else arguments
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        before, life = Path(folder, "before"), Path(folder, "life")
        for place in (before, life):
            place.mkdir()
        soak(name, int(seed), before, steps=WARM)
        print(json.dumps(soak(name, int(seed), life, seconds=float(seconds))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
