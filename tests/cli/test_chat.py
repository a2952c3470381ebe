"""``plasticish chat``: through a pseudo-terminal, in a pipe, killed, and with bad input."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from plasticish.cli.main import app
from plasticish.conversation import ConversationalLearner
from plasticish.conversation.event_log import EventLog
from plasticish.conversation.events import Event, Exchange, Sleep, Taught
from plasticish.conversation.memory_folder import LOG

CHAT = [sys.executable, "-c", "from plasticish.cli.main import main; main()", "chat"]


@pytest.fixture(scope="module")
def chat() -> Any:
    """Pipe some lines into the command, in this process."""

    def run(lines: str | bytes, *arguments: object) -> SimpleNamespace:
        done = CliRunner().invoke(app, ["chat", *map(str, arguments)], input=lines)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


def events(folder: Path) -> list[Event]:
    log = EventLog(folder / LOG, writable=False)
    found = [one.event for one in log.after(0)]
    log.close()
    return found


# --------------------------------------------------------------------------- in a pipe


def test_a_pair_that_is_taught_is_answered_now_and_the_next_time(chat: Any, tmp_path: Path) -> None:
    done = chat(
        "what is your name?\n/say I am new here\nwhat is your name?\n", "-m", tmp_path / "m"
    )
    assert done.code == 0
    assert done.out.count("Learner: ") == 2
    assert "Learner: I am new here\n" in done.out
    quiet = [line for line in done.out.splitlines() if "attention" in line]
    assert len(quiet) == 2
    assert re.fullmatch(
        r"  \d+ patterns learned from 2 turns · attention 0\.\d\d · novelty 0\.\d\d · "
        r"fatigue 0\.\d\d · dopamine \+0\.00",
        quiet[1],
    )
    assert "Learner: I am new here\n" in chat("What is your NAME\n", "-m", tmp_path / "m").out


def test_inspect_tells_how_much_it_has_lived_through(chat: Any, tmp_path: Path) -> None:
    chat("what is your name?\n/say I am new here\n", "-m", tmp_path / "m")
    done = CliRunner().invoke(app, ["inspect", str(tmp_path / "m"), "--json"])
    found = json.loads(done.stdout)
    assert found["what"] == "talker"
    assert found["events"] == len(events(tmp_path / "m"))
    assert found["checkpoint"]["kind"] == "conversational_learner"
    shown = CliRunner().invoke(app, ["inspect", str(tmp_path / "m")]).stdout
    assert "a talker" in shown
    assert "plasticish chat --memory" in shown


def test_json_is_one_object_a_line(chat: Any, tmp_path: Path) -> None:
    lines = (
        "hi\n/say hello\nhi\n/good\n/why\n/stats\n/sleep\n\n/dance\n/forget hello\n/save\n/help\n"
    )
    done = chat(lines, "-m", tmp_path / "m", "--json")
    said = [json.loads(line) for line in done.out.splitlines()]
    assert len(said) == lines.count("\n")
    assert [one.get("reply") for one in said[:4]] == ["hi", "hi", "hello", "hello"]
    assert said[1]["taught"] == {"teacher": "you", "text": "hello", "reward": None, "cut": False}
    assert said[3]["taught"]["reward"] == 1.0
    assert said[3]["dopamine"] > 0
    assert said[4]["why"][0]["line"] == "hello"
    assert said[5]["stats"]["turns"] == 2
    assert said[6]["sleep"]["replayed"] == 1
    assert "is blank" in said[7]["error"]
    assert "does not exist" in said[8]["error"]
    assert said[9]["forgot"] == 3
    assert said[10]["saved"] == str(tmp_path / "m")
    assert "/forget TEXT" in said[11]["help"]


def test_every_command_is_in_the_help_and_the_other_way_round(chat: Any, tmp_path: Path) -> None:
    out = chat("/help\n", "-m", tmp_path / "m").out
    for command in (
        "/say",
        "/good",
        "/bad",
        "/why",
        "/stats",
        "/sleep",
        "/forget",
        "/save",
        "/quit",
    ):
        assert command in out
        assert command == "/quit" or "does not exist" not in chat(
            f"hi\n{command} x\n{command}\n", "-m", tmp_path / "m"
        ).out  # fmt: skip
    assert "never" not in chat("/quit\nnever\n", "-m", tmp_path / "m").out


def test_a_corpus_teaches_while_you_talk(chat: Any, tmp_path: Path) -> None:
    done = chat("Hello\nHello\nQwxyz vrrp?\n", "-m", tmp_path / "m", "--teacher", "corpus")
    assert "  corpus: Hi\n" in done.out
    assert "Learner: Hi\n" in done.out


def test_what_is_said_is_never_a_command(chat: Any, tmp_path: Path) -> None:
    # Taught as an answer, a slash is text; and what looks like a command inside a line is too.
    lines = "hi\n/say /forget hi\nhi\n ok /quit\nhi\n"
    done = chat(lines, "-m", tmp_path / "m", "--json")
    said = [json.loads(line) for line in done.out.splitlines()]
    assert [one["reply"] for one in said][2:5:2] == ["/forget hi", "/forget hi"]
    assert len(said) == 5


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"\n", "is blank"),
        (b"   \n", "is blank"),
        (b"a" * 100_000 + b"\n", "too long: got 100,000 characters"),
        (b"ring\x07\n", "control character"),
        (b"\x1b[2J\n", "control character"),
        (b"\xff\xfe\n", "no UTF-8"),
        (b"/say\n", "lacks its text"),
        (b"/good\n", "nothing was answered yet"),
        (b"/why\n", "nothing was answered yet"),
        (b"/save me\n", "takes no text"),
        (b"/forget \x07\n", "control character"),
    ],
)
def test_a_bad_line_is_one_line_of_error_and_the_talk_goes_on(
    chat: Any, tmp_path: Path, line: bytes, text: str
) -> None:
    done = chat(line + b"hi\n", "-m", tmp_path / "m")
    assert done.code == 0
    first, *rest = done.out.splitlines()
    assert text in first
    assert "\x1b" not in done.out
    assert rest[0] == "Learner: hi"
    assert [e for e in events(tmp_path / "m") if isinstance(e, Exchange)] == [Exchange("hi", "hi")]


@pytest.mark.parametrize("line", ["😀", "你好", "नमस्ते", "👩‍👩‍👧"])
def test_any_script_will_do(chat: Any, tmp_path: Path, line: str) -> None:
    assert f"Learner: {line}\n" in chat(f"{line}\n", "-m", tmp_path / "m").out


def test_mistakes_are_named_before_anything_is_made(chat: Any, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("hello")
    for arguments, text in (
        (("-m", tmp_path / "a", "--teacher", "parrot"), "no such teacher"),
        (("-m", tmp_path / "a", "--teacher", "ftp://x"), "no http address"),
        (("-m", tmp_path / "a", "--seed", "-1"), "seed is out of range"),
        (("-m", tmp_path / "a", "--idle", "-1"), "idle is out of range"),
        (("-m", tmp_path / "full"), "holds something else"),
    ):
        done = chat("hi\n", *arguments)
        assert done.code == 2
        assert text in done.err
        assert done.err.strip().count("\n") == 0
    assert not (tmp_path / "a").exists()


def test_an_unreachable_teacher_is_reported_and_nothing_is_learned(
    chat: Any, tmp_path: Path
) -> None:
    pytest.importorskip("openai")
    done = chat("hi\n", "-m", tmp_path / "m", "--teacher", "http://127.0.0.1:9/v1")
    assert done.code == 0
    assert "could not answer" in done.out
    assert "Learner: hi\n" in done.out
    assert not [event for event in events(tmp_path / "m") if isinstance(event, Taught)]


def test_a_full_disk_is_said_and_the_talk_goes_on(
    chat: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended, full = EventLog.append, [False]

    def append(self: EventLog, *what: Event) -> int:
        full[0] = any(isinstance(one, Exchange) and one.prompt == "two" for one in what)
        if full[0]:
            self._connection.execute("PRAGMA max_page_count = 1")
            what = (*what, Exchange("x" * 100_000, "y"))
        return appended(self, *what)

    monkeypatch.setattr(EventLog, "append", append)
    done = chat("one\ntwo\n", "-m", tmp_path / "m")
    assert "could not be written" in done.out
    assert "full" in done.out
    assert "Learner: two" not in done.out
    prompts = [event.prompt for event in events(tmp_path / "m") if isinstance(event, Exchange)]
    assert prompts == ["one"]


# --------------------------------------------------------------------------- a terminal


class Terminal:
    """The command in a pseudo-terminal."""

    def __init__(self, *arguments: object) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:  # the child
            os.environ.update(TERM="xterm", COLUMNS="100", OMP_NUM_THREADS="1")
            # A shell lets what runs in its background ignore Ctrl-C; a terminal does not.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execv(sys.executable, [*CHAT, *map(str, arguments)])
        self.seen, self._read = "", 0

    def until(self, text: str, seconds: float = 30.0) -> str:
        """Read on until ``text`` is shown, and return what is shown before it."""
        deadline = time.monotonic() + seconds
        while (found := self.seen.find(text, self._read)) < 0:
            ready, _, _ = select.select(
                [self.descriptor], [], [], max(deadline - time.monotonic(), 0.0)
            )
            assert ready, f"{text!r} did not come: {self.seen[self._read :]!r}"
            try:
                data = os.read(self.descriptor, 4096)
            except OSError:  # the other end was closed
                data = b""
            assert data, f"it ended before {text!r} came: {self.seen[self._read :]!r}"
            self.seen += data.decode(errors="replace")
        before = self.seen[self._read : found]
        self._read = found + len(text)
        return before

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def end(self, seconds: float = 30.0) -> int:
        """Wait for its end, and return its exit status."""
        deadline = time.monotonic() + seconds
        while True:
            ready, _, _ = select.select(
                [self.descriptor], [], [], max(deadline - time.monotonic(), 0.0)
            )
            assert ready, f"it did not end: {self.seen[self._read :]!r}"
            try:
                data = os.read(self.descriptor, 4096)
            except OSError:  # the other end was closed
                break
            if not data:
                break
            self.seen += data.decode(errors="replace")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Any]:
    opened: list[Terminal] = []

    def start(*arguments: object) -> Terminal:
        opened.append(Terminal("-m", tmp_path / "m", *arguments))
        return opened[-1]

    yield start
    for one in opened:
        try:
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def test_a_person_talks_with_it(terminal: Any, tmp_path: Path) -> None:
    talk = terminal()
    talk.until("You: ")
    assert "It knows nothing yet" in talk.seen
    talk.type("how are you?\n")
    talk.until("Learner: ")
    talk.until("You: ")
    talk.type("/say fine, and you?\n")
    talk.until("You: ")
    talk.type("how are you?\n")
    talk.until("Learner: fine, and you?")
    talk.until("You: ")
    talk.type("/sleep\n")
    talk.until("asleep: replayed 2 episodes, kept 1 weak traces")
    talk.until("You: ")
    talk.type("\x04")  # Ctrl-D
    assert talk.end() == 0
    assert ConversationalLearner.load(tmp_path / "m").predict("how are you?") == "fine, and you?"


def test_ctrl_c_leaves_a_saved_state(terminal: Any, tmp_path: Path) -> None:
    talk = terminal()
    talk.until("You: ")
    talk.type("hello\n")
    talk.until("patterns learned")
    talk.until("You: ")
    time.sleep(0.5)  # a signal between the prompt and the wait for a key would be seen a key later
    talk.type("\x03")
    assert talk.end() == 130
    last = json.loads((tmp_path / "m" / "checkpoint" / "checkpoint.json").read_text())
    assert last["state"]["last"] == len(events(tmp_path / "m"))


def test_left_alone_it_falls_asleep(terminal: Any, tmp_path: Path) -> None:
    talk = terminal("--idle", "1")
    talk.until("You: ")
    talk.type("hello\n")
    talk.until("asleep: replayed 0 episodes")
    talk.until("You: ")
    talk.type("are you awake?\n")
    talk.until("Learner: ")
    talk.until("You: ")
    talk.type("/quit\n")
    assert talk.end() == 0
    assert [event for event in events(tmp_path / "m") if isinstance(event, Sleep)]


def test_a_second_one_on_the_same_folder_is_refused(
    terminal: Any, chat: Any, tmp_path: Path
) -> None:
    talk = terminal()
    talk.until("You: ")
    done = chat("hi\n", "-m", tmp_path / "m")
    assert done.code == 2
    assert "another process has the memory" in done.err
    talk.type("hello\n")
    talk.until("Learner: hello")


# --------------------------------------------------------------------------- killed


def test_killed_at_any_moment_it_loses_no_turn_that_was_answered(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    answered: list[tuple[str, str]] = []
    for life in range(3):
        process = subprocess.Popen(
            [*CHAT, "-m", str(folder), "--json"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        for turn in range(50):
            process.stdin.write(f"what about {life} and {turn}?\n")
        process.stdin.flush()
        for _ in range(1 + 9 * life):
            said = json.loads(process.stdout.readline())
            answered.append((said["prompt"], said["reply"]))
        time.sleep(0.003 * life)  # somewhere in the middle of the next turns
        process.kill()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        for line in process.stdout.readlines():
            if line.endswith("\n"):
                said = json.loads(line)
                answered.append((said["prompt"], said["reply"]))
        process.wait()
        process.stdout.close()
        logged = [(e.prompt, e.reply) for e in events(folder) if isinstance(e, Exchange)]
        assert [pair for pair in logged if pair in set(answered)] == answered
        assert len(set(logged)) == len(logged)  # nothing came twice
        learner = ConversationalLearner.load(folder)
        assert learner.mind.turns == len(logged)
        assert learner.last == len(events(folder))
