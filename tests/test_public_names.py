"""The public names are pinned: adding one is a decision, losing one breaks users."""

import subprocess
import sys

import plasticish

PUBLIC = [
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


def test_names_are_pinned_and_load():
    assert plasticish.__all__ == PUBLIC
    assert all(getattr(plasticish, name) is not None for name in PUBLIC)
    assert set(PUBLIC) == set(plasticish._HOME)


def test_unknown_name_is_an_attribute_error():
    assert not hasattr(plasticish, "no_such_name")


def test_import_loads_nothing_heavy():
    code = "import sys, plasticish; print({'torch', 'matplotlib', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
