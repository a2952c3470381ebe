"""A training history in the few numbers that matter."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

from ..core import NotReadyError
from ..metrics import average_accuracy, average_incremental_accuracy, backward_transfer, forgetting
from .history import TrainingHistory

__all__ = ["summarise"]


def summarise(history: TrainingHistory) -> dict[str, Any]:
    """Return what a run reached.

    Returns
    -------
    dict
        ``phases``: for each finished phase its ``name``, ``steps``, ``online`` (mean accuracy of
        its batches before each was learned), ``as_learned`` (accuracy on its task when it ended),
        ``now`` (at the end of the run), ``retention`` (now / as learned). Then
        ``average_accuracy``, ``average_incremental_accuracy``, ``backward_transfer`` and
        ``forgetting`` of :mod:`plasticish.metrics`, ``eval`` (last accuracy by loader),
        ``memory_fill``, ``mature``, ``steps``, ``examples``, ``elapsed_s`` and ``interrupted``.
        Shares are in [0, 1]; what was not measured is None.

    Examples
    --------
    >>> from plasticish.training import Evaluation
    >>> history = TrainingHistory(["A"])
    >>> history.add_step(0, 0, [0, 1], {"accuracy": 0.5, "memory_fill": 0.25})
    >>> history.evaluations.append(Evaluation(1, 0, True, {"A": 0.75}))
    >>> history.boundaries.append(1)
    >>> summarise(history)["phases"][0]["as_learned"]
    0.75
    """
    last = {name: values[-1] for name, values in history.eval_accuracy.items()}
    return {
        "phases": [_phase(history, index) for index in range(len(history.boundaries))],
        **_over_tasks(history),
        "eval": last,
        "memory_fill": _last(history.memory_fill),
        "mature": _last(history.mature),
        "steps": len(history),
        "examples": int(sum(history.column("examples"))),
        "elapsed_s": history.elapsed_s,
        "interrupted": history.interrupted,
    }


def _phase(history: TrainingHistory, index: int) -> dict[str, Any]:
    ends = [0, *history.boundaries]
    online = [a for a in history.accuracy[ends[index] : ends[index + 1]] if math.isfinite(a)]
    learned = now = None
    # Where nobody measures a phase, its online accuracy is all there is.
    with suppress(NotReadyError):
        scores = history.task_accuracy(index)
        learned, now = scores[index], scores[-1]
    return {
        "name": history.phase_names[index],
        "steps": ends[index + 1] - ends[index],
        "online": sum(online) / len(online) if online else None,
        "as_learned": learned,
        "now": now,
        "retention": now / learned if learned and now is not None else None,
    }


def _over_tasks(history: TrainingHistory) -> dict[str, float | None]:
    measures = {
        "average_accuracy": average_accuracy,
        "average_incremental_accuracy": average_incremental_accuracy,
        "backward_transfer": backward_transfer,
        "forgetting": forgetting,
    }
    try:
        matrix = history.accuracy_matrix
    except NotReadyError:
        return dict.fromkeys(measures)
    alone = len(matrix) < 2
    return {
        # One task cannot be forgotten for another.
        name: None if alone and name in ("backward_transfer", "forgetting") else float(of(matrix))
        for name, of in measures.items()
    }


def _last(values: list[float]) -> float | None:
    finite = [v for v in values if math.isfinite(v)]
    return finite[-1] if finite else None
