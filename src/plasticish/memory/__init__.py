"""What is kept, and in which form: the fast store of single examples and the slow store of sums.

Here live the episodic bank with its similarity, search and eviction, and the
associative cortex with its expansion and its sums. Nothing here looks at an
image, and no gradient is taken.
"""

from .coactivity import Moments
from .cortex import AssociativeCortex
from .episodic import EpisodicMemoryBank
from .eviction import Eviction
from .recall import Recall

__all__ = ["AssociativeCortex", "EpisodicMemoryBank", "Eviction", "Moments", "Recall"]
