"""Spikes, and any torch module: layers that learn by local rules, and a liquid spiking network.

Rules as objects (:class:`PlasticityRule`) over the pure functions of :mod:`plasticish.rules`,
thin ``nn.Module`` shells that keep their state in buffers, the network, and what adds local
learning to any model. No training loop and no data set lives here.
"""

from .adaptive_rule import AdaptiveSTDPRule
from .cfc import CfC
from .continual import ContinualLearningSTDP
from .convolution import STDPConv2d
from .delta_rule import DeltaRule
from .encoders import ENCODERS
from .heads import ClassificationHead, ControlHead, SequenceHead
from .hybrid import HybridBlock
from .integration import (
    enhanced_layers,
    integrate_meta_plasticity,
    integrate_stdp_into_model,
    plasticity_factors,
    remove_plasticity,
    update_plasticity,
)
from .layer import STDPLayer
from .local_learning import LayerFactors
from .meta_layer import MetaPlasticLayer
from .meta_network import MetaPlasticNetwork
from .models import MLP, MODELS, build_model
from .network import LiquidSpikingNetwork, NetworkState
from .network_config import LiquidSpikingConfig
from .neurons import LIF, LIFParameters, LIFState
from .plasticity_rule import RULES, PlasticityRule, RuleObject, rule_from_dict
from .plasticity_state import export_plasticity, import_plasticity
from .rate_rules import BCMRule, HebbRule, OjaRule
from .stdp_rules import ClassicalSTDP, HomeostaticSTDP, RewardModulatedSTDP, TripletSTDP
from .surrogate import SURROGATES

__all__ = [
    "ENCODERS",
    "LIF",
    "MLP",
    "MODELS",
    "RULES",
    "SURROGATES",
    "AdaptiveSTDPRule",
    "BCMRule",
    "CfC",
    "ClassicalSTDP",
    "ClassificationHead",
    "ContinualLearningSTDP",
    "ControlHead",
    "DeltaRule",
    "HebbRule",
    "HomeostaticSTDP",
    "HybridBlock",
    "LIFParameters",
    "LIFState",
    "LayerFactors",
    "LiquidSpikingConfig",
    "LiquidSpikingNetwork",
    "MetaPlasticLayer",
    "MetaPlasticNetwork",
    "NetworkState",
    "OjaRule",
    "PlasticityRule",
    "RewardModulatedSTDP",
    "RuleObject",
    "STDPConv2d",
    "STDPLayer",
    "SequenceHead",
    "TripletSTDP",
    "build_model",
    "enhanced_layers",
    "export_plasticity",
    "import_plasticity",
    "integrate_meta_plasticity",
    "integrate_stdp_into_model",
    "plasticity_factors",
    "remove_plasticity",
    "rule_from_dict",
    "update_plasticity",
]
