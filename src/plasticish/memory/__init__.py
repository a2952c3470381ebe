"""What is kept, and in which form: the fast store of single examples and the slow store of sums.

Here live the episodic bank with its similarity, search and eviction, the associative cortex with
its expansion and its sums, the buffer of examples for replay, and the importance of a module's
weights with the springs that hold them. Nothing here looks at an image, and nothing here trains.
"""

from .coactivity import Moments
from .cortex import AssociativeCortex
from .elastic import ElasticWeights
from .episodic import MEMORIES, EpisodicMemoryBank
from .eviction import Eviction
from .fisher import fisher_diagonal
from .recall import Recall
from .task_buffer import Replay, TaskBuffer

__all__ = [
    "MEMORIES",
    "AssociativeCortex",
    "ElasticWeights",
    "EpisodicMemoryBank",
    "Eviction",
    "Moments",
    "Recall",
    "Replay",
    "TaskBuffer",
    "fisher_diagonal",
]
