"""Brain-inspired learners that never stop learning.

The public names of the library. They load when first touched, so that ``import plasticish`` is
quick; everything else is found in the packages (``plasticish.data``, ``plasticish.metrics``, …).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core import LEARNERS, Learner, PlasticishError, inspect_checkpoint
    from .estimators import PlasticClassifier
    from .memory import AssociativeCortex, EpisodicMemoryBank
    from .training import (
        PhaseConfig,
        PlasticTrainer,
        TrainingHistory,
        TriarchicTrainer,
        add_noise,
        blur_image,
        invert_colors,
        invert_tensor,
        resume,
    )
    from .vision import (
        FeatureCache,
        NeuromodulatedBlock,
        PlasticBrain,
        PretrainedEyes,
        TriarchicBrain,
    )
    from .visualization import PlasticVisualizer, TriarchicVisualizer, denormalize_imagenet

_HOMES = {
    "core": ("LEARNERS", "Learner", "PlasticishError", "inspect_checkpoint"),
    "estimators": ("PlasticClassifier",),
    "memory": ("AssociativeCortex", "EpisodicMemoryBank"),
    "training": (
        "PhaseConfig",
        "PlasticTrainer",
        "TrainingHistory",
        "TriarchicTrainer",
        "add_noise",
        "blur_image",
        "invert_colors",
        "invert_tensor",
        "resume",
    ),
    "vision": (
        "FeatureCache",
        "NeuromodulatedBlock",
        "PlasticBrain",
        "PretrainedEyes",
        "TriarchicBrain",
    ),
    "visualization": ("PlasticVisualizer", "TriarchicVisualizer", "denormalize_imagenet"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "LEARNERS",
    "AssociativeCortex",
    "EpisodicMemoryBank",
    "FeatureCache",
    "Learner",
    "NeuromodulatedBlock",
    "PhaseConfig",
    "PlasticBrain",
    "PlasticClassifier",
    "PlasticTrainer",
    "PlasticVisualizer",
    "PlasticishError",
    "PretrainedEyes",
    "TrainingHistory",
    "TriarchicBrain",
    "TriarchicTrainer",
    "TriarchicVisualizer",
    "add_noise",
    "blur_image",
    "denormalize_imagenet",
    "inspect_checkpoint",
    "invert_colors",
    "invert_tensor",
    "resume",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from .core.checkpoint import package_version

        return package_version()
    try:
        home = _HOME[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(importlib.import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
