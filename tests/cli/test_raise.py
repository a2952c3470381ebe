"""``plasticish raise`` and ``brain-scan``: lessons without a person, and a look inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from plasticish.cli import raising
from plasticish.conversation import (
    ConversationalLearner,
    CorpusTeacher,
    ScriptedTeacher,
    TeacherUnavailable,
    chrf,
)
from plasticish.conversation.event_log import EventLog
from plasticish.conversation.events import Exchange, Taught
from plasticish.conversation.memory_folder import CHECKPOINT, LOG

LESSONS = [
    ("What is your name?", "I am new here."),
    ("How are you?", "Fine, and you?"),
    ("Can you sing?", "No, but I can hum."),
    ("Where do you live?", "In a box."),
]


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lessons that are given again and again, in an order that a seed decides."""
    monkeypatch.setattr(
        raising, "open_teacher", lambda name, **options: CorpusTeacher(LESSONS, **options)
    )


def taught(folder: Path) -> list[Taught]:
    log = EventLog(folder / LOG, writable=False)
    found = [one.event for one in log.after(0)]
    log.close()
    return [event for event in found if isinstance(event, Taught)]


def content(folder: Path) -> dict[Path, bytes]:
    """All files but those through which the readers and writers of SQLite find each other."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {p: p.read_bytes() for p in files if not p.name.endswith(("-shm", "-wal"))}


def test_lessons_are_learned_and_the_figures_are_those_of_the_log(
    plasticish: Any, school: None, tmp_path: Path
) -> None:
    done = plasticish("raise", "--turns", 12, "-m", tmp_path / "m", "--json")
    found = json.loads(done.out)
    assert found["lessons"] == found["turns"] == 12
    lessons = taught(tmp_path / "m")
    assert len(lessons) == 12
    closeness = [chrf(one.reply or "", one.text or "") for one in lessons]
    exact = [one.reply == one.text for one in lessons]
    assert found["accuracy"] == pytest.approx(sum(closeness) / 12)
    assert found["exact"] == pytest.approx(sum(exact) / 12)
    assert exact[4:] == [True] * 8  # the second time around all is known
    assert json.loads(
        (tmp_path / "m" / CHECKPOINT / "checkpoint.json").read_text()
    )["state"]["last"]  # fmt: skip
    learner = ConversationalLearner.load(tmp_path / "m")
    assert [learner.predict(prompt) for prompt, _ in LESSONS] == [reply for _, reply in LESSONS]


def test_it_goes_on_where_it_was_to_the_same_learner(
    plasticish: Any, school: None, tmp_path: Path
) -> None:
    for turns in (3, 5, 10):
        plasticish("raise", "--turns", turns, "-m", tmp_path / "parts")
    done = plasticish("raise", "--turns", 10, "-m", tmp_path / "parts")
    assert "going on after 10 of 10 lessons" in done.err
    plasticish("raise", "--turns", 10, "-m", tmp_path / "whole")
    assert taught(tmp_path / "parts") == taught(tmp_path / "whole")
    one, other = (ConversationalLearner.load(tmp_path / name) for name in ("parts", "whole"))
    assert one.stats() == other.stats()


def test_killed_hard_it_goes_on(plasticish: Any, school: None, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from plasticish.cli import raising\n"
        "from plasticish.cli.main import main\n"
        "from plasticish.conversation import CorpusTeacher\n"
        f"lessons = {LESSONS!r}\n"
        "raising.open_teacher = lambda name, **options: CorpusTeacher(lessons, **options)\n"
        "sys.argv = ['plasticish', 'raise', '--turns', '100000', '-m', sys.argv[1]]\n"
        "main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "m")],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "m" / LOG).exists() or len(taught(tmp_path / "m")) < 20:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    reached = len(taught(tmp_path / "m"))
    done = plasticish("raise", "--turns", reached + 5, "-m", tmp_path / "m")
    assert f"going on after {reached} of" in done.err
    assert "events again from the log" in done.err
    lessons = taught(tmp_path / "m")
    assert len(lessons) == reached + 5
    whole = CorpusTeacher(LESSONS)
    due = [whole.lesson() for _ in lessons]
    assert [(one.prompt, one.text) for one in lessons] == [
        tuple(lesson) for lesson in due if lesson
    ]


def test_a_teacher_that_keeps_failing_ends_it_and_nothing_is_lost(
    plasticish: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(ScriptedTeacher):
        """Two lessons, some garbage, a hiccup, a third lesson, and then nothing any more."""

        def __init__(self) -> None:
            super().__init__(LESSONS)
            self.asked = 0

        def lesson(self, **_: Any) -> Any:
            self.asked += 1
            if self.asked == 3:
                return type(super().lesson())("\x1b[2J", "red")
            if self.asked in (1, 2, 5):
                return super().lesson()
            return TeacherUnavailable("the model", "it cannot be reached", "start it")

    teacher = Failing()
    monkeypatch.setattr(raising, "open_teacher", lambda name, **_: teacher)
    done = plasticish("raise", "--turns", 9, "-m", tmp_path / "m")
    assert done.code == 2
    assert "of its lesson, the line holds a control character" in " ".join(done.err.split())
    assert "the model could not answer: it cannot be reached" in " ".join(done.err.split())
    assert teacher.asked == 5 + raising.PATIENCE
    assert len(taught(tmp_path / "m")) == 3
    assert ConversationalLearner.load(tmp_path / "m").mind.turns == 3


def test_mistakes_are_named(plasticish: Any, tmp_path: Path) -> None:
    for arguments, text in (
        (("raise", "--turns", 0, "-m", tmp_path / "m"), "turns is out of range"),
        (("raise", "--teacher", "none", "-m", tmp_path / "m"), "gives no lessons"),
        (("raise", "--teacher", "parrot", "-m", tmp_path / "m"), "no such teacher"),
        (("brain-scan", tmp_path / "nothing"), "is not a checkpoint"),
        (("brain-scan", tmp_path / "m", "--out", tmp_path / "x.bmp"), "no picture has such"),
        (("brain-scan", tmp_path / "m", "--say", " "), "is blank"),
    ):
        done = plasticish(*arguments)
        assert done.code == 2, arguments
        assert text in " ".join(done.err.split())


def test_the_panel_shows_where_it_stands(
    plasticish: Any, school: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    shown = []

    class Watched(raising.Panel):
        def taught(self, response: Any, lesson: Any) -> None:
            super().taught(response, lesson)
            console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
            console.print(self)
            shown.append(console.export_text())
            console.file.close()

    monkeypatch.setattr(raising, "Panel", Watched)
    plasticish("raise", "--turns", 8, "-m", tmp_path / "m", "--quiet")
    assert "8 of 8 lessons" in shown[-1]
    for word in ("answers (chrF)", "surprise", "nats/char", "vocabulary", "fatigue", "in the very"):
        assert word in shown[-1]


# --------------------------------------------------------------------------- brain-scan


def test_a_scan_shows_the_answer_and_changes_nothing(
    plasticish: Any, school: None, tmp_path: Path
) -> None:
    plasticish("raise", "--turns", 8, "-m", tmp_path / "m")
    before = content(tmp_path / "m")
    done = plasticish(
        "brain-scan",
        tmp_path / "m",
        "--out",
        tmp_path / "scan.png",
        "--say",
        "your name?",
        "--json",
    )
    found = json.loads(done.out)
    assert found == {"out": str(tmp_path / "scan.png"), "said": "I am new here.", "turns": 8}
    with Image.open(tmp_path / "scan.png") as picture:
        assert min(picture.size) > 500
        assert len(picture.convert("L").getcolors() or []) > 20
    assert content(tmp_path / "m") == before


def test_a_newborn_and_one_that_was_saved_alone_can_be_scanned(
    plasticish: Any, tmp_path: Path
) -> None:
    with ConversationalLearner().start_conversation(memory=tmp_path / "m"):
        pass
    assert plasticish("brain-scan", tmp_path / "m", "--out", tmp_path / "a.png").code == 0
    learner = ConversationalLearner()
    learner.learn(LESSONS)
    learner.save(tmp_path / "alone")
    done = plasticish(
        "brain-scan", tmp_path / "alone", "--out", tmp_path / "b.svg", "--say", "sing?"
    )
    assert "No, but I can hum." in done.out


def test_it_may_go_on_talking_while_it_is_scanned(plasticish: Any, tmp_path: Path) -> None:
    with ConversationalLearner().start_conversation(memory=tmp_path / "m") as conversation:
        conversation.respond("hello there")
        done = plasticish("brain-scan", tmp_path / "m", "--out", tmp_path / "a.png")
        assert done.code == 0
        conversation.respond("still there?")
    log = EventLog(tmp_path / "m" / LOG, writable=False)
    assert len([one for one in log.after(0) if isinstance(one.event, Exchange)]) == 2
    log.close()
