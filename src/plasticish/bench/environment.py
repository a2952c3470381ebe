"""What a figure depends on beside the code: versions and cores, never a name or a path."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

__all__ = ["environment"]

_PACKAGES = ("plasticish", "numpy", "scikit-learn", "avalanche-lib")


def environment() -> dict[str, str | int]:
    """Return Python, package versions, processor kind, cores and threads.

    Host names and paths are left out on purpose: result files are published.

    Examples
    --------
    >>> sorted(environment())[:3]
    ['cores', 'machine', 'numpy']
    """
    found: dict[str, str | int] = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
