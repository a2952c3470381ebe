"""``plasticish memory compare``: other learners on the same sequences."""

from __future__ import annotations

from typing import Annotated

import typer

from .memory_options import FileArgument
from .options import JsonOption, QuietOption

__all__ = ["compare"]


def compare(
    file: FileArgument = None,
    transformer: Annotated[
        bool,
        typer.Option("--transformer", help="Train one beside them; it takes minutes."),
    ] = False,
    steps: Annotated[int, typer.Option(help="Batches that the transformer learns from.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the split, the order and the learners.")] = 0,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare the memory with other learners on your own sequences.

    Without a file, on the bundled names:

        plasticish memory compare
        plasticish memory compare names.txt --transformer

    A tenth of the lines, drawn by the seed, is held out, and all are asked how
    surprising it is (nats a symbol, the end of each line among them; less is
    better): a bigram, modified Kneser-Ney with five symbols of context, and
    the memory after one pass and after sleep. A transformer of makemore's
    size is given its best step on the held-out lines, which flatters it.
    """
    from .memory_learning import read_sequences
    from .memory_rivals import compare_learners, print_comparison
    from .output import Output

    output = Output(json, quiet)
    with output.working():
        lines, _ = read_sequences(file)
        if transformer:
            output.remark(f"the transformer learns {steps:,} batches: this takes a while")
        found = compare_learners(lines, seed, steps if transformer else None)
    output.emit(found)
    print_comparison(found, output)
