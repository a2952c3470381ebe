"""Text in, text out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plasticish.conversation.episodes import Episodes
from plasticish.core import ConfigError, DataError

PAIRS = [
    ("What is your name?", "I am called Ada."),
    ("How old are you?", "As old as this evening."),
    ("Do you like music?", "Only the quiet kind."),
    ("Where do you live?", "In a folder."),
    ("Was ist das?", "Ein Fragezeichen, glaube ich. ¿No? 😀"),
]


def taught(pairs=PAIRS, **settings):
    episodes = Episodes(2048, **settings)
    for question, answer in pairs:
        episodes.teach(question, answer)
    return episodes


def test_each_is_said_after_one_lesson():
    episodes = taught()
    for question, answer in PAIRS:
        assert episodes.answer(question).recognised
        assert episodes.say(question) == answer
        assert "".join(episodes.stream(episodes.answer(question))) == answer


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("what's your name", 0), ("old are you?", 1), ("you like music", 2), ("Where you live", 3)],
)
def test_what_is_like_it_is_answered_alike(asked, answer):
    assert taught().say(asked) == PAIRS[answer][1]


def test_nothing_is_said_where_nothing_was_learned():
    episodes = Episodes(2048)
    answer = episodes.answer("Hello?")
    assert answer.episode is None
    assert not answer.recognised
    assert list(episodes.stream(answer)) == []
    assert episodes.say("Hello?") == ""


def test_a_lesson_again_strengthens_and_forms_nothing():
    episodes = taught()
    before = episodes.stats()
    again = episodes.teach(*PAIRS[0])
    assert (again.new, again.synapses, again.episode) == (False, 0, 0)
    assert episodes.stats() == before


def test_the_later_of_two_lessons_is_said():
    episodes = taught()
    episodes.teach("What is your name?", "Now I am called Eve.")
    assert episodes.say("What is your name?") == "Now I am called Eve."


def test_a_word_that_grew_since_does_not_change_what_was_learned():
    episodes = taught()
    for _ in range(60):
        episodes.tokenizer.hear("called Ada as old as this evening in a folder only the quiet kind")
    for question, answer in PAIRS:
        assert episodes.say(question) == answer


def test_the_unfamiliar_is_answered_as_most_would():
    pairs = [
        ("I like dogs so much", "Animals are great"),
        ("I like cats so much", "Animals are great!"),
        ("I like cars so much, red ones", "Vroom"),
    ]
    episodes = taught(pairs, temperature=10.0, familiar=0.99)
    answer = episodes.answer("I like cars so much, and red ones")
    assert answer.recall.episodes[0] == 2
    assert answer.episode in (0, 1)
    assert 0.0 < answer.agreement < 1.0
    assert taught(pairs, familiar=1e-9).say("I like cars so much, and red ones") == "Vroom"


def test_novelty_lets_the_rare_word_decide():
    common = [(f"tell me about the {word}", f"It is a {word}.") for word in ("sun", "sea", "sky")]
    asked = "zebra"
    pairs = [*common, ("the zebra", "Striped.")]
    assert taught(pairs).say(f"tell me about the {asked}") == "Striped."
    assert not taught(pairs, novelty=False).encoder.norepinephrine.enabled


def test_a_saved_memory_goes_on_bit_for_bit(tmp_path):
    episodes = taught(seed=3)
    again = Episodes.load(episodes.save(tmp_path / "episodes"))
    for one in (episodes, again):
        one.teach("And now?", "Later.")
    assert episodes.stats() == again.stats()
    for question in ("And now?", "you like", *(question for question, _ in PAIRS)):
        assert episodes.answer(question) == again.answer(question)
        assert episodes.say(question) == again.say(question)


@pytest.mark.parametrize("pair", [("", "x"), (" \n", "x"), ("x", ""), ("x", "\t")])
def test_blank_lessons_are_refused_and_change_nothing(pair):
    episodes = taught()
    before, heard = episodes.stats(), episodes.encoder.norepinephrine.patterns
    with pytest.raises(DataError, match="nothing in this text"):
        episodes.teach(*pair)
    assert (episodes.stats(), episodes.encoder.norepinephrine.patterns) == (before, heard)
    with pytest.raises(DataError, match="nothing in this text"):
        episodes.answer("  ")


def test_constants_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match="temperature"):
        Episodes(temperature=0.0)
    with pytest.raises(ConfigError, match="n_neurons"):
        Episodes(10)


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=60).filter(str.strip))
def test_any_reply_comes_back_as_it_was_taught(reply):
    episodes = Episodes(1024)
    episodes.teach("What do you say?", reply)
    assert episodes.say("What do you say?") == reply
