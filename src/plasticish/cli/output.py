"""Where words go: results to stdout, progress and remarks to stderr, JSON instead of both."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console, RenderableType

from plasticish.core import progress_enabled, quiet

__all__ = ["Output", "percent"]


@dataclass(frozen=True)
class Output:
    """How a command was asked to speak.

    Attributes
    ----------
    json : bool
        One JSON object on stdout, and nothing else there.
    quiet : bool
        No progress and no remarks.
    """

    json: bool = False
    quiet: bool = False

    @property
    def live(self) -> bool:
        """Whether something that moves may be drawn on stderr."""
        return not (self.json or self.quiet) and progress_enabled()

    def say(self, what: RenderableType = "") -> None:
        """Print a result for people."""
        if not self.json:
            Console(highlight=False).print(what)

    def remark(self, text: str) -> None:
        """Tell on stderr what is going on, if that is wanted."""
        if not (self.json or self.quiet):
            Console(stderr=True, highlight=False).print(text, style="dim")

    def emit(self, values: Mapping[str, Any]) -> None:
        """Print a result for programs."""
        if self.json:
            json.dump(values, sys.stdout, indent=2, allow_nan=False, ensure_ascii=False)
            sys.stdout.write("\n")

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep the library as quiet as was asked, and print its warnings as single lines."""
        with quiet(self.json or self.quiet), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default", UserWarning)
            try:
                yield
            finally:
                for text in dict.fromkeys(str(warning.message) for warning in caught):
                    print(f"plasticish: note: {text}", file=sys.stderr)


def percent(share: float | None, digits: int = 1) -> str:
    """Return a share in [0, 1] as a percentage, or a dash for none.

    Examples
    --------
    >>> percent(0.5), percent(None)
    ('50.0', '–')
    """
    return "–" if share is None else f"{100 * share:.{digits}f}"
