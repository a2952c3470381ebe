"""A fresh process that fills one brain and says how much memory it then holds.

Run as ``python -m plasticish.bench.resident WIDTH MEMORIES``; it prints one line of JSON. A
process of its own, because what another scenario allocated before would count here.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["main", "measure"]

_STATUS = Path("/proc/self/status")


def resident_bytes() -> tuple[int, int]:
    """Return resident memory now, and at its highest, in bytes.

    Raises
    ------
    OSError
        On a system without ``/proc``.
    """
    fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
    now, peak = (int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill a default brain and print what it takes."""
    parser = argparse.ArgumentParser(prog="python -m plasticish.bench.resident")
    parser.add_argument("width", type=int, help="features an example")
    parser.add_argument("memories", type=int, help="examples to learn")
    options = parser.parse_args(arguments)
    # Imported here, so that reading the arguments wrong costs nothing.
    import torch

    from plasticish.core import make_generator
    from plasticish.vision import PlasticBrain

    torch.set_num_threads(1)
    empty, _ = resident_bytes()
    brain = PlasticBrain(in_dim=options.width, seed=0)
    generator = make_generator(0)
    left = options.memories
    while left > 0:
        rows = min(500, left)
        labels = torch.randint(10, (rows,), generator=generator)
        brain.learn((torch.rand(rows, options.width, generator=generator), labels))
        left -= rows
    brain.sleep()
    brain.predict(torch.rand(256, options.width, generator=generator))
    now, peak = resident_bytes()
    print(json.dumps({"imports": empty, "resident": now, "peak": peak}))
    return 0


def measure(width: int, memories: int) -> dict[str, int]:
    """Return what :func:`main` prints, from a fresh process.

    Raises
    ------
    RuntimeError
        If that process fails; its last words are in the message.
    """
    done = subprocess.run(
        [sys.executable, "-m", "plasticish.bench.resident", str(width), str(memories)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the measured process failed: {done.stderr.strip()[-500:]}")
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    raise SystemExit(main())
