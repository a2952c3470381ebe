"""Where a run stands, as its folder holds it.

Everything random is a function of the seed and
the position (see :mod:`plasticish.training.generators`), so no generator has to be saved beside it.
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
    DeviceLike,
    State,
    inspect_checkpoint,
    load_checkpoint,
)
from ..core.restoring import restoring
from .history import TrainingHistory
from .phase import PhaseConfig

if TYPE_CHECKING:
    from .trainer import Trainer

__all__ = ["CHECKPOINT", "KIND", "Position", "SavedRun", "inspect_run", "load_run", "pack_run"]

KIND = "training_run"
CHECKPOINT = "checkpoint"


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
        with restoring("the checkpoint", self.brain_kind, self.brain_state.tensors):
            config = {**self.brain_config, **overrides}
            if device is not None and "device" in config:
                config["device"] = str(device)
            return self.restore(LEARNERS[self.brain_kind](**config))

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


def pack_run(trainer: Trainer) -> Checkpoint:
    """Return brain, position and history as one checkpoint."""
    trainer.stamp()
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
    except (KeyError, TypeError, ValueError, AttributeError) as error:
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
    config, state = manifest["config"], manifest["state"]
    try:
        position = asdict(Position(**state["position"]))
        finished = position["phase"] >= len(config["phases"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"the run {run_folder} is damaged", got=str(error)) from error
    return {**config, "position": position, "finished": finished}
