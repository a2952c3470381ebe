"""Dialogue by topic, out of the bundled corpus or a folder of one's own in the same format.

The corpus is the package ``chatterbot-corpus`` (BSD-3-Clause), read as files: a folder a language,
a YAML file a topic, in it ``conversations``, each a list of turns.
"""

from __future__ import annotations

import importlib.resources
import itertools
import re
import reprlib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from plasticish.core import ConfigError, DataError, MissingExtraError

__all__ = ["Conversation", "load_dialogue", "pairs"]

Conversation = tuple[str, ...]
"""The turns of a conversation, in order; one that got no answer has a single turn."""

_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-"})


def load_dialogue(
    topics: Sequence[str] | None = None,
    language: str = "english",
    *,
    root: str | Path | None = None,
) -> dict[str, list[Conversation]]:
    """Return the conversations of some topics.

    A turn is normalised to Unicode NFKC with straight quotes and hyphens, and runs of white space
    become one space; case and punctuation stay. A conversation that occurs again in its topic is
    left out: ``tech_support`` of the bundled corpus holds ten conversations about a hundred times
    each, and no split could keep them apart.

    Parameters
    ----------
    topics : sequence of str, optional
        Names of files without their ending, in the order wanted; all, sorted, by default.
    language : str
        Name of the folder.
    root : path, optional
        Where the folders of the languages are; those of the bundled corpus by default.

    Returns
    -------
    dict of str to list of tuple of str
        For every topic its conversations, in the order of the file.

    Raises
    ------
    ConfigError
        If there is no such language or topic, or a topic is named twice.
    DataError
        If a file is no UTF-8, no YAML, has no ``conversations``, or one of them is not a list of
        turns; the error names the file and the entry.

    Examples
    --------
    >>> dialogue = load_dialogue(["greetings", "ai"])
    >>> dialogue["greetings"][0], len(dialogue["ai"])
    (('Hello', 'Hi'), 105)
    """
    folder = _language_folder(Path(root) if root is not None else _bundled(), language)
    known = sorted(path.stem for path in folder.glob("*.yml"))
    wanted = list(known if topics is None else topics)
    if not wanted or len(set(wanted)) != len(wanted) or not set(wanted) <= set(known):
        raise ConfigError(
            f"these are no topics of {language}",
            got=repr(wanted),
            expected=f"some of, each once: {', '.join(known) or 'none, there are no .yml files'}",
        )
    return {topic: _read(folder / f"{topic}.yml") for topic in wanted}


def pairs(conversations: Sequence[Conversation]) -> list[tuple[str, str]]:
    """Return every turn with the one that answers it.

    Examples
    --------
    >>> pairs([("Hello", "Hi", "How are you?"), ("Anyone?",)])
    [('Hello', 'Hi'), ('Hi', 'How are you?')]
    """
    return [pair for turns in conversations for pair in itertools.pairwise(turns)]


def _bundled() -> Path:
    try:
        package = importlib.resources.files("chatterbot_corpus")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "the bundled dialogue needs the package 'chatterbot-corpus'",
            cure="install it with: pip install chatterbot-corpus, or give a root of your own",
        ) from error
    return Path(str(package)) / "data"


def _language_folder(root: Path, language: str) -> Path:
    known = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    if language not in known:
        raise ConfigError(
            f"there is no such language in {root}",
            got=repr(language),
            expected=f"one of: {', '.join(known) or 'none, there are no folders'}",
        )
    return root / language


def _read(path: Path) -> list[Conversation]:
    try:
        # Everything is read as text ("no" is an answer here, not false) and nothing is executed.
        # The loader written in C would be faster, and dies of a file that nests deeply.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DataError(
            f"{path} cannot be read as YAML",
            got=" ".join(str(error).split())[:160],
            cure="mend the file, or leave its topic out",
        ) from error
    entries = content.get("conversations") if isinstance(content, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise DataError(
            f"{path} holds no conversations",
            got=type(content if entries is None else entries).__name__,
            expected="a mapping whose 'conversations' are a list of lists of turns",
        )
    turns = [_conversation(entry, path, place) for place, entry in enumerate(entries)]
    return list(dict.fromkeys(turns))


def _conversation(entry: Any, path: Path, place: int) -> Conversation:
    # A line without its second dash is a question that nobody answered.
    turns = [entry] if isinstance(entry, str) else entry
    whole = isinstance(turns, list) and all(isinstance(turn, str) for turn in turns)
    told = tuple(normalised(turn) for turn in turns) if whole else ()
    if not told or not all(told):
        raise DataError(
            f"{path} holds something that is no conversation",
            # A few aliases of aliases are gigabytes when they are written out.
            got=f"{reprlib.repr(entry)[:80]} at entry {place}",
            expected="a list of turns, each a text that is not blank",
        )
    return told


def normalised(turn: str) -> str:
    """Return a turn in Unicode NFKC, with straight quotes and hyphens and single spaces."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", turn).translate(_STRAIGHT)).strip()
