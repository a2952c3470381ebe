"""The reply in a stream of events: however it is cut up, and whatever is wrong with it."""

from __future__ import annotations

import itertools
import json
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.conversation.teachers.event_stream import limited, read_reply
from plasticish.conversation.teachers.no_answer import NoAnswerError


def event(text, finish=None):
    choice = {"delta": {"content": text}, "finish_reason": finish, "index": 0}
    return f"data: {json.dumps({'choices': [choice]}, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=10), max_size=8),
    st.lists(st.integers(0, 2000), max_size=10),
    st.sampled_from([b"\n", b"\r\n"]),
)
@settings(max_examples=150, deadline=None)
def test_where_the_stream_is_cut_does_not_matter(texts, cuts, end):
    stream = b": a comment\nevent: message\n" + b"".join(map(event, texts)) + DONE
    stream = stream.replace(b"\n", end)
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    chunks = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert read_reply(chunks, longest=1000) == ("".join(texts), False)


def test_it_says_why_it_ended():
    assert read_reply([event("a"), event("b", "length"), DONE], 9) == ("ab", True)
    assert read_reply([event("a", "stop")], 9) == ("a", False)  # some servers send no [DONE]
    assert (
        read_reply([event("a"), event(None, "stop"), b'data: {"choices": []}\n\n'], 9).text == "a"
    )
    assert read_reply([event("a"), DONE, b"what comes after is not read"], 9).text == "a"


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (b"", "broke off"),
        (event("half"), "broke off"),
        (b"data: {\n\n", "no JSON"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "no JSON"),
        (b"data: 5\n\n", "without choices"),
        (b"data: {}\n\n", "without choices"),
        (b'data: {"choices": [3]}\n\n', "without choices"),
        (b'data: {"choices": {"a": 1}}\n\n', "without choices"),
        (b'data: {"choices": [{"delta": null}]}\n\n', "without choices"),
        (b'data: {"choices": [{"delta": {"content": 7}}]}\n\n', "without choices"),
        (b'data: {"choices": [{"delta": {}, "finish_reason": 7}]}\n\n', "without choices"),
        (b'data: {"error": {"message": "out of\\n memory"}}\n\n', "error: out of memory"),
        (b'data: {"error": "no"}\n\n', "error: no"),
        (b"<html>hello</html>\n", "no event: '<html>hello"),
        (b'{"choices": [{"message": {"content": "hi"}}]}', "no event"),
        (b"data: \xff\xfe\n\n", "no UTF-8"),
        (b"\x00\x01\x02" * 50, "no event"),
        (event("x" * 11) + DONE, "longer than 10 characters"),
        (event("x" * 6) * 2 + DONE, "longer than 10 characters"),
    ],
)
def test_what_is_no_reply_is_refused(stream, problem):
    with pytest.raises(NoAnswerError, match=problem):
        read_reply([stream], longest=10)


def test_a_stream_is_limited_and_can_be_stopped():
    stop = Event()
    assert list(limited([b"ab", b"cd"], 4, stop)) == [b"ab", b"cd"]
    with pytest.raises(NoAnswerError, match="more than 3 bytes"):
        list(limited([b"ab", b"cd"], 3, stop))
    chunks = limited(iter([b"ab", b"cd"]), 4, stop)
    assert next(chunks) == b"ab"
    stop.set()
    with pytest.raises(NoAnswerError, match="nobody waits"):
        next(chunks)
