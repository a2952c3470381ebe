"""What every other package stands on, and nothing that learns.

Errors, input checks, seeds, devices, progress, the :class:`Learner` protocol with its registry,
and checkpoints. Nothing here knows an image, a spike or a symbol.
"""

from .atomic import write_atomically
from .batches import as_batches, as_pair
from .checkpoint import Checkpoint, inspect_checkpoint, load_checkpoint, save_checkpoint
from .device import DeviceLike, resolve_device
from .errors import (
    CheckpointError,
    ConfigError,
    DataError,
    DownloadError,
    DTypeError,
    LabelError,
    MissingExtraError,
    NotReadyError,
    PlasticishError,
    ShapeError,
)
from .learner import Batch, Learner, Report
from .optional import import_extra
from .persistent import Persistent, State
from .progress import progress_enabled, quiet, track
from .registry import LEARNERS, Registry
from .seeds import make_generator, spawn_seed
from .validate import ArrayLike, check_features, check_images, check_labels, check_positive

__all__ = [
    "LEARNERS",
    "ArrayLike",
    "Batch",
    "Checkpoint",
    "CheckpointError",
    "ConfigError",
    "DTypeError",
    "DataError",
    "DeviceLike",
    "DownloadError",
    "LabelError",
    "Learner",
    "MissingExtraError",
    "NotReadyError",
    "Persistent",
    "PlasticishError",
    "Registry",
    "Report",
    "ShapeError",
    "State",
    "as_batches",
    "as_pair",
    "check_features",
    "check_images",
    "check_labels",
    "check_positive",
    "import_extra",
    "inspect_checkpoint",
    "load_checkpoint",
    "make_generator",
    "progress_enabled",
    "quiet",
    "resolve_device",
    "save_checkpoint",
    "spawn_seed",
    "track",
    "write_atomically",
]
