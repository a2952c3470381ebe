"""The contract of every learner, for those whose input is sequences."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from plasticish.core import LEARNERS, CheckpointError, DataError, DTypeError, Learner

from .sequences import SEQUENCES, STREAM, answers, differences, fingerprints, live, snapshot


@pytest.fixture(params=sorted(SEQUENCES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(name: str) -> Callable[[int], Any]:
    return SEQUENCES[name]


@pytest.fixture
def learner(make: Callable[[int], Any]) -> Any:
    """A learner in the middle of its life: it has slept, and learned more since."""
    return live(make(0))


def test_it_speaks_the_protocol(name: str, learner: Any) -> None:
    assert type(learner) is LEARNERS[name]
    assert isinstance(learner, Learner)
    assert learner.kind == name
    json.dumps(learner.stats(), allow_nan=False)
    json.dumps(learner.config(), allow_nan=False)


@pytest.mark.parametrize("upto", range(1, len(STREAM) + 1))
def test_answers_change_nothing(make: Callable[[int], Any], upto: int) -> None:
    learner = live(make(0), STREAM[:upto])
    before, stats = snapshot(learner), dict(learner.stats())
    first = answers(learner)
    assert answers(learner) == first
    assert not differences(learner, before)
    assert learner.stats() == stats


def test_being_asked_does_not_change_what_is_learned(make: Callable[[int], Any]) -> None:
    asked = make(0)
    for batch in STREAM:
        live(asked, (batch,))
        answers(asked)
    assert not differences(asked, live(make(0)))


def test_learning_leaves_its_input_alone_and_keeps_no_hold_of_it(
    make: Callable[[int], Any],
) -> None:
    learner, batch = make(0), [[1, 2, 3], [1, 2]]
    learner.learn(batch)
    assert batch == [[1, 2, 3], [1, 2]]
    before = snapshot(learner)
    batch[0].clear()
    batch.clear()
    assert not differences(learner, before)


def test_two_learners_never_share_memory(make: Callable[[int], Any], learner: Any) -> None:
    twin = make(0)
    twin.import_state(learner.export_state())
    before = snapshot(learner)
    live(twin)
    assert not differences(learner, before)


def test_same_seed_same_bits_whatever_the_global_generators_do(make: Callable[[int], Any]) -> None:
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)  # noqa: NPY002
        made.append(live(make(5)))
    assert not differences(*made)


def test_another_process_gets_the_same_bits() -> None:
    code = "import json; from sequences import fingerprints; print(json.dumps(fingerprints()))"
    environment = {**os.environ, "PYTHONHASHSEED": "13", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert json.loads(done.stdout) == fingerprints()


def test_a_batch_of_one_is_enough(make: Callable[[int], Any]) -> None:
    alone, together = make(0), make(0)
    words = [word for batch in STREAM if batch for word in batch]
    for word in words:
        alone.learn([word])
    together.learn(words)
    assert not differences(alone, together)


def test_a_second_sleep_changes_nothing(learner: Any) -> None:
    learner.sleep()
    before, said = snapshot(learner), answers(learner)
    learner.sleep()
    assert not differences(learner, before)
    assert answers(learner) == said


BAD: dict[str, tuple[Any, type[Exception], str]] = {
    "no sequence": ([], DataError, "no sequence"),
    "empty": (["ava", ""], DataError, "sequence 1 is empty"),
    "other kind": (["ava", b"ava"], DTypeError, "another kind"),
    "a number": ([7], DTypeError, "no usable type"),
    "not iterable": (7, DTypeError, "no sequences"),
    "nothing": (None, DTypeError, "no sequences"),
}


@pytest.mark.parametrize("newborn", [False, True])
@pytest.mark.parametrize("bad", BAD)
def test_bad_batches_are_refused_whole(make: Callable[[int], Any], bad: str, newborn: bool) -> None:
    learner = make(0) if newborn else live(make(0))
    sequences, error, text = BAD[bad]
    before, stats = snapshot(learner), dict(learner.stats())
    with pytest.raises(error, match=text):
        learner.learn(sequences)
    assert not differences(learner, before)
    assert learner.stats() == stats


def test_a_loaded_learner_goes_on_bit_for_bit(make: Callable[[int], Any], tmp_path: Path) -> None:
    learner = make(0)
    saved = [learner.save(tmp_path / "0")]
    for i, batch in enumerate(STREAM):
        live(learner, (batch,))
        saved.append(learner.save(tmp_path / str(i + 1)))
    for i, path in enumerate(saved):
        loaded = live(type(learner).load(path), STREAM[i:])
        assert not differences(loaded, learner), f"loaded after {i} steps"
        assert answers(loaded) == answers(learner)
        assert loaded.stats() == learner.stats()
        assert loaded.config() == learner.config()


def alter(path: Path, **fields: Any) -> None:
    manifest = json.loads((path / "checkpoint.json").read_text())
    (path / "checkpoint.json").write_text(json.dumps({**manifest, **fields}))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"state": {}}, "does not fit"),
        ({"config": {"wheels": 4}}, "does not fit"),
        ({"config": {"experts": "plain"}}, "does not fit"),
        ({"kind": "painter"}, "another kind of learner"),
        ({"format": "other"}, "is a foreign folder"),
        ({"format_version": 99}, "from a newer plasticish"),
    ],
)
def test_foreign_checkpoints_are_refused_by_name(
    learner: Any, tmp_path: Path, fields: dict[str, Any], text: str
) -> None:
    path = learner.save(tmp_path / "it")
    alter(path, **fields)
    with pytest.raises(CheckpointError, match=text):
        type(learner).load(path)
