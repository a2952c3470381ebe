"""Every registered learner: it is saved after every step of a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from plasticish.core import LEARNERS, CheckpointError, spawn_seed

from ..small_learners import LESSONS, SMALL, WORDS, make_small, rows
from ._killing import Course, Place, Tell, Victim, digest_of

__all__ = ["LEARNER_VICTIMS", "LearnerVictim"]

ROWS, STEPS, SLEEP_EVERY = 16, 24, 6


def _batch(taken: str, step: int) -> Any:
    """Return what is learned in a step; None is a sleep."""
    if step % SLEEP_EVERY == SLEEP_EVERY - 1:
        return None
    if taken == "rows":
        return rows(ROWS, spawn_seed(1, step))
    several, size = (WORDS, 3) if taken == "words" else (LESSONS, 2)
    return list(islice(cycle(several), size * step, size * (step + 1)))


class LearnerVictim(Victim):
    """A learner that learns, sleeps now and then, and is saved after every step.

    It does not know itself how many steps it took; who saves it would. Here that is told from its
    state, which differs from step to step.
    """

    def __init__(self, name: str, make: Callable[[], Any], taken: str) -> None:
        self.name, self.make, self.taken = name, make, taken

    def run(self, folder: Path, tell: Tell, course: Course) -> None:
        """Go on from the step that the state in the folder belongs to."""
        try:
            learner, done = self.read(folder)
            place = course.place_of(done)
            assert place is not None, "a state that no step leads to"
            begun = place[0]
        except CheckpointError:
            learner, begun = self.make(), 0
        for step in range(begun, STEPS):
            batch = _batch(self.taken, step)
            if batch is None:
                learner.sleep()
            else:
                learner.learn(batch)
            learner.save(folder)
            tell((step + 1,))

    def read(self, folder: Path) -> tuple[Any, str]:
        """Return the learner in a folder, and a digest of its state."""
        learner: Any = LEARNERS[self.name]
        learner = learner.load(folder)
        state = learner.export_state()
        return learner, digest_of(state.values, state.tensors)

    def look(self, folder: Path) -> tuple[Place | None, str]:
        """Load it."""
        return None, self.read(folder)[1]


LEARNER_VICTIMS: Mapping[str, Callable[[], Victim]] = {
    name: partial(LearnerVictim, name, partial(make_small, name), taken)
    for name, (_, taken) in SMALL.items()
}
"""Every learner of the registry, small."""
