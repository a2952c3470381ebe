"""A model behind a server, with a fake server that fails in every way there is."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from plasticish.conversation.teachers import (
    Lesson,
    LLMTeacher,
    Speaker,
    Stage,
    Teacher,
    TeacherReply,
    TeacherUnavailable,
    Turn,
)
from plasticish.core import ConfigError

pytest.importorskip("openai")
pytest.importorskip("pytest_httpserver")
from werkzeug import Request, Response  # it comes with pytest-httpserver

MODELS = {"object": "list", "data": [{"id": "text-embedding-small"}, {"id": "small-chat"}]}
CHAT, LIST = "/v1/chat/completions", "/v1/models"


def events(*texts, finish="stop", done=True):
    for text in texts:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        yield f"data: {json.dumps({'choices': [choice]})}\n\n".encode()
    if finish:
        choice = {"index": 0, "delta": {}, "finish_reason": finish}
        yield f"data: {json.dumps({'choices': [choice]})}\n\n".encode()
    if done:
        yield b"data: [DONE]\n\n"


def stream(body):
    return Response(body, content_type="text/event-stream")


@pytest.fixture
def server(httpserver):
    httpserver.expect_request(LIST).respond_with_json(MODELS)
    yield httpserver
    assert not [thread for thread in threading.enumerate() if thread.name == "teacher"]


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def teacher(server, pauses):
    url = f"http://localhost:{server.port}"
    with LLMTeacher(url, timeout_s=5.0, tries=3, pause_s=0.01, sleep=pauses.append) as one:
        yield one
        wait_for_silence()


def wait_for_silence():
    """Wait for the threads of questions that were given up: they end with the next bytes."""
    for thread in threading.enumerate():
        if thread.name == "teacher":
            thread.join(timeout=5.0)


def serve(server, *answers):
    """Answer one question after another; the last answer stands for all that follow."""
    asked = []

    def answer(request: Request) -> Response:
        asked.append(request.get_json())
        body = answers[min(len(asked), len(answers)) - 1]
        return body if isinstance(body, Response) else stream(body)

    server.expect_request(CHAT, method="POST").respond_with_handler(answer)
    return asked


def problem(answer):
    assert isinstance(answer, TeacherUnavailable)
    assert answer.teacher.startswith("the model at http://localhost:")
    return answer.problem


# ---------------------------------------------------------------------- what works


def test_it_says_what_the_learner_should(server, teacher, pauses):
    asked = serve(server, events("I am ", "fine", ".", ""))
    history = [Turn(Speaker.PARTNER, "hello"), Turn(Speaker.LEARNER, "hi")]
    answer = teacher.reply("how are you?", history=history, stage=Stage.SHORT_SENTENCES)
    assert answer == TeacherReply(teacher=teacher.name, text="I am fine.")
    assert isinstance(teacher, Teacher)
    assert teacher.model == "small-chat"  # the first that is made to chat
    (question,) = asked
    assert question["model"] == "small-chat"
    assert question["stream"] is True
    assert [m["content"] for m in question["messages"][-3:]] == ["hello", "hi", "how are you?"]
    assert pauses == []


def test_it_speaks_as_the_stage_of_the_learner_asks(server, teacher):
    asked = serve(server, *[list(events("Hi.")) for _ in range(3)])
    for stage in Stage:
        assert teacher.reply("hello", stage=stage).text == "Hi."
    told = [question["messages"][0]["content"] for question in asked]
    assert ["simplest words" in told[0], "short sentence" in told[1]] == [True, True]
    assert [question["max_tokens"] for question in asked] == sorted(
        {question["max_tokens"] for question in asked}
    )


def test_a_lesson_is_something_said_and_its_answer(server, teacher):
    asked = serve(server, events("What is your name?"), events("I am Plasti."))
    assert teacher.lesson() == Lesson("What is your name?", "I am Plasti.")
    assert asked[1]["messages"][-1] == {"role": "user", "content": "What is your name?"}


def test_a_reply_that_ran_out_of_tokens_is_cut_to_sentences_and_says_so(server, teacher):
    serve(server, events("I am fine. And today I", finish="length"))
    answer = teacher.reply("how are you?")
    assert (answer.text, answer.cut) == ("I am fine.", True)


def test_a_named_model_and_a_full_path_are_taken_as_they_are(httpserver):
    asked = serve(httpserver, events("Hi."))
    url = f"http://127.0.0.1:{httpserver.port}{CHAT}"
    with LLMTeacher(url, model="mine", api_key="secret") as teacher:
        assert teacher.reply("hello").text == "Hi."
    assert asked[0]["model"] == "mine"
    request = httpserver.log[0][0]
    assert request.headers["Authorization"] == "Bearer secret"


def test_a_key_for_another_server_stays_at_home(server, teacher, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-another-server")
    serve(server, events("Hi."))
    with LLMTeacher(f"http://localhost:{server.port}") as one:
        one.reply("hello")
    assert all("sk-" not in str(request.headers) for request, _ in server.log)


def test_the_proxy_of_the_environment_is_not_asked_for_this_machine(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    serve(server, events("Hi."))
    with LLMTeacher(f"http://localhost:{server.port}") as one:
        assert one.reply("hello").text == "Hi."


# ---------------------------------------------------------------------- trouble that passes


def test_a_server_in_trouble_is_asked_again_after_growing_pauses(server, teacher, pauses):
    asked = serve(server, Response("busy", 500), Response("slow down", 429), events("Hi."))
    assert teacher.reply("hello").text == "Hi."
    assert len(asked) == 3
    assert pauses == [0.01, 0.02]


def test_it_gives_up_after_its_tries(server, teacher, pauses):
    asked = serve(server, Response("busy", 503))
    assert problem(teacher.reply("hello")) == "it answered with status 503"
    assert len(asked) == 3
    assert pauses == [0.01, 0.02]


def test_it_does_not_pause_beyond_its_time(server, pauses):
    serve(server, Response("busy", 503))
    now = iter([0.0, 0.1, 9.8, 9.9, 9.9])
    url = f"http://localhost:{server.port}"
    with LLMTeacher(
        url, timeout_s=10.0, pause_s=0.5, clock=lambda: next(now), sleep=pauses.append
    ) as one:
        assert problem(one.reply("hello")) == "it answered with status 503"
    assert pauses == []


def test_a_stream_that_breaks_off_is_asked_for_again(server, teacher):
    serve(server, events("I am", finish=None, done=False), events("I am fine."))
    assert teacher.reply("how are you?").text == "I am fine."


def test_nobody_at_home(pauses):
    with socket.socket() as taken:  # bound but not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with LLMTeacher(f"http://127.0.0.1:{port}", pause_s=0.01, sleep=pauses.append) as teacher:
            answer = teacher.reply("hello")
            assert isinstance(answer, TeacherUnavailable)
            assert "cannot be reached" in answer.problem
            assert "docs/teachers.md" in answer.cure
            assert isinstance(teacher.lesson(), TeacherUnavailable)
    assert len(pauses) == 4


# ---------------------------------------------------------------------- trouble that stays


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response("no", 401), "it answered with status 401"),
        (Response("no", 404), "it answered with status 404"),
        (Response("", 302, {"Location": "http://127.0.0.1:9/v1"}), "it answered with status 302"),
        (b"", "its reply broke off"),
        (list(events()), "its reply is empty"),
        (list(events(" ", "\n")), "its reply is empty"),
        (b"data: {broken\n\n", "no JSON"),
        (b'data: {"text": "hi"}\n\n', "without choices"),
        (b'data: {"error": {"message": "out of memory"}}\n\n', "error: out of memory"),
        (b"\xff\xfe\xfd\xfc\n" * 20, "no UTF-8"),
        (b"\x07garbage" * 20, "no event"),
        (b"<!doctype html><title>router</title>", "no event"),
        (list(events("\x1b]0;owned\x07")), "control character"),
        (list(events("<think>", "hm", "</think>", "Hi")), "thoughts"),
        (list(events("w" * 300, finish=None, done=False)) * 100, "longer than 20000 characters"),
        (list(events("and so on ", finish="length")), "no whole sentence"),
        (b"data: " + b"x" * (3 << 20), "more than 1048576 bytes"),
    ],
)
def test_what_cannot_be_used_is_reported_and_never_taught(server, teacher, answer, expected):
    serve(server, answer)
    assert expected in problem(teacher.reply("hello"))


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (Response("no", 404), "it answered with status 404"),
        (Response("{", content_type="application/json"), "list of models cannot be read"),
        (Response('{"models": []}', content_type="application/json"), "list of models cannot be"),
        (Response('{"data": [{"id": 3}]}', content_type="application/json"), "no model that chats"),
        (Response('{"data": []}', content_type="application/json"), "it has no model that chats"),
        (Response('{"data": [{"id": "nomic-Embed"}]}', content_type="application/json"), "chats"),
        (Response(b"\xff\xfe" * 9, content_type="application/json"), "list of models cannot be"),
        (Response(b" " * (2 << 20), content_type="application/json"), "more than 1048576 bytes"),
    ],
)
def test_a_server_without_a_model_is_reported(httpserver, models, expected):
    httpserver.expect_request(LIST).respond_with_response(models)
    with LLMTeacher(f"http://localhost:{httpserver.port}", tries=1) as teacher:
        assert expected in problem(teacher.reply("hello"))
        assert teacher.model is None


def test_a_server_that_is_slow_is_given_up(server):
    given_up = threading.Event()

    def slow():
        given_up.wait(5.0)
        yield from events("Hi.")

    serve(server, slow())
    with LLMTeacher(f"http://localhost:{server.port}", timeout_s=0.2) as teacher:
        assert "did not answer" in problem(teacher.reply("hello"))
        given_up.set()
        wait_for_silence()


def endless(pause, piece):
    while True:
        yield piece
        time.sleep(pause)


@pytest.mark.parametrize(
    "piece",
    [b": still here\n", b"x", *events("on and on ", finish=None, done=False)],
    ids=["comments", "bytes", "words"],
)
def test_a_stream_that_never_ends_is_given_up(server, piece):
    serve(server, endless(0.02, piece))
    with LLMTeacher(f"http://localhost:{server.port}", timeout_s=0.3) as teacher:
        assert problem(teacher.reply("hello")).startswith("it did not answer within 0.")
        wait_for_silence()


def test_a_flood_is_given_up_by_its_size(server, teacher):
    serve(server, endless(0.0, b": " + b"x" * 65_536 + b"\n"))
    assert problem(teacher.reply("hello")) == "it sent more than 1048576 bytes"


# ---------------------------------------------------------------------- what is not asked


def test_what_cannot_be_asked_is_not_sent(server, teacher):
    asked = serve(server, events("Hi."))
    for prompt in ("", "x" * 100_000, "\ud800"):
        assert isinstance(teacher.reply(prompt), TeacherUnavailable)
    assert asked == []


@pytest.mark.parametrize("wrong", [{"timeout_s": 0.0}, {"tries": 0}, {"pause_s": -1.0}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match="out of range"):
        LLMTeacher("http://localhost", **wrong)
