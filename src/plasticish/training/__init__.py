"""Curricula: phases, trainers, their history, callbacks, and runs that survive being killed.

Nothing here learns by itself or draws by itself: brains come from :mod:`plasticish.vision` or
from a user, continual learners of any torch module from :mod:`plasticish.spiking`, figures from
:mod:`plasticish.visualization`.
"""

from ..data import add_noise, blur_image, invert_colors, invert_tensor
from .callbacks import Callback, ScalarCallback
from .continual import ContinualLearningTrainer, TaskEvaluation
from .evaluation import Evaluation
from .history import TrainingHistory
from .loaders import TransformedLoader
from .phase import PhaseConfig
from .plastic import PlasticTrainer
from .resumable import inspect_run
from .resume import resume
from .sharded import ShardedTrainer
from .summary import summarise
from .task_matrix import TaskMatrix
from .tensorboard_callback import TensorBoardCallback
from .trainer import Trainer
from .triarchic import TriarchicTrainer
from .wandb_callback import WandbCallback

__all__ = [
    "Callback",
    "ContinualLearningTrainer",
    "Evaluation",
    "PhaseConfig",
    "PlasticTrainer",
    "ScalarCallback",
    "ShardedTrainer",
    "TaskEvaluation",
    "TaskMatrix",
    "TensorBoardCallback",
    "Trainer",
    "TrainingHistory",
    "TransformedLoader",
    "TriarchicTrainer",
    "WandbCallback",
    "add_noise",
    "blur_image",
    "inspect_run",
    "invert_colors",
    "invert_tensor",
    "resume",
    "summarise",
]
