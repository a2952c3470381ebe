"""What ``plasticish memory`` asks a memory, and how the answers are worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from plasticish.sequence import PlasticMemory

from .output import Output, percent

__all__ = ["completion", "concept_rows", "open_memory", "print_completion", "print_concepts"]


def open_memory(folder: Path) -> PlasticMemory:
    """Load the memory in ``folder``.

    Raises
    ------
    CheckpointError
        If there is none, or it is damaged.
    """
    return PlasticMemory.load(folder)


def completion(memory: PlasticMemory, prefix: str) -> dict[str, Any]:
    """Return what comes after ``prefix``, how it goes on, and the strongest reasons."""
    prediction, why = memory.predict(prefix), memory.why(prefix)
    return {
        "prefix": prefix,
        "completion": memory.infer(prefix),
        "next": [{"symbol": s, "probability": p} for s, p in prediction.top(5)],
        "end": prediction.end,
        "new": prediction.new,
        "reasons": [
            {"expert": r.expert, "seen": r.seen, "counted": r.counted, "push": r.push}
            for r in why.reasons[:5]
        ],
        "stored": [{"sequence": s, "count": count} for s, count in why.paths],
    }


def print_completion(found: Mapping[str, Any], output: Output) -> None:
    """Print what :func:`completion` found."""
    output.say(str(found["completion"]))
    table = Table(box=None, pad_edge=False)
    table.add_column("next")
    table.add_column("%", justify="right")
    for item in found["next"]:
        table.add_row(str(item["symbol"]), percent(item["probability"]))
    table.add_row("the end", percent(found["end"]))
    table.add_row("something new", percent(found["new"]))
    output.say(table)
    experts = ", ".join(f"{r['expert']} ({r['counted']:g} of {r['seen']:g})"
                        for r in found["reasons"])  # fmt: skip
    output.say(f"because of: {experts}")
    if found["stored"]:
        stored = ", ".join(f"{s['sequence']} ({s['count']:g})" for s in found["stored"])
        output.say(f"stored: {stored}")


def concept_rows(memory: PlasticMemory, level: int | None, limit: int) -> list[dict[str, Any]]:
    """Return the most frequent concepts, as JSON can hold them."""
    return [
        {
            "name": c.name,
            "level": c.level,
            "count": c.count,
            "expansion": c.expansion,
            "parts": list(c.parts),
        }
        for c in memory.concepts(level)[:limit]
    ]


def print_concepts(rows: Sequence[Mapping[str, Any]], output: Output) -> None:
    """Print concepts as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("concept", "level", "count", "name", "built of"):
        table.add_column(heading, justify="right" if heading in ("level", "count") else "left")
    for row in rows:
        table.add_row(
            str(row["expansion"]), str(row["level"]), f"{row['count']:,}", row["name"],
            " + ".join(row["parts"]),
        )  # fmt: skip
    output.say(table)
