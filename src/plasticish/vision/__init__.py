"""Learners that see: frozen eyes, and the plastic brains behind them.

Here live the eyes (pretrained, never learning), the cache of what they have seen, and the learners
of images. Not here: data sets and streams (``data``), memories as such (``memory``), trainers
(``training``), figures (``visualization``).
"""

from .backbones import EYES, Backbone
from .block import BLOCKS, NeuromodulatedBlock
from .brain import PlasticBrain
from .explanation import Explanation
from .eyes import PretrainedEyes
from .feature_cache import FeatureCache
from .storm import StormSense
from .triarchic import TriarchicBrain
from .triarchic_options import TriarchicOptions

__all__ = [
    "BLOCKS",
    "EYES",
    "Backbone",
    "Explanation",
    "FeatureCache",
    "NeuromodulatedBlock",
    "PlasticBrain",
    "PretrainedEyes",
    "StormSense",
    "TriarchicBrain",
    "TriarchicOptions",
]
