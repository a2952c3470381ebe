"""The vocabulary on disk: one JSON file, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plasticish.core import CheckpointError, make_folder, write_atomically

__all__ = ["read_vocabulary", "write_vocabulary"]

FORMAT, FORMAT_VERSION = "plasticish-vocabulary", 1


def write_vocabulary(path: Path, config: Mapping[str, Any], state: Mapping[str, Any]) -> Path:
    """Write constructor arguments and state, making the folder, and return ``path``.

    Raises
    ------
    CheckpointError
        If it cannot be written, or something else stands there; that stays as it is.
    """
    if path.exists():
        _check_ours(path)
    whole = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "config": dict(config),
        "state": dict(state),
    }
    content = json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n"
    make_folder(path.parent, "the folder of the vocabulary")
    write_atomically(path, content.encode())
    return path


def read_vocabulary(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constructor arguments and the state that :func:`write_vocabulary` wrote.

    Raises
    ------
    CheckpointError
        If the file is missing, foreign, truncated, or from a newer version.
    """
    whole = _read(path)
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is no vocabulary", expected=f"a JSON file of the format {FORMAT!r}"
        )
    if whole.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} is of another version of plasticish",
            got=f"format version {whole.get('format_version')!r}",
            expected=str(FORMAT_VERSION),
            cure="upgrade plasticish",
        )
    config, state = whole.get("config"), whole.get("state")
    if not (isinstance(config, dict) and isinstance(state, dict)):
        raise damaged(path, "its config or its state is missing")
    return config, state


def damaged(path: Path, detail: str) -> CheckpointError:
    """Return the error for a file of ours that cannot be used."""
    return CheckpointError(
        f"the vocabulary {path} is truncated or damaged",
        got=detail,
        cure="restore it from a copy",
    )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read", got=error.strerror or str(error), cure="check the path"
        ) from error
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is no JSON") from error


def _check_ours(path: Path) -> None:
    try:
        whole = _read(path)
    except CheckpointError as error:
        if path.is_file() and "damaged" in error.what:
            return  # to be replaced
        raise
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise CheckpointError(f"{path} holds something else", cure="choose another path")
