"""When and how much to change: neuromodulators, and the control of plasticity itself.

Small objects with an equation, a source and a state of their own. Nothing here touches a weight:
who listens to a modulator decides what its signal scales.
"""

from .acetylcholine import Acetylcholine, AcetylcholineParameters
from .adenosine import Adenosine, AdenosineParameters
from .controller_history import ControllerHistory
from .dopamine import Dopamine, delay_line
from .meta_history import MetaHistory
from .meta_plasticity import MetaPlasticityController
from .meta_policy import MetaPolicy
from .meta_training import PolicyLives
from .norepinephrine import Norepinephrine, NorepinephrineParameters
from .plasticity_factors import PlasticityFactors

__all__ = [
    "Acetylcholine",
    "AcetylcholineParameters",
    "Adenosine",
    "AdenosineParameters",
    "ControllerHistory",
    "Dopamine",
    "MetaHistory",
    "MetaPlasticityController",
    "MetaPolicy",
    "Norepinephrine",
    "NorepinephrineParameters",
    "PlasticityFactors",
    "PolicyLives",
    "delay_line",
]
