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

from sklearn.exceptions import NotFittedError

from plasticish.conversation import PlasticLearnerConfig
from plasticish.core import LEARNERS, PlasticishError, inspect_checkpoint, load_checkpoint

from ..small_learners import SMALL, make_small, rows
from .mutation import join, split
from .readers import reader

__all__ = ["TALKER", "lay_sealed", "sealed_parts"]

MANIFEST, ROWS = "checkpoint.json", 12
TALKER = PlasticLearnerConfig(n_neurons=128, initial_connectivity=0.5)

Factory = Callable[[], Any]
Work = Callable[[Any, bool], None]


def _work_on_rows(learner: Any, sleeps: bool) -> None:
    x, y = rows(ROWS, seed=1)
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


def _lived(make: Factory, lesson: Any, folder: Path) -> Iterator[bytes]:
    learner = make()
    learner.save(folder / "newborn")
    yield sealed_parts(folder / "newborn")
    learner.learn(lesson)
    learner.sleep()
    learner.save(folder / "taught")
    yield sealed_parts(folder / "taught")


def _load_and_work(name: str, work: Work, data: bytes, folder: Path) -> None:
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


# What each is taught and how it is put to work, by what it takes.
_LIVES: dict[str, tuple[Any, Work]] = {
    "rows": (rows(ROWS, seed=1), _work_on_rows),
    "words": (["emma", "emily", "ava"], _work_on_words),
    "lessons": ([("hello", "hi there")], _talk),
}
_CHANGES: dict[str, dict[str, Any]] = {"conversational_learner": {"config": TALKER}}


def _register() -> None:
    for name, (_, taken) in SMALL.items():
        lesson, work = _LIVES[taken]
        make = partial(make_small, name, **_CHANGES.get(name, {}))
        load = partial(_load_and_work, name, work)
        reader(name.replace("_", " "), partial(_lived, make, lesson), parts=2)(load)


_register()


def _as_it_lies(folder: Path) -> Iterator[bytes]:
    bank = make_small("episodic_memory")
    bank.learn(rows(ROWS, seed=1))
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
