"""Answers of a brain as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from .asking import Answer
from .output import percent

__all__ = ["answer_table", "verdict"]

STRANGE = "never seen anything like it"


def verdict(answer: Answer) -> str:
    """Return what the brain says, in a few words."""
    if answer.novel:
        return f"{STRANGE} (nearest: {answer.label})"
    return f"{answer.label}, {percent(answer.confidence, 0)} % sure"


def answer_table(answers: Sequence[Answer]) -> Table:
    """Return one line an image."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("image", overflow="fold")
    strange = any(answer.novel for answer in answers)
    table.add_column("label", overflow="fold", min_width=len(STRANGE) if strange else None)
    table.add_column("confidence", justify="right")
    table.add_column("novelty", justify="right")
    for answer in answers:
        if answer.novel:
            said = Text(STRANGE, style="yellow").append(f" (nearest: {answer.label})", style="dim")
        else:
            said = Text(answer.label, style="bold")
        style = "yellow" if answer.novel else "dim"
        table.add_row(
            Text(str(answer.image)),
            said,
            "" if answer.novel else f"{percent(answer.confidence)} %",
            Text(f"{answer.novelty:.1f} of {answer.threshold:.1f}", style=style),
        )
    return table
