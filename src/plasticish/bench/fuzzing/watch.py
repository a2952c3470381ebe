"""What is watched while a reader reads: the errors it raises, its memory, its writes, its time.

The interpreter tells an audit hook of every file that is opened and of every process and connection
that is made. Such a hook can never be taken away again, so all of this happens in a process of its
own (:mod:`plasticish.bench.fuzzing.worker`).
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from .readers import Reader

__all__ = ["Guard", "Outcome", "allow_memory", "attempt", "empty", "memory_mb", "reset_peak"]

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PLACES = {  # which arguments of an event are paths that change
    **dict.fromkeys(
        ("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown"), 1
    ),
    **dict.fromkeys(("os.setxattr", "os.utime", "shutil.rmtree"), 1),
    **dict.fromkeys(("os.rename",), 2),
}
_MAKES = ("os.symlink", "os.link")
_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn")
_HOME = str(Path(__file__).resolve().parents[2])


class TooLongError(BaseException):
    """An input took more CPU time than its reader may; no reader of bytes catches this one."""


class Guard:
    """The hook: refuses and notes what is changed outside the named folders.

    Examples
    --------
    A guard that is not armed lets everything pass; ``Guard().refused`` is then empty.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []
        self._allowed: tuple[str, ...] | None = None
        self._beside: tuple[str, ...] = ()

    def install(self) -> None:
        """Listen from now on, for as long as the process lives."""
        sys.addaudithook(self._heard)

    def arm(self, allowed: Iterable[Path], named: Iterable[Path] = ()) -> None:
        """Refuse changes anywhere but in these folders, and in places that the input names itself.

        What is to stand in such a place whole or not at all is made beside it, as ``.NAME.…``, and
        renamed.
        """
        self.refused = []
        places = [os.path.realpath(path) for path in named]
        self._allowed = (*(os.path.realpath(path) for path in allowed), *places)
        split = [place.rpartition("/") for place in places]
        self._beside = tuple(f"{above}/.{name}." for above, _, name in split if name)

    def disarm(self) -> None:
        """Let everything pass."""
        self._allowed = None

    def _heard(self, event: str, given: tuple[Any, ...]) -> None:
        if self._allowed is None:
            return
        for what in _changes(event, given):
            if not self._may(what):
                self.refused.append(f"{event} {what}")
                raise PermissionError(13, "the fuzzing run lets nothing be changed here", what)

    def _may(self, what: str) -> bool:
        allowed = self._allowed or ()
        # Links on the way count, the last part does not: it may be what is made or taken away.
        place = f"{os.path.realpath(Path(what).parent)}/{Path(what).name}"
        if place == "/dev/null" or (place.startswith(_HOME) and "__pycache__" in place):
            return True  # machine code of the package's own kernels
        if any(place == root or place.startswith(f"{root}/") for root in allowed):
            return True
        return place.startswith(self._beside)


def _changes(event: str, given: tuple[Any, ...]) -> list[str]:
    """Return the paths that an event changes; what is no file counts as a path of no folder."""
    if event == "open":
        path, mode, flags = given
        writes = flags & _WRITES if mode is None else any(letter in mode for letter in "wax+")
        return [os.fsdecode(path)] if writes and not isinstance(path, int) else []
    if event == "sqlite3.connect":
        return _database(os.fsdecode(given[0]))
    if event in _PLACES:
        return [os.fsdecode(p) for p in given[: _PLACES[event]] if not isinstance(p, int)]
    if event in _MAKES:
        return [os.fsdecode(given[1])]
    if event in _STARTS:
        return [f"<{event}>"]
    if event == "socket.connect" and not _is_loopback(given[1]):
        return [f"<connection to {given[1]}>"]
    return []


def _database(name: str) -> list[str]:
    if "mode=ro" in name or name == ":memory:":
        return []
    return [unquote(re.sub(r"^file:(//)?|\?.*$", "", name)) if name.startswith("file:") else name]


def _is_loopback(address: Any) -> bool:
    return isinstance(address, tuple) and str(address[0]) in ("127.0.0.1", "::1", "localhost")


# ------------------------------------------------------------------------------ one input


class Outcome:
    """What was wrong with an input: kind, where, and the whole traceback."""

    def __init__(self, kind: str, where: str, detail: str) -> None:
        self.kind, self.where, self.detail = kind, where, detail

    @property
    def key(self) -> tuple[str, str]:
        """Two inputs with one key found the same thing."""
        return self.kind, self.where


def attempt(reader: Reader, data: bytes, folder: Path, guard: Guard) -> Outcome | None:
    """Let a reader read, and return what it should not have done, None if nothing."""
    guard.arm([folder], _named(reader, data, folder))
    found: Outcome | None = None
    signal.signal(signal.SIGPROF, _interrupt if reader.works else _too_long)
    signal.setitimer(signal.ITIMER_PROF, reader.patience_s)
    try:
        reader.read(data, folder)
    except TooLongError:
        found = Outcome("hang", f"over {reader.patience_s} s", "")
    except reader.errors:
        pass
    except BaseException as error:
        found = _surprise(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        guard.disarm()
    if guard.refused:
        found = Outcome("outside write", guard.refused[0].split(" ")[0], guard.refused[0])
    return found


def _named(reader: Reader, data: bytes, folder: Path) -> list[Path]:
    """Return the places that a command line names itself: writing there is what was asked."""
    if not reader.works:
        return []
    words = (os.fsdecode(word).rpartition("=")[2] for word in data.split(b"\0"))
    # As pathlib has it: an absolute word replaces the folder.
    return [folder / word for word in words if word]


def _too_long(*_: object) -> None:
    raise TooLongError


def _interrupt(*_: object) -> None:
    signal.setitimer(signal.ITIMER_PROF, 5.0)  # it has so long to end
    signal.signal(signal.SIGPROF, _too_long)
    raise KeyboardInterrupt


def _surprise(error: BaseException) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename.startswith(_HOME) and "fuzzing" not in f.filename]
    frame = (ours or list(frames))[-1]
    where = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
    return Outcome("crash", where, "".join(traceback.format_exception(error))[-3000:])


def empty(folder: Path) -> None:
    """Take everything out of a folder, and leave it."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with suppress(OSError):
                Path(entry.path).unlink()


# ------------------------------------------------------------------------------ memory


def _status(field: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{field}:", 1)[1].split()[0]) * 1024


def memory_mb(peak: bool = False) -> float:
    """Return resident memory now, or at its highest since :func:`reset_peak`, in MB."""
    return _status("VmHWM" if peak else "VmRSS") / 1e6


def reset_peak() -> None:
    """Let the highest be the memory of now, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def allow_memory(more: int) -> None:
    """Let the process have so many bytes more than it has, and no others."""
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + more, resource.RLIM_INFINITY))
