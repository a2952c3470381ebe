"""Everything there is to see of a :class:`~plasticish.vision.PlasticBrain`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from ..core import DataError, DeviceLike, resolve_device
from .curves import plot_retention
from .matrices import plot_confusion
from .memories import plot_memory_map
from .neurons import draw_activity, draw_neuron_map
from .protocols import HistoryLike
from .thought import Thought, draw_thought

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PlasticVisualizer"]

MOST_ROWS = 120  # inputs in one picture of activity


class PlasticVisualizer:
    """Figures of a PlasticBrain; each method returns one and changes nothing.

    Parameters
    ----------
    brain : PlasticBrain
        Anything with ``see``, ``predict``, ``why``, ``layers`` and ``memory``.
    device : str or torch.device, optional
        Where inputs go; by default where the brain is.
    class_names : sequence of str, optional
        Names by label; by default ``class 0``, ``class 1``, …

    Examples
    --------
    >>> import torch
    >>> from plasticish import PlasticBrain, PlasticVisualizer
    >>> brain = PlasticBrain(4, hidden_dim=8, sparsity_k=2)
    >>> report = brain.train_step(torch.eye(4), [0, 1, 0, 1])
    >>> figure = PlasticVisualizer(brain).trace_thought([(torch.eye(4), [0, 1, 0, 1])])
    >>> type(figure).__name__
    'Figure'

    With names, into a file::

        visualizer = PlasticVisualizer(brain, class_names=source.train.classes)
        visualizer.trace_thought(test_loader).savefig("thought.png")
    """

    def __init__(
        self, brain: Any, device: DeviceLike = None, *, class_names: Sequence[str] | None = None
    ) -> None:
        self.brain = brain
        self.device = resolve_device(getattr(brain, "device", None) if device is None else device)
        self.class_names = None if class_names is None else [str(name) for name in class_names]

    def name(self, label: int) -> str:
        """Return the name of a class."""
        names = self.class_names
        return names[label] if names and label < len(names) else f"class {label}"

    def trace_thought(
        self,
        loader: Iterable[Any],
        index: int = 0,
        *,
        memory_images: Tensor | Callable[[int], Tensor] | None = None,
    ) -> Figure:
        """Follow one input through eyes, blocks and memories to the vote.

        Parameters
        ----------
        loader : iterable of (x, y), or a batch of inputs
            The input is row ``index`` of its first batch.
        index : int
            Which row.
        memory_images : Tensor ``[memories, channels, h, w]`` or callable, optional
            The picture of each slot of the memory, or a function that finds it; without it the
            memories are shown by class and similarity.

        Raises
        ------
        DataError
            If the first batch has no such row.
        """
        x, y = _first_batch(loader)
        if not 0 <= index < len(x):
            raise DataError("no such row", got=str(index), expected=f"0 <= index < {len(x)}")
        truth = None if y is None else int(y[index])
        thought = self._think(x[index : index + 1].to(self.device), truth)
        find = memory_images
        if isinstance(find, Tensor):
            pictures = find
            return draw_thought(thought, self.name, lambda slot: pictures[slot])
        return draw_thought(thought, self.name, find)

    def layer_activity(self, x: Any, labels: Any = None) -> Figure:
        """Show who wins in each block for these inputs, and how much of it they share.

        Parameters
        ----------
        x : Tensor of images or features, or a loader
            At most 120 are drawn.
        labels : array ``[n]``, optional
            Their classes; by default those of the loader, or what the brain calls them.
        """
        inputs, y = _first_batch(x)
        explanation = self.brain.why(inputs[:MOST_ROWS].to(self.device))
        known = labels if labels is not None else y
        chosen = explanation.labels if known is None else torch.as_tensor(known)[:MOST_ROWS]
        classes = chosen.cpu().numpy()
        blocks = [
            (width, winners.cpu().numpy(), code.detach().cpu().float().numpy())
            for width, winners, code in self._blocks(explanation)
        ]
        names = [self.name(label) for label in range(int(classes.max()) + 1)]
        return draw_activity(blocks, classes, names)

    def maturity_map(self) -> Figure:
        """Show how mature the neurons of each block are, in [0, 1]."""
        values = [_numbers(layer.maturity)[: _born(layer)] for layer in self.brain.layers]
        counts = [int((v >= 0.5).sum()) for v in values]
        captions = [
            f"block {i + 1}: {count:,} of {len(v):,}"
            for i, (count, v) in enumerate(zip(counts, values, strict=True))
        ]
        title = f"{sum(counts):,} of {sum(map(len, values)):,} neurons are mature, and protected"
        return draw_neuron_map(values, captions, "maturity", title, high=1.0)

    def usage_map(self) -> Figure:
        """Show how often the neurons of each block won, on a logarithmic scale."""
        usage = [_numbers(layer.usage)[: _born(layer)] for layer in self.brain.layers]
        idle = [int((v < 1).sum()) for v in usage]
        captions = [f"block {i + 1}: {count:,} never won" for i, count in enumerate(idle)]
        title = f"{sum(idle):,} of {sum(map(len, usage)):,} neurons never won"
        values = [np.log10(1.0 + v) for v in usage]
        return draw_neuron_map(values, captions, "log₁₀(1 + times won)", title)

    def memory_map(self, method: str = "pca", *, most: int = 2000, seed: int = 0) -> Figure:
        """Lay the memories out in a plane, coloured by class.

        Parameters
        ----------
        method : {"pca", "tsne"}
            How; see :func:`plasticish.visualization.plot_memory_map`.
        most : int
            Draw at most so many.
        seed : int
            Which.
        """
        keys, labels = self.brain.memory.examples()
        names = [self.name(label) for label in range(1 + max(labels.tolist(), default=0))]
        return plot_memory_map(keys.cpu(), labels.cpu(), names, method=method, most=most, seed=seed)

    def confusion(self, loader: Iterable[Any]) -> Figure:
        """Show what the brain calls the examples of each class.

        Parameters
        ----------
        loader : iterable of (x, y)
            What to ask it.
        """
        truths, answers = [], []
        for x, y in loader:
            answers.append(self.brain.predict(torch.as_tensor(x).to(self.device)).cpu())
            truths.append(torch.as_tensor(y).cpu().long())
        if not truths:
            raise DataError("the loader is empty", got="0 batches", expected="at least one")
        truth, answer = torch.cat(truths), torch.cat(answers)
        classes = int(max(truth.max(), answer.max())) + 1
        counts = torch.bincount(truth * classes + answer, minlength=classes**2)
        names = [self.name(label) for label in range(classes)]
        return plot_confusion(counts.reshape(classes, classes).numpy(), names)

    def retention_curves(self, history: HistoryLike) -> Figure:
        """Show how much of each phase's accuracy is left as later phases are learned."""
        matrix = cast(Any, history).accuracy_matrix
        return plot_retention(matrix, list(history.phase_names)[: len(matrix)])

    def _think(self, x: Tensor, truth: int | None) -> Thought:
        image = x[0] if x.ndim == 4 else None
        features = self.brain.see(x)  # once: what the brain is asked about is not seen again
        explanation = self.brain.why(features)
        recall = explanation.recall
        return Thought(
            image=image,
            features=features[0].flatten(),
            truth=truth,
            answer=int(explanation.labels[0]),
            proba=explanation.proba[0].cpu(),
            hippocampus=explanation.hippocampus[0].cpu(),
            cortex=explanation.cortex[0].cpu(),
            layers=[(w, winners[0], code[0]) for w, winners, code in self._blocks(explanation)],
            memories=list(
                zip(
                    recall.indices[0].tolist(),
                    recall.labels[0].tolist(),
                    recall.weights[0].tolist(),
                    recall.similarity[0].tolist(),
                    strict=True,
                )
            ),
        )

    def _blocks(self, explanation: Any) -> list[tuple[int, Tensor, Tensor]]:
        return [
            (_born(layer), entry["winners"], entry["code"])
            for layer, entry in zip(self.brain.layers, explanation.layers, strict=True)
        ]


def _first_batch(source: Any) -> tuple[Tensor, Tensor | None]:
    """Return the first batch of a loader, or a batch of inputs as it is."""
    if isinstance(source, (Tensor, np.ndarray)):
        return torch.as_tensor(source), None
    batch = next(iter(source), None)
    if batch is None:
        raise DataError("the loader is empty", got="0 batches", expected="at least one")
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        return torch.as_tensor(batch[0]), torch.as_tensor(batch[1])
    return torch.as_tensor(batch), None


def _born(layer: Any) -> int:
    """Return how many neurons a block has: those that are born, where it has room for more."""
    units = getattr(layer, "units", None)
    return int(layer.hidden_dim) if units is None else len(units)


def _numbers(tensor: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    return tensor.detach().cpu().double().numpy()
