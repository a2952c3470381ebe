"""Which context is this? Inference of latent causes by surprise.

A hidden Markov chain over the contexts known: the context stays as it is from one sequence to the
next, or is drawn anew with the probability h (:data:`CHANGE`). Each context says how surprised it
is by a sequence, and Bayes' rule does the rest::

    π_c ← (1 − h) π_c exp(−nats_c) / Z + h / C

The contexts themselves are not given: one is opened when what comes surprises by more than it
usually does in the context that it is taken for, for longer than chance allows (the cumulative sum
of Page, 1954, *Biometrika* 41). That what was learned survives what is learned later, since it is
put down to another cause, is the account of Gershman, Blei & Niv (2010, *Psychological Review* 117)
of why extinguished fear comes back.
"""

from __future__ import annotations

import math
from typing import no_type_check

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import DataError, State
from plasticish.core.compiled import compiled

__all__ = ["CHANGE", "ContextBeliefs"]

Floats = npt.NDArray[np.float64]

CHANGE = 0.01
"""h: probability that the context is drawn anew before a sequence."""

_USUAL = 500  # sequences over which it is averaged what is usual in a context
_KNOWN = 100  # sequences after which a context is known well enough for others to be strange in it
_SLACK = 0.4  # standard deviations above the usual that are no evidence
_CLIPPED = 3.0  # standard deviations that one sequence can count for at most
_ENOUGH = (
    25.0  # summed evidence that opens a context; by chance once in exp(2 · 0.4 · 25) sequences
)

_STATE = ("probability", "met", "usual", "variance")


class ContextBeliefs:
    """How probable each context is, how often it was met, and how much it usually surprises.

    Attributes
    ----------
    probability : float array [contexts]
        That the next sequence comes from it.
    met : float array [contexts]
        How many sequences that were new to it were learned in it.
    usual, variance : float array [contexts]
        Mean and variance of the nats a symbol of such a sequence, over the last 500 or so.
    evidence : float
        For what comes being strange in every context, in standard deviations.

    Examples
    --------
    >>> beliefs = ContextBeliefs()
    >>> beliefs.open()
    1
    >>> beliefs.probability.round(3).tolist()
    [0.005, 0.995]
    >>> beliefs.observe(np.array([2.0, 9.0]), 5)[0], beliefs.probability.round(3).tolist()
    (0, [0.843, 0.157])
    """

    def __init__(self) -> None:
        self.probability = np.ones(1)
        self.met = np.zeros(1)
        self.usual = np.zeros(1)
        self.variance = np.zeros(1)
        self.evidence = 0.0

    def __len__(self) -> int:
        return len(self.met)

    @property
    def share(self) -> Floats:
        """Probability of each context, if nothing is known of what comes beside."""
        share: Floats = (self.met + 1.0) / (self.met + 1.0).sum()
        return share

    @property
    def strange(self) -> bool:
        """Whether what came lately belongs to no context that is known: one is to be opened."""
        return self.evidence > _ENOUGH

    def follow(self, nats: Floats) -> Floats:
        """Return the surprise [sequences] at each sequence, given those before it.

        Parameters
        ----------
        nats : float array [sequences, contexts]
            How much each sequence surprises in each context. The first may come from any, as
            probable as its :attr:`share`.
        """
        surprise: Floats = _followed(nats, self.share, CHANGE)
        return surprise

    def observe(self, nats: Floats, symbols: int) -> tuple[int, float]:
        """Take in the nats [contexts] of a sequence of so many symbols.

        Returns the context that it is taken for, and how much more it surprises in all of them,
        mixed as they were probable, than in that one.
        """
        surprise = float(_followed(nats[None], self.probability.copy(), CHANGE)[0])
        _followed(self._credited(nats, symbols)[None], self.probability, CHANGE)
        context = int(np.argmax(self.probability))
        return context, surprise - float(nats[context])

    def _credited(self, nats: Floats, symbols: int) -> Floats:
        """Return the nats, but of a young context no more than what is strange in the best old one.

        What knows little is surprised by all that comes, and would never learn what is its own.
        """
        young = self.met < _USUAL
        if young.all() or not young.any():
            return nats
        best = int(np.argmin(np.where(young, np.inf, nats)))
        strange = symbols * (self.usual[best] + _SLACK * math.sqrt(self.variance[best]))
        credited: Floats = np.where(young, np.minimum(nats, strange), nats)
        return credited

    def learn(self, context: int, rate: float) -> None:
        """Note that a sequence, new to a context, was learned in it at ``rate`` nats a symbol."""
        if self.met[context] < _KNOWN:
            self.evidence = 0.0
        else:
            excess = (rate - self.usual[context]) / (math.sqrt(self.variance[context]) + 1e-9)
            self.evidence = max(0.0, float(self.evidence + min(excess, _CLIPPED) - _SLACK))
        self.met[context] += 1
        step = 1 / min(self.met[context], _USUAL)
        away = rate - self.usual[context]
        self.usual[context] += step * away
        self.variance[context] += step * ((1 - step) * away**2 - self.variance[context])

    def move(self, before: int, context: int, rate: float) -> None:
        """Note that a sequence was moved from one context to another."""
        self.met[before] -= 1
        self.learn(context, rate)

    def open(self) -> int:
        """Return the number of the context, in which we now are, for what is known of none.

        It is a new one, or one opened lately: in what is still little known all may seem strange.
        """
        young = np.flatnonzero(self.met[1:] < _KNOWN) + 1
        context = int(young[-1]) if len(young) else len(self)
        if context == len(self):
            for name in ("met", "usual", "variance"):
                setattr(self, name, np.append(getattr(self, name), 0.0))
        self.probability = (1 - CHANGE) * np.eye(len(self))[context] + CHANGE / len(self)
        self.evidence = 0.0
        return context

    def export_state(self) -> State:
        """Return everything that changes."""
        tensors = {name: torch.from_numpy(getattr(self, name).copy()) for name in _STATE}
        return State({"evidence": self.evidence}, tensors)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        DataError
            If an array has not one finite number for each context.
        """
        stored = {name: state.tensors[name].numpy().astype(np.float64) for name in _STATE}
        count = stored["met"].shape
        for name, values in stored.items():
            if values.shape != count or values.ndim != 1 or not np.isfinite(values).all():
                raise DataError(
                    f"the stored beliefs {name!r} are unsound",
                    got=str(values.shape),
                    expected=f"finite numbers {count}",
                )
            setattr(self, name, values)
        self.evidence = float(state.values["evidence"])


@compiled
@no_type_check
def _followed(nats, probability, change):
    """Return the surprise at each sequence; ``probability`` becomes that of the one to come."""
    surprise = np.zeros(len(nats))
    for q in range(len(nats)):
        least, total = nats[q].min(), 0.0
        for c in range(len(probability)):
            probability[c] *= math.exp(least - nats[q, c])
            total += probability[c]
        surprise[q] = least - math.log(total)
        for c in range(len(probability)):
            probability[c] = (1 - change) * probability[c] / total + change / len(probability)
    return surprise
