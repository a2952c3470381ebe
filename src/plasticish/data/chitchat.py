"""Small talk between two people, out of the package ``chitchat-dataset`` (MIT).

7,168 conversations of strangers, from the Chit Chat Challenge of the BYU Perception, Control and
Cognition laboratory. Only the data file of the package is read.
"""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import Any

from plasticish.core import DataError, MissingExtraError

from .decency import is_fit_to_learn
from .dialogue import Conversation, normalised

__all__ = ["load_chitchat"]


def load_chitchat(path: str | Path | None = None) -> list[Conversation]:
    """Return the conversations, those with e-mail addresses or profanity left out.

    What one person wrote in several messages before the other answered is one turn. Turns are
    normalised as those of :func:`load_dialogue`; empty ones are dropped, and so are conversations
    with fewer than two turns.

    Parameters
    ----------
    path : path, optional
        A file in the format of the package; its own by default.

    Returns
    -------
    list of tuple of str
        The turns of each conversation, in the order of the file.

    Raises
    ------
    DataError
        If the file is not in this format.
    MissingExtraError
        If the package is not installed and no file is named.
    """
    try:
        conversations = [
            [" ".join(str(said["text"]) for said in turn) for turn in one["messages"]]
            for one in json.loads(_text(path)).values()
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DataError(
            "this is no file of conversations",
            got=f"{path}: {error}",
            expected="a JSON object of conversations, each with 'messages'",
        ) from error
    turns = (tuple(filter(None, map(normalised, one))) for one in conversations)
    return [one for one in turns if len(one) >= 2 and is_fit_to_learn(one)]


def _text(path: str | Path | None) -> str:
    if path is not None:
        try:
            return Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise DataError("the conversations cannot be read", got=str(error)) from error
    try:
        file: Any = importlib.resources.files("chitchat_dataset").joinpath("dataset.json")
        text: str = file.read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise MissingExtraError(
            "these conversations need the package 'chitchat-dataset'",
            cure="install it with: pip install chitchat-dataset, or name a file of your own",
        ) from error
    return text
