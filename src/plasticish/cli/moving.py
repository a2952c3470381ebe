"""What is drawn on stderr while something goes on, and is gone when it ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.live import Live

__all__ = ["Moving"]

M = TypeVar("M", bound="Moving")


class Moving(ABC):
    """Something that is drawn anew as long as it is entered; a subclass says what it looks like."""

    _live: Live | None = None

    @property
    @abstractmethod
    def drawn(self) -> bool:
        """Whether it is to be drawn."""

    @abstractmethod
    def look(self) -> RenderableType:
        """Return what it looks like now."""

    def __rich__(self) -> RenderableType:
        return self.look()

    def __enter__(self: M) -> M:
        if self.drawn:
            self._live = Live(
                get_renderable=self.look,
                console=Console(stderr=True),
                refresh_per_second=8,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
