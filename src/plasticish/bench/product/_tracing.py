"""Every file operation of a process, one after another, each of which can be made to go wrong.

The process is traced by ``ptrace(2)``: it stops where it enters the kernel, whoever called there,
Python, safetensors or SQLite. There it can be killed, have half of a write done and be killed then,
or be told that the disk is full. Only under Linux on x86-64, whose numbers of system calls these
are.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["GO", "HALF", "KILL", "Operation", "can_trace", "follow", "traced", "undurable"]

GO, KILL, HALF = "go", "kill", "half"
"""Let it happen; kill the process before it; have half of a write done, and kill it then."""

Decide = Callable[["Operation"], str | int]
"""What is to become of an operation: one of the above, or the number of an error (ENOSPC)."""

_BY_HANDLE = {1: "write", 18: "write", 20: "write", 74: "sync", 75: "sync", 77: "truncate"}
_BY_PATH = {
    2: ("open", None, 0, 1), 257: ("open", 0, 1, 2), 82: ("rename", None, 0, 1),
    264: ("rename", 0, 1, 3), 316: ("rename", 0, 1, 3), 87: ("unlink", None, 0, None),
    263: ("unlink", 0, 1, None), 83: ("mkdir", None, 0, None), 258: ("mkdir", 0, 1, None),
    84: ("unlink", None, 0, None),
}  # fmt: skip
_TRACEME, _GETREGS, _SETREGS, _SYSCALL, _SETOPTIONS = 0, 12, 13, 24, 0x4200
_OPTIONS = 1 | 0x100000  # mark stops at system calls; no tracer, no process
_RAX, _RDX, _NUMBER = 10, 12, 15
_ARGUMENTS = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9 in user_regs_struct
_AT_FDCWD, _PAGE = -100, 4096
_LOCKS = (".lock", ".running", ".command")
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


@dataclass(frozen=True)
class Operation:
    """One thing that a process asks the kernel to do with a file.

    Attributes
    ----------
    kind : str
        ``open`` (making or emptying it), ``write``, ``truncate``, ``sync``, ``rename``,
        ``unlink`` or ``mkdir``.
    path : Path
        Of what.
    target : Path or None
        What it is renamed to.
    number : int
        Its place among all of them, from 0.
    """

    kind: str
    path: Path
    target: Path | None = None
    number: int = 0


def can_trace() -> str | None:
    """Return why a process cannot be traced here; None if it can."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return f"tracing is written for Linux on x86-64, not for {platform.machine()}"
    try:
        child = os.fork()
        if not child:
            _be_traced(lambda: os._exit(0))
        follow(child, Path("/"))
    except OSError as error:
        return f"processes cannot be traced here: {error}"
    return None


def traced(work: Callable[[], None]) -> Callable[[], None]:
    """Return ``work`` for a forked process that will be followed."""
    return lambda: _be_traced(work)


def _be_traced(work: Callable[[], None]) -> None:
    if _libc.ptrace(_TRACEME, 0, None, None):
        os._exit(9)
    os.kill(os.getpid(), signal.SIGSTOP)
    work()


def follow(
    child: int, root: Path, decide: Decide = lambda operation: GO
) -> tuple[list[Operation], int]:
    """Follow a process that asked for it to its end; return its operations below ``root``.

    Parameters
    ----------
    child : int
        A process that runs what :func:`traced` returned.
    root : Path
        Operations elsewhere are nobody's concern.
    decide : callable
        What is to become of each operation.

    Returns
    -------
    operations : list of Operation
        In their order, the one at which it was killed among them.
    status : int
        As :func:`os.waitpid` has it.
    """
    operations: list[Operation] = []
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        raise OSError(errno.EPERM, "the process did not stop for its tracer")
    _ptrace(_SETOPTIONS, child, _OPTIONS)
    registers, deliver, inside, after = (ctypes.c_ulonglong * 27)(), 0, False, None
    while True:
        _ptrace(_SYSCALL, child, deliver)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return operations, status
        deliver = 0
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            deliver = os.WSTOPSIG(status)
            continue
        _ptrace(_GETREGS, child, registers)
        inside = not inside  # it stops at the entry of a call and at its end
        if not inside:
            if after == KILL:
                os.kill(child, signal.SIGKILL)
            elif after is not None:
                registers[_RAX] = ctypes.c_ulonglong(-int(after)).value
                _ptrace(_SETREGS, child, registers)
            after = None
            continue
        operation = _operation(child, registers, root, len(operations))
        if operation is None:
            continue
        operations.append(operation)
        after = _apply(decide(operation), child, registers)


def _apply(action: str | int, child: int, registers: Any) -> str | int | None:
    """Do what was decided at the entry of a call; return what is left for its end."""
    if action == GO:
        return None
    if action == KILL:
        os.kill(child, signal.SIGKILL)
        return None
    if action == HALF:
        registers[_RDX] //= 2
        _ptrace(_SETREGS, child, registers)
        return KILL
    registers[_NUMBER] = ctypes.c_ulonglong(-1).value  # no such call: nothing is done
    _ptrace(_SETREGS, child, registers)
    return action


def _ptrace(request: int, child: int, data: Any) -> None:
    address = ctypes.addressof(data) if isinstance(data, ctypes.Array) else data
    if _libc.ptrace(request, child, None, address) < 0:
        number = ctypes.get_errno()
        if number != errno.ESRCH:  # it was killed: waitpid says so
            raise OSError(number, os.strerror(number))


def _operation(child: int, registers: Any, root: Path, number: int) -> Operation | None:
    call = registers[_NUMBER]
    values = [ctypes.c_longlong(registers[place]).value for place in _ARGUMENTS]
    kind, path, target = "", None, None
    if call in _BY_HANDLE:
        kind, path = _BY_HANDLE[call], _of_handle(child, values[0])
    elif call in _BY_PATH:
        kind, folder, name, more = _BY_PATH[call]
        if kind == "open" and not values[more or 0] & (os.O_CREAT | os.O_TRUNC):
            return None
        path = _of_name(child, None if folder is None else values[folder], values[name])
        if kind == "rename":
            assert more is not None
            at = None if folder is None else values[folder + 2]
            target = _of_name(child, at, values[more])
    if path is None or not path.is_relative_to(root):
        return None
    return Operation(kind, path, target, number)


def _of_handle(child: int, handle: int) -> Path | None:
    try:
        return Path(f"/proc/{child}/fd/{handle}").readlink()
    except OSError:
        return None


def _of_name(child: int, folder: int | None, address: int) -> Path | None:
    try:
        name = Path(os.fsdecode(_text(child, address)))
    except (OSError, ValueError):
        return None
    if name.is_absolute():
        return name
    if folder is None or ctypes.c_int(folder).value == _AT_FDCWD:
        return Path(f"/proc/{child}/cwd").readlink() / name
    base = _of_handle(child, folder)
    return None if base is None else base / name


def _text(child: int, address: int) -> bytes:
    """Read to the next zero byte, a page at a time: the page after it may not be there."""
    text = b""
    with Path(f"/proc/{child}/mem").open("rb", buffering=0) as memory:
        while b"\0" not in text:
            memory.seek(address + len(text))
            text += memory.read(_PAGE - (address + len(text)) % _PAGE)
    return text.split(b"\0")[0]


def undurable(operations: list[Operation]) -> list[str]:
    """Say what a power cut after these operations could undo, in the order in which it came about.

    A file has to be on the disk before it is renamed to where it will be looked for; and where a
    name was made, its folder has to be written after that. Left out are locks, and the index of
    SQLite's log, which is made anew from the log.
    """
    said: list[str] = []
    unwritten: set[Path] = set()
    unnamed: dict[Path, str] = {}
    for one in operations:
        if one.path.name.endswith("-shm") or one.path.name in _LOCKS:
            continue
        if one.kind in ("write", "truncate"):
            unwritten.add(one.path)
        elif one.kind == "sync":
            unwritten.discard(one.path)
            unnamed = {path: why for path, why in unnamed.items() if path.parent != one.path}
        elif one.kind == "rename":
            assert one.target is not None
            if one.path in unwritten:
                said.append(f"{one.target.name} was renamed before it was on the disk")
            unwritten.discard(one.path)
            unnamed.pop(one.path, None)
            unnamed[one.target] = f"the folder of {one.target.name} was not written after"
        elif one.kind == "unlink":
            unwritten.discard(one.path)
            unnamed.pop(one.path, None)
        elif one.kind in ("open", "mkdir"):
            unnamed.setdefault(one.path, f"the folder of {one.path.name} was not written after")
    return (
        said
        + [f"{path.name} is not on the disk" for path in sorted(unwritten)]
        + [*unnamed.values()]
    )
