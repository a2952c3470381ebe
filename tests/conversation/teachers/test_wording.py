"""What a model is asked, and what of its words may be taught."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plasticish.conversation.teachers import Speaker, Stage, Turn
from plasticish.conversation.teachers.no_answer import NoAnswerError
from plasticish.conversation.teachers.wording import (
    MANNERS,
    MOST_SAID,
    lesson_messages,
    reply_messages,
    usable,
)

HISTORY = [Turn(Speaker.PARTNER, "hello"), Turn(Speaker.LEARNER, "hi there")]


def test_the_model_answers_in_the_learners_place():
    system, *rest = reply_messages("how are you?", HISTORY, Stage.FIRST_WORDS, "German")
    assert system["role"] == "system"
    assert "German" in system["content"]
    assert rest == [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "hi there"},
        {"role": "user", "content": "how are you?"},
    ]


@pytest.mark.parametrize("stage", list(Stage))
def test_english_is_shown_by_examples_that_keep_to_the_stage(stage):
    _, *rest, last = reply_messages("now", (), stage, "English")
    assert [message["role"] for message in rest] == ["user", "assistant"] * (len(rest) // 2)
    assert rest
    for message in rest[1::2]:
        text = message["content"]
        assert usable(text, ran_out=False, longest=MANNERS[stage].longest) == (text, False)
    assert last["content"] == "now"


def test_for_a_lesson_the_roles_are_the_other_way_round():
    _, *rest, last = lesson_messages(HISTORY, Stage.NORMAL, "English")
    assert [message["role"] for message in rest] == ["assistant", "user"]
    assert last["role"] == "user"


def test_every_stage_is_told_its_own_way_and_longer_ones_come_later():
    told = [reply_messages("hi", (), stage, "English")[0]["content"] for stage in Stage]
    assert len(set(told)) == 3
    lengths = [MANNERS[stage].longest for stage in Stage]
    assert lengths == sorted(set(lengths))


def test_only_the_last_turns_that_fit_are_sent():
    many = [Turn(Speaker.PARTNER, f"turn {number}") for number in range(100)]
    sent = reply_messages("now", many, Stage.NORMAL, "German")
    assert [message["content"] for message in sent[1:-1]] == [f"turn {n}" for n in range(94, 100)]
    long = [Turn(Speaker.PARTNER, "old"), Turn(Speaker.LEARNER, "x" * MOST_SAID), *HISTORY]
    sent = reply_messages("now", long, Stage.NORMAL, "German")
    assert [message["content"] for message in sent[1:-1]] == ["hello", "hi there"]
    odd = [Turn(Speaker.PARTNER, "\ud800"), Turn(Speaker.LEARNER, " "), *HISTORY]
    assert len(reply_messages("now", odd, Stage.NORMAL, "German")) == 4


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ("", "nothing was said"),
        (" \n", "nothing was said"),
        ("x" * 5000, "5000"),
        ("\ud800", "lone"),
    ],
)
def test_a_prompt_that_cannot_be_sent_is_refused(prompt, problem):
    with pytest.raises(NoAnswerError, match=problem):
        reply_messages(prompt, (), Stage.NORMAL, "English")


@pytest.mark.parametrize(
    ("text", "ran_out", "expected"),
    [
        (" Good. \n", False, ("Good.", False)),
        ("no full stop", False, ("no full stop", False)),
        ("Good. And you", True, ("Good.", True)),
        ("Good.", True, ("Good.", False)),
        ('He said "hi." Then', True, ('He said "hi."', True)),
        ("One thing. " + "More words " * 5, False, ("One thing.", True)),
        ("first line\nsecond line that is much too long", False, ("first line", True)),
        ("你好。" + "吗" * 50, False, ("你好。", True)),
    ],
)
def test_whole_sentences_are_kept(text, ran_out, expected):
    assert usable(text, ran_out=ran_out, longest=30) == expected


@pytest.mark.parametrize(
    ("text", "ran_out", "problem"),
    [
        ("", False, "empty"),
        (" \n\t", True, "empty"),
        ("<think>hm</think> Hi", False, "thoughts"),
        ("\x1b[31mred", False, "control character"),
        ("a\0b", False, "control character"),
        ("half a sentence", True, "no whole sentence"),
        ("x" * 31, False, "no whole sentence within 30"),
        ("3.5 and 3.6 and 3.7 and 3.8 and 3.9", False, "no whole sentence"),
    ],
)
def test_what_nobody_would_say_is_refused(text, ran_out, problem):
    with pytest.raises(NoAnswerError, match=problem):
        usable(text, ran_out=ran_out, longest=30)


@given(st.text(max_size=80), st.booleans())
def test_what_is_kept_is_the_beginning_and_fits(text, ran_out):
    try:
        kept, cut = usable(text, ran_out=ran_out, longest=30)
    except NoAnswerError:
        return
    assert text.strip().startswith(kept)
    assert 0 < len(kept) <= 30
    assert cut == (kept != text.strip())
