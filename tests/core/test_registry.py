"""Names are permanent, and unknown ones are told what there is."""

from __future__ import annotations

import importlib
import subprocess
import sys
from fractions import Fraction
from importlib.metadata import EntryPoint

import pytest

from plasticish.core import (
    LEARNERS,
    ConfigError,
    Learner,
    MissingExtraError,
    Registry,
    State,
    import_extra,
)


def test_things_enter_by_decorator_and_leave_by_name() -> None:
    table: Registry[type] = Registry("thing")

    @table.register("one")
    class One:
        pass

    assert table["one"] is One
    assert table.add("two", int) is int
    assert (list(table), len(table), "two" in table, 3 in table) == (["one", "two"], 2, True, False)
    with pytest.raises(ConfigError, match="unknown thing: got 'three', expected one of: one, two"):
        table["three"]


def test_a_name_is_given_once() -> None:
    table: Registry[type] = Registry("thing")
    table.add("one", int)
    with pytest.raises(ConfigError, match=r"thing 'one' is registered already. Choose another"):
        table.add("one", float)
    assert table["one"] is int
    assert table.add("one", int) is int  # a module that is loaded again


def test_instances_of_one_class_are_not_the_same_thing() -> None:
    table: Registry[object] = Registry("thing")
    table.add("one", [1])
    with pytest.raises(ConfigError, match="registered already"):
        table.add("one", [2])


def test_extras_name_themselves() -> None:
    assert import_extra("math", "x", "adding").sqrt(4) == 2
    with pytest.raises(MissingExtraError, match=r"needs the package 'no_such'.*plasticish\[fast\]"):
        import_extra("no_such", "fast", "speed")


def test_a_learner_is_known_by_its_methods() -> None:
    assert not isinstance(object(), Learner)


def test_states_nest_and_come_apart() -> None:
    one, two = State({"a": 1}), State({"b": {"c": 2}})
    whole = State.nest({"outer": State.nest({"one": one}), "two": two})
    assert whole.part("outer").part("one").values == {"a": 1}
    assert whole.part("two").values == {"b": {"c": 2}}
    assert whole.part("none") == State()


class Announced:
    """Entry points of a group, as a package that is installed would announce them."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.points = [EntryPoint(name, value, "plasticish.things") for name, value in pairs]

    def __call__(self, group: str) -> list[EntryPoint]:
        return [point for point in self.points if point.group == group]


def announced(monkeypatch: pytest.MonkeyPatch, *pairs: tuple[str, str]) -> Registry[object]:
    monkeypatch.setattr("plasticish.core.registry.entry_points", Announced(*pairs))
    return Registry("thing", "plasticish.things")


def test_what_a_package_announces_is_imported_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = announced(monkeypatch, ("half", "fractions:Fraction"), ("lost", "no_such_module:x"))
    table.add("one", 1)
    assert (list(table), len(table), "half" in table) == (["half", "lost", "one"], 3, True)
    assert table["half"] is Fraction
    with pytest.raises(
        ConfigError, match=r"thing 'lost' cannot be imported: got no_such_module:x: ModuleNotFound"
    ):
        table["lost"]
    with pytest.raises(ConfigError, match="expected one of: half, lost, one"):
        table["none"]


def test_a_built_in_name_cannot_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    table = announced(monkeypatch, ("one", "fractions:Fraction"))
    table.add("one", 1)
    assert table["one"] == 1
    table = announced(monkeypatch, ("it", "fractions:Fraction"), ("it", "plasticish.core:Learner"))
    with pytest.warns(UserWarning, match="plasticish.core:Learner is taken"):
        assert table["it"] is Learner


def test_every_learner_of_the_house_is_announced() -> None:
    code = "from plasticish import LEARNERS; print(*[LEARNERS[name].kind for name in LEARNERS])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for package in ("memory", "sequence", "spiking", "vision", "conversation", "estimators"):
        importlib.import_module(f"plasticish.{package}")
    assert done.stdout.split() == sorted(LEARNERS._entries)


def test_two_packages_with_one_name_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    table = announced(monkeypatch, ("half", "fractions:Fraction"), ("half", "decimal:Decimal"))
    with pytest.warns(UserWarning, match=r"fractions:Fraction is taken, decimal:Decimal is not"):
        assert table["half"] is Fraction
