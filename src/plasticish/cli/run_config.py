"""What a run was asked for, as its ``config.json`` keeps it: enough to begin again, or to go on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from plasticish.core import CheckpointError, make_folder, write_atomically

__all__ = ["RunConfig"]

FORMAT = "plasticish-run"
FORMAT_VERSION = 1
FILE = "config.json"
LATER = ("shards", "engine", "workers")  # a config of before has none of them, and means defaults


@dataclass(frozen=True)
class RunConfig:
    """One ``plasticish learn``.

    Attributes
    ----------
    source : str
        As :func:`plasticish.data.load_source` takes it, with an absolute path.
    classes : tuple of str
        Names of all classes the brain knows or is to learn, by label.
    order : tuple of int
        Labels in the order in which this run teaches them.
    classes_per_task, epochs, batch_size, seed : int
        How it is taught.
    width : int
        Features that the brain takes.
    eyes : dict or None
        :meth:`plasticish.vision.PretrainedEyes.config`; None for a brain of 8×8 digits.
    image_size : int or None
        Height and width in pixels at which an image is read; None for 8×8 digits.
    cache : bool
        Whether features are kept on disk.
    parent : str or None
        Folder of the brain that was taught on.
    known_before : float or None
        Accuracy of that brain on what it knew, before this run.
    shards : int or None
        Into how many shards a phase is cut; None learns it as one stream.
    engine : str
        Who learns them.
    workers : int or None
        How many at once; None is one a core.
    """

    source: str
    classes: tuple[str, ...]
    order: tuple[int, ...]
    classes_per_task: int
    epochs: int
    batch_size: int
    seed: int
    width: int
    eyes: dict[str, Any] | None = None
    image_size: int | None = None
    cache: bool = True
    parent: str | None = None
    known_before: float | None = None
    shards: int | None = None
    engine: str = "sequential"
    workers: int | None = None

    def save(self, folder: Path) -> None:
        """Write ``config.json`` into the run folder, making it.

        Raises
        ------
        CheckpointError
            If it cannot be written.
        """
        values = {"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)}
        make_folder(folder, "the run folder")
        write_atomically(folder / FILE, (json.dumps(values, indent=2) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> RunConfig:
        """Read what :meth:`save` wrote.

        Raises
        ------
        CheckpointError
            If there is no run, or it is foreign, damaged or newer.
        """
        try:
            values = json.loads((folder / FILE).read_bytes())
        except OSError as error:
            raise CheckpointError(
                f"{folder} is not a run folder",
                got=f"{FILE}: {error.strerror}",
                expected="a folder that `plasticish learn` made",
            ) from error
        except (ValueError, RecursionError) as error:
            raise CheckpointError(
                f"the run {folder} is damaged", got=f"{FILE} is no JSON"
            ) from error
        return cls._parse(folder, values)

    @classmethod
    def _parse(cls, folder: Path, values: Any) -> RunConfig:
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise CheckpointError(
                f"{folder} is a foreign folder",
                got=f"{FILE} of another program",
                expected=f"format {FORMAT!r}",
            )
        if values.get("format_version") != FORMAT_VERSION:
            raise CheckpointError(
                f"the run {folder} is of another version of plasticish",
                got=f"format version {values.get('format_version')}",
                expected=str(FORMAT_VERSION),
            )
        try:
            names = [f.name for f in fields(cls) if f.name in values or f.name not in LATER]
            known = {name: values[name] for name in names}
            known |= {"classes": tuple(map(str, values["classes"]))}
            known |= {"order": tuple(map(int, values["order"]))}
            return cls(**known)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"the run {folder} is damaged", got=f"{FILE}: {error}") from error
