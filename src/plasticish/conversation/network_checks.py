"""What a network refuses: sizes and shares out of range, cues and tokens that are not its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from plasticish.core import ConfigError, DataError, check_positive

from .cues import Cue
from .network_kernels import NO_TOKEN
from .vocabulary import END, START

__all__ = ["as_line", "check_cue", "check_shares", "check_sizes"]

SIZES = {
    "n_neurons": (128, 1 << 16),
    "vocab_size": (256, NO_TOKEN),
    "cue_synapses": (1, 1 << 16),
    "state_cells": (3, 1 << 10),
    "step_synapses": (3, 64),
}
"""The least and the most of each."""


def check_sizes(**sizes: int) -> None:
    """Refuse sizes that a network cannot have, by their names.

    Raises
    ------
    ConfigError
        If one is no whole number, or outside its range.
    """
    for name, value in sizes.items():
        least, most = SIZES[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ConfigError(
                f"{name} is out of range",
                got=repr(value),
                expected=f"a whole number from {least:,} to {most:,}",
            )


def check_shares(**shares: float) -> None:
    """Refuse what is no share in (0, 1], by its name.

    Raises
    ------
    ConfigError
        If one is outside that range.
    """
    check_positive(**shares)
    for name, share in shares.items():
        if share > 1:
            raise ConfigError(f"{name} is out of range", got=repr(share), expected="at most 1")


def check_cue(cue: Cue, n_neurons: int) -> None:
    """Refuse a cue that a network of so many cells cannot hear.

    Raises
    ------
    DataError
        If its cells are not ascending and below ``n_neurons``, or its drives not finite and > 0.
    """
    cells, drive = cue.cells, cue.drive
    fits = (
        cells.dtype == np.int64
        and drive.dtype == np.float32
        and cells.ndim == 1
        and cells.shape == drive.shape
        and len(cells) > 0
        and int(cells[0]) >= 0
        and int(cells[-1]) < n_neurons
        and bool((np.diff(cells) > 0).all())
        and bool(np.isfinite(drive).all())
        and float(drive.min()) > 0
    )
    if not fits:
        raise DataError(
            "this is no cue of this network",
            got=f"{len(cells)} cells, {cells.dtype} and {drive.dtype}",
            expected=f"int64 cells below {n_neurons:,}, ascending, float32 drives > 0",
            cure=f"make it with CueEncoder({n_neurons}).encode(text)",
        )


def as_line(tokens: Sequence[int], vocab_size: int) -> npt.NDArray[np.int64]:
    """Return tokens between the start and the end of a line.

    Raises
    ------
    DataError
        If a token is unknown.

    Examples
    --------
    >>> as_line(b"Hi", 256).tolist()
    [254, 72, 105, 255]
    """
    for token in tokens:
        if not 0 <= token < vocab_size:
            raise DataError(
                "this token is unknown",
                got=repr(token),
                expected=f"0 <= token < {vocab_size}",
            )
    return np.array([START, *tokens, END], dtype=np.int64)
