"""The classifier obeys scikit-learn, takes any label at any time, and forgets nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.utils.estimator_checks import parametrize_with_checks

from plasticish.core import LEARNERS, LabelError, Learner, NotReadyError, ShapeError
from plasticish.estimators import PlasticClassifier


def small(**options: Any) -> PlasticClassifier:
    return PlasticClassifier(**{"expansion": 64, "hidden_dim": 64, "sparsity_k": 8, **options})


@parametrize_with_checks([small()])
def test_scikit_learn_agrees(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any, Any, Any]:
    x, y = load_digits(return_X_y=True)
    return tuple(train_test_split(x, y, test_size=0.25, stratify=y, random_state=0))  # type: ignore[return-value]


def test_digits_in_pairs_are_not_forgotten(digits: tuple[Any, ...]) -> None:
    x, x_test, y, y_test = digits
    model = PlasticClassifier()
    for pair in ((3, 8), (0, 6), (1, 9), (2, 7), (4, 5)):
        rows = np.isin(y, pair)
        model.partial_fit(x[rows], y[rows])
    assert model.score(x_test, y_test) >= 0.98
    # The unit of the features does not matter.
    assert PlasticClassifier().fit(x / 1600, y).score(x_test / 1600, y_test) >= 0.98


def test_a_class_is_known_before_the_next_sleep(digits: tuple[Any, ...]) -> None:
    x, x_test, y, y_test = digits
    model = small().fit(x[y != 4], y[y != 4])
    slept = model.brain_.cortex.export_state().tensors["weights"].clone()
    model.partial_fit(x[y == 4][:40], y[y == 4][:40])
    assert torch.equal(model.brain_.cortex.export_state().tensors["weights"], slept)
    assert (model.predict(x_test[y_test == 4]) == 4).mean() > 0.9
    assert (model.predict(x_test[y_test != 4]) == y_test[y_test != 4]).mean() > 0.95


def test_labels_of_any_kind_keep_their_columns_in_order() -> None:
    generator = np.random.default_rng(0)
    centres = 4 * generator.standard_normal((4, 6))
    names = np.array(["pear", "apple", "quince", "banana tree"])
    codes = generator.integers(0, 4, 200)
    x = centres[codes] + generator.standard_normal((200, 6))
    model = small()
    model.partial_fit(x[codes < 2], names[codes[codes < 2]])
    assert model.classes_.tolist() == ["apple", "pear"]
    model.partial_fit(x[codes >= 2], names[codes[codes >= 2]].astype(object))
    assert model.classes_.tolist() == sorted(names.tolist())
    assert model.score(x, names[codes]) > 0.95
    proba = model.predict_proba(x)
    assert np.array_equal(model.classes_[proba.argmax(axis=1)], model.predict(x))
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-12)


def test_expected_classes_have_columns_and_others_may_come() -> None:
    model = small().partial_fit([[0.0, 1.0], [1.0, 0.0]], [5, 7], classes=[5, 6, 7])
    assert model.predict_proba([[0.0, 1.0]]).shape == (1, 3)
    assert model.predict_proba([[0.0, 1.0]])[0, 1] == 0
    model.partial_fit([[-1.0, 0.0]], [1])
    assert model.classes_.tolist() == [1, 5, 6, 7]
    assert model.predict([[-1.0, 0.1]]).tolist() == [1]


def test_sleep_comes_by_its_count_or_by_hand() -> None:
    x, y = np.eye(4).repeat(5, axis=0), np.arange(4).repeat(5)
    model = small(sleep_every=8)
    asleep = [model.partial_fit(x[i : i + 5], y[i : i + 5]).stats()["awake"] for i in (0, 5, 10)]
    assert asleep == [5, 0, 5]
    never = small(sleep_every=None).partial_fit(x, y)
    assert not never.brain_.cortex.slept
    never.sleep()
    assert never.brain_.cortex.slept


def test_fit_starts_anew() -> None:
    x, y = np.eye(4).repeat(5, axis=0), np.arange(4).repeat(5)
    again = small().fit(-x, y + 10).fit(x, y)
    fresh = small().fit(x, y)
    assert again.classes_.tolist() == [0, 1, 2, 3]
    assert np.array_equal(again.predict_proba(x), fresh.predict_proba(x))


def test_a_single_class_is_answered_always() -> None:
    model = small().fit(np.ones((3, 2)), ["only"] * 3)
    assert model.predict(np.zeros((2, 2))).tolist() == ["only"] * 2


@pytest.mark.parametrize("labels", [["b", 1], [None, "b"], [b"x", b"y"]])
def test_odd_labels_are_refused(labels: list[Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        small().fit(np.eye(2), np.array(labels, dtype=object))


def test_labels_of_another_kind_are_refused_and_nothing_changes() -> None:
    model = small().fit(np.eye(3), ["a", "b", "c"])
    before = model.stats()
    with pytest.raises(LabelError, match=r"another kind than before: got .*1.*, expected .*'a'"):
        model.partial_fit(np.eye(3), [1, 2, 3])
    assert model.stats() == before
    assert model.classes_.tolist() == ["a", "b", "c"]


def test_it_is_a_learner_that_survives(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = generator.standard_normal((40, 5))
    y = np.array(["no", "yes"])[(x[:, 0] > 0).astype(int)]
    model = small()
    assert LEARNERS["plastic_classifier"] is PlasticClassifier
    assert isinstance(model, Learner)
    unfitted = PlasticClassifier.load(model.save(tmp_path / "empty"))
    with pytest.raises(NotFittedError):
        unfitted.predict(x)
    with pytest.raises(NotReadyError, match="learned nothing yet"):
        unfitted.sleep()
    model.learn((torch.from_numpy(x), y))
    loaded = PlasticClassifier.load(model.save(tmp_path / "model"))
    assert loaded.classes_.tolist() == ["no", "yes"]
    assert loaded.get_params() == model.get_params()
    for one in (model, loaded):
        one.partial_fit(x[:3] + 5, ["new", "no", "new"])
    assert np.array_equal(model.predict_proba(x), loaded.predict_proba(x))
    with pytest.raises(ShapeError, match=r"labels do not match the batch: got \(2,\)"):
        model.learn((x, y[:2]))


def test_random_state_may_be_a_generator(tmp_path: Path) -> None:
    x, y = np.eye(4).repeat(5, axis=0), np.arange(4).repeat(5)
    one = small(random_state=np.random.RandomState(3)).fit(x, y)
    two = small(random_state=3).fit(x, y)
    assert np.array_equal(one.predict_proba(x), two.predict_proba(x))
    assert np.array_equal(
        PlasticClassifier.load(one.save(tmp_path / "a")).predict_proba(x), one.predict_proba(x)
    )


def test_it_works_inside_scikit_learn(digits: tuple[Any, ...]) -> None:
    x, _, y, _ = digits
    assert cross_val_score(clone(small()), x[:400], y[:400], cv=2).mean() > 0.85


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"sleep_every": -1}, "sleep_every"),
        ({"memory_size": 0}, "memory_size"),
        ({"num_layers": -1}, "num_layers"),
    ],
)
def test_unusable_settings_are_refused_by_the_fit(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        small(**options).fit(np.eye(2), [0, 1])
