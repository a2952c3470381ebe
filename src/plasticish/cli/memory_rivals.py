"""What ``plasticish memory compare`` measures: each learner on the same split, one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from rich.table import Table

from plasticish.bench.sequence._common import clocked, memory_nats, warmed_up
from plasticish.bench.sequence._kneser_ney import END, START, KneserNey, bigram_nats
from plasticish.bench.sequence._transformer import train_transformer
from plasticish.core import ConfigError, DataError, make_generator, spawn_seed, track
from plasticish.sequence import PlasticMemory

from .output import Output

__all__ = ["Split", "compare_learners", "print_comparison", "split_lines"]

_HELD_OUT = 10  # one line in so many
_LONGEST = 256  # symbols: attention costs their square


@dataclass(frozen=True)
class Split:
    """Lines to learn and lines to be asked for.

    Attributes
    ----------
    train, test : list of str
        In a random order.
    left_out : int
        Held-out lines with a symbol that no line to be learned has: what such a symbol should cost
        is a matter of taste, and each learner has its own.
    """

    train: list[str]
    test: list[str]
    left_out: int


@dataclass(frozen=True)
class Measured:
    """One learner: nats a symbol, CPU seconds of learning, and how many numbers it keeps."""

    learner: str
    nats: float
    seconds: float
    size: int


def split_lines(lines: Sequence[str], seed: int) -> Split:
    """Hold a tenth of the lines out.

    Raises
    ------
    DataError
        If there are fewer than ten, or none is left to be asked for.
    """
    if len(lines) < _HELD_OUT:
        raise DataError(
            "too few lines to hold some out", got=str(len(lines)), expected=f"at least {_HELD_OUT}"
        )
    generator = make_generator(spawn_seed(seed, 1))
    order = [lines[i] for i in torch.randperm(len(lines), generator=generator).tolist()]
    held = len(lines) // _HELD_OUT
    train, test = order[held:], order[:held]
    known = set("".join(train))
    if known & {START, END}:
        raise DataError(
            "Kneser-Ney needs two characters for the ends of a line, and they are in the file",
            got="U+0002 or U+0003",
            cure="take these control characters out",
        )
    asked = [line for line in test if known.issuperset(line)]
    if not asked:
        raise DataError(
            "every line that was held out has a symbol that no other line has",
            cure="give more lines, or another --seed",
        )
    return Split(train, asked, held - len(asked))


def compare_learners(lines: Sequence[str], seed: int, steps: int | None = None) -> dict[str, Any]:
    """Teach every learner nine tenths of the lines, and ask it for the others.

    Parameters
    ----------
    lines : sequence of str
        What there is.
    seed : int
        Of the split, the order and the learners.
    steps : int, optional
        How many batches a transformer learns from; without it, there is none.

    Returns
    -------
    dict
        Numbers of lines: ``train``, ``test``, ``known`` (those of the test that were learned too,
        for a file may repeat a line) and ``left_out``; and ``learners``, of each ``learner``,
        ``nats``, ``seconds`` and ``size``.
    """
    split = split_lines(lines, seed)
    if steps is not None:
        _check_transformer(split, steps)
    warmed_up()
    memory = PlasticMemory(seed=seed)
    works: list[Callable[[], Measured]] = [
        lambda: _bigram(split),
        lambda: _kneser_ney(split),
        lambda: _memory(memory, split, "one pass", lambda: memory.learn(split.train)),
        lambda: _memory(memory, split, "after sleep", memory.sleep),
    ]
    if steps is not None:
        works.append(lambda: _transformer(split, seed, steps))
    found = [work() for work in track(works, "comparing")]
    asleep = found[3]
    found[3] = Measured(asleep.learner, asleep.nats, found[2].seconds + asleep.seconds, asleep.size)
    learned = set(split.train)
    return {
        "train": len(split.train),
        "test": len(split.test),
        "known": len([line for line in split.test if line in learned]),
        "left_out": split.left_out,
        "learners": [vars(one) for one in found],
    }


def _bigram(split: Split) -> Measured:
    kept: list[tuple[float, int]] = []
    seconds = clocked(lambda: kept.append(bigram_nats(split.train, split.test)))
    return Measured("bigram", kept[0][0], seconds, kept[0][1])


def _kneser_ney(split: Split) -> Measured:
    learner = KneserNey(5)
    seconds = clocked(lambda: learner.learn(split.train))
    return Measured("modified Kneser-Ney 5", learner.nats(split.test), seconds, learner.counts)


def _memory(memory: PlasticMemory, split: Split, when: str, work: Callable[[], object]) -> Measured:
    seconds = clocked(work)
    size = memory.predictor.synapses + memory.predictor.weights
    return Measured(f"PlasticMemory, {when}", memory_nats(memory, split.test), seconds, size)


def _transformer(split: Split, seed: int, steps: int) -> Measured:
    trained = train_transformer(split.train, split.test, seed, steps)
    name = f"transformer, best at step {trained.step:,}"
    return Measured(name, trained.nats, trained.seconds, trained.parameters)


def _check_transformer(split: Split, steps: int) -> None:
    if steps < 1:
        raise ConfigError("steps is out of range", got=repr(steps), expected="an integer > 0")
    longest = max(map(len, [*split.train, *split.test]))
    if longest > _LONGEST:
        raise DataError(
            "a line is too long for the transformer",
            got=f"{longest:,} symbols",
            expected=f"at most {_LONGEST}",
            cure="leave --transformer out, or split the lines",
        )


def print_comparison(found: Mapping[str, Any], output: Output) -> None:
    """Print what :func:`compare_learners` found."""
    table = Table(box=None, pad_edge=False)
    for heading in ("learner", "nats/symbol", "CPU s", "numbers kept"):
        table.add_column(heading, justify="left" if heading == "learner" else "right")
    best = min(one["nats"] for one in found["learners"])
    for one in found["learners"]:
        style = "bold" if one["nats"] == best else None
        cells = f"{one['nats']:.3f}", f"{one['seconds']:.2f}", f"{one['size']:,}"
        table.add_row(one["learner"], *cells, style=style)
    known = f", {found['known']:,} of which were learned too" if found["known"] else ""
    output.say(f"{found['train']:,} lines learned, {found['test']:,} others asked for{known}")
    if found["left_out"]:
        output.say(
            f"{found['left_out']:,} held-out lines have a symbol of their own: not asked for"
        )
    output.say(table)
