"""What happened while a brain was trained, as plain numbers that survive the process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core import CheckpointError, NotReadyError, State, write_atomically
from .evaluation import NAN, Evaluation, from_json, to_json

__all__ = ["TrainingHistory"]

FORMAT = "plasticish-history"


@dataclass(eq=False)
class TrainingHistory:
    """Everything a figure or a table of a training run needs.

    Attributes
    ----------
    phase_names : list of str
        The curriculum.
    series : dict of str to list of float
        One value a step for each number that the brain reports: ``accuracy`` (of the batch before
        it was learned, in [0, 1]), ``memory_fill``, ``mature``, ``context_energy``, …, beside
        ``phase``, ``epoch`` and ``examples``. What a step did not report is NaN.
    boundaries : list of int
        Steps taken when each finished phase ended.
    evaluations : list of Evaluation
        Looks at the evaluation loaders, in order.
    classes : list of list of int
        Labels met in each phase.
    interrupted : bool
        Whether the last call of ``train`` was stopped before the end.
    elapsed_s : float
        Seconds spent in ``train``, over all resumptions.

    Notes
    -----
    Two histories are equal when everything but ``elapsed_s`` and ``interrupted`` is, NaN matching
    NaN; that is what a resumed run is held against.

    Examples
    --------
    >>> history = TrainingHistory(["A", "B"])
    >>> history.add_step(0, 0, [0, 1, 1], {"accuracy": 0.5})
    >>> history.accuracy
    [0.5]
    """

    phase_names: list[str] = field(default_factory=list)
    series: dict[str, list[float]] = field(default_factory=dict)
    boundaries: list[int] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    classes: list[list[int]] = field(default_factory=list)
    interrupted: bool = False
    elapsed_s: float = 0.0

    def __len__(self) -> int:
        return len(self.series.get("phase", ()))

    def __bool__(self) -> bool:
        return True

    def add_step(
        self,
        phase: int,
        epoch: int,
        labels: Sequence[int],
        report: Mapping[str, Any],
        examples: int | None = None,
    ) -> None:
        """Append one step; ``report`` may hold any numbers, of which all are kept.

        ``examples`` is the size of the batch where that is not the number of labels.
        """
        while len(self.classes) <= phase:
            self.classes.append([])
        self.classes[phase] = sorted({*self.classes[phase], *labels})
        row = {k: float(v) for k, v in report.items() if _is_number(v)}
        size = len(labels) if examples is None else examples
        row |= {"phase": float(phase), "epoch": float(epoch), "examples": float(size)}
        steps = len(self)
        for name in row:  # in their order: a set's would differ from process to process
            self.series.setdefault(name, [NAN] * steps)
        for name, values in self.series.items():
            values.append(row.get(name, NAN))

    def column(self, name: str) -> list[float]:
        """Return one value a step; all NaN for what the brain never reported."""
        return self.series.get(name, [NAN] * len(self))

    @property
    def steps(self) -> list[int]:
        """Number of each step, from 1."""
        return list(range(1, len(self) + 1))

    @property
    def accuracy(self) -> list[float]:
        """Accuracy of each batch in [0, 1], predicted before it was learned."""
        return self.column("accuracy")

    @property
    def memory_fill(self) -> list[float]:
        """Share of the episodic memory in use, by step."""
        return self.column("memory_fill")

    @property
    def mature(self) -> list[float]:
        """Share of mature neurons, by step."""
        return self.column("mature")

    @property
    def context_energy(self) -> list[float]:
        """Energy of the fast context layer, by step (TriarchicBrain)."""
        return self.column("context_energy")

    @property
    def phase_ends(self) -> list[Evaluation]:
        """The evaluation that closes each finished phase."""
        return [e for e in self.evaluations if e.phase_end]

    @property
    def eval_accuracy(self) -> dict[str, list[float]]:
        """Accuracy after each finished phase, by evaluation loader."""
        ends = self.phase_ends
        names = dict.fromkeys(name for end in ends for name in end.accuracy)
        return {name: [end.accuracy.get(name, NAN) for end in ends] for name in names}

    @property
    def accuracy_matrix(self) -> Tensor:
        """R ``[phases, phases]``: accuracy on phase j's task after phase i, finished phases only.

        A phase's task is the evaluation loader of its name (case and a leading ``test_`` do not
        count); without one, its classes within the first evaluation loader that holds them all,
        each class weighing the same.

        Raises
        ------
        NotReadyError
            If no phase is finished, or a phase has neither.
        """
        ends = self.phase_ends
        if not ends:
            raise NotReadyError("no phase was evaluated", cure="give eval_loaders and train")
        columns = [self.task_accuracy(phase) for phase in range(len(ends))]
        return torch.tensor(columns, dtype=torch.float32).T.contiguous()

    def task_accuracy(self, phase: int) -> list[float]:
        """Return the accuracy on a phase's task after each finished phase.

        Raises
        ------
        NotReadyError
            If no evaluation loader measures it.
        """
        ends = self.phase_ends
        wanted = _plain(self.phase_names[phase])
        # A task that is measured only once it is there has no number before.
        named = [name for end in ends for name in end.accuracy if _plain(name) == wanted]
        if named:
            return [end.accuracy.get(named[0], NAN) for end in ends]
        labels = self.classes[phase]
        for loader, scores in ends[0].per_class.items():
            if labels and set(labels) <= scores.keys():
                return [sum(e.per_class[loader][c] for c in labels) / len(labels) for e in ends]
        raise NotReadyError(
            f"no evaluation loader measures the phase {self.phase_names[phase]!r}",
            got=", ".join(ends[0].accuracy) or "none",
            cure=f"name one of the eval_loaders {self.phase_names[phase]!r}",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; NaN becomes None."""
        return {
            "format": FORMAT,
            "format_version": 1,
            "phase_names": list(self.phase_names),
            "series": {k: [to_json(v) for v in values] for k, values in self.series.items()},
            "boundaries": list(self.boundaries),
            "evaluations": [e.to_dict() for e in self.evaluations],
            "classes": [list(c) for c in self.classes],
            "interrupted": self.interrupted,
            "elapsed_s": self.elapsed_s,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingHistory:
        """Read what :meth:`to_dict` returned.

        Raises
        ------
        CheckpointError
            If it is something else.
        """
        if values.get("format") != FORMAT or values.get("format_version") != 1:
            raise CheckpointError(
                "not a training history of this version", expected=f"{FORMAT} version 1"
            )
        try:
            return cls(
                phase_names=list(values["phase_names"]),
                series={k: [from_json(v) for v in s] for k, s in values["series"].items()},
                boundaries=list(values["boundaries"]),
                evaluations=[Evaluation.from_dict(e) for e in values["evaluations"]],
                classes=[list(c) for c in values["classes"]],
                interrupted=bool(values["interrupted"]),
                elapsed_s=float(values["elapsed_s"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CheckpointError("the training history is damaged", got=str(error)) from error

    def save(self, path: str | Path) -> Path:
        """Write the history as JSON, atomically."""
        target = Path(path)
        write_atomically(target, json.dumps(self.to_dict(), allow_nan=False).encode())
        return target

    @classmethod
    def load(cls, path: str | Path) -> TrainingHistory:
        """Read what :meth:`save` wrote.

        Raises
        ------
        CheckpointError
            If it is missing, damaged, or something else.
        """
        try:
            values = json.loads(Path(path).read_bytes())
        except OSError as error:
            raise CheckpointError(f"{path} cannot be read", got=str(error.strerror)) from error
        except (ValueError, RecursionError) as error:
            raise CheckpointError(f"{path} is not JSON") from error
        if not isinstance(values, dict):
            raise CheckpointError(f"{path} is not a training history")
        history = cls.from_dict(values)
        try:
            json.dumps(history.to_dict(), allow_nan=False)
        except (ValueError, TypeError) as error:  # such as an infinite duration
            raise CheckpointError("the training history is damaged", got=str(error)) from error
        return history

    def export_state(self) -> State:
        """Return the history for a checkpoint: the long series as one array ``[names, steps]``."""
        values = self.to_dict()
        values["series"] = list(self.series)
        table = torch.tensor(list(self.series.values()), dtype=torch.float64)
        return State(values, {"series": table.reshape(len(self.series), len(self))})

    @classmethod
    def from_state(cls, state: State) -> TrainingHistory:
        """Read what :meth:`export_state` returned."""
        table = state.tensors["series"].tolist()
        series = dict(zip(state.values["series"], table, strict=True))
        return cls.from_dict({**state.values, "series": series})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TrainingHistory):
            return NotImplemented
        return self._comparable() == other._comparable()

    __hash__ = None  # type: ignore[assignment]  # it changes with every step

    def _comparable(self) -> dict[str, Any]:
        values = self.to_dict()
        return {k: v for k, v in values.items() if k not in ("elapsed_s", "interrupted")}


def _plain(name: str) -> str:
    return name.lower().removeprefix("test_").strip()


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.numel() == 1
    return isinstance(value, (int, float)) and not isinstance(value, bool)
