"""River's own checks, and a stream in a pipeline of River."""

from __future__ import annotations

import sys

import pytest

from plasticish.core import ConfigError, MissingExtraError

checks = pytest.importorskip("river.checks")

from river import datasets, evaluate, metrics, preprocessing  # noqa: E402

from plasticish.estimators.river_classifier import RiverClassifier  # noqa: E402

SMALL = {"expansion": 8, "hidden_dim": 16, "sparsity_k": 4, "max_features": 32}


def small() -> RiverClassifier:
    return RiverClassifier(**SMALL)


# That memory is bounded takes twenty seconds to see, and is so by construction (memory_size).
CHECKS = [one for one in checks.yield_checks(small()) if "memory_growth" not in one.__name__]


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_river_approves(check) -> None:
    check(small())


def test_it_learns_in_a_pipeline() -> None:
    model = preprocessing.StandardScaler() | RiverClassifier(expansion=64)
    found = evaluate.progressive_val_score(datasets.Phishing().take(400), model, metrics.Accuracy())
    assert found.get() > 0.8


def test_classes_and_features_come_at_any_time() -> None:
    model = small()
    assert model.predict_one({"a": 1.0}) is None
    for _ in range(3):
        model.learn_one({"a": 1.0}, "first")
        model.learn_one({"b": 1.0, "a": 0.1}, ("second", 2))
    assert model.predict_one({"b": 0.9}) == ("second", 2)
    assert sum(model.predict_proba_one({"a": 1.0}).values()) == pytest.approx(1)


def test_what_cannot_be_learned_changes_nothing() -> None:
    model = RiverClassifier(max_features=1, expansion=8)
    model.learn_one({"a": 1.0}, 0)
    with pytest.raises(ConfigError, match=r"more features than room.*got 2 different"):
        model.learn_one({"b": 1.0}, 1)
    with pytest.raises(ValueError, match="NaN"):
        model.learn_one({"a": float("nan")}, 1)
    assert list(model.predict_proba_one({"a": 1.0})) == [0]


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "river.base", None)
    monkeypatch.delitem(sys.modules, "plasticish.estimators.river_classifier")
    with pytest.raises(MissingExtraError, match=r"plasticish\[river\]"):
        import plasticish.estimators.river_classifier  # noqa: F401
