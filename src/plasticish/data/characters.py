"""Characters as numbers: an alphabet that is fixed before the first text is learned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Int64
from torch import Tensor

from plasticish.core import ConfigError, LabelError

__all__ = ["TURN_END", "UNKNOWN", "Alphabet"]

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""What stands for every character that an alphabet does not have; always number 0."""

TURN_END = "\n"
"""What ends a turn, and fills the context before a conversation begins; always number 1."""


@dataclass(frozen=True)
class Alphabet:
    """Characters and their numbers.

    A stream of topics needs one alphabet for all of them: a number must mean the same character
    in the last task as in the first, and the outputs of a network cannot grow in between.

    Parameters
    ----------
    symbols : tuple of str
        Single characters, each once; the first two are :data:`UNKNOWN` and :data:`TURN_END`.

    Raises
    ------
    ConfigError
        If a symbol is not one character, comes twice, or the first two are others.

    Examples
    --------
    >>> alphabet = Alphabet.of(["abba", "cab"])
    >>> alphabet.symbols[2:], len(alphabet)
    (('a', 'b', 'c'), 5)
    >>> alphabet.encode("bad\\n").tolist()
    [3, 2, 0, 1]
    >>> alphabet.decode(alphabet.encode("bad"))
    'ba\N{REPLACEMENT CHARACTER}'
    """

    symbols: tuple[str, ...]

    def __post_init__(self) -> None:
        single = all(len(symbol) == 1 for symbol in self.symbols)
        if not single or len(set(self.symbols)) != len(self.symbols):
            raise ConfigError(
                "these are no symbols of an alphabet",
                got=repr(self.symbols)[:80],
                expected="single characters, each once",
            )
        if self.symbols[:2] != (UNKNOWN, TURN_END):
            raise ConfigError(
                "an alphabet begins wrongly",
                got=repr(self.symbols[:2]),
                expected=repr((UNKNOWN, TURN_END)),
                cure="make it with Alphabet.of(texts)",
            )

    @classmethod
    def of(cls, texts: Iterable[str]) -> Alphabet:
        """Return the alphabet of every character in ``texts``, in the order of Unicode."""
        found = set().union(*texts) - {UNKNOWN, TURN_END}
        return cls((UNKNOWN, TURN_END, *sorted(found)))

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> Int64[Tensor, " characters"]:
        """Return the number of every character; those that are not in the alphabet become 0."""
        numbers = self._numbers
        return torch.tensor([numbers.get(symbol, 0) for symbol in text], dtype=torch.int64)

    def decode(self, numbers: Int64[Tensor, " characters"]) -> str:
        """Return the text of ``numbers``.

        Raises
        ------
        LabelError
            If a number is outside the alphabet.
        """
        if numbers.numel() and not 0 <= int(numbers.min()) <= int(numbers.max()) < len(self):
            raise LabelError(
                "a number is outside the alphabet",
                got=f"{int(numbers.min())} to {int(numbers.max())}",
                expected=f"0 <= number < {len(self)}",
            )
        return "".join(self.symbols[number] for number in numbers.tolist())

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols)}
