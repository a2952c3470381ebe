"""Bytes that are nearly right: what gets past the first check is what finds the second missing.

An input is one byte string, so that any engine can make one. A reader of several files takes it
apart with :func:`split`, which makes parts of any bytes at all. What is JSON is altered as JSON,
and safetensors keep a sound frame around what is altered; everything else is flipped, cut, doubled
and spliced byte by byte.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

__all__ = ["join", "mutated", "split"]

LONGEST = 1 << 20
_LENGTH = struct.Struct("<I")
_HEADER = struct.Struct("<Q")

_TOKENS = (
    *(b"\0", b"\n", b"\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"../../../x", b"/etc/passwd", b"%s"),
    *(b"[" * 5000, b'{"a":' * 3000, b"a: &a [*a]\n", b"<<: *a\n", b"- - - ", b"!!python/none x"),
    *(b"data: ", b"data: [DONE]\n\n", b"\xf0\x9f\x99\x82", b"\xed\xa0\x80", b"1" * 5000, b"NaN"),
)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62)
_DEEP = "\N{WHITE SQUARE}deep"
_WIDE = "\N{WHITE SQUARE}wide"
_HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 255, 65_536, 1 << 31, 1 << 40, 1 << 63, 1 << 64, 10**30),
    *(0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf"), float("-inf")),
    *("", " ", "0", "nan", "\0", "\ud800", "../../x", "/dev/zero", "a" * 5000, "💥"),
    *([], {}, [[]], [None], {"": None}, _DEEP, _WIDE),
)


def join(*parts: bytes) -> bytes:
    """Pack parts into one input; the last needs no length.

    Examples
    --------
    >>> split(join(b"one", b"two"), 2)
    [b'one', b'two']
    """
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts[:-1]) + parts[-1]


def split(data: bytes, count: int) -> list[bytes]:
    """Take ``count`` parts out of any bytes; what is not there is empty.

    Examples
    --------
    >>> split(b"nothing", 3)
    [b'ing', b'', b'']
    """
    parts = []
    for _ in range(count - 1):
        head, data = data[: _LENGTH.size], data[_LENGTH.size :]
        size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
        parts.append(data[:size])
        data = data[size:]
    return [*parts, data]


def mutated(seeds: Sequence[bytes], random: Random, parts: int = 1) -> bytes:
    """Return an input that was never there: a seed with one to four of its places altered.

    Parameters
    ----------
    seeds : sequence of bytes
        Sound inputs, made by the product.
    random : Random
        Decides everything.
    parts : int
        How many parts an input has.
    """
    if random.random() < 0.02:
        return random.randbytes(random.choice((0, 1, 4, 64, 1024)))
    pieces = split(random.choice(seeds), parts)
    for _ in range(1 + int(random.expovariate(1.2))):
        place = random.randrange(parts)
        other = split(random.choice(seeds), parts)[random.randrange(parts)]
        pieces[place] = _altered(pieces[place], other, random)[:LONGEST]
    return join(*pieces)


def _altered(data: bytes, other: bytes, random: Random) -> bytes:
    if random.random() < 0.85:
        if data[:1] in (b"{", b"["):
            return _altered_json(data, random)
        if (header := _safetensors_header(data)) is not None:
            return _altered_safetensors(data, header, random)
    return random.choice(_BYTE_WISE)(data, other, random)


# ------------------------------------------------------------------------------ bytes


def _flip(data: bytes, _: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _time in range(random.choice((1, 1, 2, 8)) if data else 0):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _cut_off(data: bytes, _: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _cut_out(data: bytes, _: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + data[start + random.choice((1, 2, 4, 16, 256)) :]


def _double(data: bytes, _: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + data[start : start + random.choice((1, 8, 64, 4096))] + data[start:]


def _splice(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _insert(data: bytes, _: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + random.choice(_TOKENS) + data[start:]


def _number(data: bytes, _: bytes, random: Random) -> bytes:
    size = random.choice((1, 2, 4, 8))
    value = random.choice(_NUMBERS) % (1 << 8 * size)
    # Lengths and counts stand at the beginning of most formats.
    reach = len(data) if random.random() < 0.5 else min(len(data), 64)
    start = random.randrange(reach + 1)
    order = random.choice(("little", "big"))
    return data[:start] + value.to_bytes(size, order) + data[start + size :]  # type: ignore[arg-type]


_BYTE_WISE: tuple[Callable[[bytes, bytes, Random], bytes], ...] = (
    *(_flip, _flip, _number, _number, _cut_off, _cut_out, _double, _splice, _insert),
)


# ------------------------------------------------------------------------------ JSON


def _altered_json(data: bytes, random: Random) -> bytes:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return _flip(data, b"", random)
    return _dumped(_with_one_change(whole, random)).encode("utf-8", "surrogatepass")


def _dumped(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        text = "null"
    deep = "[" * 3000 + "]" * 3000
    return text.replace(f'"{_DEEP}"', deep).replace(f'"{_WIDE}"', "9" * 5000)


def _with_one_change(whole: Any, random: Random) -> Any:
    places = _places(whole)
    if not places:
        return random.choice(_HOSTILE)
    holder, key = random.choice(places)
    kind = random.random()
    if kind < 0.4:
        holder[key] = random.choice(_HOSTILE)
    elif kind < 0.6:
        holder[key] = _nudged(holder[key], random)
    elif kind < 0.75:
        del holder[key]
    elif kind < 0.9:
        other, name = random.choice(places)
        if name in other if isinstance(other, dict) else name < len(other):
            # Copied: a list put into itself would have no end.
            holder[key] = json.loads(json.dumps(other[name]))
    elif isinstance(holder, dict):
        holder[random.choice(("", "x", str(key).upper()))] = holder.pop(key)
    else:
        holder.extend(holder[key:][: LONGEST // 64])
    return whole


def _places(whole: Any) -> list[tuple[Any, Any]]:
    """Return every value as what holds it and its key; long lists are sampled at their ends."""
    found: list[tuple[Any, Any]] = []
    waiting = [whole]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            keys: list[Any] = list(holder)
        elif isinstance(holder, list):
            keys = [*range(min(len(holder), 12)), *range(max(len(holder) - 4, 12), len(holder))]
        else:
            continue
        found += [(holder, key) for key in keys]
        waiting += [holder[key] for key in keys]
    return found


def _nudged(value: Any, random: Random) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return random.choice((value + 1, value - 1, -value, value * 2, value * 1000, float(value)))
    if isinstance(value, str):
        return random.choice((value[:-1], value + value, value.upper(), value + "\0", [value]))
    if isinstance(value, list):
        return random.choice((value[:-1], value + value[:1], value[::-1], [value]))
    return random.choice(([value], list(value), {**value, "x": 1}))


# ------------------------------------------------------------------------------ safetensors


def _safetensors_header(data: bytes) -> dict[str, Any] | None:
    if len(data) < _HEADER.size or not 2 <= (size := _HEADER.unpack(data[:8])[0]) <= len(data) - 8:
        return None
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _altered_safetensors(data: bytes, header: dict[str, Any], random: Random) -> bytes:
    body = data[8 + _HEADER.unpack(data[:8])[0] :]
    arrays = [one for one in header.values() if isinstance(one, dict) and "data_offsets" in one]
    if random.random() < 0.3 or not arrays:
        text = _dumped(_with_one_change(header, random)).encode("utf-8", "surrogatepass")
        return _HEADER.pack(len(text)) + text + body
    return data[: len(data) - len(body)] + _altered_array(body, random.choice(arrays), random)


_ITEMS = {
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F16", "BF16", "I16"), 2),
}
_FLOATS = {"F64": "<d", "F32": "<f", "F16": "<e"}


def _altered_array(body: bytes, array: Any, random: Random) -> bytes:
    """Put a value that fits the type, and perhaps nothing else, into an array."""
    try:
        start, stop = map(int, array["data_offsets"])
        size = _ITEMS.get(array["dtype"], 1)
        place = start + size * random.randrange(max((stop - start) // size, 1))
        if array["dtype"] in _FLOATS:
            wanted = random.choice((0.0, -1.0, 1e4, 65504.0, float("nan"), float("inf"), 1e-7))
            value = struct.pack(_FLOATS[array["dtype"]], wanted)
        else:
            number = random.choice((0, 1, 2, -1, -2, 7, 100, 1000, 1 << 30, -(1 << 31), 1 << 62))
            value = (number % (1 << 8 * size)).to_bytes(size, "little")
    except (TypeError, ValueError, KeyError, OverflowError):  # the header was altered before
        return body
    return body[:place] + value + body[place + size :]
