"""What every data set becomes: rows with labels, a train and a test part, tasks out of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plasticish.core import ConfigError, DataError, LabelError, ShapeError, check_labels, track

__all__ = ["LabelledSet", "Source", "Task"]

ClassKey = int | str
"""A class by its label or by its name."""


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """Rows and their labels; one row an example.

    A set may be empty (a folder whose classes hold one image each has nothing to test on), but
    its parts always fit each other: one label a row, and a name for every label.

    Parameters
    ----------
    inputs : Tensor
        Features, float32 ``[n, width]``, or images ``[n, channels, height, width]``, uint8 or
        floats in [0, 1].
    labels : Tensor
        int64 ``[n]``; positions in ``classes``.
    classes : tuple of str
        Names, by label. Parts of a set keep all names, so that labels mean the same everywhere.
    name : str
        What the set is called in tables.

    Raises
    ------
    ShapeError, DTypeError, LabelError
        If rows, labels and names do not fit each other.

    Examples
    --------
    >>> data = LabelledSet(torch.eye(3), torch.tensor([0, 1, 1]), ("cat", "dog"), "pets")
    >>> len(data), data.is_images, data.of_classes(["dog"]).labels.tolist()
    (3, False, [1, 1])
    """

    inputs: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    name: str

    def __post_init__(self) -> None:
        if self.inputs.ndim not in (2, 4):
            raise ShapeError(
                f"the inputs of {self.name!r} have the wrong shape",
                got=str(tuple(self.inputs.shape)),
                expected="(n, width) or (n, channels, height, width)",
            )
        if self.labels.shape != (0,) or len(self.inputs):  # an empty set has no extremes to check
            labels = check_labels(self.labels, len(self.inputs), device=self.labels.device)
            high = int(labels.max())
            if high >= len(self.classes):
                raise LabelError(
                    f"a label of {self.name!r} has no name",
                    got=str(high),
                    expected=f"0 <= label < {len(self.classes)}",
                )
            object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def is_images(self) -> bool:
        """Whether a row is an image (and has to go through eyes) rather than features."""
        return self.inputs.ndim == 4

    def subset(self, indices: Tensor | Sequence[int]) -> LabelledSet:
        """Return the rows at ``indices``, in that order."""
        chosen = torch.as_tensor(indices, dtype=torch.int64, device=self.labels.device)
        if chosen.numel() and not -len(self) <= int(chosen.min()) <= int(chosen.max()) < len(self):
            raise ConfigError(
                f"an index is outside {self.name!r}",
                got=f"{int(chosen.min())} to {int(chosen.max())}",
                expected=f"0 <= index < {len(self)}",
            )
        return replace(self, inputs=self.inputs[chosen], labels=self.labels[chosen])

    def of_classes(self, classes: Sequence[ClassKey]) -> LabelledSet:
        """Return the rows of some classes, given by label or name, in their stored order."""
        wanted = torch.tensor(
            [class_index(self, key) for key in classes],
            dtype=torch.int64,
            device=self.labels.device,
        )
        return self.subset(torch.isin(self.labels, wanted).nonzero().flatten())

    def with_inputs(self, inputs: Tensor) -> LabelledSet:
        """Return the same labels over other inputs, such as the features of the images.

        Raises
        ------
        ShapeError
            If there is not one new row for every old one.
        """
        return replace(self, inputs=inputs)

    def map_inputs(
        self,
        fn: Callable[[Tensor], Tensor],
        *,
        batch_size: int = 256,
        description: str = "",
    ) -> LabelledSet:
        """Return the set with ``fn`` applied to its inputs, a batch at a time, under a bar.

        Parameters
        ----------
        fn : callable
            Rows in, as many rows out: eyes, or a transform.
        batch_size : int
            Rows handed to ``fn`` at once.
        description : str, optional
            What the progress bar says.

        Examples
        --------
        >>> data = LabelledSet(torch.eye(3), torch.tensor([0, 1, 1]), ("cat", "dog"), "pets")
        >>> data.map_inputs(lambda x: x[:, :2]).inputs.shape
        torch.Size([3, 2])
        """
        if not len(self):
            raise DataError(f"{self.name!r} is empty", expected="at least one row")
        parts = torch.split(self.inputs, batch_size)
        mapped = [fn(part) for part in track(parts, description or self.name, total=len(parts))]
        return self.with_inputs(torch.cat(mapped))


@dataclass(frozen=True, eq=False)
class Source:
    """One data set: what is learned from, and what is only ever tested on.

    Attributes
    ----------
    train, test : LabelledSet
        With the same classes.
    name : str
        What it is called in tables.
    """

    train: LabelledSet
    test: LabelledSet
    name: str

    def __post_init__(self) -> None:
        if self.train.classes != self.test.classes:
            raise LabelError(
                f"train and test of {self.name!r} name different classes",
                got=str(self.test.classes),
                expected=str(self.train.classes),
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, by label."""
        return self.train.classes

    @property
    def is_images(self) -> bool:
        """Whether its rows are images."""
        return self.train.is_images

    def map_inputs(self, fn: Callable[[Tensor], Tensor], *, batch_size: int = 256) -> Source:
        """Return the source with ``fn`` (eyes, say) applied to the inputs of both parts."""
        name = self.name
        train = self.train.map_inputs(fn, batch_size=batch_size, description=f"{name} train")
        if not len(self.test):
            # Nothing to look at, but the empty part must have the shape of the new rows.
            return replace(self, train=train, test=replace(self.test, inputs=train.inputs[:0]))
        test = self.test.map_inputs(fn, batch_size=batch_size, description=f"{name} test")
        return replace(self, train=train, test=test)


@dataclass(frozen=True, eq=False)
class Task:
    """One step of a stream: some classes of a source, with labels that mean the same in all.

    Attributes
    ----------
    name : str
        What the task is called in tables.
    classes : tuple of int
        Labels that occur in it.
    train, test : LabelledSet
        Its rows.
    """

    name: str
    classes: tuple[int, ...]
    train: LabelledSet
    test: LabelledSet


def class_index(dataset: LabelledSet | Source, key: ClassKey) -> int:
    """Return the label of a class that is given by label or by name.

    Raises
    ------
    ConfigError
        If there is no such class.
    """
    classes = dataset.classes
    if isinstance(key, str):
        if key in classes:
            return classes.index(key)
    elif 0 <= key < len(classes):
        return int(key)
    raise ConfigError(
        f"{dataset.name!r} has no such class",
        got=repr(key),
        expected=f"a label below {len(classes)} or one of: {', '.join(classes)}",
    )
