"""What a conversation reads: the folder that a learner lives in, and what a teacher sends."""

from __future__ import annotations

import gzip
import json
import socketserver
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from plasticish.conversation import ConversationalLearner, LLMTeacher
from plasticish.conversation.event_log import EventLog
from plasticish.conversation.events import Birth, Exchange, Forgetting, Overheard, Sleep, Taught
from plasticish.conversation.teachers.address import base_url
from plasticish.conversation.teachers.event_stream import limited, read_reply
from plasticish.conversation.teachers.no_answer import NoAnswerError

from .mutation import join, split
from .of_learners import TALKER, lay_sealed, sealed_parts
from .readers import reader

__all__: list[str] = []


def _logs(folder: Path) -> Iterator[bytes]:
    log = EventLog(folder / "turns.db", clock=lambda: 0.0)
    log.begin(Birth(ConversationalLearner(TALKER).config(), blank=True), 1)
    log.append(Exchange("hi", "hello"), Taught("hi", "hello", "hey", 0.5, "you"))
    log.append(Overheard("a", "b"), Sleep(), Forgetting((2,)))
    log.close()
    yield (folder / "turns.db").read_bytes()


@reader("event log", _logs)
def _log(data: bytes, folder: Path) -> None:
    path = folder / "turns.db"
    path.write_bytes(data)
    log = EventLog(path)
    try:
        log.birth  # noqa: B018
        list(log.after(0))
        log.recent(3)
        log.lessons("you", 3)
        log.says("hello")
        log.forgotten()
        log.append(Exchange("more", "of it"))
        log.erase([1])
    finally:
        log.close()


def _homes(folder: Path) -> Iterator[bytes]:
    learner = ConversationalLearner(TALKER)
    with learner.start_conversation(None, folder / "home") as talk:
        talk.respond("hello")
        talk.save()
        talk.respond("who are you")
    log = (folder / "home" / "turns.db").read_bytes()
    yield join(log, sealed_parts(folder / "home" / "checkpoint"))


@reader("conversation folder", _homes, parts=2)
def _home(data: bytes, folder: Path) -> None:
    log, checkpoint = split(data, 2)
    home = folder / "home"
    home.mkdir()
    (home / "turns.db").write_bytes(log)
    lay_sealed(checkpoint, home / "checkpoint")
    ConversationalLearner.load(home).predict("hello")


# ------------------------------------------------------------------------------ teachers

_EVENT = {"choices": [{"delta": {"content": "hi there"}, "finish_reason": None}]}
_END = {"choices": [{"delta": {}, "finish_reason": "stop"}]}


def _events(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in events)


def _streams(_: Path) -> Iterator[bytes]:
    yield join(json.dumps(_EVENT).encode(), json.dumps(_END).encode(), b"data: [DONE]\n\n")
    yield join(b'{"error": {"message": "no memory"}}', b'{"choices": []}', b": comment\n")
    long = {"choices": [{"delta": {"content": "x" * 500}, "finish_reason": "length"}]}
    yield join(json.dumps(long).encode(), json.dumps(_END).encode(), b"event: x\nid: 1\n\n")


@reader("event stream", _streams, parts=3, errors=(NoAnswerError,))
def _stream(data: bytes, folder: Path) -> None:
    first, second, rest = split(data, 3)
    whole = b"data: " + first + b"\n\ndata: " + second + b"\n\n" + rest
    size = 1 + len(first) % 997
    chunks = (whole[start : start + size] for start in range(0, len(whole), size))
    read_reply(limited(chunks, 1 << 20, threading.Event()), 20_000)


class _Parrot(socketserver.BaseRequestHandler):
    """Send what is to be sent, whatever was asked, and hang up."""

    said = b""

    def handle(self) -> None:
        self.request.settimeout(2.0)
        try:
            self.request.recv(1 << 16)
            self.request.sendall(self.said)
        except OSError:
            return  # the asker has heard enough


@cache
def _parrot() -> LLMTeacher:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Parrot)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    return LLMTeacher(address, model="m", timeout_s=1.0, tries=1)


def _answers(_: Path) -> Iterator[bytes]:
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\n"
    body = _events(_EVENT, _END) + b"data: [DONE]\n\n"
    yield head + b"\r\n" + body
    yield head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    yield head + b"Content-Length: 999999999999\r\n\r\n" + body
    yield head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    yield head + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(body, mtime=0)
    yield head + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(1 << 24), mtime=0)
    yield b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nConnection: close\r\n\r\n"
    yield b'HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{"error": {"message": [1]}}'


@reader("teacher server", _answers, needs="openai")
def _teacher(data: bytes, folder: Path) -> None:
    _Parrot.said = data
    _parrot().reply("hello")


def _addresses(_: Path) -> Iterator[bytes]:
    yield b"http://localhost:1234/v1/chat/completions"
    yield b"https://[::1]:8080/openai?x=1#y"


@reader("teacher address", _addresses)
def _address(data: bytes, folder: Path) -> None:
    base_url(data.decode("utf-8", "surrogateescape"))
