"""Everything there is to see of a :class:`~plasticish.vision.TriarchicBrain`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core import NotReadyError
from .histories import shade_phases, smoothed
from .protocols import HistoryLike
from .style import COLOURS, GREY, bare, new_figure, quiet_axes, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TriarchicVisualizer"]

Array = NDArray[Any]
COLUMNS = 400  # neurons side by side in a picture of weights


class TriarchicVisualizer:
    """Figures of a TriarchicBrain; each method returns one and changes nothing.

    Parameters
    ----------
    brain : TriarchicBrain
        Anything with ``w_core``, ``w_context`` and ``importance`` ``[classes, hidden]``, and
        ``encode`` for :meth:`sparsity`.
    eyes : callable, optional
        Images to features, for :meth:`sparsity`.
    class_names : sequence of str, optional
        Names by label.

    Examples
    --------
    >>> from plasticish import TriarchicBrain, TriarchicVisualizer
    >>> brain = TriarchicBrain(4, hidden_size=64, out_size=2, sparsity_k=4)
    >>> type(TriarchicVisualizer(brain).importance()).__name__
    'Figure'

    Into files::

        visualizer = TriarchicVisualizer(brain, eyes)
        visualizer.weights().savefig("weights.png")
        visualizer.context_energy(history).savefig("storm.png")
    """

    def __init__(
        self,
        brain: Any,
        eyes: Callable[[Tensor], Tensor] | None = None,
        *,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self.brain = brain
        self.eyes = eyes
        self.class_names = None if class_names is None else [str(name) for name in class_names]

    def name(self, label: int) -> str:
        """Return the name of a class."""
        names = self.class_names
        return names[label] if names and label < len(names) else f"class {label}"

    @styled
    def weights(self) -> Figure:
        """Show the strongest synapses of the core, their protection, and the context beside it."""
        core, context, brake = self._synapses()
        # The neurons that matter most to the core, grouped by the class that they speak for.
        strength = np.abs(core).max(axis=0)
        used = max(1, int((strength > 0).sum()))
        strongest = np.argsort(-strength, kind="stable")[: min(used, COLUMNS)]
        owner = core[:, strongest].argmax(axis=0)
        columns = strongest[np.lexsort((-core[:, strongest].max(axis=0), owner))]
        panels = (
            ("core: slow, protected", core, "RdBu_r", True),
            ("brake on the core, 1 is locked", brake, "Greens", False),
            ("context: fast, fading", context, "RdBu_r", True),
        )
        figure = new_figure(8.2, 6.0)
        axes = figure.subplots(len(panels), 1)
        for axis, (title, values, colours, signed) in zip(axes, panels, strict=True):
            shown = values[:, columns]
            top = float(np.percentile(np.abs(shown), 99.5)) or 1.0
            low = -top if signed else 0.0
            image = axis.imshow(
                shown, cmap=colours, vmin=low, vmax=top, aspect="auto", interpolation="nearest"
            )
            bare(axis)
            axis.set_yticks(range(len(core)), [self.name(i) for i in range(len(core))])
            axis.tick_params(labelsize=7.5)
            axis.set_title(title, fontsize=9, fontweight="normal")
            figure.colorbar(image, ax=axis, pad=0.01, aspect=12).outline.set_visible(False)
        axes[-1].set_xlabel(
            f"the {len(columns):,} neurons that matter most, of {core.shape[1]:,}, by their class"
        )
        share = 100 * float((brake >= 1.0).mean())
        title = f"{share:.1f} % of the core's synapses are locked"
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        return figure

    @styled
    def importance(self) -> Figure:
        """Show how many synapses of each class are locked, and how firmly."""
        _, _, brake = self._synapses()
        figure = new_figure(5.8, 0.32 * len(brake) + 1.4)
        axis = figure.add_subplot()
        locked = (brake >= 1.0).mean(axis=1)
        slowed = ((brake > 0.0) & (brake < 1.0)).mean(axis=1)
        rows = np.arange(len(brake))
        axis.barh(rows, locked, height=0.66, color=COLOURS[2], label="locked")
        axis.barh(rows, slowed, left=locked, height=0.66, color="#BFE3D6", label="slowed")
        axis.set_yticks(rows, [self.name(i) for i in range(len(brake))])
        axis.set_ylim(len(brake) - 0.4, -0.6)
        axis.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        axis.set_xlabel("share of the synapses of the core")
        axis.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.3)
        axis.set_title(f"{100 * float(locked.mean()):.1f} % of synapses are locked")
        axis.spines["left"].set_visible(False)
        quiet_axes(axis, grid="x")
        return figure

    @styled
    def context_energy(self, history: HistoryLike) -> Figure:
        """Show the energy of the context layer over training: it rises when the world shifts.

        Raises
        ------
        NotReadyError
            If the history has no ``context_energy``.
        """
        energy = np.asarray(history.series.get("context_energy", []), dtype=float)
        if not np.isfinite(energy).any():
            raise NotReadyError(
                "the history has no context energy", expected="that of a TriarchicBrain"
            )
        figure = new_figure(7.2, 3.0)
        axis = figure.add_subplot()
        shade_phases(axis, history, len(energy), named=True)
        steps = np.arange(1, len(energy) + 1)
        axis.plot(steps, energy, color=GREY, linewidth=0.6, alpha=0.6)
        axis.plot(steps, smoothed(energy.tolist(), max(5, len(energy) // 40)), color=COLOURS[5])
        axis.set_ylim(0, 1.08 * (float(np.nanmax(energy)) or 1.0))
        axis.set_xlabel("step")
        axis.set_ylabel("context energy")
        axis.set_title(_energy_finding(history, energy), pad=20)
        quiet_axes(axis, grid="y")
        return figure

    @styled
    def sparsity(self, x: Tensor) -> Figure:
        """Show how few neurons answer each input, and how the work is shared among them.

        Parameters
        ----------
        x : Tensor of images or features
            What to show to the brain.
        """
        features = self.eyes(x) if x.ndim == 4 and self.eyes is not None else x
        code = _numbers(self.brain.encode(features))
        active = (code != 0).sum(axis=1)
        wins = np.sort((code != 0).mean(axis=0))[::-1]
        figure = new_figure(7.4, 3.0)
        left, right = figure.subplots(1, 2)
        rows = min(len(code), 40)
        for row in range(rows):
            place = np.flatnonzero(code[row])
            left.vlines(place, row - 0.4, row + 0.4, COLOURS[0], linewidth=0.7)
        left.set_xlim(0, code.shape[1])
        left.set_ylim(rows - 0.5, -0.5)
        bare(left)
        left.set_xlabel(f"{code.shape[1]:,} neurons")
        left.set_ylabel(f"{rows} inputs")
        right.plot(np.arange(1, len(wins) + 1), wins, color=COLOURS[0])
        right.set_xscale("log")
        right.set_ylim(0, None)
        right.yaxis.set_major_formatter("{x:.0%}")
        right.set_xlabel("neuron, most used first")
        right.set_title("share of inputs it answers", fontweight="normal", fontsize=9)
        quiet_axes(right, grid="y")
        share = 100 * float(active.mean()) / code.shape[1]
        title = f"{share:.2g} % of the neurons answer an input ({active.mean():.0f} of them)"
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        return figure

    def _synapses(self) -> tuple[Array, Array, Array]:
        """Return core, context and brake ``[classes, hidden]``; a brake of 1 locks a synapse."""
        brain = self.brain
        gain = float(getattr(getattr(brain, "options", None), "brake_gain", 2.0))
        brake = np.clip(gain * _numbers(brain.importance), 0.0, 1.0)
        return _numbers(brain.w_core), _numbers(brain.w_context), brake


def _energy_finding(history: HistoryLike, energy: Array) -> str:
    """Compare the last finished phase, usually the storm, with the one before it."""
    edges = [0, *history.boundaries]
    if len(edges) < 3:
        return "Energy of the context layer"
    before = float(np.nanmean(energy[edges[-3] : edges[-2]]))
    last = float(np.nanmean(energy[edges[-2] : edges[-1]]))
    names = history.phase_names
    ratio = last / max(before, 1e-12)
    index = len(edges) - 2
    return f"In {names[index]}, the context is {ratio:.1f} times as busy as in {names[index - 1]}"


def _numbers(tensor: Any) -> Array:
    values: Array = torch.as_tensor(tensor).detach().cpu().float().numpy()
    return values
