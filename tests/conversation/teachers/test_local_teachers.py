"""Teachers that need no server: what they say, in what order, and what they refuse."""

from __future__ import annotations

import json

import pytest

from plasticish.conversation.teachers import (
    TEACHERS,
    CorpusTeacher,
    HumanTeacher,
    Lesson,
    LLMTeacher,
    ScriptedTeacher,
    Stage,
    Teacher,
    TeacherReply,
    TeacherUnavailable,
    open_teacher,
)
from plasticish.core import ConfigError, DataError

LESSONS = [(f"question {number}?", f"answer {number}.") for number in range(12)]


def taught(teacher, times):
    return [teacher.lesson() for _ in range(times)]


def test_a_corpus_gives_every_lesson_once_and_then_again_in_another_order():
    teacher = CorpusTeacher(LESSONS, seed=4)
    first, second = taught(teacher, 12), taught(teacher, 12)
    assert sorted(first) == sorted(second) == sorted(map(Lesson._make, LESSONS))
    assert first != second != [Lesson(*pair) for pair in LESSONS]


def test_the_order_hangs_on_the_seed_and_goes_on_where_it_stopped():
    whole = taught(CorpusTeacher(LESSONS, seed=4), 30)
    for given in (0, 5, 12, 23):
        assert taught(CorpusTeacher(LESSONS, seed=4, given=given), 30 - given) == whole[given:]
    assert taught(CorpusTeacher(LESSONS, seed=5), 30) != whole


def test_a_corpus_knows_a_question_by_its_words():
    teacher = CorpusTeacher(
        [("What's your name?", "Plasti."), ("whats YOUR name", "no"), ("😀", "!")]
    )
    assert len(teacher) == 3
    for prompt in ("what s your name", "WHAT'S  your\tname?!", "What's your name?"):
        assert teacher.reply(prompt).text == "Plasti."
    assert teacher.reply("whats your name").text == "no"
    assert teacher.reply("😀").text == "!"
    assert teacher.reply("😀😀") is None
    assert teacher.reply("") is None


def test_the_first_of_contradicting_answers_stands():
    teacher = CorpusTeacher([("Hi!", "first"), ("hi", "second")])
    assert taught(teacher, 2) == [Lesson("Hi!", "first")] * 2
    assert teacher.reply("HI").text == "first"


def test_the_bundled_corpus_answers_all_its_lessons():
    teacher = CorpusTeacher.bundled()
    assert len(teacher) > 900
    lessons = taught(teacher, len(teacher))
    assert len(set(lessons)) == len(teacher)
    assert all(teacher.reply(lesson.prompt).text == lesson.reply for lesson in lessons)


def test_small_talk_has_short_replies(tmp_path):
    said = ["how are you?", "fine", "and what did you do today, if I may ask?", "nothing"]
    messages = [[{"text": text}] for text in said]
    file = tmp_path / "small_talk.json"
    file.write_text(json.dumps({"one": {"messages": messages}}))
    teacher = CorpusTeacher.chitchat(longest_reply=10, path=file)
    assert teacher.name == "chitchat"
    assert sorted(taught(teacher, 2)) == [(said[2], "nothing"), (said[0], "fine")]


def test_a_corpus_of_nothing_is_refused():
    with pytest.raises(DataError, match="empty"):
        CorpusTeacher([])
    for blank in ((" ", "a"), ("a", "\n")):
        with pytest.raises(DataError, match="blank"):
            CorpusTeacher([("a", "b"), blank])
    with pytest.raises(ConfigError, match="given"):
        CorpusTeacher(LESSONS, given=-1)


def test_a_script_says_what_is_written():
    teacher = ScriptedTeacher([("a", "1"), ("b", "2"), ("a", "3")])
    assert teacher.reply("a") == TeacherReply(teacher="scripted", text="3")
    assert teacher.reply("c") is None
    assert taught(teacher, 4) == [("a", "1"), ("b", "2"), ("a", "3"), None]


def test_a_script_can_judge_fail_and_be_silent():
    failure = TeacherUnavailable("it", "asleep")
    judged = TeacherReply(teacher="it", reward=0.5)
    script = {"fail": failure, "judge": judged, "say": "yes"}
    teacher = ScriptedTeacher(script.get, name="it")
    assert teacher.reply("fail") is failure
    assert teacher.reply("judge") is judged
    assert teacher.reply("say") == TeacherReply(teacher="it", text="yes")
    assert teacher.reply("else") is None
    assert teacher.lesson() is None


def test_a_person_is_heard_once():
    you = HumanTeacher()
    assert you.reply("hi") is None
    assert you.lesson() is None
    you.good()
    assert you.reply("hi") == TeacherReply(teacher="you", reward=1.0)
    assert you.reply("hi") is None
    you.say("hello")
    you.bad()
    you.good()
    you.say("good day")
    assert you.reply("hi") == TeacherReply(teacher="you", text="good day", reward=1.0)
    you.bad()
    with pytest.raises(DataError, match="blank"):
        you.say("  ")
    assert you.reply("hi") == TeacherReply(teacher="you", reward=0.0)


def test_a_failure_holds_nothing_to_learn_from():
    failure = TeacherUnavailable("the model", "it cannot be reached", "start it")
    assert not hasattr(failure, "text")
    assert not hasattr(failure, "reward")
    assert str(failure) == "the model could not answer: it cannot be reached (start it)"


@pytest.mark.parametrize("wrong", [{}, {"text": " "}, {"reward": 1.5}, {"reward": float("nan")}])
def test_a_reply_that_says_nothing_is_refused(wrong):
    with pytest.raises(DataError):
        TeacherReply(teacher="you", **wrong)


def test_stages_come_one_after_another():
    stages = [Stage.after(turns, 2, 4) for turns in range(6)]
    assert stages == [Stage.FIRST_WORDS] * 2 + [Stage.SHORT_SENTENCES] * 2 + [Stage.NORMAL] * 2
    assert Stage.after(0, 0, 0) is Stage.NORMAL
    for wrong in ((5, 4), (-1, 4)):
        with pytest.raises(ConfigError, match="out of order"):
            Stage.after(3, *wrong)


def test_teachers_are_found_by_name():
    assert set(TEACHERS) == {"corpus", "chitchat", "none"}
    assert isinstance(open_teacher("none"), HumanTeacher)
    corpus = open_teacher("corpus", topics=["greetings"], given=3)
    assert (corpus.given, corpus.reply("Hello").text) == (3, "Hi")
    with pytest.raises(ConfigError, match="or the http address of a server"):
        open_teacher("http")
    with pytest.raises(ConfigError, match="no http address"):
        open_teacher("ftp://localhost")
    pytest.importorskip("openai")
    with open_teacher("http://localhost:1234", model="mine") as teacher:
        assert isinstance(teacher, LLMTeacher)
        assert teacher.model == "mine"


@pytest.mark.parametrize(
    "teacher", [HumanTeacher(), CorpusTeacher(LESSONS), ScriptedTeacher(LESSONS)]
)
def test_all_obey_the_protocol(teacher):
    assert isinstance(teacher, Teacher)
