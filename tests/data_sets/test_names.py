"""The names of the census, as the package holds them."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest

from plasticish.core import ConfigError, MissingExtraError
from plasticish.data import load_first_names, load_surnames


def test_names_are_distinct_lower_case_and_popular_first() -> None:
    first, last = load_first_names(), load_surnames(20_000)
    for found in (first, last):
        assert len(set(found)) == len(found)
        assert all(name.isascii() and name.islower() for name in found)
    assert last[:2] == ["smith", "johnson"]
    assert len(last) == 20_000
    assert "james" in first
    assert len(load_surnames()) == 88_799


@pytest.mark.parametrize("count", [0, -1, 88_800])
def test_a_count_that_there_is_not_is_refused(count: int) -> None:
    with pytest.raises(ConfigError, match="not so many"):
        load_surnames(count)


def test_without_the_package_the_error_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib.resources, "files", missing)
    with pytest.raises(MissingExtraError, match="pip install names"):
        load_first_names()
