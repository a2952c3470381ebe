"""Small talk: turns joined, normalised, and the unfit left out."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import DataError, MissingExtraError
from plasticish.data import decency, is_fit_to_learn, load_chitchat


def written(tmp_path: Path, *conversations: list[list[str]]) -> Path:
    content = {
        str(i): {"messages": [[{"text": said} for said in turn] for turn in one]}
        for i, one in enumerate(conversations)
    }
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_turns_are_joined_and_normalised(tmp_path: Path) -> None:
    path = written(tmp_path, [["Hi ", "there"], ["“Hello”"], [" "]], [["Anyone?"]])
    assert load_chitchat(path) == [("Hi there", '"Hello"')]


@pytest.mark.parametrize("said", ["write to a@b.org", "ann at mail dot com", "oh Bullshit!"])
def test_what_is_unfit_is_left_out(tmp_path: Path, said: str) -> None:
    path = written(tmp_path, [["Hi"], [said]], [["Scunthorpe?"], ["cockatoo, dictionary"]])
    assert load_chitchat(path) == [("Scunthorpe?", "cockatoo, dictionary")]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": {"messages": [[1]]}}'])
def test_a_foreign_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "foreign.json"
    path.write_text(text)
    with pytest.raises(DataError, match="no file of conversations"):
        load_chitchat(path)
    with pytest.raises(DataError, match="cannot be read"):
        load_chitchat(tmp_path / "none.json")


def test_without_the_package_the_error_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib.resources, "files", missing)
    with pytest.raises(MissingExtraError, match="pip install chitchat-dataset"):
        load_chitchat()


@given(
    st.lists(
        st.sampled_from(["at", "Dot", "x@y", "shitake", "dICk", "raped", "a", "é", "\n", "ok"])
    )
)
def test_looking_for_stems_first_lets_nothing_pass(words):
    whole = " ".join(words)
    unfit = decency._ADDRESS.search(whole) or decency._PROFANE.search(whole)
    assert is_fit_to_learn([whole]) == (unfit is None)
