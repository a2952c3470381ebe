"""Where examples come from: data sets, the streams cut from them, and the weather on them.

Here live readers of files, splits, tasks, batches and image transforms. Nothing here learns, and
nothing here sees: images leave as pixels, and the eyes (``plasticish.vision``) turn them into
features.
"""

from .digits import load_digits
from .labelled import LabelledSet, Source, Task
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
    "BatchLoader",
    "LabelledSet",
    "Source",
    "Task",
    "add_noise",
    "batches",
    "blur_image",
    "class_phases",
    "class_splits",
    "few_shot",
    "invert_colors",
    "invert_tensor",
    "load_digits",
    "stratified_split",
    "transformed_task",
]
