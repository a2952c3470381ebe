r"""Synaptic tagging and capture: weak traces that something important nearby makes last.

A weak event leaves a trace whose synapses are tagged for a while; an important one makes protein
for a while. What is tagged while there is protein captures it and lasts; what was not captured by
the time of sleep is gone in the morning. With the lifetimes of tag and protein,

.. math:: \text{captured}_i \iff [t_i, t_i + T_{tag}) \cap \bigcup_j [s_j, s_j + T_{pro})
   \neq \emptyset,

so that the important event may come after the weak one or before it (Frey & Morris 1997;
behavioural tagging: Moncada & Viola 2007). The lifetimes are those of
:mod:`plasticish.rules.tagging`. Time is measured in turns, each worth a minute: what a learner
lives through is turns, at whatever speed.

References
----------
Frey, U. & Morris, R. G. M. (1997). Synaptic tagging and long-term potentiation. Nature 385.
Moncada, D. & Viola, H. (2007). Induction of long-term memory by exposure to novelty requires
protein synthesis: evidence for a behavioral tagging. Journal of Neuroscience 27.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import torch

from plasticish.core import ConfigError, Persistent, ShapeError, State
from plasticish.modulation.parameters import as_parameters
from plasticish.rules.tagging import TaggingParameters, protein_window_s, tag_lifetime_s

__all__ = ["Traces"]

TURN_S = 60.0
_WEAK = 0.3  # of the way from rest to the upper end of the early phase: a tag, and no protein


class Traces(Persistent):
    """Weak traces since the last sleep, and whether something important came near them.

    Parameters
    ----------
    parameters : TaggingParameters or mapping, optional
        Constants of tag and protein.
    enabled : bool
        Switched off, nothing is captured: every weak trace is gone after sleep.
    capacity : int
        Traces kept open, >= 1; beyond them the oldest is lost.

    Examples
    --------
    >>> traces = Traces()
    >>> traces.leave(7)
    >>> traces.leave(8)
    >>> traces.pass_turn()
    >>> traces.important()
    >>> traces.settle()
    ([7, 8], [])
    >>> traces.leave(9)
    >>> for _ in range(200):
    ...     traces.pass_turn()
    >>> traces.important()  # too late
    >>> traces.settle()
    ([], [9])
    """

    kind: ClassVar[str] = "traces"

    def __init__(
        self,
        parameters: TaggingParameters | Mapping[str, Any] | None = None,
        *,
        enabled: bool = True,
        capacity: int = 1024,
    ) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise ConfigError("capacity is out of range", got=repr(capacity), expected=">= 1")
        self.parameters = as_parameters(TaggingParameters, parameters)
        self.enabled, self.capacity = enabled, capacity
        rest, top = self.parameters.h0, self.parameters.h_max
        self.tag_turns = tag_lifetime_s(rest + _WEAK * (top - rest), self.parameters) / TURN_S
        self.protein_turns = protein_window_s(top, self.parameters) / TURN_S
        self._turn = 0
        self._protein_until = 0.0
        self._open: dict[int, int] = {}  # turn in which each trace was left
        self._captured: set[int] = set()

    def pass_turn(self) -> None:
        """Let one turn go by."""
        self._turn += 1

    def leave(self, trace: int) -> int | None:
        """Tag the synapses of a weak trace; protein that is there already is captured at once.

        Returns the trace that is lost because there is no room for more.
        """
        self._open[trace] = self._turn
        if self.enabled and self._turn < self._protein_until:
            self._captured.add(trace)
        if len(self._open) <= self.capacity:
            return None
        oldest = next(iter(self._open))
        self.drop(oldest)
        return oldest

    def important(self) -> None:
        """Make protein from now on, which what is still tagged captures."""
        if not self.enabled:
            return
        self._protein_until = self._turn + self.protein_turns
        self._captured.update(
            trace for trace, turn in self._open.items() if self._turn < turn + self.tag_turns
        )

    def drop(self, trace: int) -> None:
        """Forget that there was such a trace."""
        self._open.pop(trace, None)
        self._captured.discard(trace)

    def settle(self) -> tuple[list[int], list[int]]:
        """End the day: return the traces that were captured and those that were not."""
        captured = [trace for trace in self._open if trace in self._captured]
        lost = [trace for trace in self._open if trace not in self._captured]
        self._open.clear()
        self._captured.clear()
        self._protein_until = float(self._turn)
        return captured, lost

    def __len__(self) -> int:
        """Return the number of open traces."""
        return len(self._open)

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "parameters": asdict(self.parameters),
            "enabled": self.enabled,
            "capacity": self.capacity,
        }

    def export_state(self) -> State:
        """Return the open traces, when they were left, and how long there is protein."""
        rows = [[trace, turn, trace in self._captured] for trace, turn in self._open.items()]
        return State(
            {"turn": self._turn, "protein_until": self._protein_until},
            {"open": torch.tensor(rows, dtype=torch.int64).reshape(-1, 3)},
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError
            If these are no traces; nothing is changed.
        """
        rows = state.tensors["open"]
        if rows.ndim != 2 or rows.shape[1] != 3:
            raise ShapeError("the stored traces are none", got=str(tuple(rows.shape)),
                             expected="(traces, 3)")  # fmt: skip
        self._turn = int(state.values["turn"])
        self._protein_until = float(state.values["protein_until"])
        self._open = {trace: turn for trace, turn, _ in rows.tolist()}
        self._captured = {trace for trace, _, captured in rows.tolist() if captured}
