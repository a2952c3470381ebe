"""Every error says what, got, expected and cure, and is the builtin one would reach for."""

from __future__ import annotations

import pickle

import pytest

from plasticish.core import errors

BUILTINS = {
    "ShapeError": ValueError,
    "DTypeError": TypeError,
    "DataError": ValueError,
    "LabelError": ValueError,
    "ConfigError": ValueError,
    "NotReadyError": RuntimeError,
    "CheckpointError": OSError,
    "DownloadError": OSError,
    "MissingExtraError": ImportError,
}


def test_the_tree_is_known() -> None:
    assert set(errors.__all__) == {*BUILTINS, "PlasticishError"}


@pytest.mark.parametrize("name", BUILTINS)
def test_each_is_ours_and_a_builtin(name: str) -> None:
    error = getattr(errors, name)
    assert issubclass(error, errors.PlasticishError)
    assert issubclass(error, BUILTINS[name])
    assert str(error("it broke", got="3", cure="mend it")) == "it broke: got 3. Mend it."


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "it broke"),
        ({"got": "3"}, "it broke: got 3"),
        ({"expected": "4"}, "it broke: expected 4"),
        ({"got": "3", "expected": "4"}, "it broke: got 3, expected 4"),
        ({"cure": "mend it."}, "it broke. Mend it."),
        (
            {"got": "3", "expected": "a number.", "cure": "x[None] helps"},
            "it broke: got 3, expected a number. X[None] helps.",
        ),
    ],
)
def test_the_text_is_put_together_from_its_parts(parts: dict[str, str], text: str) -> None:
    error = errors.DataError("it broke", **parts)
    assert str(error) == text
    assert (error.what, error.got) == ("it broke", parts.get("got", ""))


@pytest.mark.parametrize("name", BUILTINS)
def test_an_error_crosses_processes(name: str) -> None:
    error = getattr(errors, name)("it broke", got="3", expected="4", cure="mend it")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.cure == "mend it"
