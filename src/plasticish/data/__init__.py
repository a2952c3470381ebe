"""Where examples come from: data sets, the streams cut from them, and the weather on them.

Here live readers of files, splits, tasks, batches and image transforms. Nothing here learns, and
nothing here sees: images leave as pixels, and the eyes (``plasticish.vision``) turn them into
features.
"""

from .bodies import Body, CartPole, CartPolePhysics, Pendulum, PendulumPhysics, Physics
from .characters import TURN_END, UNKNOWN, Alphabet
from .chitchat import load_chitchat
from .cifar10 import load_cifar10
from .decency import is_fit_to_learn
from .demonstrations import FAMILIES, BodyTask, demonstrations, robotics_tasks
from .dialogue import Conversation, load_dialogue, pairs
from .digits import load_digits
from .download import cache_folder
from .experts import Expert, expert
from .fashion import load_fashion, read_idx
from .folder import SkippedImagesWarning, load_folder
from .image import read_image
from .labelled import LabelledSet, Source, Task
from .names import load_first_names, load_surnames
from .next_character import next_character_tasks, split_conversations
from .senses import Senses, sense_width
from .source import SOURCES, LoadOptions, load_source
from .split import few_shot, stratified_split
from .streams import (
    CIFAR10_ANIMALS,
    CIFAR10_VEHICLES,
    BatchLoader,
    batches,
    class_phases,
    class_splits,
    transformed_task,
)
from .transforms import add_noise, blur_image, invert_colors, invert_tensor

__all__ = [
    "CIFAR10_ANIMALS",
    "CIFAR10_VEHICLES",
    "FAMILIES",
    "SOURCES",
    "TURN_END",
    "UNKNOWN",
    "Alphabet",
    "BatchLoader",
    "Body",
    "BodyTask",
    "CartPole",
    "CartPolePhysics",
    "Conversation",
    "Expert",
    "LabelledSet",
    "LoadOptions",
    "Pendulum",
    "PendulumPhysics",
    "Physics",
    "Senses",
    "SkippedImagesWarning",
    "Source",
    "Task",
    "add_noise",
    "batches",
    "blur_image",
    "cache_folder",
    "class_phases",
    "class_splits",
    "demonstrations",
    "expert",
    "few_shot",
    "invert_colors",
    "invert_tensor",
    "is_fit_to_learn",
    "load_chitchat",
    "load_cifar10",
    "load_dialogue",
    "load_digits",
    "load_fashion",
    "load_first_names",
    "load_folder",
    "load_source",
    "load_surnames",
    "next_character_tasks",
    "pairs",
    "read_idx",
    "read_image",
    "robotics_tasks",
    "sense_width",
    "split_conversations",
    "stratified_split",
    "transformed_task",
]
