"""What ``plasticish train`` was asked for, as ``config.json`` keeps it: enough to begin again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from plasticish.core import (
    CheckpointError,
    ConfigError,
    check_positive,
    make_folder,
    write_atomically,
)

__all__ = ["FILE", "FORMAT", "TrainConfig", "is_training"]

FORMAT = "plasticish-train"
FORMAT_VERSION = 1
FILE = "config.json"
EPOCHS = {"vision": 5, "llm": 3, "robotics": 10}
KEPT = {"digits": 200}  # of 1,347 examples; a buffer of 1,000 would hold nearly all
KEPT_ELSE = 1000


@dataclass(frozen=True)
class TrainConfig:
    """One ``plasticish train``; see its ``--help`` for what each value means.

    ``epochs`` and ``replay_buffer_size`` are None until :meth:`settled` gives them the defaults
    of the task.
    """

    task: str = "vision"
    data: str = "digits"
    epochs: int | None = None
    continual_learning: bool = True
    consolidation_strength: float = 1000.0
    use_replay: bool = True
    replay_buffer_size: int | None = None
    use_stdp: bool = False
    stdp_type: str = "homeostatic"
    stdp_learning_rate: float = 0.01
    use_meta_plasticity: bool = False
    meta_lr: float = 0.001
    seed: int = 0

    def settled(self) -> TrainConfig:
        """Return the same with all defaults filled in, refusing what is out of range.

        Raises
        ------
        ConfigError
            If a value is.

        Examples
        --------
        >>> TrainConfig().settled().replay_buffer_size
        200
        """
        kept = KEPT.get(self.data, KEPT_ELSE) if self.task == "vision" else KEPT_ELSE
        given = replace(
            self,
            epochs=EPOCHS[self.task] if self.epochs is None else self.epochs,
            replay_buffer_size=(
                kept if self.replay_buffer_size is None else self.replay_buffer_size
            ),
        )
        check_positive(
            epochs=float(given.epochs or 0),
            replay_buffer_size=float(given.replay_buffer_size or 0),
            stdp_learning_rate=self.stdp_learning_rate,
            meta_lr=self.meta_lr,
        )
        if not 0 <= self.consolidation_strength < float("inf"):
            raise ConfigError(
                "consolidation_strength is out of range",
                got=repr(self.consolidation_strength),
                expected="a number >= 0",
            )
        if self.seed < 0:
            raise ConfigError("seed is not usable", got=repr(self.seed), expected="an integer >= 0")
        return given

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
    def load(cls, folder: Path) -> TrainConfig:
        """Read what :meth:`save` wrote.

        Raises
        ------
        CheckpointError
            If there is no run, or it is foreign, damaged or newer.
        """
        values = _read(folder)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise CheckpointError(
                f"{folder} is a foreign folder",
                got=f"{FILE} of something else",
                expected="a folder that `plasticish train` made",
            )
        if values.get("format_version") != FORMAT_VERSION:
            raise CheckpointError(
                f"the run {folder} is of another version of plasticish",
                got=f"format version {values.get('format_version')}",
                expected=str(FORMAT_VERSION),
            )
        try:
            return cls(**{field.name: values[field.name] for field in fields(cls)}).settled()
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"the run {folder} is damaged", got=f"{FILE}: {error}") from error


def is_training(folder: Path) -> bool:
    """Whether ``plasticish train`` made this folder."""
    try:
        values = _read(folder)
    except CheckpointError:
        return False
    return isinstance(values, dict) and values.get("format") == FORMAT


def _read(folder: Path) -> Any:
    try:
        return json.loads((folder / FILE).read_bytes())
    except OSError as error:
        raise CheckpointError(
            f"{folder} is not a run folder",
            got=f"{FILE}: {error.strerror}",
            expected="a folder that `plasticish train` made",
        ) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"the run {folder} is damaged", got=f"{FILE} is no JSON") from error
