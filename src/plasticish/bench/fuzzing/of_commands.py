"""The command line: words as a shell would hand them over, in an empty folder."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .readers import reader

__all__: list[str] = []

_LINES = (
    "--help",
    "--version",
    "learn digits --classes-per-task 2 --out runs/a --epochs 1 --seed 3 --batch-size 64",
    "learn folder:photos --image-size 32 --brain runs/a --no-cache",
    "learn cifar10:. --eyes efficientnet_lite0 --stages last",
    "predict runs/a picture.png --json",
    "why runs/a picture.png",
    "inspect runs/a --json",
    "resume runs/a",
    "train --task robotics --out runs/b --epochs 2 --seed 1 --meta-lr 0.1",
    "train --resume runs/b --quiet",
    "bench see/few-shot --quick --list --out x --seeds 1",
    "memory learn words.txt --save memory --experts plain --max-synapses 100",
    "memory complete em --memory memory --json",
    "memory sample -n 3 --prefix a --temperature 0.5",
    "memory concepts --level 2 --limit 3",
    "memory export --out folder",
    "memory draw --out tree.svg",
    "chat --memory m --teacher none",
    "raise --teacher corpus --turns 2 --memory m --seed 1",
    "brain-scan --memory m --out scan.png",
)
_COMMANDS = (
    *("learning", "training", "talking", "raising", "memory_learning", "memory_drawing"),
    *("scanning", "seeing", "inspecting", "measuring"),
)
# The last is imported by the first optimizer that is made.
_BEHIND = (*(f"plasticish.cli.{name}" for name in _COMMANDS), "torch._dynamo")


def _command_lines(_: Path) -> Iterator[bytes]:
    for line in _LINES:
        yield line.replace(" ", "\0").encode()


@reader("command line", _command_lines, errors=(), works=True, patience_s=0.3, modules=_BEHIND)
def _command_line(data: bytes, folder: Path) -> None:
    words = [os.fsdecode(word) for word in data[:2000].split(b"\0")]
    # By name, as the shell finds it: the command line stands above this package.
    main: Any = importlib.import_module("plasticish.cli.main")
    before, arguments, keyboard = Path.cwd(), sys.argv, sys.stdin
    (folder / "words.txt").write_bytes(b"emma\nava\n")
    said = io.StringIO()
    try:
        os.chdir(folder)
        sys.argv, sys.stdin = ["plasticish", *words], io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main.main()
    except SystemExit as end:
        # A traceback is for what nobody foresaw; typer ends with 1 after it has printed one.
        if end.code not in (0, 1, 2, 130) or "Traceback" in said.getvalue():
            raise RuntimeError(f"ended with {end.code}: {said.getvalue()[-300:]}") from None
    finally:
        os.chdir(before)
        sys.argv, sys.stdin = arguments, keyboard
