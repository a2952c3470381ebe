"""Places from Graphviz, for those who have its program ``dot``; nothing here needs it.

Only sizes and links are handed over, under numbers of our own, and only places are read back: no
word of a memory ever becomes part of a command or of a file of another language.
"""

from __future__ import annotations

import math
import shutil
import subprocess
from dataclasses import replace

from plasticish.core import ConfigError

from .diagram import GAP, ROW, Diagram

__all__ = ["LAYOUTS", "arranged"]

LAYOUTS = ("auto", "own", "dot")
_SECONDS = 20.0


def arranged(diagram: Diagram, layout: str = "auto") -> Diagram:
    """Return the diagram with its spots placed by Graphviz, if that is wanted and can be had.

    Parameters
    ----------
    diagram : Diagram
        Placed already.
    layout : {"auto", "own", "dot"}
        ``own`` leaves it as it is. ``auto`` asks ``dot`` and leaves it as it is if there is no such
        program, or if it fails or takes more than 20 s.

    Raises
    ------
    ConfigError
        If the layout is none of these, or ``dot`` was asked for and is missing or fails.
    """
    if layout not in LAYOUTS:
        raise ConfigError(
            "unknown layout", got=repr(layout), expected="one of: " + ", ".join(LAYOUTS)
        )
    if layout == "own" or not diagram.spots:
        return diagram
    try:
        return _placed(diagram, _ask_dot(_source(diagram)))
    except (OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
        if layout == "auto":
            return diagram
        raise ConfigError(
            "Graphviz could not place the picture",
            got=str(error),
            cure="install Graphviz so that 'dot' is on the PATH, or use layout 'own'",
        ) from error


def _ask_dot(source: str) -> str:
    program = shutil.which("dot")
    if program is None:
        raise FileNotFoundError("there is no program 'dot'")
    done = subprocess.run(
        [program, "-Tplain"], input=source, capture_output=True, text=True, timeout=_SECONDS,
        check=True,
    )  # fmt: skip
    return done.stdout


def _source(diagram: Diagram) -> str:
    numbers = {key: i for i, key in enumerate(diagram.spots)}
    lines = [
        "digraph {",
        f"rankdir=LR; ranksep={GAP}; nodesep=0.04;",
        f"node [shape=box, fixedsize=true, label=\"\", height={ROW - 0.04:.3f}];",
    ]  # fmt: skip
    lines += [f"n{numbers[key]} [width={spot.room:.3f}];" for key, spot in diagram.spots.items()]
    lines += [f"n{numbers[link.source]} -> n{numbers[link.target]};" for link in diagram.links]
    return "\n".join([*lines, "}", ""])


def _placed(diagram: Diagram, plain: str) -> Diagram:
    """Read the places out of the format that Graphviz calls plain; its y grows upwards.

    Raises
    ------
    ValueError
        If a spot has none.
    """
    keys, places = list(diagram.spots), {}
    for line in plain.splitlines():
        words = line.split()
        if len(words) >= 5 and words[0] == "node":
            x, y, width = map(float, words[2:5])
            if not math.isfinite(x + y + width):
                raise ValueError(f"it placed a node at {words[2:4]}")
            places[keys[int(words[1].removeprefix("n"))]] = (x + width / 2, y)
    if len(places) < len(keys):
        raise ValueError(f"it placed {len(places)} of {len(keys)} nodes")
    top = max(y for _, y in places.values())
    spots = {
        key: replace(spot, x=places[key][0], y=top - places[key][1])
        for key, spot in diagram.spots.items()
    }
    return replace(diagram, spots=spots)
