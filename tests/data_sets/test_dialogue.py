"""The bundled dialogue and folders in its format; alphabets; windows that do not leak."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from plasticish.core import ConfigError, DataError, LabelError
from plasticish.data import (
    TURN_END,
    UNKNOWN,
    Alphabet,
    load_dialogue,
    next_character_tasks,
    pairs,
    split_conversations,
)

GOOD = "categories:\n- x\nconversations:\n- - Is it?\n  - no\n- - Why?\n  - Because.\n"


def write(root, text=GOOD, topic="x", language="english"):
    (root / language).mkdir(exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    (root / language / f"{topic}.yml").write_bytes(data)
    return root


def test_the_bundled_topics_are_there():
    dialogue = load_dialogue()
    assert list(dialogue) == sorted(dialogue)
    assert len(dialogue) >= 20
    assert "What is AI?" in {turns[0] for turns in dialogue["ai"]}
    for topic, conversations in dialogue.items():
        assert len(set(conversations)) == len(conversations), topic
        assert all(turn == " ".join(turn.split()) and turn for turns in conversations
                   for turn in turns)  # fmt: skip


def test_topics_come_in_the_order_asked_for_and_in_other_languages():
    assert list(load_dialogue(["science", "ai"])) == ["science", "ai"]
    assert load_dialogue(["food"], "french")["food"]


def test_words_that_yaml_knows_stay_words_and_text_is_straightened(tmp_path):
    text = "- - yes\n  - 'no'\n- - 12\n  - “I’m   here”\n- - alone\n- bare\n- - yes\n  - no\n"
    conversations = load_dialogue(root=write(tmp_path, f"conversations:\n{text}"))["x"]
    assert conversations == [("yes", "no"), ("12", '"I\'m here"'), ("alone",), ("bare",)]
    assert pairs(conversations) == [("yes", "no"), ("12", '"I\'m here"')]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (GOOD.encode()[:-12] + b"\xff\xfe", "cannot be read as YAML"),
        ("conversations:\n- - 'torn", "cannot be read as YAML"),
        ("conversations:\n- !!python/object/apply:os.getcwd []\n", r"got \[\] at entry 0"),
        ("conversations:\n- " + "[" * 100_000, "cannot be read as YAML"),
        ("", "holds no conversations: got NoneType"),
        ("- a\n- b\n", "holds no conversations: got list"),
        ("conversations: talk\n", "holds no conversations: got str"),
        ("conversations: []\n", "holds no conversations: got list"),
        (GOOD + "- []\n", r"got \[\] at entry 2"),
        (GOOD + "- - Hm?\n  - ' '\n", "at entry 2"),
        (GOOD + "- - a: b\n", "at entry 2"),
        (GOOD + "- - [a, b]\n", "at entry 2"),
    ],
)
def test_a_torn_or_foreign_file_is_named(tmp_path, text, match):
    with pytest.raises(DataError, match=rf"x\.yml.*{match}"):
        load_dialogue(root=write(tmp_path, text))


def test_what_is_not_there_is_named_beside_what_is(tmp_path):
    with pytest.raises(ConfigError, match=r"no such language.*'elvish'.*english"):
        load_dialogue(language="elvish")
    with pytest.raises(ConfigError, match="there are no folders"):
        load_dialogue(root=tmp_path / "nowhere")
    write(tmp_path)
    for topics in (["y"], ["x", "x"], []):
        with pytest.raises(ConfigError, match="some of, each once: x"):
            load_dialogue(topics, root=tmp_path)


def test_a_path_as_language_or_topic_does_not_leave_the_root(tmp_path):
    write(tmp_path)
    with pytest.raises(ConfigError, match="no such language"):
        load_dialogue(language="../english", root=tmp_path / "english")
    with pytest.raises(ConfigError, match="no topics"):
        load_dialogue(["../english/x"], root=tmp_path)


@given(st.text(max_size=30), st.text(max_size=30))
def test_characters_round_trip_and_strangers_become_unknown(known, text):
    alphabet = Alphabet.of([known])
    assert alphabet.symbols[:2] == (UNKNOWN, TURN_END)
    assert alphabet.decode(alphabet.encode(known)) == known
    expected = "".join(c if c in known or c == TURN_END else UNKNOWN for c in text)
    assert alphabet.decode(alphabet.encode(text)) == expected


def test_bad_alphabets_and_numbers_are_refused():
    for symbols in ((UNKNOWN, TURN_END, "ab"), (UNKNOWN, TURN_END, "a", "a")):
        with pytest.raises(ConfigError, match="no symbols"):
            Alphabet(symbols)
    for symbols in ((), ("a", "b", "c"), (TURN_END, UNKNOWN)):
        with pytest.raises(ConfigError, match="begins wrongly"):
            Alphabet(symbols)
    for number in (-1, 3):
        with pytest.raises(LabelError, match="outside the alphabet"):
            Alphabet.of("a").decode(torch.tensor([number]))


def test_windows_are_the_characters_before_each_character():
    dialogue = {"t": [("ab", "c"), ("de",)]}
    task = next_character_tasks(dialogue, 2, test_share=0.5)[0]
    alphabet = Alphabet.of("abcde")
    assert task.train.classes == alphabet.symbols
    rows = {
        part.inputs.shape[0]: [
            (alphabet.decode(x), alphabet.symbols[y])
            for x, y in zip(part.inputs, part.labels.tolist(), strict=True)
        ]
        for part in (task.train, task.test)
    }
    assert rows[5] == [("\n\n", "a"), ("\na", "b"), ("ab", "\n"), ("b\n", "c"), ("\nc", "\n")]
    assert rows[3] == [("\n\n", "d"), ("\nd", "e"), ("de", "\n")]
    assert set(task.classes) == set(task.train.labels.tolist()) | set(task.test.labels.tolist())


def test_numbers_mean_the_same_in_every_topic():
    tasks = next_character_tasks(load_dialogue(["food", "ai"]), 4)
    assert tasks[0].train.classes == tasks[1].test.classes
    fixed = Alphabet.of(["abc"])
    for task in next_character_tasks(load_dialogue(["food"]), 4, alphabet=fixed):
        assert task.train.classes == fixed.symbols
        assert int((task.train.labels == 0).sum()) > 0  # strangers are learned as unknown


@given(st.lists(st.sampled_from("aAbcdefg"), min_size=2, max_size=40), st.floats(0.05, 0.95))
def test_no_opening_is_on_both_sides(openings, share):
    talk = [(opening, str(place)) for place, opening in enumerate(openings)]
    groups = Counter(opening.lower() for opening in openings)
    if len(groups) < 2:
        with pytest.raises(DataError, match="cannot be split"):
            split_conversations(talk, share, 0)
        return
    train, test = split_conversations(talk, share, 0)
    assert train
    assert test
    assert Counter(train) + Counter(test) == Counter(talk)
    assert not {q.lower() for q, _ in train} & {q.lower() for q, _ in test}
    assert (train, test) == split_conversations(talk, share, 0)


def test_the_share_is_met_where_openings_differ():
    talk = [(str(place),) for place in range(100)]
    splits = [split_conversations(talk, 0.2, seed)[1] for seed in range(5)]
    assert [len(test) for test in splits] == [20] * 5
    assert len({tuple(test) for test in splits}) == 5


def test_thinning_draws_from_the_windows_that_are_there():
    dialogue = load_dialogue(["movies"])
    whole = next_character_tasks(dialogue, 6, seed=3)[0]
    thin = next_character_tasks(dialogue, 6, max_windows=100, seed=3)[0]
    assert (len(thin.train), len(thin.test)) == (100, 25)

    def rows(part):
        return Counter(map(tuple, torch.cat([part.inputs, part.labels[:, None]], 1).tolist()))

    assert not rows(thin.train) - rows(whole.train)
    assert not rows(thin.test) - rows(whole.test)


@pytest.mark.parametrize(
    "options", [{"context": 0}, {"max_windows": 0}, {"test_share": 0.0}, {"test_share": 1.0}]
)
def test_arguments_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match="out of range"):
        next_character_tasks({"t": [("a",), ("b",)]}, **options)


def test_no_topic_or_one_that_opens_alike_is_refused():
    with pytest.raises(DataError, match="no topic"):
        next_character_tasks({})
    with pytest.raises(DataError, match=r"'t' cannot be split.*at least 2"):
        next_character_tasks({"t": [("a", "b"), ("A", "c")]})
