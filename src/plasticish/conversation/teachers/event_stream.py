"""The reply of a chat server, out of the server-sent events in which it comes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from threading import Event
from typing import Any, NamedTuple

from .no_answer import NoAnswerError

__all__ = ["StreamedReply", "limited", "read_reply"]

_WRONG_SERVER = "check that the address is that of an OpenAI-compatible server"


class StreamedReply(NamedTuple):
    """What the server said, and whether it stopped because it had used up its tokens."""

    text: str
    ran_out: bool


def limited(chunks: Iterable[bytes], most: int, stop: Event) -> Iterator[bytes]:
    """Yield ``chunks`` until they are more than ``most`` bytes, or ``stop`` is set.

    Raises
    ------
    NoAnswerError
        When they are, or it is.
    """
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise NoAnswerError(f"it sent more than {most} bytes", "choose another model")
        if stop.is_set():
            raise NoAnswerError("nobody waits for its answer any more")
        yield chunk


def read_reply(chunks: Iterable[bytes], longest: int) -> StreamedReply:
    r"""Return the reply in a stream of events, however it was cut into chunks.

    Raises
    ------
    NoAnswerError
        If the stream is no such stream, breaks off, reports an error, or says more than
        ``longest`` characters.

    Examples
    --------
    >>> event = b'data: {"choices": [{"delta": {"content": "hi"}, "finish_reason": "stop"}]}\n\n'
    >>> read_reply([event[:30], event[30:], b"data: [DONE]\n\n"], longest=100)
    StreamedReply(text='hi', ran_out=False)
    """
    said: list[str] = []
    length, finish = 0, None
    for line in _lines(chunks):
        data = _data(line)
        if data == "[DONE]":
            finish = finish or "stop"
            break
        if data is None:
            continue
        text, reason = _delta(data)
        finish = reason or finish
        length += len(text)
        if length > longest:
            raise NoAnswerError(
                f"its reply is longer than {longest} characters", "choose another model"
            )
        said.append(text)
    if finish is None:
        raise NoAnswerError("its reply broke off", passing=True)
    return StreamedReply("".join(said), finish == "length")


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        # A line can end only in what is new; looking at all of it again would be quadratic.
        *whole, last = chunk.split(b"\n")
        for line in whole:
            yield _text(rest + line)
            rest = b""
        rest += last
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise NoAnswerError("it sent bytes that are no UTF-8", _WRONG_SERVER) from error


def _data(line: str) -> str | None:
    """Return the data of a line, None if it has none."""
    field, colon, value = line.partition(":")
    if field == "data" and colon:
        return value.strip()
    if not field or field in ("event", "id", "retry"):  # an empty field name is a comment
        return None
    raise NoAnswerError(f"it sent something that is no event: {line[:60]!r}", _WRONG_SERVER)


def _delta(data: str) -> tuple[str, str | None]:
    """Return the text of an event, and why the reply ended, if it did."""
    try:
        event: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoAnswerError(
            f"it sent an event that is no JSON: {data[:60]!r}", _WRONG_SERVER
        ) from error
    if isinstance(event, dict) and event.get("error"):
        raise NoAnswerError(f"it reports an error: {_short(event['error'])}", "look at its log")
    try:
        choices = event["choices"]
        if choices == []:  # the last event of some servers counts tokens only
            return "", None
        text = choices[0]["delta"].get("content") or ""
        reason = choices[0].get("finish_reason")
    except (LookupError, TypeError, AttributeError) as error:
        raise _wrong_schema(data) from error
    if not isinstance(text, str) or not isinstance(reason, str | None):
        raise _wrong_schema(data)
    return text, reason


def _wrong_schema(data: str) -> NoAnswerError:
    return NoAnswerError(
        f"it sent an event without choices and delta: {data[:60]!r}", _WRONG_SERVER
    )


def _short(error: Any) -> str:
    message = error.get("message", error) if isinstance(error, dict) else error
    return " ".join(str(message).split())[:120]
