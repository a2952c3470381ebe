"""The contract of every learner, for those that talk."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from plasticish.core import LEARNERS, CheckpointError, DataError, DTypeError, Learner

from .sequences import differences, snapshot
from .talkers import LESSONS, TALKERS, answers, fingerprint, live


@pytest.fixture(params=sorted(TALKERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def learner(name: str) -> Any:
    """A learner in the middle of its life: it has slept, and learned more since."""
    return live(TALKERS[name]())


def test_it_speaks_the_protocol(name: str, learner: Any) -> None:
    assert type(learner) is LEARNERS[name]
    assert isinstance(learner, Learner)
    assert learner.kind == name
    json.dumps(learner.stats(), allow_nan=False)
    json.dumps(learner.config(), allow_nan=False)


def test_what_was_taught_is_answered(learner: Any) -> None:
    assert learner.predict("what is your name") == "I am new here."
    assert learner.predict("Привет") == "Привет! 🙂"


def test_answers_change_nothing(name: str) -> None:
    asked = TALKERS[name]()
    for lessons in LESSONS:
        live(asked, (lessons,))
        before, stats = snapshot(asked), dict(asked.stats())
        assert answers(asked) == answers(asked)
        assert not differences(asked, before)
        assert asked.stats() == stats
    assert not differences(asked, live(TALKERS[name]()))


def test_learning_keeps_no_hold_of_its_input(name: str) -> None:
    learner, batch = TALKERS[name](), [("a cup of tea", "Here you are.")]
    learner.learn(batch)
    assert batch == [("a cup of tea", "Here you are.")]
    before = snapshot(learner)
    batch.clear()
    assert not differences(learner, before)


def test_same_bits_whatever_the_global_generators_do(name: str) -> None:
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)  # noqa: NPY002
        made.append(fingerprint(name))
    assert made[0] == made[1]


def test_a_batch_of_one_is_enough(name: str) -> None:
    alone, together = TALKERS[name](), TALKERS[name]()
    lessons = [pair for part in LESSONS if part for pair in part]
    for pair in lessons:
        alone.learn([pair])
    together.learn(lessons)
    assert not differences(alone, together)


def test_a_second_sleep_changes_nothing(learner: Any) -> None:
    learner.sleep()
    before, said = snapshot(learner), answers(learner)
    learner.sleep()
    assert not differences(learner, before)
    assert answers(learner) == said


BAD: dict[str, tuple[Any, type[Exception]]] = {
    "nothing": (None, DTypeError),
    "no lesson": ([], DataError),
    "a text": ("hello", DTypeError),
    "a number": ([("hello", 7)], DTypeError),
    "three": ([("a", "b"), ("a", "b", "c")], DTypeError),
    "blank": ([("hello", "hi"), ("  ", "hi")], DataError),
    "control characters": ([("hello", "\x1b[2J")], DataError),
    "too long": ([("hello", "x" * 100_001)], DataError),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_lessons_are_refused_whole(name: str, bad: str) -> None:
    lessons, error = BAD[bad]
    learner = live(TALKERS[name]())
    before, stats = snapshot(learner), dict(learner.stats())
    with pytest.raises(error):
        learner.learn(lessons)
    assert not differences(learner, before)
    assert learner.stats() == stats


def test_a_loaded_learner_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    learner = TALKERS[name]()
    saved = [learner.save(tmp_path / "0")]
    for i, lessons in enumerate(LESSONS):
        live(learner, (lessons,))
        saved.append(learner.save(tmp_path / str(i + 1)))
    for i, path in enumerate(saved):
        loaded = live(type(learner).load(path), LESSONS[i:])
        assert not differences(loaded, learner), f"loaded after {i} steps"
        assert answers(loaded) == answers(learner)
        # How much room tables have is no part of what was learned.
        assert {**loaded.stats(), "megabytes": 0} == {**learner.stats(), "megabytes": 0}
        assert loaded.config() == learner.config()


@pytest.mark.parametrize(
    "fields",
    [{"state": {}}, {"kind": "painter"}, {"format": "other"}, {"format_version": 99}],
    ids=["state", "kind", "format", "version"],
)
def test_foreign_checkpoints_are_refused(
    learner: Any, tmp_path: Path, fields: dict[str, Any]
) -> None:
    path = learner.save(tmp_path / "it")
    manifest = json.loads((path / "checkpoint.json").read_text())
    (path / "checkpoint.json").write_text(json.dumps({**manifest, **fields}))
    with pytest.raises(CheckpointError):
        type(learner).load(path)
