r"""Acetylcholine: expected uncertainty, which opens the network to what comes in.

Of every context :math:`c` the learner knows how often its predictions are wrong there:

.. math::
    u_c \leftarrow u_c + \max\!\big(\tfrac{1}{n_c + 1},\,\eta\big)\,(e - u_c)

with the error :math:`e \in [0, 1]` of a prediction and the number :math:`n_c` of those before it:
first the mean of the errors and of what was expected beforehand, later one that forgets. This is
the cue invalidity that acetylcholine reports (Yu & Dayan); an unknown context inherits the
invalidity of all contexts together. The signal does what Hasselmo found in cortex and hippocampus:
it strengthens encoding and the input from outside, and holds back what the recurrent synapses
already believe:

.. math:: g_{enc} = 1 + G\,u_c, \qquad g_{rec} = 1 - \kappa\,u_c

References
----------
Yu, A. J. & Dayan, P. (2005). Uncertainty, neuromodulation, and attention. Neuron 46.
Hasselmo, M. E. (2006). The role of acetylcholine in learning and memory. Current Opinion in
Neurobiology 16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, ClassVar

import torch

from plasticish.core import (
    ConfigError,
    DataError,
    Persistent,
    ShapeError,
    State,
    check_positive,
)

from .meta_checks import check_number, check_whole
from .parameters import as_parameters, check_share

__all__ = ["Acetylcholine", "AcetylcholineParameters"]


@dataclass(frozen=True, kw_only=True)
class AcetylcholineParameters:
    r"""How uncertainty is estimated, and what it does.

    Attributes
    ----------
    learning_rate : float
        :math:`\eta` in (0, 1]: share of a new error in an estimate that has seen many.
    prior : float
        Uncertainty in [0, 1] before anything was predicted.
    encoding : float
        :math:`G` >= 0: by which share full uncertainty strengthens encoding.
    suppression : float
        :math:`\kappa` in [0, 1]: by which share it weakens recurrent input.
    capacity : int
        Contexts that are remembered, >= 1; beyond them the one least recently met is forgotten.

    Raises
    ------
    ConfigError
        If a value is outside its range.

    Examples
    --------
    >>> AcetylcholineParameters(prior=2.0)
    Traceback (most recent call last):
        ...
    plasticish.core.errors.ConfigError: prior is out of range: got 2.0, expected 0 <= prior <= 1
    """

    learning_rate: float = 0.05
    prior: float = 0.5
    encoding: float = 1.0
    suppression: float = 0.5
    capacity: int = 4096

    def __post_init__(self) -> None:
        check_positive(learning_rate=self.learning_rate)
        check_share(learning_rate=self.learning_rate, prior=self.prior)
        check_share(0.0, inf, encoding=self.encoding)
        check_share(suppression=self.suppression)
        check_whole(capacity=self.capacity)


class Acetylcholine(Persistent):
    """Expected uncertainty of contexts, and the gains that follow from it.

    A *context* is any string or integer; ``None`` stands for all of them together.

    Parameters
    ----------
    parameters : AcetylcholineParameters or mapping, optional
        Its constants.
    enabled : bool
        Switched off, nothing is estimated: the level is 0 and every gain 1.

    Examples
    --------
    Where predictions hold, attention falls; an unknown context gets that of all together:

    >>> acetylcholine = Acetylcholine()
    >>> [round(acetylcholine.observe(0.0, "thank"), 3) for _ in range(3)]
    [0.25, 0.167, 0.125]
    >>> round(acetylcholine.level("never met"), 3)
    0.125
    >>> acetylcholine.encoding_gain("thank"), acetylcholine.recurrent_gain("thank")
    (1.125, 0.9375)
    """

    kind: ClassVar[str] = "acetylcholine"

    def __init__(
        self,
        parameters: AcetylcholineParameters | Mapping[str, Any] | None = None,
        *,
        enabled: bool = True,
    ) -> None:
        self.parameters = as_parameters(AcetylcholineParameters, parameters)
        self.enabled = enabled
        self._overall = (self.parameters.prior, 1)
        # Estimate and number of observations, the context least recently met first.
        self._contexts: dict[str | int, tuple[float, int]] = {}

    # ------------------------------------------------------------------ the signal

    def level(self, context: str | int | None = None) -> float:
        """Return the expected uncertainty in [0, 1]; 0 if switched off."""
        if not self.enabled:
            return 0.0
        return (self._overall if context is None else self._estimate(context))[0]

    def encoding_gain(self, context: str | int | None = None) -> float:
        """Return by what to multiply the learning rate of encoding, >= 1."""
        return 1.0 + self.parameters.encoding * self.level(context)

    def recurrent_gain(self, context: str | int | None = None) -> float:
        """Return by what to multiply recurrent input during encoding, in [0, 1]."""
        return 1.0 - self.parameters.suppression * self.level(context)

    # ------------------------------------------------------------------ learning

    def observe(self, error: float, context: str | int | None = None) -> float:
        """Take in how wrong a prediction was, and return the level of its context afterwards.

        Parameters
        ----------
        error : float
            In [0, 1]; one less the probability that was given to what came, say.
        context : str or int, optional
            Where it was predicted; ``None`` counts towards all contexts together only.

        Raises
        ------
        DTypeError, DataError
            If the error is no number in [0, 1]; nothing is changed.
        """
        error = check_number("the error", error)
        if not 0 <= error <= 1:
            raise DataError(
                "the error is out of range", got=repr(error), expected="0 <= error <= 1"
            )
        if not self.enabled:
            return 0.0
        if context is not None:
            estimate = self._estimate(context)
            self._contexts.pop(context, None)
            self._contexts[context] = self._moved(estimate, error)
            while len(self._contexts) > self.parameters.capacity:
                del self._contexts[next(iter(self._contexts))]
        self._overall = self._moved(self._overall, error)
        return self.level(context)

    def _estimate(self, context: str | int) -> tuple[float, int]:
        return self._contexts.get(context, (self._overall[0], 1))

    def _moved(self, estimate: tuple[float, int], error: float) -> tuple[float, int]:
        level, seen = estimate
        rate = max(1.0 / (seen + 1), self.parameters.learning_rate)
        return level + rate * (error - level), seen + 1

    # ------------------------------------------------------------------ state

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {"parameters": asdict(self.parameters), "enabled": self.enabled}

    def export_state(self) -> State:
        """Return every estimate, and on how much it stands."""
        estimates = [self._overall, *self._contexts.values()]
        return State(
            {"contexts": list(self._contexts)},
            {
                "levels": torch.tensor([level for level, _ in estimates], dtype=torch.float64),
                "seen": torch.tensor([seen for _, seen in estimates], dtype=torch.int64),
            },
        )

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ShapeError, ConfigError
            If the parts do not fit each other, or an estimate is none; nothing is changed.
        """
        contexts = state.values["contexts"]
        levels, seen = state.tensors["levels"].tolist(), state.tensors["seen"].tolist()
        if not len(contexts) + 1 == len(levels) == len(seen):
            raise ShapeError(
                "the stored contexts do not match their estimates",
                got=f"{len(contexts)}, {len(levels)} and {len(seen)}",
                expected="one estimate each, and one for all together",
            )
        for level, count in zip(levels, seen, strict=True):
            check_share(level=level)
            check_whole(seen=count)
        overall, *estimates = zip(levels, seen, strict=True)
        table = dict(zip(contexts, estimates, strict=True))
        if len(table) != len(contexts):
            raise ConfigError("a stored context occurs twice", expected="each context once")
        self._overall, self._contexts = overall, table
