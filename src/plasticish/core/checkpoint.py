"""Checkpoints: a folder with ``checkpoint.json`` and one safetensors file, written atomically.

The tensors go to a file that is named by its own SHA-256; ``checkpoint.json`` names that file and
is replaced last, in one rename. A reader therefore sees the old state or the new one, whatever
moment the writer dies at, and a torn or foreign file cannot pass for a checkpoint. Reading
executes nothing: JSON and safetensors hold data only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor

from .atomic import make_folder, write_atomically, writer_lock
from .errors import CheckpointError

__all__ = [
    "FORMAT_VERSION",
    "Checkpoint",
    "inspect_checkpoint",
    "load_checkpoint",
    "save_checkpoint",
]

FORMAT = "plasticish-checkpoint"
FORMAT_VERSION = 1
MANIFEST = "checkpoint.json"
NAME = re.compile(r"tensors-[0-9a-f]{16}\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes
    ----------
    kind : str
        Registered name of the learner (or trainer) that wrote it.
    config : mapping
        Constructor arguments.
    state : mapping
        Everything else that JSON can hold (counters, names of classes, …).
    tensors : mapping of str to Tensor
        The arrays.
    seed : int or None
        The seed that the learner was built with.
    """

    kind: str
    config: Mapping[str, Any]
    state: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    seed: int | None = None


def package_version() -> str:
    """Return the installed version of plasticish."""
    try:
        return version("plasticish")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> Path:
    """Write ``checkpoint`` into the folder ``path`` and return it.

    Raises
    ------
    CheckpointError
        If ``path`` is a file, is a folder of something else, or cannot be written.
    """
    folder = Path(path)
    refuse_foreign_folder(folder)
    content = save_safetensors(
        {k: v.detach().cpu().contiguous().clone() for k, v in checkpoint.tensors.items()}
    )
    digest = hashlib.sha256(content).hexdigest()
    name = f"tensors-{digest[:16]}.safetensors"
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "package_version": package_version(),
        "kind": checkpoint.kind,
        "seed": checkpoint.seed,
        "config": dict(checkpoint.config),
        "state": dict(checkpoint.state),
        "tensors": {"file": name, "bytes": len(content), "sha256": digest},
    }
    # Serialised before anything touches the disk: a value that JSON cannot hold changes nothing.
    text = json.dumps(manifest, indent=2, sort_keys=True, allow_nan=False)
    make_folder(folder, "the checkpoint folder")
    with writer_lock(folder):
        write_atomically(folder / name, content)
        write_atomically(folder / MANIFEST, text.encode())
        for stale in folder.glob("tensors-*.safetensors"):
            if stale.name != name:
                stale.unlink(missing_ok=True)
        for torn in folder.glob(".*.tmp"):
            torn.unlink(missing_ok=True)
    return folder


def load_checkpoint(path: str | Path, kind: str | None = None) -> Checkpoint:
    """Read a checkpoint, refusing by name what is not one.

    Parameters
    ----------
    path : path
        The folder that :func:`save_checkpoint` wrote.
    kind : str, optional
        The learner that is expected; another one is refused.

    Raises
    ------
    CheckpointError
        If it is missing, foreign, truncated, altered, of another kind, or from a newer version.
    """
    folder = Path(path)
    manifest = _read_manifest(folder)
    if kind is not None and manifest["kind"] != kind:
        raise CheckpointError(
            f"{folder} holds another kind of learner",
            got=repr(manifest["kind"]),
            expected=repr(kind),
            cure=f"load it as {manifest['kind']}",
        )
    entry = manifest["tensors"]
    try:
        content = (folder / entry["file"]).read_bytes()
    except OSError as error:
        fresh = _read_manifest(folder)
        # A writer replaced the checkpoint between the two reads.
        if fresh["tensors"]["file"] != entry["file"]:
            return load_checkpoint(folder, kind)
        raise _damaged(folder, f"{entry['file']}: {error.strerror}") from error
    if len(content) != entry["bytes"]:
        raise _damaged(folder, f"{len(content)} bytes of {entry['bytes']} in {entry['file']}")
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise _damaged(folder, f"{entry['file']} does not match its checksum")
    try:
        views = load_safetensors(content)
    except SafetensorError as error:
        raise _damaged(folder, f"{entry['file']} holds no tensors") from error
    return Checkpoint(
        kind=manifest["kind"],
        config=manifest["config"],
        state=manifest["state"],
        # Copied to where torch aligns its memory: a product may round by alignment.
        tensors={name: view.clone() for name, view in views.items()},
        seed=manifest["seed"],
    )


def inspect_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the manifest with the name, shape and type of every tensor, reading no array.

    Raises
    ------
    CheckpointError
        As :func:`load_checkpoint`.
    """
    folder = Path(path)
    manifest = _read_manifest(folder)
    try:
        with safe_open(folder / manifest["tensors"]["file"], framework="pt") as stream:
            slices = {name: stream.get_slice(name) for name in stream.keys()}  # noqa: SIM118
            manifest["tensors"]["arrays"] = {
                name: {"shape": list(part.get_shape()), "dtype": str(part.get_dtype())}
                for name, part in slices.items()
            }
    except (OSError, SafetensorError) as error:
        raise _damaged(folder, str(error)) from error
    return manifest


def _read_manifest(folder: Path) -> dict[str, Any]:
    try:
        text = (folder / MANIFEST).read_bytes()
        manifest = json.loads(text, parse_int=_integer)
    except OSError as error:
        raise CheckpointError(
            f"{folder} is not a checkpoint",
            got=error.strerror or str(error),
            expected=f"a folder with {MANIFEST}",
            cure="give the folder that a learner was saved to, or a run of `plasticish learn`",
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, f"{MANIFEST} is not JSON") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise CheckpointError(
            f"{folder} is a foreign folder",
            got=f"{MANIFEST} of another program",
            expected=f"format {FORMAT!r}",
        )
    found = manifest.get("format_version")
    if not isinstance(found, int) or found > FORMAT_VERSION:
        raise CheckpointError(
            f"{folder} is from a newer plasticish",
            got=f"format version {found}",
            expected=f"at most {FORMAT_VERSION}",
            cure="upgrade plasticish",
        )
    return _well_formed(folder, manifest)


def _integer(digits: str) -> int:
    """Return a number that fits into 64 bits: none that a learner wrote is larger."""
    number = int(digits)
    if not -(1 << 63) <= number < 1 << 64:
        raise ValueError(f"{digits[:30]} has more than 64 bits")
    return number


def _well_formed(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    entry = manifest.get("tensors")
    sound = (
        isinstance(manifest.get("kind"), str)
        and isinstance(manifest.get("config"), dict)
        and isinstance(manifest.get("state"), dict)
        and isinstance(manifest.get("seed", ""), int | None)
        and isinstance(entry, dict)
        and isinstance(entry.get("file"), str)
        and NAME.fullmatch(entry["file"]) is not None  # never a path out of the folder
        and isinstance(entry.get("bytes"), int)
        and isinstance(entry.get("sha256"), str)
    )
    if not sound:
        raise _damaged(folder, f"{MANIFEST} lacks a field or has one of the wrong type")
    return manifest


def _damaged(folder: Path, detail: str) -> CheckpointError:
    return CheckpointError(
        f"the checkpoint {folder} is truncated or damaged",
        got=detail,
        cure="restore it from a copy",
    )


def refuse_foreign_folder(folder: Path) -> None:
    """Refuse a place at which a checkpoint must not be written.

    Raises
    ------
    CheckpointError
        If a file stands there, or a folder that holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise CheckpointError(f"{folder} is a file", expected="a folder, or a path not yet taken")
    if folder.is_dir() and not _is_ours(folder):
        raise CheckpointError(
            f"{folder} holds something else",
            got=f"no {MANIFEST} of plasticish",
            expected="an empty folder or a checkpoint",
            cure="choose another path",
        )


def _is_ours(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:  # empty, or what a save left that died before its manifest
        return all(path.name.startswith((".", "tensors-")) for path in folder.iterdir())
    except (ValueError, OSError, RecursionError):
        return True  # damaged, and to be replaced
    return isinstance(manifest, dict) and manifest.get("format") == FORMAT
