"""One thought of a brain: as a picture, as plain values, and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text
from torch import Tensor

from plasticish.visualization import PlasticVisualizer, save_figure

from .asking import ask, sight_of
from .opening import Mind
from .output import Output, percent
from .sight import SIDE, DigitSight, Sight, read_pictures
from .wording import verdict

__all__ = ["explain", "print_thought"]

CANDIDATES = 5


class SeeingBrain:
    """A brain that looks at images through a given sight; everything else is the brain's own."""

    def __init__(self, brain: Any, sight: Sight) -> None:
        self._brain, self._sight = brain, sight

    def see(self, x: Tensor) -> Tensor:
        """Return the features of images, or features as they are."""
        features: Tensor = self._brain.see(self._sight(x) if x.ndim == 4 else x)
        return features

    def __getattr__(self, name: str) -> Any:
        return getattr(self._brain, name)


def explain(mind: Mind, image: Path, out: Path) -> dict[str, Any]:
    """Draw why ``mind`` says what it says about ``image`` into ``out``, and return it as values.

    Raises
    ------
    DataError
        If the image cannot be read.
    CheckpointError
        If the picture cannot be written.
    """
    answer = next(ask(mind, [image]))
    if isinstance(answer, Exception):
        raise answer
    sight = sight_of(mind)
    picture = read_pictures(image, sight, mind.image_size)
    visualizer = PlasticVisualizer(SeeingBrain(mind.brain, sight), class_names=mind.classes)
    memories = _DigitMemories(mind.brain) if isinstance(sight, DigitSight) else None
    figure = visualizer.trace_thought(picture, memory_images=memories)
    if answer.novel:  # what it is called counts for little then
        title = verdict(answer)
        figure.suptitle(
            title[0].upper() + title[1:], x=0.01, ha="left", fontsize=12, fontweight="bold"
        )
    save_figure(figure, out)
    explanation = mind.brain.why(sight(picture))
    woken = Counter(mind.name(label) for label in explanation.recall.labels[0].tolist())
    return {
        **answer.to_dict(),
        "verdict": verdict(answer),
        "hippocampus": _votes(mind, explanation.hippocampus[0]),
        "cortex": _votes(mind, explanation.cortex[0]),
        "memories": dict(woken.most_common()),
        "neurons": [int((layer["code"][0] != 0).sum()) for layer in explanation.layers],
        "picture": str(out),
    }


class _DigitMemories:
    """The pictures of a digit brain's memories: its features are pixels, kept up to a scale."""

    def __init__(self, brain: Any) -> None:
        self.memory = brain.memory

    def __call__(self, slot: int) -> Tensor:
        keys: Tensor = self.memory.examples([slot])[0]
        return (keys / keys.max().clamp(min=1e-9)).clamp(0, 1).reshape(1, SIDE, SIDE)


def _votes(mind: Mind, votes: Tensor) -> dict[str, float]:
    return {mind.name(label): share for label, share in enumerate(votes.tolist()) if share > 0}


def print_thought(thought: Mapping[str, Any], output: Output) -> None:
    """Print what :func:`explain` returned."""
    output.say(f"[bold]{thought['image']}[/]: {thought['verdict']}")
    woken = ", ".join(f"{count} {name}" for name, count in thought["memories"].items())
    spoke = ", ".join(f"{count:,}" for count in thought["neurons"]) or "none"
    output.say(f"memories that woke: {woken}; neurons that spoke in each block: {spoke}")
    output.say()
    voters = ("hippocampus", "cortex", "together")
    votes = (thought["hippocampus"], thought["cortex"], thought["probabilities"])
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("class", *voters):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    ranked = sorted(votes[2], key=lambda name: -votes[2][name])
    for row, name in enumerate(ranked[:CANDIDATES]):
        cells = (f"{percent(vote.get(name, 0.0))} %" for vote in votes)
        table.add_row(Text(name), *cells, style="bold" if row == 0 else "")
    output.say(table)
    output.say()
    output.say(f"picture: {thought['picture']}")
