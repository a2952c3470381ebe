"""The published values, with the digits in which they were printed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files

__all__ = ["Block", "Printed", "reference"]


@dataclass(frozen=True)
class Printed:
    """A number as it was printed.

    Examples
    --------
    >>> Printed("0.5").deviation(0.75)
    2.5
    """

    text: str

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def unit(self) -> float:
        """What one unit of the last printed digit is.

        Examples
        --------
        >>> Printed("6.2e-3").unit, Printed("101").unit
        (0.0001, 1.0)
        """
        return float(self._unit)

    @property
    def _unit(self) -> Decimal:
        exponent = Decimal(self.text).as_tuple().exponent
        assert isinstance(exponent, int)  # NaN and infinity have none, and are not printed
        return Decimal(1).scaleb(exponent)

    def deviation(self, computed: float) -> float:
        """Return the distance of ``computed`` in units of the last digit; up to 1/2 is rounding."""
        return float(abs(Decimal(computed) - Decimal(self.text)) / self._unit)


@dataclass(frozen=True)
class Block:
    """The published values of one rule or protocol.

    Attributes
    ----------
    name, source : str
        What it is, and who published it.
    values : mapping
        Name to printed value.
    """

    name: str
    source: str
    values: Mapping[str, Printed]


@cache
def reference() -> Mapping[str, Block]:
    """Return every block by its name.

    Examples
    --------
    >>> reference()["dopamine"].values["trained, at the cue"].value
    1.0
    """
    text = files(__package__).joinpath("reference.json").read_text(encoding="utf-8")
    return {
        block["block"]: Block(
            block["block"],
            block["source"],
            {name: Printed(printed) for name, printed in block["values"].items()},
        )
        for block in json.loads(text)["blocks"]
    }
