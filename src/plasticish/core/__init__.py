"""What every other package stands on, and nothing that learns.

Errors, input checks, seeds, devices, progress, engines that spread work over workers, the
:class:`Learner` protocol with its registry, and checkpoints. Nothing here knows an image, a spike
or a symbol.
"""

from .atomic import make_folder, sole_owner, sync_folder, write_atomically
from .batches import as_batches, as_pair
from .checkpoint import Checkpoint, inspect_checkpoint, load_checkpoint, save_checkpoint
from .clock import forward
from .device import DeviceLike, resolve_device
from .engines import ENGINES, Engine, SequentialEngine, WorkerError, make_engine
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
from .processes import ProcessEngine
from .progress import progress_enabled, quiet, track
from .ray_engine import RayEngine
from .registry import LEARNERS, Registry
from .seeds import make_generator, spawn_seed
from .threads import one_thread
from .validate import ArrayLike, check_features, check_images, check_labels, check_positive

__all__ = [
    "ENGINES",
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
    "Engine",
    "LabelError",
    "Learner",
    "MissingExtraError",
    "NotReadyError",
    "Persistent",
    "PlasticishError",
    "ProcessEngine",
    "RayEngine",
    "Registry",
    "Report",
    "SequentialEngine",
    "ShapeError",
    "State",
    "WorkerError",
    "as_batches",
    "as_pair",
    "check_features",
    "check_images",
    "check_labels",
    "check_positive",
    "forward",
    "import_extra",
    "inspect_checkpoint",
    "load_checkpoint",
    "make_engine",
    "make_folder",
    "make_generator",
    "one_thread",
    "progress_enabled",
    "quiet",
    "resolve_device",
    "save_checkpoint",
    "sole_owner",
    "spawn_seed",
    "sync_folder",
    "track",
    "write_atomically",
]
