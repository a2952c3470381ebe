"""Reading a file into a memory, chunk by chunk, so that a killed run can go on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from plasticish.core import (
    Checkpoint,
    ConfigError,
    DataError,
    load_checkpoint,
    make_folder,
    save_checkpoint,
    sole_owner,
)
from plasticish.core.checkpoint import MANIFEST, refuse_foreign_folder
from plasticish.data import load_first_names
from plasticish.sequence import PlasticMemory

from .output import Output

__all__ = ["CHUNK", "learn_file", "read_sequences"]

CHUNK = 5000
"""Sequences learned at once, and at least so many between two saves."""


@dataclass(frozen=True)
class Reading:
    """How far a file was read; kept inside the checkpoint, so that both are of one moment.

    Attributes
    ----------
    sha256 : str
        Of the file.
    lines : int
        Sequences learned from it.
    nats : float
        How surprising the last of them were, a symbol.
    done : bool
        Whether all that was asked for is done.
    """

    sha256: str
    lines: int = 0
    nats: float = 0.0
    done: bool = False


def learn_file(
    file: Path | None, folder: Path, fresh: PlasticMemory, sleep: bool, output: Output
) -> dict[str, Any]:
    """Learn the lines of ``file`` into the memory in ``folder``, and return figures.

    Parameters
    ----------
    file : path, optional
        One sequence a line; by default the bundled first names are learned.
    folder : path
        Where the memory lives.
    fresh : PlasticMemory
        The memory to begin with, if the folder holds none.
    sleep : bool
        Whether it sleeps at the end.
    output : Output
        Where progress and remarks go.

    Raises
    ------
    DataError
        If the file cannot be read, is no UTF-8, or has no line.
    ConfigError
        If the folder holds a memory that is in the middle of another file.
    CheckpointError
        If the folder is no memory's, cannot be written, or another process is learning into it.
    """
    lines, digest = read_sequences(file)
    refuse_foreign_folder(folder)
    _begin(folder, digest, fresh)  # refused, if it is, before a lock is left in the folder
    make_folder(folder, "the folder of the memory")
    with sole_owner(folder, f"another process is learning into the memory {folder}"):
        return _learn(lines, digest, folder, fresh, sleep, output)


def _learn(
    lines: list[str], digest: str, folder: Path, fresh: PlasticMemory, sleep: bool, output: Output
) -> dict[str, Any]:
    memory, reading = _begin(folder, digest, fresh)
    if reading.lines:
        output.remark(f"going on after {reading.lines:,} of {len(lines):,} sequences")
    saved = reading.lines
    with _progress(output, len(lines), reading.lines) as show:
        for first in range(reading.lines, len(lines), CHUNK):
            nats = float(memory.learn(lines[first : first + CHUNK])["nats"])
            reading = Reading(digest, min(first + CHUNK, len(lines)), nats)
            # A save writes the whole memory: a tenth more is learned before the next one, or a
            # long file would cost the square of its length.
            if reading.lines - saved >= max(CHUNK, saved // 10) or reading.lines == len(lines):
                _save(memory, folder, reading)
                saved = reading.lines
            show(reading.lines, nats)
    if sleep:
        output.remark("sleeping")
        memory.sleep()
    _save(memory, folder, replace(reading, done=True))
    return {**memory.stats(), "nats": reading.nats, "memory": str(folder)}


def read_sequences(file: Path | None) -> tuple[list[str], str]:
    """Return the sequences of a file, or the bundled first names, and a digest of them.

    Blank lines are passed over.

    Raises
    ------
    DataError
        If it cannot be read, is no UTF-8, or has no such line.
    """
    if file is None:
        names = load_first_names()
        return names, hashlib.sha256("\n".join(names).encode()).hexdigest()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read", got=error.strerror or str(error)) from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(
            f"{file} is not UTF-8",
            got=f"byte 0x{content[error.start]:02x} in line {line}",
            cure="convert it, with iconv for instance",
        ) from error
    # Only \n and \r\n end a line: a name may hold any other separator of Unicode.
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if not lines:
        raise DataError(f"{file} is empty", expected="one sequence a line")
    return lines, hashlib.sha256(content).hexdigest()


def _begin(folder: Path, digest: str, fresh: PlasticMemory) -> tuple[PlasticMemory, Reading]:
    """Return the memory to go on with, and how far it has read this file."""
    if not (folder / MANIFEST).exists():
        return fresh, Reading(digest)
    memory = PlasticMemory.load(folder)
    kept = load_checkpoint(folder, PlasticMemory.kind).state.get("reading")
    reading = Reading(**kept) if kept else Reading(digest, done=True)
    if reading.done:
        return memory, Reading(digest)
    if reading.sha256 != digest:
        raise ConfigError(
            f"the memory in {folder} is in the middle of another file",
            cure="learn that one to its end first (without FILE: the bundled names), or choose "
            "another folder",
        )
    return memory, reading


def _save(memory: PlasticMemory, folder: Path, reading: Reading) -> None:
    state = memory.export_state()
    values = {**state.values, "reading": asdict(reading)}
    save_checkpoint(
        folder, Checkpoint(memory.kind, memory.config(), values, state.tensors, memory.seed)
    )


@contextmanager
def _progress(output: Output, total: int, begun: int) -> Iterator[Any]:
    """Yield what shows progress: sequences learned, their rate, and the surprise at the last."""
    if not output.live:
        yield lambda done, nats: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    start = time.perf_counter()
    columns = (TextColumn("{task.completed:,}"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, completed=begun)

        def show(done: int, nats: float) -> None:
            rate = (done - begun) / (time.perf_counter() - start)
            bar.update(task, completed=done, description=f"{rate:,.0f}/s  {nats:.3f} nats a symbol")

        yield show
