"""The process in which inputs are read: it may die of one, and says which.

Run by :func:`plasticish.bench.fuzzing.fuzz` as ``python -m plasticish.bench.fuzzing.worker PLAN``.
The number of the input it is at stands in a shared file, so that whoever started it knows what it
died of. Input ``i`` follows from the seed and ``i`` alone.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from .mutation import mutated
from .readers import READERS, Reader, load_readers
from .watch import Guard, Outcome, allow_memory, attempt, empty, memory_mb, reset_peak

__all__ = ["LIMIT", "PLACE", "input_of", "main", "seeds_of", "smaller"]

PLACE = struct.Struct("<qqd")
LIMIT = 1 << 30


def input_of(seeds: Sequence[bytes], parts: int, name: str, seed: int, number: int) -> bytes:
    """Return the input of this number; the first are the seeds as they are."""
    if number < len(seeds):
        return seeds[number]
    return mutated(seeds, Random(f"{seed}/{name}/{number}"), parts)


def seeds_of(reader: Reader, folder: Path) -> list[bytes]:
    """Return the sound inputs of a reader, made once and kept in ``folder``."""
    place = folder / reader.name.replace(" ", "-")
    if not place.exists():
        making = folder / "making"
        making.mkdir(parents=True)
        seeds = list(reader.corpus(making))
        empty(making)
        making.rmdir()
        place.mkdir()
        for number, content in enumerate(seeds):
            (place / f"{number:03}").write_bytes(content)
    return [path.read_bytes() for path in sorted(place.iterdir())]


def smaller(reader: Reader, data: bytes, found: Outcome, folder: Path, guard: Guard) -> bytes:
    """Return less of an input, of which the same comes; it is looked for during two seconds."""
    until, size = time.monotonic() + 2.0, len(data) // 2
    while size and time.monotonic() < until:
        for start in range(0, len(data), size):
            less = data[:start] + data[start + size :]
            empty(folder)
            outcome = attempt(reader, less, folder, guard)
            if outcome is not None and outcome.key == found.key:
                data = less
                break
            if time.monotonic() > until:
                break
        else:
            size //= 2
    return data


class _Work:
    """One plan: jobs, each a reader and the numbers of the inputs that it reads."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.guard = Guard()
        self.folder = Path(plan["folder"])
        self.report = (self.folder / "report.jsonl").open("a", buffering=1)
        file = os.open(self.folder / "place", os.O_RDWR)
        self.place = mmap.mmap(file, PLACE.size)
        os.close(file)

    def say(self, **values: Any) -> None:
        self.report.write(json.dumps(values) + "\n")

    def at(self, job: int, number: int) -> None:
        self.place[:] = PLACE.pack(job, number, time.monotonic())

    def go(self) -> None:
        seeds = {}
        for job in self.plan["jobs"]:
            seeds[job["reader"]] = seeds_of(READERS[job["reader"]], self.folder / "seeds")
        self.guard.install()
        for number, job in enumerate(self.plan["jobs"]):
            self._do(number, job, seeds[job["reader"]])

    def _do(self, place: int, job: dict[str, Any], seeds: list[bytes]) -> None:
        reader = READERS[job["reader"]]
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        self.at(place, -1)
        self._warm_up(reader, seeds, scratch)
        allow_memory(LIMIT)
        reset_peak()
        before, began = memory_mb(), time.process_time()
        seen: set[tuple[str, str]] = set()
        for number in range(job["start"], job["stop"]):
            self.at(place, number)
            data = input_of(seeds, reader.parts, reader.name, self.plan["seed"], number)
            empty(scratch)
            found = attempt(reader, data, scratch, self.guard)
            if found is not None and found.key not in seen:
                seen.add(found.key)
                self._tell(reader, number, data, found, scratch)
        self.say(
            done=place,
            reader=reader.name,
            inputs=job["stop"] - job["start"],
            seconds=time.process_time() - began,
            peak=memory_mb(peak=True) - before,
        )

    def _warm_up(self, reader: Reader, seeds: list[bytes], scratch: Path) -> None:
        """Import, compile and fill caches before the watch begins: none of it is the input's."""
        reader.load()
        quiet = Guard()
        for data in seeds[:3]:
            empty(scratch)
            attempt(reader, data, scratch, quiet)

    def _tell(
        self, reader: Reader, number: int, data: bytes, found: Outcome, scratch: Path
    ) -> None:
        if found.kind == "crash":
            data = smaller(reader, data, found, scratch, self.guard)
        self.say(
            finding=found.kind,
            reader=reader.name,
            number=number,
            where=found.where,
            detail=found.detail,
            data=data.hex(),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Work through a plan."""
    import torch

    (path,) = sys.argv[1:] if arguments is None else arguments
    sys.dont_write_bytecode = True
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    load_readers()
    _Work(json.loads(Path(path).read_text())).go()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
