"""``python -m plasticish.bench.fuzzing``: more inputs, one reader alone, or another engine."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from plasticish.core import PlasticishError

from .run import Tally, available_readers, fuzz

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the arguments, let inputs be read, and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m plasticish.bench.fuzzing", description=__doc__)
    parser.add_argument("readers", nargs="*", help="names of readers; all of them by default")
    parser.add_argument("--inputs", type=int, default=100_000, help="in all")
    parser.add_argument("--seed", type=int, default=0, help="decides every input")
    parser.add_argument("--engine", choices=("mutation", "atheris"), default="mutation")
    parser.add_argument("--seconds", type=int, default=60, help="for each reader, with atheris")
    parser.add_argument("--keep", type=Path, help="folder for the inputs of what was found")
    parser.add_argument("--list", action="store_true", help="name the readers and leave")
    options = parser.parse_args(arguments)
    names = options.readers or available_readers()
    if options.list:
        print("\n".join(names))
        return 0
    try:
        tallies = _run(options, names)
    except PlasticishError as error:
        print(f"fuzzing: {error}", file=sys.stderr)
        return 2
    _print(tallies)
    if options.keep is not None:
        _keep(tallies, options.keep)
    return int(any(tally.findings for tally in tallies.values()))


def _run(options: argparse.Namespace, names: Sequence[str]) -> Mapping[str, Tally]:
    if options.engine == "atheris":
        from .guided import guided

        return guided(names, options.seconds)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=options.inputs)

        def show(name: str, done: int) -> None:
            bar.update(task, completed=done, description=name)

        return fuzz(options.inputs, seed=options.seed, readers=names, show=show)


def _print(tallies: Mapping[str, Tally]) -> None:
    table = Table("reader", "inputs", "CPU s", "peak MB", "crashes", "hangs", "outside")
    for name, tally in tallies.items():
        table.add_row(
            name,
            f"{tally.inputs:,}",
            f"{tally.seconds:.1f}",
            f"{tally.peak_mb:.0f}",
            str(tally.count("crash", "killed")),
            str(tally.count("hang")),
            str(tally.count("outside write")),
        )
    console = Console(width=100, soft_wrap=True)
    console.print(table)
    for tally in tallies.values():
        for one in tally.findings:
            console.print(
                f"{one.reader}: {one.kind}: {one.where} (input {one.number})", markup=False
            )


def _keep(tallies: Mapping[str, Tally], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for tally in tallies.values():
        for one in tally.findings:
            stem = f"{one.reader.replace(' ', '-')}-{hashlib.sha256(one.data).hexdigest()[:8]}"
            (folder / stem).write_bytes(one.data)
            (folder / f"{stem}.txt").write_text(f"{one.kind}: {one.where}\n{one.detail}")


if __name__ == "__main__":
    raise SystemExit(main())
