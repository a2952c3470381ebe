"""What is kept, and in which form: the fast store of single examples and the slow store of sums.

Here live the episodic bank with its similarity, search and eviction. Nothing here looks at an
image, and no gradient is taken.
"""

from .episodic import EpisodicMemoryBank
from .eviction import Eviction
from .recall import Recall

__all__ = ["EpisodicMemoryBank", "Eviction", "Recall"]
