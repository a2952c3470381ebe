"""Every registered learner: it is saved after every step of a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch

from plasticish.core import LEARNERS, CheckpointError, make_generator, spawn_seed

from ._killing import Course, Place, Tell, Victim, digest_of

__all__ = ["LEARNER_VICTIMS", "WIDTH", "LearnerVictim", "rows"]

WIDTH, CLASSES, ROWS = 12, 4, 16
STEPS, SLEEP_EVERY = 24, 6
_BLOCKS = {"hidden_dim": 32, "sparsity_k": 6, "expansion": 24}
_MLP = {"kind": "mlp", "sizes": [WIDTH, 16, CLASSES]}

# Constructor arguments for small ones; what they take is the second.
SMALL: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "associative_cortex": ({"in_dim": WIDTH, "expansion": 24}, "rows"),
    "continual_learner": (
        {"model": _MLP, "use_meta_plasticity": True, "buffer": {"capacity": 20}},
        "rows",
    ),
    "conversational_learner": ({"config": {"n_neurons": 1024}}, "lessons"),
    "episodic_memory": ({"input_dim": WIDTH, "memory_size": 50, "k_neighbors": 5}, "rows"),
    "meta_plastic_network": ({"layer_sizes": [WIDTH, 64, CLASSES], "hidden_dim": 8}, "rows"),
    "plastic_brain": ({"in_dim": WIDTH, "num_layers": 2, "memory_size": 200, **_BLOCKS}, "rows"),
    "plastic_classifier": ({**_BLOCKS, "sleep_every": None}, "rows"),
    "plastic_memory": ({"max_synapses": 1500}, "words"),
    "recognising_memory": ({"max_synapses": 1500}, "words"),
    "triarchic_brain": (
        {"in_size": WIDTH, "hidden_size": 64, "out_size": CLASSES, "sparsity_k": 4},
        "rows",
    ),
}

WORDS = (
    "emma", "emily", "olivia", "ava", "isabella", "sophia", "mia", "zoe", "zara", "emilia",
    "amelia", "ella", "anna", "hannah", "otto", "noah", "liam", "lucas", "mason", "logan", "ethan",
    "jacob", "oliver", "elijah",
)  # fmt: skip
LESSONS = (
    ("hello", "Hi there!"), ("what is your name", "I am new here."),
    ("do you like tea", "Only with milk."), ("where do you live", "In a folder."),
    ("Привет", "Привет! 🙂"), ("who are you", "A learner."), ("can you sing", "I can hum."),
)  # fmt: skip


def rows(count: int, seed: int, labels: Sequence[int] = range(CLASSES)) -> tuple[Any, Any]:
    """Return noisy points around one centre a class, and their labels."""
    generator = make_generator(seed)
    centres = 3 * torch.randn(CLASSES, WIDTH, generator=make_generator(99))
    y = torch.tensor(list(labels))[torch.randint(len(labels), (count,), generator=generator)]
    return centres[y] + 0.5 * torch.randn(count, WIDTH, generator=generator), y


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


def _make(name: str) -> Any:
    learner: Any = LEARNERS[name]
    return learner(**SMALL[name][0])


LEARNER_VICTIMS: Mapping[str, Callable[[], Victim]] = {
    name: partial(LearnerVictim, name, partial(_make, name), taken)
    for name, (_, taken) in SMALL.items()
}
"""Every learner of the registry, small."""
