"""What a figure depends on: the code, versions, the processor; never a name or a path."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

__all__ = ["code_digest", "environment"]

_PACKAGES = ("plasticish", "numpy", "scikit-learn", "avalanche-lib")


def environment() -> dict[str, str | int]:
    """Return a digest of the code, package versions, the processor, cores and threads.

    Host names and paths are left out on purpose: result files are published.

    Examples
    --------
    >>> sorted(environment())[:3]
    ['code', 'cores', 'machine']
    """
    found: dict[str, str | int] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "code": code_digest(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def code_digest() -> str:
    """Return twelve hexadecimal digits that change with any source file of the package.

    Examples
    --------
    >>> len(code_digest())
    12
    """
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _processor() -> str:
    """Return the model of the processor, as Linux names it; elsewhere what Python knows of it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
