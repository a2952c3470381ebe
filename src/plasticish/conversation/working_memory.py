r"""Working memory: what was heard a moment ago, held by synapses that are facilitated.

Nothing has to fire for a second for something to be held for a second: a synapse that was used is
facilitated, and its next release is larger (Mongillo, Barak & Tsodyks). Here a synapse leads from a
context, the last :math:`k` symbols (:math:`k = 1 \dots 10`), to the symbol that followed, and has
Tsodyks and Markram's utilisation :math:`u` and resources :math:`x`, both as of its last spike. When
its context comes again, what it would release, against what it releases at rest, speaks for its
symbol :math:`s`, on top of what the long-term synapses expect:

.. math:: p(s) \propto p_{long}(s)\,\exp \sum_k \Big( a_k \ln\frac{u_{ks}^+ x_{ks}^-}{U} + b_k
   - c_k \ln p_{long}(s) \Big)

The gains :math:`a, b, c` depend on the longest context that is facilitated, and on how much was
foreseen in a row: the sum of :math:`-\ln p_{long}` over the symbols, which is the evidence that
something is being said again. They follow the delta rule, and learn from what is heard and from
what is *rehearsed*: pieces of it that are said again inwardly (Baddeley's loop) in a loop of their
own, so that repetition is known before it is met.

References
----------
Mongillo, G., Barak, O. & Tsodyks, M. (2008). Synaptic theory of working memory. Science 319.
Tsodyks, M. V. & Markram, H. (1997). The neural code between neocortical pyramidal neurons depends
on neurotransmitter release probability. PNAS 94.
Baddeley, A. (2003). Working memory: looking back and looking forward. Nature Reviews Neuroscience
4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import ConfigError, Persistent, State, check_positive
from plasticish.rules import ShortTermParameters

from . import working_memory_kernels as kernels
from .working_memory_kernels import FEATURES, RUNS, Dynamics, Gate, Loop, Room

__all__ = ["WorkingMemory"]

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

ORDERS, PLACES = 10, 4  # lengths of contexts, and synapses that one context holds
ROWS, REHEARSED_ROWS = 2048, 512
PIECES = (8, 16, 32, 64)
SPAN = 128  # symbols that a rehearsal goes on for
FAINT = 0.01  # facilitation below which a rested synapse does not speak
_STEP, _DAMPING = 0.1, 10.0


class WorkingMemory(Persistent):
    """Facilitated synapses from contexts to symbols, and the gains with which they are heard.

    Parameters
    ----------
    parameters : ShortTermParameters
        How synapses facilitate, tire and recover.
    symbol_ms : float
        Time that a symbol takes in ms, > 0.

    Raises
    ------
    ConfigError
        If the time is not positive.

    Examples
    --------
    What is said again surprises less, though the long-term synapses expect all symbols alike:

    >>> memory = WorkingMemory()
    >>> codes, alike = np.tile(np.arange(16, dtype=np.int32), 8), np.full((128, 16), 1 / 16)
    >>> memory.rehearse(codes, alike)
    >>> nats = memory.hear(codes, alike)
    >>> bool(nats[:16].mean() > 2.7 > 0.5 > nats[64:].mean())
    True
    """

    kind: ClassVar[str] = "working_memory"

    def __init__(
        self,
        parameters: ShortTermParameters | Mapping[str, Any] | None = None,
        symbol_ms: float = 10.0,
    ) -> None:
        if parameters is None:
            parameters = ShortTermParameters.working_memory()
        elif not isinstance(parameters, ShortTermParameters):
            parameters = ShortTermParameters(**parameters)
        check_positive(symbol_ms=symbol_ms)
        self.parameters, self.symbol_ms = parameters, float(symbol_ms)
        shape = (RUNS, ORDERS + 1, FEATURES, ORDERS)
        self._gate = Gate(np.zeros(shape), np.zeros(shape))
        self._loop = _at_rest(ROWS)
        self._rehearsals = 0

    @property
    def held(self) -> int:
        """Number of synapses that were used and not taken over since."""
        return int((self._loop.symbol >= 0).sum())

    def hear(
        self, codes: Codes, expected: Floats, *, fatigue: float = 1.0, learning: bool = False
    ) -> Floats:
        """Return the surprise at each symbol, in nats, and hold what was heard.

        Parameters
        ----------
        codes : int32 array [n]
            Symbols, each a column of ``expected``.
        expected : float64 array [n, symbols]
            Their probabilities by the long-term synapses, > 0 for the symbols that come.
        fatigue : float
            By what to multiply the threshold below which a facilitated synapse does not speak.
        learning : bool
            Whether the gains are corrected.
        """
        return self._heard(self._loop, codes, expected, fatigue, learning)

    def rehearse(self, codes: Codes, expected: Floats) -> None:
        """Say a piece of what was heard over and over inwardly, and learn the gains from it.

        What is held stays as it is. The pieces have 8, 16, 32 and 64 symbols in turn, or as many as
        there are.
        """
        size = min(PIECES[self._rehearsals % len(PIECES)], len(codes))
        self._rehearsals += 1
        again = np.arange(SPAN) % size
        self._heard(_at_rest(REHEARSED_ROWS), codes[again], expected[again], 1.0, True)

    def rest(self) -> None:
        """Let so much time pass that no synapse is facilitated any more."""
        self._loop = _at_rest(ROWS)

    def rested(self) -> WorkingMemory:
        """Return one with the same gains, at rest."""
        other = WorkingMemory(self.parameters, self.symbol_ms)
        other._gate = self._gate
        return other

    def _heard(
        self, loop: Loop, codes: Codes, expected: Floats, fatigue: float, learning: bool
    ) -> Floats:
        own = self.parameters
        dynamics = Dynamics(own.U, own.tau_rec, own.tau_fac, self.symbol_ms, FAINT * fatigue)
        nats = np.zeros(len(codes))
        kernels.hear(
            loop, self._gate, dynamics, _room(expected.shape[1]), codes, expected,
            _STEP if learning else 0.0, _DAMPING, nats,
        )  # fmt: skip
        return nats

    def config(self) -> dict[str, Any]:
        """Return the constructor arguments."""
        return {"parameters": asdict(self.parameters), "symbol_ms": self.symbol_ms}

    def export_state(self) -> State:
        """Return the gains, and the synapses that were used, by their places."""
        loop = self._loop
        rows, places = np.flatnonzero(loop.key), np.flatnonzero(loop.symbol >= 0)
        arrays = {
            **self._gate._asdict(),
            "rows": rows,
            "key": loop.key.ravel()[rows].view(np.int64),
            "places": places,
            **{name: getattr(loop, name).ravel()[places] for name in _PER_SYNAPSE},
            "past": loop.past,
            "clock": loop.clock,
        }
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        return State({"rehearsals": self._rehearsals}, tensors)

    def import_state(self, state: State) -> None:
        """Put back what :meth:`export_state` returned.

        Raises
        ------
        ConfigError
            If the gains have another shape; nothing is changed.
        """
        arrays = {name: tensor.numpy() for name, tensor in state.tensors.items()}
        gate, loop = Gate(*(arrays[name].copy() for name in Gate._fields)), _at_rest(ROWS)
        if gate.weight.shape != self._gate.weight.shape:
            raise ConfigError(
                "the gains do not fit this working memory",
                got=str(gate.weight.shape),
                expected=str(self._gate.weight.shape),
            )
        loop.key.ravel()[arrays["rows"]] = arrays["key"].view(np.uint64)
        for name in _PER_SYNAPSE:
            getattr(loop, name).ravel()[arrays["places"]] = arrays[name]
        loop.past[:], loop.clock[:] = arrays["past"], arrays["clock"]
        self._gate, self._loop = gate, loop
        self._rehearsals = int(state.values["rehearsals"])


_PER_SYNAPSE = ("symbol", "u", "x", "time")


def _at_rest(rows: int) -> Loop:
    shape = (ORDERS, rows, PLACES)
    return Loop(
        key=np.zeros((ORDERS, rows), np.uint64),
        symbol=np.full(shape, -1, np.int32),
        u=np.zeros(shape),
        x=np.zeros(shape),  # of no synapse yet: one that is made has 1
        time=np.zeros(shape),
        past=np.full(ORDERS, -1, np.int64),
        clock=np.zeros(2),
    )


def _room(symbols: int) -> Room:
    most = ORDERS * PLACES
    return Room(
        row=np.zeros(ORDERS, np.int64),
        begin=np.zeros(ORDERS + 1, np.int64),
        symbol=np.zeros(most, np.int64),
        feature=np.zeros((most, FEATURES)),
        error=np.zeros(FEATURES),
        score=np.zeros(symbols),
        marked=np.zeros(symbols, np.bool_),
        named=np.zeros(min(most, symbols), np.int64),
    )
