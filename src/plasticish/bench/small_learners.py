"""Every registered learner at a size that is made, saved and loaded in no time, and what it takes.

Neither how well nor how fast they learn is measured with them; what is done to them is what counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from plasticish.core import LEARNERS, make_generator

__all__ = ["CLASSES", "LESSONS", "SMALL", "WIDTH", "WORDS", "make_small", "rows"]

WIDTH, CLASSES = 12, 4
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


def make_small(name: str, **changes: Any) -> Any:
    """Return a newborn of the registered name; ``changes`` are arguments that differ."""
    learner: Any = LEARNERS[name]
    return learner(**{**SMALL[name][0], **changes})


def rows(count: int, seed: int, labels: Sequence[int] = range(CLASSES)) -> tuple[Tensor, Tensor]:
    """Return noisy points around one centre a class, and their labels."""
    generator = make_generator(seed)
    centres = 3 * torch.randn(CLASSES, WIDTH, generator=make_generator(99))
    y = torch.tensor(list(labels))[torch.randint(len(labels), (count,), generator=generator)]
    return centres[y] + 0.5 * torch.randn(count, WIDTH, generator=generator), y
