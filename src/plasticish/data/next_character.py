"""The next character of a dialogue: one task a topic, held out by whole conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Int64
from torch import Tensor

from plasticish.core import ConfigError, DataError, make_generator, spawn_seed

from .characters import TURN_END, Alphabet
from .dialogue import Conversation
from .labelled import LabelledSet, Task

__all__ = ["next_character_tasks", "split_conversations"]


def next_character_tasks(
    dialogue: Mapping[str, Sequence[Conversation]],
    context: int = 32,
    *,
    alphabet: Alphabet | None = None,
    test_share: float = 0.25,
    max_windows: int | None = None,
    seed: int = 0,
) -> list[Task]:
    r"""Return one task a topic: which character comes after these?

    The text of a conversation is its turns, each ended by :data:`TURN_END`. Every character of it
    is asked for once, given the ``context`` characters before it; before the first one there is
    nothing but ends of turns. The labels mean the same in all tasks, and no task tells which
    topic it is: the stream is domain-incremental.

    The mean cross-entropy of a prediction is its nats a character; divide by :math:`\ln 2` for
    bits.

    Parameters
    ----------
    dialogue : mapping of str to sequence of tuple of str
        Topics in the order in which they come, as :func:`load_dialogue` returns them.
    context : int
        Characters seen, at least 1.
    alphabet : Alphabet, optional
        Numbers of the characters; by default that of all texts in ``dialogue``.
    test_share : float
        Part of the conversations of each topic to hold out, in (0, 1); see
        :func:`split_conversations`.
    max_windows : int, optional
        At most so many windows in the train part of a topic, drawn at random, and ``test_share``
        as many in its test part: topics differ in length by a factor of a hundred.
    seed : int
        Decides what is held out and drawn.

    Returns
    -------
    list of Task
        Inputs int64 ``[n, context]``, labels int64 ``[n]``, both numbers of characters; the
        names of the classes are the characters.

    Raises
    ------
    ConfigError, DataError
        If an argument is out of range; if there is no topic, or one cannot be split.

    Examples
    --------
    >>> from plasticish.data import load_dialogue
    >>> task = next_character_tasks(load_dialogue(["food"]), context=8)[0]
    >>> task.name, task.train.inputs.shape[1], len(task.train) > len(task.test) > 0
    ('food', 8, True)
    """
    for name, value in (("context", context), ("max_windows", max_windows)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} is out of range", got=repr(value), expected="at least 1")
    if not dialogue:
        raise DataError("there is no topic to learn", expected="at least one")
    if alphabet is None:
        topics = dialogue.values()
        alphabet = Alphabet.of(turn for topic in topics for turns in topic for turn in turns)
    tasks = []
    for place, (name, conversations) in enumerate(dialogue.items()):
        parts = split_conversations(conversations, test_share, spawn_seed(seed, place), name)
        train, test = (_windows(part, context, alphabet, name) for part in parts)
        if max_windows is not None:
            generator = make_generator(spawn_seed(seed, place, 1))
            train = _thinned(train, max_windows, generator)
            test = _thinned(test, max(1, round(max_windows * test_share)), generator)
        occurring = {*train.labels.tolist(), *test.labels.tolist()}
        tasks.append(Task(name, tuple(sorted(occurring)), train, test))
    return tasks


def split_conversations(
    conversations: Sequence[Conversation], test_share: float, seed: int, name: str = "dialogue"
) -> tuple[list[Conversation], list[Conversation]]:
    """Hold out about ``test_share`` of the conversations, so that nothing is on both sides.

    Conversations that open with the same words (but for case) stay together: a question that is
    asked again with another answer would be known by heart in the test. So the share is met only
    as nearly as those groups allow; each side has at least one.

    Raises
    ------
    ConfigError, DataError
        If the share is out of range; if all conversations open alike.

    Examples
    --------
    >>> talk = [("Hi", "Hello"), ("hi", "Good day"), ("Bye", "See you"), ("Thanks", "Welcome")]
    >>> [len(part) for part in split_conversations(talk, 0.25, seed=0)]
    [3, 1]
    """
    if not 0 < test_share < 1:
        raise ConfigError("test_share is out of range", got=repr(test_share), expected="in (0, 1)")
    groups: dict[str, int] = {}
    for turns in conversations:
        opening = turns[0].casefold()
        groups[opening] = groups.get(opening, 0) + 1
    if len(groups) < 2:
        raise DataError(
            f"the topic {name!r} cannot be split",
            got=f"{len(groups)} way(s) to open a conversation",
            expected="at least 2",
            cure="leave the topic out, or put it together with another",
        )
    openings = list(groups)
    wanted, held = test_share * len(conversations), set[str]()
    count = 0
    for place in torch.randperm(len(openings), generator=make_generator(seed)).tolist():
        size = groups[openings[place]]
        # Taken if that leads nearer to the share; the last group always stays for training.
        if len(held) < len(groups) - 1 and abs(count + size - wanted) < abs(count - wanted):
            held.add(openings[place])
            count += size
    if not held:  # every group is too large for the share: the smallest is the nearest to it
        held.add(min(groups, key=lambda opening: groups[opening]))
    sides: tuple[list[Conversation], list[Conversation]] = ([], [])
    for turns in conversations:
        sides[turns[0].casefold() in held].append(turns)
    return sides


def _windows(
    conversations: Sequence[Conversation], context: int, alphabet: Alphabet, name: str
) -> LabelledSet:
    inputs, labels = [], []
    for turns in conversations:
        text = alphabet.encode("".join(turn + TURN_END for turn in turns))
        padded = torch.cat([alphabet.encode(TURN_END * context), text])
        inputs.append(padded.unfold(0, context, 1)[:-1])
        labels.append(text)
    return LabelledSet(torch.cat(inputs), torch.cat(labels), alphabet.symbols, name)


def _thinned(windows: LabelledSet, count: int, generator: torch.Generator) -> LabelledSet:
    order: Int64[Tensor, " n"] = torch.randperm(len(windows), generator=generator)
    return windows.subset(order[:count].sort().values)
