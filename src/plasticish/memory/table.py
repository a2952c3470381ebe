"""The memories themselves: rounded keys, labels, order of arrival, and unit rows under a metric."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from plasticish.core import DataError

from .columns import GrowingColumns
from .search import KeyView
from .similarity import Metric, inverse_norms, key_type, round_keys, unit_rows, unround_keys

__all__ = ["CHUNK", "MemoryTable"]

CHUNK = 4096


class MemoryTable:
    """What a bank holds, without the rules by which it takes in, lets go and answers.

    A memory costs two bytes a number for its raw key (sleep needs it) and two for the unit row
    that the search multiplies by; in float32 twice that.

    Parameters
    ----------
    width : int
        Numbers in a key.
    limit : int
        The most memories.
    key_dtype : {"float16", "bfloat16", "float32"}
        How keys are rounded.
    device : torch.device
        Where it all lives.
    """

    def __init__(self, width: int, limit: int, key_dtype: str, device: torch.device) -> None:
        self.width, self.limit, self.device = width, limit, device
        self.metric = Metric()
        self.key_type = key_type(key_dtype)
        unit_type = torch.float32 if self.key_type == torch.float32 else torch.bfloat16
        self._columns = GrowingColumns(
            {
                "key": (width, self.key_type),
                "scale": (None, torch.float32),
                "unit": (width, unit_type),
                "inverse": (None, torch.float32),
                "label": (None, torch.int64),
                "birth": (None, torch.int64),
                "priority": (None, torch.float64),
            },
            limit,
            device,
        )

    def __len__(self) -> int:
        return self._columns.size

    def __getitem__(self, column: str) -> Tensor:
        return self._columns[column]

    def nbytes(self) -> int:
        """Bytes that the arrays hold."""
        return self._columns.nbytes()

    def view(self) -> KeyView:
        """Return the keys as the search wants them."""
        unit = self["unit"]
        return KeyView(self["key"] if self.metric.is_plain else unit, self["inverse"], unit)

    def project(self, x: Float32[Tensor, "batch width"]) -> Float32[Tensor, "batch rank"]:
        """Return queries as unit rows under the metric."""
        return unit_rows(self.metric.project(x))

    def extend(self, count: int) -> None:
        """Add rows, to be written next."""
        self._columns.extend(count)

    def write(
        self,
        slots: Int64[Tensor, " rows"],
        keys: Float32[Tensor, "rows width"],
        marks: Mapping[str, Tensor],
    ) -> None:
        """Put keys with their label, birth and priority into the rows ``slots``."""
        rounded, scale = round_keys(keys, self.key_type)
        self._columns.write(slots, {"key": rounded, "scale": scale, **marks})
        self._write_units(slots)

    def drop(self, slots: Int64[Tensor, " rows"]) -> None:
        """Remove rows; the last ones move into the holes."""
        self._columns.drop(slots)

    def examples(self, slots: Tensor | slice) -> tuple[Tensor, Tensor]:
        """Return keys as float32 and labels."""
        return unround_keys(self["key"][slots], self["scale"][slots]), self["label"][slots].clone()

    def set_metric(self, metric: Metric) -> None:
        """Take a checked metric and compute every unit row anew."""
        self.metric = metric
        self._columns.reshape("unit", metric.rank(self.width))
        for i in range(0, len(self), CHUNK):
            self._write_units(torch.arange(i, min(i + CHUNK, len(self)), device=self.device))

    def _write_units(self, slots: Tensor) -> None:
        key = self["key"][slots]
        if self.metric.is_plain:  # a key's power of two does not turn it
            unit = unit_rows(key.float()).to(self["unit"].dtype)
            inverse = inverse_norms(key)
        else:
            unit = self.project(unround_keys(key, self["scale"][slots])).to(self["unit"].dtype)
            inverse = inverse_norms(unit)
        self._columns.write(slots, {"unit": unit, "inverse": inverse})

    def export(self) -> dict[str, Tensor]:
        """Return the arrays that make the table, the metric's among them."""
        names = ["key", "scale", "label", "birth", "priority"]
        if not self.metric.is_plain:
            # A product rounds differently for one row than for many: projected rows are state.
            names += ["unit", "inverse"]
        tensors = {name: self[name].clone() for name in names}
        if self.metric.transform is not None:
            tensors["transform"] = self.metric.transform.clone()
        if self.metric.mean is not None:
            tensors["mean"] = self.metric.mean.clone()
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what :meth:`export` returned.

        Raises
        ------
        DataError, ShapeError, DTypeError
            If the arrays do not fit this table; it is left as it was.
        """
        metric = Metric.checked(
            tensors.get("transform"), tensors.get("mean"), self.width, self.device
        )
        names = ["key", "scale", "label", "birth", "priority"]
        names += [] if metric.is_plain else ["unit", "inverse"]
        rows = {name: tensors[name].to(self.device) for name in names}
        count = len(rows["label"])
        widths = {"key": (self.width,), "unit": (metric.rank(self.width),)}
        for name, values in rows.items():
            shape = (count, *widths.get(name, ()))
            dtype = self[name].dtype
            if tuple(values.shape) != shape or values.dtype != dtype:
                raise DataError(
                    f"the stored array {name!r} does not fit",
                    got=f"{tuple(values.shape)} {values.dtype}",
                    expected=f"{shape} {dtype}",
                )
        if count > self.limit or bool((rows["label"] < 0).any()):
            raise DataError("the stored labels do not fit", got=f"{count} of them")
        self._columns.clear()
        self.metric = metric
        self._columns.reshape("unit", metric.rank(self.width))
        self._columns.extend(count)
        slots = torch.arange(count, device=self.device)
        self._columns.write(slots, rows)
        if metric.is_plain:
            for i in range(0, count, CHUNK):
                self._write_units(slots[i : i + CHUNK])
