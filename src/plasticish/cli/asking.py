"""Asking a brain about image files, and wording what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from plasticish.core import DataError, NotReadyError, ShapeError

from .opening import Mind
from .sight import Sight, make_sight, read_pictures

__all__ = ["Answer", "ask", "sight_of"]

TOGETHER = 64


@dataclass(frozen=True)
class Answer:
    """What a brain said of one image.

    Attributes
    ----------
    image : Path
        The file.
    label : str
        The most probable class; of a stranger, the one it is most like.
    confidence : float
        Its probability in [0, 1].
    novelty, threshold : float
        How strange the image is; above the threshold it is like nothing the brain has seen.
    probabilities : dict of str to float
        Of every class that has any.
    """

    image: Path
    label: str
    confidence: float
    novelty: float
    threshold: float
    probabilities: dict[str, float]

    @property
    def novel(self) -> bool:
        """Whether the brain has never seen anything like it."""
        return self.novelty > self.threshold

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "image": str(self.image),
            "label": self.label,
            "confidence": self.confidence,
            "novel": self.novel,
            "novelty": self.novelty,
            "novelty_threshold": self.threshold if self.threshold < float("inf") else None,
            "probabilities": self.probabilities,
        }


def sight_of(mind: Mind) -> Sight:
    """Return what a brain sees images with.

    Raises
    ------
    ShapeError
        If it was taught features that no image leads to.
    """
    sight: Sight = mind.brain.eyes or make_sight(mind.eyes)
    if sight.width != mind.brain.in_dim:
        raise ShapeError(
            f"the brain {mind.path} cannot look at images",
            got=f"features of width {mind.brain.in_dim}, and no eyes",
            expected="a brain that was taught images, or the bundled digits",
        )
    return sight


def ask(mind: Mind, images: Sequence[Path]) -> Iterator[Answer | DataError]:
    """Yield an answer for each image, or why it could not be read, in their order.

    Raises
    ------
    NotReadyError
        If the brain has learned nothing.
    """
    if not mind.brain.num_classes:
        raise NotReadyError(f"the brain {mind.path} has learned nothing yet", cure="teach it first")
    sight = sight_of(mind)
    for start in range(0, len(images), TOGETHER):
        yield from _ask_some(mind, sight, images[start : start + TOGETHER])


def _ask_some(mind: Mind, sight: Sight, images: Sequence[Path]) -> Iterator[Answer | DataError]:
    pictures, errors = {}, {}
    for row, path in enumerate(images):
        try:
            pictures[row] = read_pictures(path, sight, mind.image_size)
        except DataError as error:
            errors[row] = error
    answers: dict[int, Answer] = {}
    for shape in {picture.shape for picture in pictures.values()}:
        rows = [row for row, picture in pictures.items() if picture.shape == shape]
        together = sight(torch.cat([pictures[row] for row in rows]))
        found = _answers(mind, together, [images[row] for row in rows])
        answers |= dict(zip(rows, found, strict=True))
    for row in range(len(images)):
        yield errors[row] if row in errors else answers[row]


def _answers(mind: Mind, features: torch.Tensor, images: Sequence[Path]) -> list[Answer]:
    votes = mind.brain.predict_proba(features).cpu()
    novelty = mind.brain.novelty(features).tolist()
    return [
        Answer(
            image=image,
            label=mind.name(int(vote.argmax())),
            confidence=float(vote.max()),
            novelty=strange,
            threshold=mind.brain.novelty_threshold,
            probabilities={
                mind.name(label): share for label, share in enumerate(vote.tolist()) if share > 0
            },
        )
        for image, vote, strange in zip(images, votes, novelty, strict=True)
    ]
