"""The numbers of a triarchic brain: the prototype's as defaults, and the protected configuration.

Every field whose default is not simply a rate names what it departs from, so that the learning
equations of the prototype are the options left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from plasticish.core import ConfigError, check_positive

__all__ = ["TriarchicOptions"]


@dataclass(frozen=True)
class TriarchicOptions:
    """How a :class:`TriarchicBrain` changes; the defaults are the prototype's equations.

    Attributes
    ----------
    core_rate : float
        Step of the core, ``w_core += core_rate * delta * (1 - brake)``.
    context_rate : float
        Step of the context, ``w_context += context_rate * delta``.
    context_decay : float
        What a step leaves of the context, in [0, 1].
    importance_gain : float
        How much importance the contribution to a correct answer brings.
    brake_gain : float
        ``brake = clamp(brake_gain * importance, 0, 1)``.
    novelty : float
        An input is completely unfamiliar when its best response is below this share of the usual
        best response; it then gets a unit that was never used. In [0, 1); 0 switches it off.
    logit_scale : float
        Inverse temperature of the softmax behind the error. 1 in the prototype, where a code of
        unit length keeps every answer near chance and the error near its maximum.
    power : float
        Features become ``sign(x) * abs(x) ** power`` first, in (0, 1]. 1 in the prototype.
    grow_while_young : bool
        The base starts empty, and every new example of a *young* label becomes a unit that
        votes for that label; a label is young until it was seen ``hidden_size // out_size``
        times, so that no label can take the units of a later one. Replaces ``novelty``.
    contrast : bool
        A winner answers with its lead over the strongest loser, instead of its whole response.
    habituation : bool
        While an input is learned, a unit that was born from this very input is silent: a
        repetition then teaches what the *others* say about it.
    storm_threshold : float or None
        A storm is on while familiar labels have drifted by more than so many standard deviations
        (see :class:`StormSense`); the core and its importance are then left alone and nothing
        grows. None: no such sense.
    familiar : int
        A label is familiar, and can be part of a storm, once it was learned so many times.
    storm_memory : int
        Over how many examples drift is felt.
    storm_gain : float
        Factor on ``context_rate`` during a storm.
    pace : int or None
        Rates are meant per so many examples, whatever the batch size. None: per batch, as in the
        prototype, where a batch of one moves as far as a batch of 64.

    Examples
    --------
    >>> TriarchicOptions().core_rate, TriarchicOptions.protected().core_rate
    (0.05, 5.0)
    """

    core_rate: float = 0.05
    context_rate: float = 0.5
    context_decay: float = 0.8
    importance_gain: float = 2.0
    brake_gain: float = 2.0
    novelty: float = 0.5
    logit_scale: float = 1.0
    power: float = 1.0
    grow_while_young: bool = False
    contrast: bool = False
    habituation: bool = False
    storm_threshold: float | None = None
    familiar: int = 128
    storm_memory: int = 256
    storm_gain: float = 1.0
    pace: int | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning, by name."""
        check_positive(
            core_rate=self.core_rate,
            context_rate=self.context_rate,
            logit_scale=self.logit_scale,
            power=self.power,
            familiar=self.familiar,
            storm_memory=self.storm_memory,
            storm_gain=self.storm_gain,
        )
        for name, high in (("context_decay", 1.0), ("novelty", 1.0), ("power", 1.0)):
            value = getattr(self, name)
            if not 0 <= value <= high:
                raise ConfigError(
                    f"{name} is out of range", got=repr(value), expected=f"0 <= {name} <= {high:g}"
                )
        for name in ("importance_gain", "brake_gain"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(
                    f"{name} is out of range",
                    got=repr(getattr(self, name)),
                    expected="a number >= 0",
                )
        for name in ("storm_threshold", "pace"):
            if getattr(self, name) is not None:
                check_positive(**{name: getattr(self, name)})

    @classmethod
    def protected(cls) -> TriarchicOptions:
        """Return the one configuration that reaches every claim of the prototype at once.

        The measured figures, and what each option is for, are in ``docs/design/triarchic.md``.
        """
        return cls(
            core_rate=5.0,
            context_rate=5.0,
            logit_scale=4.0,
            power=0.5,
            grow_while_young=True,
            contrast=True,
            habituation=True,
            storm_threshold=5.0,
            storm_gain=10.0,
            pace=64,
        )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> TriarchicOptions:
        """Return the options of these names and values.

        Raises
        ------
        ConfigError
            A name that is no option, or a value out of range.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise ConfigError(
                "unknown option of TriarchicBrain",
                got=", ".join(unknown),
                expected="one of: " + ", ".join(sorted(known)),
            )
        return cls(**given)
