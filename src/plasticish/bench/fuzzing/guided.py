"""The same readers under atheris, which is told by the interpreter what each input reached.

An engine that watches the branches finds its way past checks that chance does not; it is slow, and
its process ends with the first finding. So each reader has a process of its own.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from plasticish.core import import_extra

from .mutation import mutated
from .readers import READERS, Reader, load_readers
from .run import Finding, Tally
from .watch import Guard, attempt, empty
from .worker import seeds_of

__all__ = ["guided", "main"]

_DONE = re.compile(r"Done (\d+) runs|#(\d+)\s")
_MOST_MB = 4096  # of the whole process, torch and the engine among it


def guided(names: Sequence[str], seconds: int) -> dict[str, Tally]:
    """Let atheris steer each reader for so many seconds.

    Raises
    ------
    MissingExtraError
        If the extra ``fuzz`` is not installed.
    """
    import_extra("atheris", "fuzz", "the engine atheris")
    return {name: _one(name, seconds) for name in names}


def _one(name: str, seconds: int) -> Tally:
    with tempfile.TemporaryDirectory(prefix="plasticish-fuzz-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", __name__, name, folder, str(seconds)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        counts = [int(one or other) for one, other in _DONE.findall(done.stderr)]
        tally = Tally(inputs=max(counts, default=0), seconds=float(seconds))
        for path in sorted(Path(folder).glob("crash-*")):
            said = done.stdout.strip().splitlines()[-1:] or [f"status {done.returncode}"]
            tally.findings.append(
                Finding(
                    name, "crash", said[0], tally.inputs, path.read_bytes(), done.stderr[-3000:]
                )
            )
        return tally


def _steer(reader: Reader, folder: Path, seconds: int) -> None:
    atheris: Any = import_extra("atheris", "fuzz", "the engine atheris")
    seeds, scratch, guard = seeds_of(reader, folder / "seeds"), folder / "scratch", Guard()
    scratch.mkdir()
    reader.load()
    guard.install()

    def test_one_input(data: bytes) -> None:
        empty(scratch)
        found = attempt(reader, data, scratch, guard)
        if found is not None:
            print(f"{found.kind}: {found.where}", flush=True)
            raise RuntimeError(found.detail)

    def altered(data: bytes, most: int, seed: int) -> bytes:
        # The engine's own mutations, and those that know JSON and safetensors, in turns.
        if seed % 2:
            return bytes(atheris.Mutate(data, most))
        return mutated([bytes(data), *seeds], Random(seed), reader.parts)[:most]

    corpus = folder / "seeds" / reader.name.replace(" ", "-")
    atheris.Setup(
        ["fuzz", f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-timeout=60",
         "-max_len=65536", f"-rss_limit_mb={_MOST_MB}", str(corpus)],
        test_one_input,
        custom_mutator=altered,
    )  # fmt: skip
    atheris.Fuzz()


def main(arguments: Sequence[str] | None = None) -> int:
    """Steer one reader; the process ends with the engine."""
    parser = argparse.ArgumentParser(prog=f"python -m {__name__}")
    parser.add_argument("reader")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=int)
    options = parser.parse_args(arguments)
    atheris: Any = import_extra("atheris", "fuzz", "the engine atheris")
    # The product alone, as it is imported: to instrument torch as well would take minutes.
    with atheris.instrument_imports(include=["plasticish"], enable_loader_override=False):
        load_readers()
    _steer(READERS[options.reader], options.folder, options.seconds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
