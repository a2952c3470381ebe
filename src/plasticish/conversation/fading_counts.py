"""Counts of things heard that fade, exactly and at no cost a step."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from math import isfinite
from typing import Any, Generic, TypeVar

from plasticish.core import DataError

__all__ = ["FadingCounts"]

K = TypeVar("K", bound=Hashable)
_LARGE, _LONG = 1e100, 600  # 1e100 * 2**600 is still a float


class FadingCounts(Generic[K]):
    r"""Counts that halve with every ``half_life``: :math:`c \leftarrow c\,2^{-n/h} + 1`.

    Instead of all counts shrinking, the unit in which they are counted grows.

    Parameters
    ----------
    half_life : float
        After how much of what :meth:`fade` is told a count is worth half, > 0.

    Examples
    --------
    >>> counts = FadingCounts[str](half_life=10.0)
    >>> counts.add("mama")
    >>> counts.fade(10)
    >>> counts.add("mama")
    >>> counts["mama"]
    1.5
    """

    def __init__(self, half_life: float) -> None:
        self.half_life = half_life
        self._unit = 1.0
        self._inflated: dict[K, float] = {}

    def fade(self, amount: float) -> None:
        """Let time pass; after 600 half-lives at once a count is 0."""
        halvings = amount / self.half_life
        if halvings > _LONG:
            self._inflated = dict.fromkeys(self._inflated, 0.0)
            return
        self._unit *= 2.0**halvings
        if self._unit > _LARGE:
            self._inflated = {key: c / self._unit for key, c in self._inflated.items()}
            self._unit = 1.0

    def add(self, key: K, count: float = 1.0) -> None:
        """Count ``key`` once more."""
        self._inflated[key] = self._inflated.get(key, 0.0) + count * self._unit

    def pop(self, key: K) -> float:
        """Forget ``key`` and return its count, 0 if it has none."""
        return self._inflated.pop(key, 0.0) / self._unit

    def keep_largest(self, number: int) -> None:
        """Forget all but the ``number`` largest counts; of equal ones the older go."""
        newest_first = list(reversed(self._inflated.items()))
        kept = {key for key, _ in sorted(newest_first, key=lambda item: -item[1])[:number]}
        self._inflated = {key: c for key, c in self._inflated.items() if key in kept}

    def __getitem__(self, key: K) -> float:
        """Return the count of ``key`` as of now, 0 if it has none."""
        return self._inflated.get(key, 0.0) / self._unit

    def __contains__(self, key: object) -> bool:
        return key in self._inflated

    def __iter__(self) -> Iterator[K]:
        return iter(self._inflated)

    def __len__(self) -> int:
        return len(self._inflated)

    def to_lists(self) -> dict[str, Any]:
        """Return everything as JSON holds it, to the last bit."""
        return {
            "unit": self._unit,
            "keys": list(self._inflated),
            "counts": list(self._inflated.values()),
        }

    @classmethod
    def from_lists(cls, half_life: float, lists: Mapping[str, Any]) -> FadingCounts[K]:
        """Return what :meth:`to_lists` wrote; what the keys may be is for the caller to check.

        Raises
        ------
        DataError
            If the counts are none, or not one a key.
        """
        unit, keys, values = lists["unit"], lists["keys"], lists["counts"]
        numbers = all(type(v) is float and isfinite(v) and v >= 0 for v in values)
        if not (type(unit) is float and 1 <= unit <= _LARGE and numbers):
            raise DataError("the stored counts are no counts", expected="finite numbers >= 0")
        if not len(keys) == len(set(keys)) == len(values):
            raise DataError(
                "the stored counts do not match what they count",
                got=f"{len(values)} for {len(set(keys))}",
                expected="one each",
            )
        counts = cls(half_life)
        counts._unit, counts._inflated = unit, dict(zip(keys, values, strict=True))
        return counts
