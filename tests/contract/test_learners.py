"""One contract for every learner: pure answers, whole refusals, same bits, safe checkpoints."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from plasticish.core import (
    LEARNERS,
    CheckpointError,
    DataError,
    DTypeError,
    LabelError,
    Learner,
    ShapeError,
)

from .learners import (
    CASES,
    CLASSES,
    STREAM,
    WIDTH,
    Case,
    answers,
    differences,
    examples,
    fingerprints,
    live,
    snapshot,
)
from .sequences import SEQUENCES
from .talkers import TALKERS

NAN, INF = float("nan"), float("inf")
X, Y = examples(6, 7)
QUERIES = examples(9, 8)[0]


@pytest.fixture(params=sorted(CASES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    return CASES[name]


@pytest.fixture
def learner(case: Case) -> Any:
    """A learner in the middle of its life: it has slept, and learned more since."""
    return live(case.make(0))


def test_every_registered_learner_is_under_contract() -> None:
    ours = {n for n in LEARNERS if LEARNERS[n].__module__.startswith("plasticish.")}
    assert ours == set(CASES) | set(SEQUENCES) | set(TALKERS)


def test_it_speaks_the_protocol(name: str, learner: Any) -> None:
    assert type(learner) is LEARNERS[name]
    assert isinstance(learner, Learner)
    assert learner.kind == name
    json.dumps(learner.stats(), allow_nan=False)
    json.dumps(learner.config(), allow_nan=False)


# --------------------------------------------------------------------------- purity


@pytest.mark.parametrize("upto", range(1, len(STREAM) + 1))
def test_answers_change_nothing(case: Case, upto: int) -> None:
    learner = live(case.make(0), STREAM[:upto])
    before, stats, queries = snapshot(learner), dict(learner.stats()), QUERIES.clone()
    first = answers(learner, queries)
    assert np.array_equal(answers(learner, queries), first)
    assert torch.equal(queries, QUERIES)
    assert not differences(learner, before)
    assert learner.stats() == stats


def test_being_asked_does_not_change_what_is_learned(case: Case) -> None:
    asked = case.make(0)
    for batch in STREAM:
        live(asked, (batch,))
        answers(asked, QUERIES)
        asked.stats()
    assert not differences(asked, live(case.make(0)))


def test_learning_leaves_its_input_alone_and_keeps_no_hold_of_it(case: Case) -> None:
    learner = case.make(0)
    x, y = X.clone(), Y.clone()
    learner.learn((x, y))
    assert torch.equal(x, X)
    assert torch.equal(y, Y)
    before = snapshot(learner)
    x.zero_(), y.zero_()
    assert not differences(learner, before)


def test_two_learners_never_share_memory(case: Case, learner: Any) -> None:
    twin = case.make(0)
    twin.import_state(learner.export_state())
    before = snapshot(learner)
    live(twin)
    assert not differences(learner, before)


def test_arrays_of_any_layout_are_the_same_input(case: Case) -> None:
    rows, labels = X.double().numpy(), Y.numpy()
    frozen = rows.copy()
    frozen.flags.writeable = False
    forms = [
        (rows.tolist(), labels.tolist()),
        (rows[::-1][::-1], labels[::-1][::-1]),
        (np.asfortranarray(rows), labels.astype(np.int8)),
        (frozen, labels.astype(np.uint16)),
        (rows.astype(">f8"), labels.astype(">i4")),
    ]
    expected = live(case.make(0), ((X, Y),))
    for form in forms:
        assert not differences(live(case.make(0), (form,)), expected)


# --------------------------------------------------------------------------- same seed, same bits


def test_same_seed_same_bits_whatever_the_global_generators_do(case: Case) -> None:
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)  # noqa: NPY002
        made.append(live(case.make(5)))
    assert not differences(*made)


def test_another_process_gets_the_same_bits() -> None:
    code = (
        "import json, torch; torch.set_num_threads(1); torch.manual_seed(77)\n"
        "from learners import fingerprints; print(json.dumps(fingerprints()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "13", "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert json.loads(done.stdout) == fingerprints()


# --------------------------------------------------------------------------- small and new


def test_a_batch_of_one_is_enough(case: Case) -> None:
    learner = case.make(0)
    for x, y in zip(X, Y, strict=True):
        learner.learn((x[None], y[None]))
    learner.sleep()
    assert len(learner.predict(X[:1])) == 1
    assert (np.asarray(learner.predict(X)) == Y.numpy()).mean() >= 0.5


def test_a_new_class_is_answered_before_the_next_sleep(case: Case) -> None:
    if not case.grows:
        pytest.skip("it promises new classes only after a sleep, or has a fixed number")
    learner = live(case.make(0), (examples(90, 1), None, examples(10, 2, labels=(3,))))
    x, y = examples(40, 3, labels=(0, 1, 2, 3))
    guess = np.asarray(learner.predict(x))
    assert (guess[y == 3] == 3).all()
    assert (guess == y.numpy()).mean() > 0.95


def test_a_second_sleep_changes_nothing(case: Case, learner: Any) -> None:
    learner.sleep()
    before, said = snapshot(learner), answers(learner, QUERIES)
    learner.sleep()
    assert not differences(learner, before)
    assert np.array_equal(answers(learner, QUERIES), said)


def test_nothing_learned_is_said_so(case: Case) -> None:
    learner = case.make(0)
    if case.answers_empty:
        assert len(learner.predict(QUERIES)) == len(QUERIES)
    else:
        with pytest.raises((RuntimeError, ValueError), match=r"empty|nothing|not fitted"):
            learner.predict(QUERIES)
    if case.sleeps_empty:
        learner.sleep()
    else:
        with pytest.raises(RuntimeError, match="nothing"):
            learner.sleep()


# --------------------------------------------------------------------------- refusals


def spoilt(value: float) -> torch.Tensor:
    x = X.clone()
    x[2, 3] = value
    return x


ROWS: dict[str, tuple[Any, type[Exception], str]] = {
    "nan": (spoilt(NAN), DataError, r"NaN or infinity: got 1 bad row\(s\), the first at index 2"),
    "inf": (spoilt(INF), DataError, "NaN or infinity"),
    "minus inf": (spoilt(-INF), DataError, "NaN or infinity"),
    "too large for float32": (spoilt(0).double() * 1e300, DataError, "NaN or infinity"),
    "wide": (torch.ones(6, WIDTH + 1), ShapeError, rf"wrong shape: got \(6, {WIDTH + 1}\)"),
    "one axis": (X[0], ShapeError, r"wrong shape.*x\[None\]"),
    "three axes": (X[None], ShapeError, "wrong shape"),
    "complex": (X.to(torch.complex64), DTypeError, "are complex"),
    "sparse": (X.to_sparse(), DTypeError, "sparse tensor"),
    "text": ([["a"] * WIDTH] * 6, DTypeError, "are not numbers"),
}
LABELS: dict[str, tuple[Any, type[Exception], str]] = {
    "floats": (Y.float() + 0.5, DTypeError, r"labels are not integers.*y\.long\(\)"),
    "negative": (Y - 3, LabelError, "a label is negative: got -[123]"),
    "booleans": (Y > 0, DTypeError, "labels are not integers"),
    "text": (["a"] * 6, DTypeError, "labels are not numbers"),
    "absurd": (Y + 10**7, LabelError, "absurdly large|fixed-class"),
}
COUNTS: dict[str, tuple[Any, Any, type[Exception], str]] = {
    "empty": (X[:0], Y[:0], DataError, "empty batch"),
    "too few labels": (X, Y[:5], ShapeError, r"labels do not match the batch: got \(5,\)"),
    "too many labels": (X[:5], Y, ShapeError, r"labels do not match the batch"),
    "labels of two axes": (X, Y[:, None], ShapeError, r"labels do not match the batch"),
}
BAD = {
    **{f"rows {k}": (x, Y, error, text) for k, (x, error, text) in ROWS.items()},
    **{f"labels {k}": (X, y, error, text) for k, (y, error, text) in LABELS.items()},
    **COUNTS,
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_batches_are_refused_whole(case: Case, learner: Any, bad: str) -> None:
    x, y, error, text = BAD[bad]
    if case.any_label and bad.startswith("labels "):
        if bad != "labels floats":
            pytest.skip("it takes any label")
        error, text = ValueError, "Unknown label type: continuous"
    before, stats = snapshot(learner), dict(learner.stats())
    with pytest.raises(error, match=text):
        learner.learn((x, y))
    assert not differences(learner, before)
    assert learner.stats() == stats


@pytest.mark.parametrize("bad", [(X, Y, Y), [X, Y, Y], (X,), ()])
def test_what_is_no_pair_of_inputs_and_labels_is_refused(learner: Any, bad: Any) -> None:
    before = snapshot(learner)
    with pytest.raises(DataError, match="not a pair"):
        learner.learn(bad)
    assert not differences(learner, before)


@pytest.mark.parametrize("bad", [key for key in BAD if not key.startswith("labels ")])
def test_a_newborn_refuses_just_as_well(case: Case, bad: str) -> None:
    learner = case.make(0)
    x, y, error, text = BAD[bad]
    if case.any_label and bad == "rows wide":
        pytest.skip("its first batch decides the width")
    before = snapshot(learner)
    with pytest.raises(error, match=text):
        learner.learn((x, y))
    assert not differences(learner, before)


@pytest.mark.parametrize("bad", [*ROWS, "empty"])
def test_bad_questions_are_refused(case: Case, learner: Any, bad: str) -> None:
    x, error, text = ROWS[bad] if bad in ROWS else (X[:0], DataError, "empty batch")
    if not case.speaks_core:
        error, text = (ValueError, TypeError), "."  # type: ignore[assignment]
    before = snapshot(learner)
    with pytest.raises(error, match=text):
        learner.predict(x)
    assert not differences(learner, before)


def test_an_unknown_label_is_refused_where_classes_are_fixed(case: Case) -> None:
    if case.fixed is None:
        pytest.skip("its classes cannot be fixed")
    learner = live(case.fixed(), ((X, Y),))
    before = snapshot(learner)
    y = Y.clone()
    y[-1] = CLASSES
    with pytest.raises(
        LabelError, match=rf"unknown to this fixed-class learner: got {CLASSES}, expected 0 <= lab"
    ):
        learner.learn((X, y))
    assert not differences(learner, before)


# --------------------------------------------------------------------------- checkpoints


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [1, os.cpu_count() or 1])
def test_a_loaded_learner_goes_on_bit_for_bit(
    case: Case, tmp_path: Path, threads: Callable[[int], None], count: int
) -> None:
    threads(count)
    learner, saved = case.make(0), []
    saved.append(learner.save(tmp_path / "0"))
    for i, batch in enumerate(STREAM):
        live(learner, (batch,))
        saved.append(learner.save(tmp_path / str(i + 1)))
    for i, path in enumerate(saved):
        loaded = live(type(learner).load(path), STREAM[i:])
        assert not differences(loaded, learner), f"loaded after {i} steps"
        assert np.array_equal(answers(loaded, QUERIES), answers(learner, QUERIES))
        assert loaded.stats() == learner.stats()
        assert loaded.config() == learner.config()


def test_saving_over_an_older_self_keeps_only_the_new(learner: Any, tmp_path: Path) -> None:
    learner.save(tmp_path / "it")
    learner.learn((X, Y))
    learner.save(tmp_path / "it")
    assert len(list((tmp_path / "it").glob("tensors-*"))) == 1
    assert not differences(type(learner).load(tmp_path / "it"), learner)


def test_saving_never_harms_what_is_not_a_checkpoint(learner: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "checkpoint.json").write_text('{"format": "mine"}')
    texts = ("is a file", "holds something else", "holds something else")
    for path, text in zip(("file", "folder", "other"), texts, strict=True):
        with pytest.raises(CheckpointError, match=text):
            learner.save(tmp_path / path)
    with pytest.raises(CheckpointError, match="could not be made"):
        learner.save(tmp_path / "file" / "inside")
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["thesis.txt"]
    assert (tmp_path / "other" / "checkpoint.json").read_text() == '{"format": "mine"}'


def alter(path: Path, **fields: Any) -> None:
    manifest = json.loads((path / "checkpoint.json").read_text())
    (path / "checkpoint.json").write_text(json.dumps({**manifest, **fields}))


def cut_tensors(path: Path) -> None:
    (file,) = path.glob("tensors-*")
    file.write_bytes(file.read_bytes()[:-7])


def turn_a_bit(path: Path) -> None:
    (file,) = path.glob("tensors-*")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))


def cut_manifest(path: Path) -> None:
    text = (path / "checkpoint.json").read_text()
    (path / "checkpoint.json").write_text(text[: len(text) // 2])


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: (path / "checkpoint.json").unlink(), "is not a checkpoint"),
    "truncated tensors": (cut_tensors, "truncated or damaged: got .* bytes of"),
    "altered tensors": (turn_a_bit, "truncated or damaged: .* does not match its checksum"),
    "truncated manifest": (cut_manifest, "truncated or damaged: got checkpoint.json is not JSON"),
    "newer": (lambda path: alter(path, format_version=99), "from a newer plasticish: got .* 99"),
    "foreign": (lambda path: alter(path, format="other"), "is a foreign folder"),
    "other class": (lambda path: alter(path, kind="painter"), "another kind of learner: got 'pain"),
    "without state": (lambda path: alter(path, state={}), "does not fit"),
    "unknown argument": (lambda path: alter(path, config={"wheels": 4}), "does not fit"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_checkpoints_are_refused_by_name(learner: Any, tmp_path: Path, damage: str) -> None:
    act, text = DAMAGE[damage]
    path = learner.save(tmp_path / "it")
    act(path)
    with pytest.raises(CheckpointError, match=text):
        type(learner).load(path)


def test_a_checkpoint_of_another_class_is_refused(learner: Any, tmp_path: Path) -> None:
    path = learner.save(tmp_path / "it")
    for other in CASES:
        if other != learner.kind:
            with pytest.raises(CheckpointError, match=f"another kind.*Load it as {learner.kind}"):
                LEARNERS[other].load(path)


def test_nothing_warns(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers(live(case.make(0)), QUERIES)
