"""Short lives of every learner, kept to the last bit, here or in a fresh process.

Run as ``python -m plasticish.bench.product._lived FOLDER SEED STEPS THREADS NAME,... WAY ...``; it
writes one file a learner and way into the folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ._lives import BATCH, LIVES, Life

__all__ = ["SAVED", "SINGLY", "WHOLE", "elsewhere", "keep", "main", "shared_bits"]

WHOLE, SINGLY, SAVED = "whole", "singly", "saved"
"""In batches; the same rows one by one; in batches, put down and taken up half way."""


def _lived(life: Life, seed: int, steps: int, way: str) -> Any:
    """Learn, sleep, learn, (be saved,) learn, sleep, learn: ``steps`` batches in each of four."""
    learner, batches = life.make(seed), life.batches(seed, BATCH)
    if way == SINGLY:
        batches, steps = _one_by_one(batches), steps * BATCH
    life.live(learner, batches, steps)
    life.live(learner, batches, steps, sleep=False)
    if way == SAVED:
        with tempfile.TemporaryDirectory() as folder:
            learner = type(learner).load(learner.save(Path(folder) / "it"))
    life.live(learner, batches, steps)
    return life.live(learner, batches, steps, sleep=False)


def _one_by_one(batches: Iterator[Any]) -> Iterator[Any]:
    for batch in batches:
        if isinstance(batch, tuple):
            yield from zip(*(torch.split(part, 1) for part in batch), strict=True)
        else:
            yield from ([one] for one in batch)


def keep(
    folder: Path, seed: int, steps: int, ways: Sequence[str], names: Iterable[str] = LIVES
) -> None:
    """Let learners live, and write down their states and what they answer."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        life = LIVES[name]
        for way in ways:
            learner = _lived(life, seed, steps, way)
            state = learner.export_state()
            tensors = {key: t.detach().contiguous().clone() for key, t in state.tensors.items()}
            said = torch.tensor(life.answers(learner), dtype=torch.float64)
            values = json.dumps(state.values, sort_keys=True)
            path = folder / f"{name}.{way}.safetensors"
            save_file({**tensors, "answers": said}, path, {"values": values})


def elsewhere(
    folder: Path,
    seed: int,
    steps: int,
    ways: Sequence[str],
    names: Iterable[str] = LIVES,
    *,
    threads: int = 1,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Do the same in a fresh process with another environment.

    Raises
    ------
    RuntimeError
        If that process fails; its last words are in the message.
    """
    counts = {f"{it}_NUM_THREADS": str(threads) for it in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    command = [sys.executable, "-m", __spec__.name, str(folder)]
    command += [str(seed), str(steps), str(threads), ",".join(names), *ways]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **counts, **(environment or {})},
    )
    if done.returncode:
        raise RuntimeError(f"the other process failed: {done.stderr.strip()[-500:]}")


def shared_bits(one: Path, other: Path) -> float:
    """Return the share of numbers, of the state and the answers, that are the same to the bit."""
    same = total = 0
    for mine, theirs in zip(_read(one), _read(other), strict=True):
        for key in mine.keys() | theirs.keys():
            pair = [part[key] for part in (mine, theirs) if key in part]
            total += max(_count(part) for part in pair)
            same += _equal(*pair) if len(pair) == 2 else 0
    return same / total


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with safe_open(path, "pt") as file:
        values = file.metadata()["values"]
        return {key: file.get_tensor(key) for key in file.keys()}, _leaves(json.loads(values))  # noqa: SIM118


def _leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Return every plain value by where it stands."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, part in items for k, v in _leaves(part, f"{place}/{key}").items()}
    return {place: value}


def _count(part: Any) -> int:
    return part.numel() if isinstance(part, Tensor) else 1


def _equal(one: Any, other: Any) -> int:
    if not isinstance(one, Tensor):
        return int(one == other)
    if one.shape != other.shape or one.dtype != other.dtype:
        return 0
    if not one.numel():
        return 0
    bits = [part.reshape(-1, 1).view(torch.uint8) for part in (one, other)]
    return int((bits[0] == bits[1]).all(dim=1).sum())


def main(arguments: Sequence[str] | None = None) -> int:
    """Live, and write it down."""
    folder, seed, steps, threads, names, *ways = sys.argv[1:] if arguments is None else arguments
    torch.set_num_threads(int(threads))
    keep(Path(folder), int(seed), int(steps), ways, names.split(","))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
