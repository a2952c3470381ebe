"""Asking a memory: what comes next, how likely something is, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from plasticish.core import ConfigError, NotReadyError, make_generator

from .alphabet import Encoded, Symbols
from .parts import Parts
from .prediction import Prediction, Why
from .reasons import reasons_for

__all__ = ["Asking"]


class Asking(Parts):
    """The questions that a memory answers; none of them changes it."""

    def predict(self, prefix: Symbols = "") -> Prediction:
        """Return the distribution over what follows ``prefix``; unknown symbols in it are fine.

        Raises
        ------
        DTypeError
            If it is of another kind than what was learned.
        NotReadyError
            If nothing was learned yet.
        """
        p, new = self.distribution(self.alphabet.encode_prefix(prefix))
        return Prediction(tuple(self.alphabet.symbols), p[1:], float(p[0]), new)

    def distribution(self, prefix: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.float64], float]:
        """Return the probability of every code after a prefix of codes, and of a new symbol."""
        if len(self.alphabet) == 0:
            raise NotReadyError("nothing was learned yet", cure="learn a sequence first")
        return self.predictor.distribution(self.led(prefix), self.classes)

    def led(self, prefix: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Return a prefix of codes as the predictor takes it, led by a mark if there is one."""
        return np.concatenate([self._led, prefix])

    def log_likelihood(self, sequences: Any) -> npt.NDArray[np.float64]:
        """Return the log-probability of each sequence with its end, in nats; learns nothing.

        A symbol never seen counts with the whole mass of new symbols.
        """
        batch = self._asked(sequences)
        return -self.predictor.nats(
            batch.under(self._led) if len(self._led) else batch, self.classes
        )

    def _asked(self, sequences: Any) -> Encoded:
        """Return sequences as codes, symbols never seen as -1."""
        self.distribution(np.zeros(0, np.int32))
        batch = self._encode(sequences)
        codes = np.where(batch.codes > len(self.alphabet), -1, batch.codes).astype(np.int32)
        return Encoded(codes, batch.starts, batch.kind, ())

    def why(self, prefix: Symbols, symbol: Any = None, *, paths: int = 5) -> Why:
        """Say which experts and which stored sequences make ``symbol`` likely after ``prefix``.

        Parameters
        ----------
        prefix : sequence
            What came so far.
        symbol : symbol, optional
            The continuation asked about; by default the most probable one.
        paths : int
            How many stored sequences to name at most.
        """
        codes = self.alphabet.encode_prefix(prefix)
        return reasons_for(self, codes, symbol, paths)

    def infer(self, prefix: Symbols, stop_token: Any = None, *, max_length: int = 100) -> Symbols:
        """Complete ``prefix`` with the most probable symbol, again and again.

        It stops after ``stop_token``, at the end of the sequence, or at ``max_length`` symbols.
        """
        return next(self._completions(1, prefix, 0.0, None, max_length, stop_token))

    def generate(
        self,
        n: int = 1,
        prefix: Symbols = "",
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
        *,
        max_length: int = 100,
    ) -> list[Symbols]:
        """Invent ``n`` sequences that begin with ``prefix``.

        Parameters
        ----------
        n : int
            How many.
        prefix : sequence
            How each begins.
        temperature : float
            Above 1 bolder, below 1 more careful; > 0.
        generator : torch.Generator, optional
            Source of chance; by default a fresh one from the memory's seed.
        max_length : int
            Symbols at most.

        Raises
        ------
        ConfigError
            If the temperature is not > 0, or ``n`` or ``max_length`` is not a positive integer.
        """
        if not isinstance(temperature, (int, float)) or not 0 < temperature < np.inf:
            raise ConfigError(
                "temperature is out of range",
                got=repr(temperature),
                expected="a number > 0",
                cure="for the most probable completion use infer",
            )
        generator = make_generator(self.seed) if generator is None else generator
        return list(self._completions(n, prefix, float(temperature), generator, max_length, None))

    def _completions(
        self, n: int, prefix: Symbols, temperature: float, generator: torch.Generator | None,
        max_length: int, stop_token: Any,
    ) -> Iterator[Symbols]:  # fmt: skip
        for name, value in (("n", n), ("max_length", max_length)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(
                    f"{name} is out of range", got=repr(value), expected="an integer > 0"
                )
        begun = self.alphabet.encode_prefix(prefix)
        stop = None if stop_token is None else self.alphabet.code(stop_token)
        for _ in range(n):
            codes = begun.tolist()
            while len(codes) < max_length:
                p, _new = self.distribution(np.array(codes, np.int32))
                if generator is None:
                    code = int(np.argmax(p))
                else:
                    scaled = torch.from_numpy(p).log().div(temperature).softmax(0)
                    code = int(torch.multinomial(scaled, 1, generator=generator))
                if code == 0:
                    break
                codes.append(code)
                if code == stop:
                    break
            grown = self.alphabet.decode(np.array(codes[len(begun) :], np.int32))
            yield _joined(prefix, grown)


def _joined(prefix: Symbols, grown: Symbols) -> Symbols:
    if isinstance(prefix, str) and isinstance(grown, str):
        return prefix + grown
    if isinstance(prefix, bytes) and isinstance(grown, bytes):
        return prefix + grown
    return grown if len(prefix) == 0 else (*prefix, *grown)
