"""Where a run stands, and the run folder that survives ``kill -9``.

The brain, the position in the curriculum, and the history go into ONE checkpoint, which core
replaces in one rename: they can never disagree. Everything random is a function of the seed and
the position (see :mod:`plasticish.training.loaders`), so no generator has to be saved beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import (
    LEARNERS,
    Checkpoint,
    CheckpointError,
    ConfigError,
    DeviceLike,
    Persistent,
    State,
    inspect_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from .history import TrainingHistory
from .phase import PhaseConfig

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["Position", "RunFolder", "SavedRun", "inspect_run", "load_run"]

KIND = "training_run"
CHECKPOINT = "checkpoint"
# A large brain on a slow disk: saving may take a tenth of the time, whatever the interval says.
_SAVING_SHARE = 0.1


@dataclass
class Position:
    """How far a curriculum has come: ``batch`` batches of epoch ``epoch`` of phase ``phase``.

    ``fingerprint`` is the checksum of the batches learned in this epoch. All epochs done means
    that the end of the phase (consolidation, sleep, evaluation) is still to come.

    Examples
    --------
    >>> position = Position()
    >>> position.next_batch(fingerprint=7)
    >>> position
    Position(phase=0, epoch=0, batch=1, fingerprint=7)
    """

    phase: int = 0
    epoch: int = 0
    batch: int = 0
    fingerprint: int = 0

    def next_batch(self, fingerprint: int) -> None:
        """One more batch is learned."""
        self.batch += 1
        self.fingerprint = fingerprint

    def next_epoch(self) -> None:
        """The epoch is over."""
        self.epoch, self.batch, self.fingerprint = self.epoch + 1, 0, 0

    def next_phase(self) -> None:
        """The phase is over, its end included."""
        self.phase, self.epoch, self.batch, self.fingerprint = self.phase + 1, 0, 0, 0


@dataclass(frozen=True)
class SavedRun:
    """A run as its folder holds it."""

    trainer: str
    settings: dict[str, Any]
    phases: list[dict[str, Any]]
    eval_names: list[str]
    position: Position
    history: TrainingHistory
    brain_kind: str
    brain_config: dict[str, Any]
    brain_state: State

    def build_brain(self, device: DeviceLike = None, **overrides: Any) -> Any:
        """Build the brain anew and put its state back.

        Raises
        ------
        CheckpointError
            If its class is not registered or its configuration does not fit.
        """
        if self.brain_kind not in LEARNERS:
            raise CheckpointError(
                f"the brain {self.brain_kind!r} is not a registered learner",
                cure="import the module that defines it, or pass brain=",
            )
        config = {**self.brain_config, **overrides}
        if device is not None and "device" in config:
            config["device"] = str(device)
        try:
            return self.restore(LEARNERS[self.brain_kind](**config))
        except TypeError as error:
            raise CheckpointError(
                "the checkpoint does not fit its brain",
                got=str(error),
                cure="it was written by another version; pass brain=",
            ) from error

    def restore(self, brain: Any) -> Any:
        """Put the state back into ``brain``, which has to be of the same class."""
        if getattr(brain, "kind", None) != self.brain_kind:
            raise CheckpointError(
                "the run trained another kind of brain",
                got=repr(getattr(brain, "kind", type(brain).__name__)),
                expected=repr(self.brain_kind),
            )
        brain.import_state(self.brain_state)
        return brain

    def check(self, phases: Sequence[PhaseConfig], eval_names: Sequence[str]) -> None:
        """Refuse a curriculum other than the one that was begun.

        Raises
        ------
        CheckpointError
            If phases or evaluation loaders differ.
        """
        given = [phase.describe() for phase in phases]
        for index, (was, now) in enumerate(zip(self.phases, given, strict=False)):
            for key, value in was.items():
                if now[key] != value:
                    raise CheckpointError(
                        f"phase {index + 1} differs from that of the run in {key!r}",
                        got=repr(now[key]),
                        expected=repr(value),
                        cure="resume with the phases the run was begun with",
                    )
        if len(given) != len(self.phases) or list(eval_names) != self.eval_names:
            raise CheckpointError(
                "the curriculum differs from that of the run",
                got=f"{len(given)} phases, evaluated on {list(eval_names)}",
                expected=f"{len(self.phases)} phases, evaluated on {self.eval_names}",
                cure="resume with the phases the run was begun with",
            )


class RunFolder:
    """The folder of one run; without one, everything here does nothing.

    Parameters
    ----------
    trainer : Trainer
        Whose run it is.
    folder : path or None
        Where it is.
    every_s : float
        Seconds between checkpoints, at least.
    """

    def __init__(self, trainer: Trainer, folder: str | Path | None, every_s: float) -> None:
        if not every_s >= 0:
            raise ConfigError(
                "checkpoint_every_s is out of range", got=repr(every_s), expected="seconds >= 0"
            )
        if folder is not None and not isinstance(trainer.brain, Persistent):
            raise ConfigError(
                "a run folder needs a brain that can be saved",
                got=type(trainer.brain).__name__,
                expected="a plasticish.core.Persistent",
            )
        self.trainer = trainer
        self.folder = None if folder is None else Path(folder)
        self.every_s = every_s
        self.mine = False  # whether what stands in the folder is this very run
        self._due = 0.0

    def open(self) -> None:
        """Take the folder and save where the run stands, so that it can be resumed from now on.

        Raises
        ------
        CheckpointError
            If another run is there.
        """
        if self.folder is None:
            return
        if not self.mine and (self.folder / CHECKPOINT / "checkpoint.json").exists():
            raise CheckpointError(
                f"{self.folder} holds a run already",
                cure="go on with resume, or choose another run_folder",
            )
        self.save()

    def save_if_due(self) -> None:
        """Save if the last checkpoint is old enough."""
        if self.folder is not None and self.trainer.clock() >= self._due:
            self.save()

    def save(self) -> None:
        """Write brain, position and history as one."""
        if self.folder is None:
            return
        started = self.trainer.clock()
        self.trainer.stamp()
        save_checkpoint(self.folder / CHECKPOINT, _pack(self.trainer))
        self.mine = True
        now = self.trainer.clock()
        wait = self.every_s and max(self.every_s, (now - started) / _SAVING_SHARE)
        self._due = now + wait

    def close(self, done: bool) -> None:
        """Save a last time; of a finished run also the brain alone and the history."""
        if self.folder is None:
            return
        self.save()
        if done:
            self.trainer.brain.save(self.folder / "brain")
            self.trainer.history.save(self.folder / "history.json")


def _pack(trainer: Trainer) -> Checkpoint:
    brain = trainer.brain
    state = State.nest({"brain": brain.export_state(), "history": trainer.history.export_state()})
    return Checkpoint(
        kind=KIND,
        config={
            "trainer": trainer.kind,
            "settings": trainer.settings(),
            "phases": [phase.describe() for phase in trainer.phases],
            "eval_names": list(trainer.eval_loaders),
            "brain_kind": brain.kind,
            "brain_config": brain.config(),
        },
        state={**state.values, "position": asdict(trainer.position)},
        tensors=state.tensors,
        seed=trainer.seed,
    )


def load_run(run_folder: str | Path) -> SavedRun:
    """Read a run folder whole.

    Raises
    ------
    CheckpointError
        If no run was begun there, or the checkpoint is damaged.
    """
    path = Path(run_folder) / CHECKPOINT
    checkpoint = load_checkpoint(path, KIND)
    state = State(checkpoint.state, checkpoint.tensors)
    config = checkpoint.config
    try:
        return SavedRun(
            trainer=config["trainer"],
            settings=config["settings"],
            phases=config["phases"],
            eval_names=config["eval_names"],
            position=Position(**checkpoint.state["position"]),
            history=TrainingHistory.from_state(state.part("history")),
            brain_kind=config["brain_kind"],
            brain_config=config["brain_config"],
            brain_state=state.part("brain"),
        )
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"the run {run_folder} is damaged", got=str(error)) from error


def inspect_run(run_folder: str | Path) -> dict[str, Any]:
    """Say how far a run is, reading no array.

    Returns
    -------
    dict
        ``trainer``, ``phases``, ``eval_names``, ``settings`` (``notes`` among them),
        ``brain_kind``, ``brain_config``, ``position`` and ``finished``.

    Raises
    ------
    CheckpointError
        If no run was begun there.
    """
    manifest = inspect_checkpoint(Path(run_folder) / CHECKPOINT)
    if manifest["kind"] != KIND:
        raise CheckpointError(
            f"{run_folder} is not a training run", got=repr(manifest["kind"]), expected=repr(KIND)
        )
    position = manifest["state"]["position"]
    finished = position["phase"] >= len(manifest["config"]["phases"])
    return {**manifest["config"], "position": position, "finished": finished}
