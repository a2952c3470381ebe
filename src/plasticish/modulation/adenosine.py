r"""Adenosine: fatigue that activity builds up and sleep clears away.

The homeostatic process :math:`S` of the two-process model of sleep. Awake it rises towards 1 with
the activity :math:`a`, asleep it decays:

.. math::
    S \leftarrow 1 - (1 - S)\,e^{-a/\tau_w}, \qquad S \leftarrow S\,e^{-d/\tau_s}

Sleep sets in above :math:`H^+` and may end below :math:`H^-`. Adenosine inhibits: the thresholds of
cells are raised by the factor :math:`1 + \kappa S`. Both steps are exact, so that many small ones
are one large one. The second process of the model, the clock of the day that modulates
:math:`H^\pm`, is left out: a learner has no day. For the same reason time awake is measured by what
was done in it.

References
----------
Borbély, A. A. (1982). A two process model of sleep regulation. Human Neurobiology 1.
Daan, S., Beersma, D. G. M. & Borbély, A. A. (1984). Timing of human sleep: recovery process gated
by a circadian pacemaker. American Journal of Physiology 246.
Porkka-Heiskanen, T. et al. (1997). Adenosine: a mediator of the sleep-inducing effects of prolonged
wakefulness. Science 276.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import exp, inf, log
from typing import Any, ClassVar

from plasticish.core import ConfigError, DataError, Persistent, State, check_positive

from .meta_checks import check_number
from .parameters import as_parameters, check_share

__all__ = ["Adenosine", "AdenosineParameters"]


@dataclass(frozen=True, kw_only=True)
class AdenosineParameters:
    r"""How fast fatigue builds and clears, and what it does.

    Attributes
    ----------
    tau_wake : float
        Activity that takes a rested learner to a pressure of :math:`1 - 1/e`, in the unit in which
        activity is reported (tokens, say), > 0.
    tau_sleep : float
        Duration of sleep that clears the pressure to :math:`1/e`, in the unit of sleep (rounds of
        replay, say), > 0.
    upper, lower : float
        Pressure at which sleep is due, and below which the learner is rested;
        0 < lower < upper < 1.
    inhibition : float
        :math:`\kappa` >= 0: by which share thresholds are raised at full pressure.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    The constants that Daan, Beersma & Borbély fitted to people, in hours:

    >>> AdenosineParameters.human().tau_sleep
    4.2
    """

    tau_wake: float = 20_000.0
    tau_sleep: float = 1.0
    upper: float = 0.7
    lower: float = 0.1
    inhibition: float = 0.1

    def __post_init__(self) -> None:
        check_positive(tau_wake=self.tau_wake, tau_sleep=self.tau_sleep, lower=self.lower)
        check_share(0.0, inf, inhibition=self.inhibition)
        if not self.lower < self.upper < 1:
            raise ConfigError(
                "the bounds of sleep are out of order",
                got=f"lower={self.lower!r}, upper={self.upper!r}",
                expected="0 < lower < upper < 1",
            )

    @classmethod
    def human(cls) -> AdenosineParameters:
        """Return the constants of people, in hours (Daan, Beersma & Borbély 1984)."""
        return cls(tau_wake=18.2, tau_sleep=4.2, upper=0.67, lower=0.17)


class Adenosine(Persistent):
    """Sleep pressure: what was done since the last sleep, and when the next is due.

    Parameters
    ----------
    parameters : AdenosineParameters or mapping, optional
        Its constants.
    enabled : bool
        Switched off, nothing tires: the pressure is 0, thresholds are as they are, sleep is never
        due.

    Examples
    --------
    >>> adenosine = Adenosine(AdenosineParameters(tau_wake=100.0, tau_sleep=1.0))
    >>> round(adenosine.work(50.0), 4), adenosine.sleep_is_due
    (0.3935, False)
    >>> round(adenosine.work(100.0), 4), adenosine.sleep_is_due
    (0.7769, True)
    >>> round(adenosine.sleep(adenosine.sleep_needed), 4), adenosine.rested
    (0.1, True)
    """

    kind: ClassVar[str] = "adenosine"

    def __init__(
        self,
        parameters: AdenosineParameters | Mapping[str, Any] | None = None,
        *,
        enabled: bool = True,
    ) -> None:
        self.parameters = as_parameters(AdenosineParameters, parameters)
        self.enabled = enabled
        self._pressure = 0.0

    @property
    def pressure(self) -> float:
        """Fatigue, S in [0, 1); 0 if switched off."""
        return self._pressure if self.enabled else 0.0

    @property
    def threshold_factor(self) -> float:
        """By what to multiply the thresholds of cells: 1 at rest, and if switched off."""
        return 1.0 + self.parameters.inhibition * self.pressure

    @property
    def sleep_is_due(self) -> bool:
        """Whether the pressure has reached its upper bound."""
        return self.pressure >= self.parameters.upper

    @property
    def rested(self) -> bool:
        """Whether the pressure is at its lower bound or below it."""
        # A sleep of just the length needed must count as enough, whatever its last bit.
        return self.pressure <= self.parameters.lower * (1.0 + 1e-9)

    @property
    def sleep_needed(self) -> float:
        """How much sleep would bring the pressure down to its lower bound; 0 if it is there."""
        if self.rested:
            return 0.0
        return self.parameters.tau_sleep * log(self.pressure / self.parameters.lower)

    def work(self, activity: float) -> float:
        """Tire by ``activity`` and return the pressure.

        Raises
        ------
        DTypeError, DataError
            If the activity is no finite number >= 0; nothing is changed.
        """
        self._pass(activity, "the activity", self.parameters.tau_wake, limit=1.0)
        return self.pressure

    def sleep(self, duration: float) -> float:
        """Recover for ``duration`` and return the pressure.

        Raises
        ------
        DTypeError, DataError
            If the duration is no finite number >= 0; nothing is changed.
        """
        self._pass(duration, "the duration", self.parameters.tau_sleep, limit=0.0)
        return self.pressure

    def _pass(self, amount: float, name: str, tau: float, limit: float) -> None:
        amount = check_number(name, amount)
        if amount < 0:
            raise DataError(f"{name} is negative", got=repr(amount), expected="a number >= 0")
        if self.enabled:
            self._pressure = limit + (self._pressure - limit) * exp(-amount / tau)

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {"parameters": asdict(self.parameters), "enabled": self.enabled}

    def export_state(self) -> State:
        """Return the pressure."""
        return State({"pressure": self._pressure})

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ConfigError
            If the pressure is outside [0, 1]; nothing is changed.
        """
        check_share(pressure=state.values["pressure"])
        self._pressure = float(state.values["pressure"])
