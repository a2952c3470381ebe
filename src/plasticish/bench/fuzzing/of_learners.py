"""Checkpoints: as they lie on the disk, and of every learner with checksums that fit again.

A checksum stops what was damaged and not what was forged: whoever alters a checkpoint can seal it
anew. So most of these inputs are sealed, and a learner that loads is put to work. Loading it has to
end well or in a documented error. What a learner says whose contents were forged is its forger's
affair, and may be any exception of Python; but it may not take the process down, hang, take memory
or write elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from sklearn.exceptions import NotFittedError

from plasticish.conversation import ConversationalLearner, PlasticLearnerConfig
from plasticish.core import (
    LEARNERS,
    PlasticishError,
    inspect_checkpoint,
    load_checkpoint,
    make_generator,
)
from plasticish.estimators import PlasticClassifier
from plasticish.memory import AssociativeCortex, EpisodicMemoryBank
from plasticish.sequence import PlasticMemory, RecognisingMemory
from plasticish.spiking import ContinualLearningSTDP, MetaPlasticNetwork
from plasticish.vision import PlasticBrain, TriarchicBrain

from .mutation import join, split
from .readers import reader

__all__ = ["lay_sealed", "sealed_parts"]

MANIFEST = "checkpoint.json"
WIDTH, CLASSES = 6, 3
_BLOCKS: dict[str, Any] = {"hidden_dim": 12, "sparsity_k": 4, "expansion": 12}

Factory = Callable[[], Any]
_VECTORS: dict[str, Factory] = {
    "plastic_brain": lambda: PlasticBrain(WIDTH, num_layers=2, memory_size=30, seed=0, **_BLOCKS),
    "triarchic_brain": lambda: TriarchicBrain(WIDTH, 32, CLASSES, 4, seed=0),
    "episodic_memory": lambda: EpisodicMemoryBank(WIDTH, memory_size=30, k_neighbors=3, seed=0),
    "associative_cortex": lambda: AssociativeCortex(WIDTH, 12, seed=0),
    "continual_learner": lambda: ContinualLearningSTDP(
        {"kind": "mlp", "sizes": [WIDTH, 8, CLASSES]},
        use_meta_plasticity=True,
        buffer={"capacity": 10, "policy": "class_balanced", "distinct": True},
    ),
    "plastic_classifier": lambda: PlasticClassifier(**_BLOCKS, sleep_every=None, random_state=0),
    "meta_plastic_network": lambda: MetaPlasticNetwork([WIDTH, 16, CLASSES], hidden_dim=4, seed=0),
}
_SEQUENCES: dict[str, Factory] = {
    "plastic_memory": lambda: PlasticMemory(max_synapses=1000),
    "recognising_memory": lambda: RecognisingMemory(max_synapses=1000),
}
_TALKERS: dict[str, Factory] = {
    "conversational_learner": lambda: ConversationalLearner(
        PlasticLearnerConfig(n_neurons=128, initial_connectivity=0.5)
    ),
}


def _rows() -> tuple[torch.Tensor, torch.Tensor]:
    generator = make_generator(1)
    return torch.randn(12, WIDTH, generator=generator), torch.arange(12) % CLASSES


def _work_on_rows(learner: Any, sleeps: bool) -> None:
    x, y = _rows()
    with suppress(PlasticishError, NotFittedError):  # a newborn has nothing to say
        learner.predict(x)
    learner.learn((x[:4], y[:4]))
    if sleeps:
        learner.sleep()
    learner.predict(x[:2])


def _work_on_words(learner: Any, sleeps: bool) -> None:
    with suppress(PlasticishError):
        learner.predict("em")
        learner.log_likelihood(["emma", "zoe"])
    learner.learn(["emil", "ava"])
    if sleeps:
        learner.sleep(1)
    list(learner.sequences())
    learner.generate(1, "e")


def _talk(learner: Any, sleeps: bool) -> None:
    learner.predict("hello")
    learner.learn([("who are you", "a learner")])
    if sleeps:
        learner.sleep()
    learner.predict("who are you")


def sealed_parts(folder: Path) -> bytes:
    """Return a checkpoint as an input: its manifest and its arrays."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    arrays = (folder / manifest["tensors"]["file"]).read_bytes()
    return join(json.dumps(manifest).encode(), arrays)


def lay_sealed(data: bytes, folder: Path) -> None:
    """Write what :func:`sealed_parts` returned and was altered since, with fitting checksums."""
    text, arrays = split(data, 2)
    digest = hashlib.sha256(arrays).hexdigest()
    name = f"tensors-{digest[:16]}.safetensors"
    # Where it is no JSON, or no mapping, there is nothing to seal.
    with suppress(ValueError, TypeError, RecursionError):
        manifest = json.loads(text)
        manifest["tensors"] = {"file": name, "bytes": len(arrays), "sha256": digest}
        text = json.dumps(manifest).encode()
    folder.mkdir(exist_ok=True)
    (folder / MANIFEST).write_bytes(text)
    (folder / name).write_bytes(arrays)


def _lived(make: Factory, teach: Callable[[Any], object], folder: Path) -> Iterator[bytes]:
    learner = make()
    learner.save(folder / "newborn")
    yield sealed_parts(folder / "newborn")
    teach(learner)
    learner.sleep()
    learner.save(folder / "taught")
    yield sealed_parts(folder / "taught")


def _load_and_work(name: str, work: Callable[[Any, bool], None], data: bytes, folder: Path) -> None:
    lay_sealed(data, folder / "it")
    kind: Any = LEARNERS[name]
    learner = kind.from_pretrained(folder / "it")
    try:
        # A sleep costs more than all the rest: every eighth of them sleeps.
        work(learner, len(data) % 8 == 0)
    except MemoryError:
        raise
    except Exception:
        return


def _register(
    factories: dict[str, Factory], teach: Callable[[Any], object], work: Callable[[Any, bool], None]
) -> None:
    for name, make in factories.items():
        load = partial(_load_and_work, name, work)
        reader(name.replace("_", " "), partial(_lived, make, teach), parts=2)(load)


_register(_VECTORS, lambda learner: learner.learn(_rows()), _work_on_rows)
_register(_SEQUENCES, lambda learner: learner.learn(["emma", "emily", "ava"]), _work_on_words)
_register(_TALKERS, lambda learner: learner.learn([("hello", "hi there")]), _talk)


def _as_it_lies(folder: Path) -> Iterator[bytes]:
    bank = EpisodicMemoryBank(WIDTH, memory_size=30, k_neighbors=3, seed=0)
    bank.learn(_rows())
    bank.save(folder / "it")
    name = json.loads((folder / "it" / MANIFEST).read_bytes())["tensors"]["file"]
    manifest, arrays = ((folder / "it" / one).read_bytes() for one in (MANIFEST, name))
    yield join(name.encode(), manifest, arrays)
    elsewhere = manifest.replace(name.encode(), b"../../../../etc/passwd")
    yield join(name.encode(), elsewhere, arrays)
    terabytes = b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    yield join(name.encode(), manifest, len(terabytes).to_bytes(8, "little") + terabytes)


@reader("checkpoint", _as_it_lies, parts=3)
def _checkpoint(data: bytes, folder: Path) -> None:
    name, manifest, arrays = split(data, 3)
    (folder / MANIFEST).write_bytes(manifest)
    # Where its name is none, the file that the manifest names is missing.
    with suppress(UnicodeDecodeError, OSError):
        place = folder / name.decode().replace("/", "").replace("\0", "")[:100]
        place.write_bytes(arrays)
    try:
        inspect_checkpoint(folder)
    finally:
        load_checkpoint(folder)
