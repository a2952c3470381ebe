"""So many inputs over all readers, and what came of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from plasticish.core import ConfigError

from .readers import READERS, Reader, load_readers
from .worker import PLACE, input_of, seeds_of

__all__ = ["Finding", "Tally", "available_readers", "fuzz"]

_STUCK_S = 60.0  # an input that holds the interpreter itself; its own alarm rings long before
_DEATHS = 20  # of one reader, after which its other inputs are left


@dataclass(frozen=True)
class Finding:
    """An input that a reader should have refused in so many words, and did not.

    Attributes
    ----------
    reader, kind, where : str
        Who read it; ``"crash"``, ``"killed"``, ``"hang"`` or ``"outside write"``; the error and
        its line.
    number : int
        Which input it was.
    data : bytes
        The input, made smaller where that was possible.
    detail : str
        The traceback.
    """

    reader: str
    kind: str
    where: str
    number: int
    data: bytes
    detail: str


@dataclass
class Tally:
    """What came of the inputs of one reader.

    Attributes
    ----------
    inputs : int
        Read, in all.
    seconds : float
        CPU time they took.
    peak_mb : float
        By how much the process grew at its highest.
    findings : list of Finding
        One of each kind and place.
    """

    inputs: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def count(self, *kinds: str) -> int:
        """Return the number of findings of some kinds."""
        return sum(finding.kind in kinds for finding in self.findings)


def available_readers() -> list[str]:
    """Return the readers whose extras are installed."""
    load_readers()
    return [name for name in READERS if READERS[name].available()]


def fuzz(
    inputs: int,
    *,
    least: int = 0,
    seed: int = 0,
    readers: Sequence[str] | None = None,
    show: Callable[[str, int], None] = lambda name, done: None,
) -> dict[str, Tally]:
    """Share ``inputs`` over the readers, and return what came of each.

    First every reader gets ``least``; what is left is shared so that all take the same time. All of
    it happens in a process of its own and in a folder in memory, where there is one.

    Parameters
    ----------
    inputs : int
        In all.
    least : int
        For every reader.
    seed : int
        Decides every input.
    readers : sequence of str, optional
        Names; all that are available by default.
    show : callable
        Told the reader at work and how many inputs were read.

    Raises
    ------
    ConfigError
        If a reader is unknown, or the inputs do not suffice for all.
    """
    known = available_readers()
    names = known if readers is None else [name for name in readers if READERS[name]]
    least = least or max(1, min(5000, inputs // (2 * len(names))))
    if inputs < least * len(names):
        raise ConfigError(
            "too few inputs", got=str(inputs), expected=f">= {least} for each of {len(names)}"
        )
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="plasticish-fuzz-", dir=memory) as folder:
        run = _Run(Path(folder), names, seed, show)
        with suppress(KeyboardInterrupt):  # what was done is told
            run.work([_Job(name, 0, least) for name in names])
            run.work(_shared(run.tallies, inputs - least * len(names)))
        return run.tallies


@dataclass
class _Job:
    reader: str
    start: int
    stop: int


def _shared(tallies: dict[str, Tally], inputs: int) -> list[_Job]:
    """Return jobs of about the same time each, that come to so many inputs."""
    rates = {name: one.inputs / max(one.seconds, 1e-4) for name, one in tallies.items()}
    whole = sum(rates.values())
    counts = {name: int(inputs * rate / whole) for name, rate in rates.items()}
    counts[max(rates, key=lambda name: rates[name])] += inputs - sum(counts.values())
    return [
        _Job(name, tallies[name].inputs, tallies[name].inputs + count)
        for name, count in counts.items()
        if count
    ]


class _Run:
    """Workers, one after another: a new one goes on where the last one died."""

    def __init__(
        self, folder: Path, names: Sequence[str], seed: int, show: Callable[[str, int], None]
    ) -> None:
        self.folder, self.seed, self.show = folder, seed, show
        self.tallies = {name: Tally() for name in names}
        self._read = 0

    def work(self, jobs: list[_Job]) -> None:
        while jobs:
            jobs = self._one_worker(jobs)

    def _one_worker(self, jobs: list[_Job]) -> list[_Job]:
        """Let a worker do the jobs, and return those that its death left."""
        plan = {"folder": str(self.folder), "seed": self.seed, "jobs": [vars(job) for job in jobs]}
        (self.folder / "plan.json").write_text(json.dumps(plan))
        (self.folder / "place").write_bytes(PLACE.pack(0, -1, time.monotonic()))
        with (self.folder / "errors").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.worker", str(self.folder / "plan.json")],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for this process alone
                env={**os.environ, **self._places_of_caches()},
            )
            try:
                stuck = self._waited(process, jobs)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                finished = self._collect()
        if process.returncode == 0:
            return []
        return self._after_death(jobs, finished, process.returncode, stuck)

    def _places_of_caches(self) -> dict[str, str]:
        """Return where the product and its libraries may keep what they would keep at home."""
        return {
            "PLASTICISH_CACHE": str(self.folder / "scratch" / "cache"),
            "MPLCONFIGDIR": str(self.folder / "matplotlib"),
        }

    def _waited(self, process: subprocess.Popen[bytes], jobs: list[_Job]) -> bool:
        done_before = sum(tally.inputs for tally in self.tallies.values())
        while process.poll() is None:
            time.sleep(0.1)
            place, number, since = self._place()
            so_far = sum(job.stop - job.start for job in jobs[:place])
            self.show(jobs[place].reader, done_before + so_far + max(number - jobs[place].start, 0))
            if number >= 0 and time.monotonic() - since > _STUCK_S:
                return True
        return False

    def _place(self) -> tuple[int, int, float]:
        place, number, since = PLACE.unpack((self.folder / "place").read_bytes())
        return place, number, since

    def _collect(self) -> int:
        """Take in what the worker reported; return how many jobs it finished."""
        report = self.folder / "report.jsonl"
        lines = report.read_text().splitlines() if report.exists() else []
        report.unlink(missing_ok=True)
        finished = 0
        for line in map(json.loads, lines):
            tally = self.tallies[line["reader"]]
            if "done" in line:
                finished += 1
                tally.inputs += line["inputs"]
                tally.seconds += line["seconds"]
                tally.peak_mb = max(tally.peak_mb, line["peak"])
            else:
                self._note(
                    Finding(
                        line["reader"], line["finding"], line["where"], line["number"],
                        bytes.fromhex(line["data"]), line["detail"],
                    )
                )  # fmt: skip
        return finished

    def _note(self, finding: Finding) -> None:
        known = self.tallies[finding.reader].findings
        if all((one.kind, one.where) != (finding.kind, finding.where) for one in known):
            known.append(finding)

    def _after_death(self, jobs: list[_Job], finished: int, code: int, stuck: bool) -> list[_Job]:
        place, number, _ = self._place()
        said = (self.folder / "errors").read_text(errors="replace")[-2000:]
        if number < 0:
            raise RuntimeError(f"the worker cannot work ({code}): {said}")
        job, reader = jobs[place], READERS[jobs[place].reader]
        tally = self.tallies[job.reader]
        kind, where = ("hang", "the interpreter") if stuck else ("killed", f"signal {-code}")
        tally.findings.append(
            Finding(job.reader, kind, where, number, self._input(reader, number), said)
        )
        tally.inputs += number + 1 - job.start
        left = [] if tally.count("killed", "hang") >= _DEATHS else [job]
        job.start = number + 1
        return [one for one in left if one.start < one.stop] + jobs[place + 1 :]

    def _input(self, reader: Reader, number: int) -> bytes:
        seeds = seeds_of(reader, self.folder / "seeds")
        return input_of(seeds, reader.parts, reader.name, self.seed, number)
