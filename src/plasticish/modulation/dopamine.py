r"""Dopamine: how much better things went than was expected.

.. math:: \delta = r + \gamma\,V(s') - V(s), \qquad V(s) \leftarrow V(s) + \eta\,\delta\,e(s)

is the reward-prediction error that dopamine neurons carry (Schultz, Dayan & Montague 1997). The
values :math:`V` are a table over cues; time after a cue is a line of states (a tapped delay line),
so that an expected reward that does not come is noticed at the moment when it should have. With
eligibility traces :math:`e \leftarrow \gamma\lambda e` (:math:`\lambda > 0`) an error also reaches
the states before, and the prediction moves to the cue in fewer trials.

References
----------
Schultz, W., Dayan, P. & Montague, P. R. (1997). A neural substrate of prediction and reward.
Science 275.
Sutton, R. S. & Barto, A. G. (2018). Reinforcement Learning, ch. 6 and 12 (replacing traces).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, ClassVar

import torch

from plasticish.core import ConfigError, DataError, Persistent, ShapeError, State

__all__ = ["Dopamine", "delay_line"]

FAINT = 1e-6  # an eligibility below this is forgotten


def delay_line(cue: str, steps: int) -> tuple[str, ...]:
    """Return the states of ``steps`` moments from a cue on: its tapped delay line.

    Raises
    ------
    ConfigError
        If there are none.

    Examples
    --------
    >>> delay_line("light", 3)
    ('light+0', 'light+1', 'light+2')
    """
    if steps < 1:
        raise ConfigError("a delay line is empty", got=repr(steps), expected="steps >= 1")
    return tuple(f"{cue}+{step}" for step in range(steps))


class Dopamine(Persistent):
    """Learned values of cues, and the error of every prediction.

    A *cue* is any string; ``None`` is a state in which nothing can be predicted (between trials):
    its value is 0 and is not learned. Unknown cues have value 0.

    Parameters
    ----------
    learning_rate : float
        :math:`\\eta` in (0, 1].
    discount : float
        :math:`\\gamma` in [0, 1], per step.
    trace_decay : float
        :math:`\\lambda` in [0, 1]; 0 is TD(0).
    enabled : bool
        Switched off, nothing is predicted or learned: every error is the reward itself.
    capacity : int
        Cues that are remembered, >= 1; beyond them the one least recently met is forgotten.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    A reward that becomes expected no longer surprises, and its absence disappoints:

    >>> dopamine = Dopamine(learning_rate=0.5)
    >>> [round(dopamine.outcome("praise", 1.0), 3) for _ in range(3)]
    [1.0, 0.5, 0.25]
    >>> dopamine.outcome("praise", 0.0)
    -0.875
    """

    kind: ClassVar[str] = "dopamine"

    def __init__(
        self,
        learning_rate: float = 0.1,
        discount: float = 1.0,
        trace_decay: float = 0.0,
        *,
        enabled: bool = True,
        capacity: int = 4096,
    ) -> None:
        for name, value, open_at_0 in (
            ("learning_rate", learning_rate, True),
            ("discount", discount, False),
            ("trace_decay", trace_decay, False),
        ):
            if not 0 <= value <= 1 or (open_at_0 and value == 0):
                expected = f"0 {'<' if open_at_0 else '<='} {name} <= 1"
                raise ConfigError(f"{name} is out of range", got=repr(value), expected=expected)
        if isinstance(capacity, bool) or capacity < 1:
            raise ConfigError("capacity is out of range", got=repr(capacity), expected=">= 1")
        self.learning_rate, self.discount = float(learning_rate), float(discount)
        self.trace_decay, self.enabled, self.capacity = float(trace_decay), enabled, int(capacity)
        # In the order in which the cues were last met: the first is the first to be forgotten.
        self._values: dict[str, float] = {}
        self._eligibility: dict[str, float] = {}
        self._state: str | None = None

    # ------------------------------------------------------------------ predicting

    def value(self, cue: str | None) -> float:
        """Return the reward that ``cue`` promises, V; 0 for what is unknown, ``None``, or if off.

        Examples
        --------
        >>> Dopamine().value("never seen")
        0.0
        """
        return self._values.get(cue, 0.0) if self.enabled and cue is not None else 0.0

    @property
    def values(self) -> Mapping[str, float]:
        """The value of every cue met, least recent first (a copy)."""
        return dict(self._values)

    # ------------------------------------------------------------------ learning

    def outcome(self, cue: str, reward: float) -> float:
        """Close an episode of one step, and return the error: reward less what ``cue`` promised.

        Parameters
        ----------
        cue : str
            What was there before the reward.
        reward : float
            What came, any finite number.

        Raises
        ------
        DataError
            If the reward is not finite; nothing is learned.
        """
        self.begin()
        self._state = cue
        error = self.step(None, reward)
        self.begin()
        return error

    def begin(self) -> None:
        """Start an episode: what came before it is neither credited nor continued."""
        self._eligibility.clear()
        self._state = None

    def step(self, cue: str | None, reward: float = 0.0) -> float:
        """Move on to the state ``cue``, taking ``reward`` on the way, and return the error.

        Raises
        ------
        DataError
            If the reward is not finite; nothing is learned and no step is taken.

        Examples
        --------
        >>> dopamine = Dopamine(learning_rate=1.0)
        >>> dopamine.step("bell"), dopamine.step(None, 1.0)  # the reward surprises
        (0.0, 1.0)
        >>> dopamine.step("bell"), dopamine.step(None, 1.0)  # now the bell does
        (1.0, 0.0)
        """
        if not isfinite(reward):
            raise DataError("the reward is not finite", got=repr(reward), expected="a number")
        if not self.enabled:
            return float(reward)
        error = reward + self.discount * self.value(cue) - self.value(self._state)
        self._learn(error)
        self._state = cue
        return error

    def trial(self, cues: Sequence[str | None], rewards: Sequence[float]) -> tuple[float, ...]:
        """Run one episode of several steps and return the error of each.

        Parameters
        ----------
        cues : sequence of str or None
            The state that each step enters.
        rewards : sequence of float
            What each step brings.

        Raises
        ------
        ShapeError, DataError
            If they differ in length, or a reward is not finite; nothing is learned.

        Examples
        --------
        >>> dopamine, trial = Dopamine(learning_rate=0.5), [None, *delay_line("light", 2), None]
        >>> for _ in range(60):
        ...     errors = dopamine.trial(trial, [0.0, 0.0, 0.0, 1.0])
        >>> [round(error, 6) for error in errors]
        [0.0, 1.0, 0.0, 0.0]
        """
        if len(cues) != len(rewards):
            raise ShapeError(
                "states and rewards differ in number",
                got=f"{len(cues)} and {len(rewards)}",
                expected="one reward a step",
            )
        for reward in rewards:
            if not isfinite(reward):
                raise DataError("a reward is not finite", got=repr(reward), expected="a number")
        self.begin()
        errors = tuple(self.step(cue, reward) for cue, reward in zip(cues, rewards, strict=True))
        self.begin()
        return errors

    def _learn(self, error: float) -> None:
        left = self.discount * self.trace_decay
        self._eligibility = {
            cue: faded for cue, e in self._eligibility.items() if (faded := e * left) > FAINT
        }
        if self._state is not None:
            self._eligibility[self._state] = 1.0
        for cue, eligibility in self._eligibility.items():
            value = self._values.pop(cue, 0.0)
            self._values[cue] = value + self.learning_rate * error * eligibility
        while len(self._values) > self.capacity:
            del self._values[next(iter(self._values))]

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {
            "learning_rate": self.learning_rate,
            "discount": self.discount,
            "trace_decay": self.trace_decay,
            "enabled": self.enabled,
            "capacity": self.capacity,
        }

    def export_state(self) -> State:
        """Return cues, their values, and where in an episode it stands."""
        return State(
            {
                "cues": list(self._values),
                "eligible": list(self._eligibility),
                "state": self._state,
            },
            {
                "values": torch.tensor(list(self._values.values()), dtype=torch.float64),
                "eligibility": torch.tensor(list(self._eligibility.values()), dtype=torch.float64),
            },
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned."""
        tables = []
        for names, numbers in (("cues", "values"), ("eligible", "eligibility")):
            keys, values = state.values[names], state.tensors[numbers].tolist()
            if len(keys) != len(values):
                raise ShapeError(
                    f"the stored {names} do not match their {numbers}",
                    got=f"{len(keys)} and {len(values)}",
                    expected="one number each",
                )
            tables.append(dict(zip(keys, values, strict=True)))
        self._values, self._eligibility = tables
        self._state = state.values["state"]
