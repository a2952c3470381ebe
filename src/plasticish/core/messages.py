"""What passes between a process and the workers that it started itself.

Messages hold functions, so they are pickled, and reading one may run code. This is the only place
of the package that does so, and it is handed nothing but what came through the unnamed pipe of a
child: never a file, never a socket. What is kept goes through :mod:`plasticish.core.checkpoint`.
"""

from __future__ import annotations

import pickle
from typing import Any

__all__ = ["read_message", "write_message"]


def write_message(content: object) -> bytes:
    """Return ``content`` as bytes.

    Not as a pipe of :mod:`multiprocessing` would write it by itself: torch has that put tensors
    into memory that both sides share, and a killed worker takes it along.
    """
    return pickle.dumps(content)


def read_message(message: bytes) -> Any:
    """Return what :func:`write_message` was given, from the other end of a pipe.

    Examples
    --------
    >>> read_message(write_message({"answer": 42}))
    {'answer': 42}
    """
    return pickle.loads(message)
