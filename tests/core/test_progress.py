"""A bar in a terminal, nothing in a pipe, and always the same items."""

from __future__ import annotations

import io
import sys

import pytest

from plasticish.core import progress_enabled, quiet, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_drawn_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert not progress_enabled()
    assert list(track(range(5), "counting")) == list(range(5))
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert progress_enabled()
    assert list(track(iter(range(5)), "counting", total=5)) == list(range(5))
    assert "counting" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_quiet_silences_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with quiet():
        with quiet(False):  # what is inside cannot make the outside loud
            assert not progress_enabled()
        assert list(track([1, 2], "counting")) == [1, 2]
    with pytest.raises(ValueError, match="x"), quiet():
        raise ValueError("x")
    assert progress_enabled()
    assert terminal.getvalue() == ""


def test_items_are_taken_one_at_a_time() -> None:
    taken: list[int] = []

    def items() -> object:
        for i in range(3):
            taken.append(i)
            yield i

    steps = track(items(), "counting")  # type: ignore[arg-type]
    assert next(steps) == 0
    assert taken == [0]
