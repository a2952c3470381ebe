"""Brain-inspired learners that never stop learning.

The public names of the library. They load when first touched, so that ``import plasticish`` is
quick; everything else is found in the packages (``plasticish.data``, ``plasticish.metrics``, …).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

    from .conversation import (
        BiologicalTokenizer,
        ConversationalLearner,
        LLMTeacher,
        PlasticLearnerConfig,
        PlasticSNN,
        ScriptedTeacher,
    )
    from .core import LEARNERS, Learner, PlasticishError, inspect_checkpoint
    from .estimators import PlasticClassifier
    from .memory import AssociativeCortex, EpisodicMemoryBank, TaskBuffer
    from .modulation import (
        Acetylcholine,
        Adenosine,
        Dopamine,
        MetaPlasticityController,
        Norepinephrine,
    )
    from .sequence import PlasticMemory
    from .spiking import (
        AdaptiveSTDPRule,
        BCMRule,
        ClassicalSTDP,
        ContinualLearningSTDP,
        HebbRule,
        HomeostaticSTDP,
        LiquidSpikingConfig,
        LiquidSpikingNetwork,
        MetaPlasticLayer,
        MetaPlasticNetwork,
        OjaRule,
        RewardModulatedSTDP,
        STDPConv2d,
        STDPLayer,
        TripletSTDP,
        enhanced_layers,
        integrate_meta_plasticity,
        integrate_stdp_into_model,
        remove_plasticity,
        update_plasticity,
    )
    from .training import (
        ContinualLearningTrainer,
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
    "conversation": (
        "BiologicalTokenizer",
        "ConversationalLearner",
        "LLMTeacher",
        "PlasticLearnerConfig",
        "PlasticSNN",
        "ScriptedTeacher",
    ),
    "core": (
        "LEARNERS",
        "Learner",
        "PlasticishError",
        "inspect_checkpoint",
    ),
    "estimators": ("PlasticClassifier",),
    "memory": (
        "AssociativeCortex",
        "EpisodicMemoryBank",
        "TaskBuffer",
    ),
    "modulation": (
        "Acetylcholine",
        "Adenosine",
        "Dopamine",
        "MetaPlasticityController",
        "Norepinephrine",
    ),
    "sequence": ("PlasticMemory",),
    "spiking": (
        "AdaptiveSTDPRule",
        "BCMRule",
        "ClassicalSTDP",
        "ContinualLearningSTDP",
        "HebbRule",
        "HomeostaticSTDP",
        "LiquidSpikingConfig",
        "LiquidSpikingNetwork",
        "MetaPlasticLayer",
        "MetaPlasticNetwork",
        "OjaRule",
        "RewardModulatedSTDP",
        "STDPConv2d",
        "STDPLayer",
        "TripletSTDP",
        "enhanced_layers",
        "integrate_meta_plasticity",
        "integrate_stdp_into_model",
        "remove_plasticity",
        "update_plasticity",
    ),
    "training": (
        "ContinualLearningTrainer",
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
    "visualization": (
        "PlasticVisualizer",
        "TriarchicVisualizer",
        "denormalize_imagenet",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "LEARNERS",
    "Acetylcholine",
    "AdaptiveSTDPRule",
    "Adenosine",
    "AssociativeCortex",
    "BCMRule",
    "BiologicalTokenizer",
    "ClassicalSTDP",
    "ContinualLearningSTDP",
    "ContinualLearningTrainer",
    "ConversationalLearner",
    "Dopamine",
    "EpisodicMemoryBank",
    "FeatureCache",
    "HebbRule",
    "HomeostaticSTDP",
    "LLMTeacher",
    "Learner",
    "LiquidSpikingConfig",
    "LiquidSpikingNetwork",
    "MetaPlasticLayer",
    "MetaPlasticNetwork",
    "MetaPlasticityController",
    "NeuromodulatedBlock",
    "Norepinephrine",
    "OjaRule",
    "PhaseConfig",
    "PlasticBrain",
    "PlasticClassifier",
    "PlasticLearnerConfig",
    "PlasticMemory",
    "PlasticSNN",
    "PlasticTrainer",
    "PlasticVisualizer",
    "PlasticishError",
    "PretrainedEyes",
    "RewardModulatedSTDP",
    "STDPConv2d",
    "STDPLayer",
    "ScriptedTeacher",
    "TaskBuffer",
    "TrainingHistory",
    "TriarchicBrain",
    "TriarchicTrainer",
    "TriarchicVisualizer",
    "TripletSTDP",
    "add_noise",
    "blur_image",
    "denormalize_imagenet",
    "enhanced_layers",
    "inspect_checkpoint",
    "integrate_meta_plasticity",
    "integrate_stdp_into_model",
    "invert_colors",
    "invert_tensor",
    "remove_plasticity",
    "resume",
    "update_plasticity",
]


if not TYPE_CHECKING:  # a checker knows the names from above, and is to notice one that is wrong

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
